/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "quota.h"
#include "quota_tally.h"
#include "server.h"
#include "write.h"
#include "xb/time.h"

struct quota_claim {
	struct quota_claim *next, **at;    /* among the server's */
	const struct xb_kind *kind;
	struct xb_sv namespace_;
	struct xb_json *doc, *old;         /* old: NULL at creation */
};

/* One write under one quota. */
struct check {
	struct request *request;
	const struct write *write;
	struct xb_jv quota, object, old;
	int64_t now;
	struct xb_buf requested, used, limited, missing; /* lists for the message */
};

static struct xb_jv root_of(const struct xb_json *doc)
{
	return doc ? xb_json_root(doc) : (struct xb_jv){};
}

/* --- one quota */

/* What old becoming object adds; old may be {}. */
static __int128 increase(struct xb_jv quota, const struct xb_kind *k, struct xb_jv object, struct xb_jv old, struct xb_sv resource,
			 int64_t at)
{
	__int128 now = xb_quota_selects(quota, k, object) ? xb_quota_amount(k, object, resource, at) : 0;
	__int128 before = xb_jv_is(old) && xb_quota_selects(quota, k, old) ? xb_quota_amount(k, old, resource, at) : 0;

	return now > before ? now - before : 0;
}

/* What is committed, and what is on its way. */
static int sum_used(const struct check *c, struct xb_sv resource, bool anew, __int128 *ret)
{
	const struct xb_kind *k = xb_kind_stored(c->write->kind);
	const struct xb_quota_usage *u;
	__int128 sum = 0;
	int r = quota_tally(c->request->server->tallies, k, c->quota, anew, &u);

	if (r)
		return r;
	for (size_t i = 0; i < u->sums.n; i++)
		if (xb_sv_eq(u->sums.v[i].resource, resource))
			sum = u->sums.v[i].used.nano;
	for (const struct quota_claim *claim = c->request->server->claims; claim; claim = claim->next)
		if (claim->kind == k && xb_sv_eq(claim->namespace_, c->write->namespace_))
			sum += increase(c->quota, k, xb_json_root(claim->doc), root_of(claim->old), resource, c->now);
	*ret = sum;
	return 0;
}

static void add_amount(struct xb_buf *b, struct xb_sv resource, __int128 nano, enum xb_quantity_form form)
{
	struct xb_quantity q = { nano, form };

	xb_buf_addf(b, "%s%.*s=", b->n ? "," : "", XB_SV_ARG(resource));
	xb_quantity_write(&q, b);
}

/* A quota on cpu or memory wants every container to say what it needs. */
static void check_said(struct check *c, struct xb_sv resource)
{
	static const char *const lists[] = { "containers", "initContainers" };
	bool found = false;
	const char *list;
	struct xb_sv name;

	if (*c->write->kind->group || strcmp(c->write->kind->plural, "pods") || !xb_quota_is_compute(resource, &list, &name) ||
	    !(xb_sv_is(name, "cpu") || xb_sv_is(name, "memory")))
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(lists); i++)
		for (struct xb_jit it = xb_jv_iter(xb_jv_path(c->object, "spec", lists[i])); xb_jit_next(&it);) {
			if (xb_jv_is(xb_jv_getsv(xb_jv_path(it.value, "resources", list), name)))
				continue;
			if (!found)
				xb_buf_addf(&c->missing, "%s%.*s for: ", c->missing.n ? "; " : "", XB_SV_ARG(resource));
			xb_buf_addf(&c->missing, "%s%.*s", found ? "," : "", XB_SV_ARG(xb_jv_text(xb_jv_path(it.value, "name"))));
			found = true;
		}
}

static int check_resource(struct check *c, struct xb_sv resource, struct xb_jv limit)
{
	const struct xb_kind *k = xb_kind_stored(c->write->kind);
	__int128 wanted = increase(c->quota, k, c->object, c->old, resource, c->now), used;
	struct xb_quantity hard;
	int r;

	check_said(c, resource);
	if (!wanted || xb_quantity_parse(xb_jv_text(limit), &hard))
		return 0;
	r = sum_used(c, resource, false, &used);
	if (!r && used + wanted > hard.nano)
		r = sum_used(c, resource, true, &used);
	if (r || used + wanted <= hard.nano)
		return r;
	add_amount(&c->requested, resource, wanted, hard.form);
	add_amount(&c->used, resource, used, hard.form);
	add_amount(&c->limited, resource, hard.nano, hard.form);
	return 0;
}

static int refuse(const struct check *c)
{
	const struct write *w = c->write;
	struct xb_sv name = xb_jv_text(xb_jv_path(c->quota, "metadata", "name"));

	if (c->requested.err || c->used.err || c->limited.err || c->missing.err)
		return -ENOMEM;
	if (c->missing.n)
		return xb_status_forbidden(&c->request->fault, w->kind->group, w->kind->plural, w->name, "failed quota: %.*s: must specify %s",
					   XB_SV_ARG(name), c->missing.p);
	if (c->requested.n)
		return xb_status_forbidden(&c->request->fault, w->kind->group, w->kind->plural, w->name,
			"exceeded quota: %.*s, requested: %s, used: %s, limited: %s", XB_SV_ARG(name), c->requested.p, c->used.p, c->limited.p);
	return 0;
}

static int check_quota(struct check *c)
{
	struct xb_buf *const texts[] = { &c->requested, &c->used, &c->limited, &c->missing };
	int r = 0;

	if (!xb_quota_selects(c->quota, xb_kind_stored(c->write->kind), c->object))
		return 0;
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(c->quota, "spec", "hard")); !r && xb_jit_next(&it);)
		r = check_resource(c, it.key, it.value);
	if (!r)
		r = refuse(c);
	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++)
		xb_buf_done(texts[i]);
	return r;
}

static int claim(struct request *q, struct write *w, struct xb_json *doc, struct xb_json *old)
{
	struct quota_claim *c = xb_arena_alloc(w->arena, sizeof(*c));

	if (!c)
		return -ENOMEM;
	*c = (struct quota_claim){
		.next = q->server->claims, .at = &q->server->claims, .kind = xb_kind_stored(w->kind), .namespace_ = w->namespace_,
		.doc = xb_json_ref(doc), .old = old ? xb_json_ref(old) : NULL,
	};
	if (c->next)
		c->next->at = &c->next;
	q->server->claims = c;
	w->claim = c;
	return 0;
}

void quota_release(struct write *w)
{
	struct quota_claim *c = w->claim;

	if (!c)
		return;
	*c->at = c->next;
	if (c->next)
		c->next->at = c->at;
	xb_json_unref(c->doc);
	xb_json_unref(c->old);
	w->claim = NULL;
}

static int parse(const struct xb_tree *object, struct xb_json **ret)
{
	_cleanup_buf_ struct xb_buf bytes = {};

	xb_tree_write(object, &bytes);
	return bytes.err ? bytes.err : xb_json_parse(xb_buf_sv(&bytes), &(struct xb_json_limits){ .max_bytes = 1u << 28 }, ret, NULL);
}

/* Of most kinds only the objects are counted, so an update changes nothing. */
static bool is_counted(const struct write *w, const struct xb_json *old)
{
	if (!w->kind->namespaced)
		return false;
	if (!old)
		return true;
	if (*w->kind->group)
		return false;
	if (!strcmp(w->kind->plural, "pods"))
		return w->sub && !strcmp(w->sub->name, "resize");
	return !w->sub && (!strcmp(w->kind->plural, "services") || !strcmp(w->kind->plural, "persistentvolumeclaims"));
}

int quota_admit(struct request *q, struct write *w, const struct xb_tree *object, struct xb_json *old)
{
	const struct xb_kind *quotas = xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("resourcequotas"));
	_cleanup_(store_walk_freep) struct store_walk *walk = NULL;
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct store_object *o;
	const char *prefix;
	int r;

	if (!is_counted(w, old))
		return 0;
	prefix = route_key(q->arena, quotas, w->namespace_, (struct xb_sv){});
	r = prefix ? store_walk_new(q->server->store, prefix, NULL, 0, &walk) : -ENOMEM;
	while (!r && (o = store_walk_next(walk))) {
		struct check c = { .request = q, .write = w, .quota = xb_json_root(o->doc), .old = root_of(old), .now = xb_time_now() };

		r = doc ? 0 : parse(object, &doc);
		if (r)
			break;
		c.object = xb_json_root(doc);
		r = check_quota(&c);
	}
	if (!r)
		r = store_walk_error(walk);
	return r || !doc || w->dry_run ? r : claim(q, w, doc, old);
}
