/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../pods.h"
#include "revisions.h"
#include "template_hash.h"

#define PREFIX_MAX 223 /* so that no name is longer than 253 */

struct making {
	struct kcm_work *w;
	struct revisions_owner owner;           /* its object is held */
	const char *name;
	struct xb_sv data;
};

static int64_t collisions(struct xb_jv owner)
{
	int64_t n = 0;

	xb_jv_i64(xb_jv_path(owner, "status", "collisionCount"), &n);
	return n;
}

/* --- what there is --- */
int64_t revisions_number(struct xb_jv revision)
{
	int64_t n = 0;

	xb_jv_i64(xb_jv_get(revision, "revision"), &n);
	return n;
}

static int by_age(const void *a, const void *b)
{
	const struct xb_jv *x = a, *y = b;
	int64_t m = revisions_number(*x), n = revisions_number(*y);
	int r = (m > n) - (m < n);

	if (!r)
		r = xb_sv_cmp(xb_jv_meta(*x, "creationTimestamp"), xb_jv_meta(*y, "creationTimestamp"));
	return r ? r : xb_sv_cmp(xb_jv_meta(*x, "name"), xb_jv_meta(*y, "name"));
}

static bool selects(const struct xb_selector *s, struct xb_jv revision)
{
	return xb_selector_matches(s, xb_jv_path(revision, "metadata", "labels"));
}

int revisions_gather(const struct xb_index *by_controller, const struct xb_selector *selector, struct xb_jv owner, struct revisions *ret)
{
	_cleanup_buf_ struct xb_buf orphans = {};
	int r = 0;

	for (struct xb_index_it it = {}; !r && xb_index_next(by_controller, xb_jv_meta(owner, "uid"), &it);)
		if (selects(selector, it.object))
			r = xb_vec_push(&ret->owned, it.object);
		else
			r = xb_vec_push(&ret->to_release, it.object);
	xb_buf_addf(&orphans, "%.*s/", XB_SV_ARG(xb_jv_meta(owner, "namespace")));
	for (struct xb_index_it it = {}; !r && xb_index_next(by_controller, xb_buf_sv(&orphans), &it);)
		if (!pods_deleting(it.object) && selects(selector, it.object))
			r = xb_vec_push(&ret->to_adopt, it.object);
	if (ret->owned.n)
		qsort(ret->owned.v, ret->owned.n, sizeof(*ret->owned.v), by_age);
	return r ? r : orphans.err;
}

void revisions_done(struct revisions *r)
{
	xb_vec_done(&r->owned);
	xb_vec_done(&r->to_adopt);
	xb_vec_done(&r->to_release);
}

static bool has(struct xb_jv revision, struct xb_sv data)
{
	_cleanup_buf_ struct xb_buf own = {};

	template_patch(xb_jv_path(revision, "data", "spec", "template"), &own);
	return !own.err && xb_sv_eq(xb_buf_sv(&own), data);
}

int revisions_find(const struct revisions *r, struct xb_jv owner, struct revisions_update *ret)
{
	struct revisions_update u = { .number = r->owned.n ? revisions_number(r->owned.v[r->owned.n - 1]) + 1 : 1 };
	_cleanup_buf_ struct xb_buf data = {};

	template_patch(xb_jv_path(owner, "spec", "template"), &data);
	if (data.err)
		return data.err;
	for (size_t i = r->owned.n; i-- > 0 && !xb_jv_is(u.revision);) {
		if (!has(r->owned.v[i], xb_buf_sv(&data)))
			continue;
		u.revision = r->owned.v[i];
		if (i == r->owned.n - 1)
			u.number--;
	}
	*ret = u;
	return 0;
}

bool revisions_settled(const struct revisions_update *u)
{
	return xb_jv_is(u->revision) && revisions_number(u->revision) == u->number;
}

/* --- a new one --- */
struct xb_sv revisions_prefix(struct xb_sv owner)
{
	return (struct xb_sv){ owner.p, MIN(owner.n, (size_t)PREFIX_MAX) };
}

static void write_labels(struct xb_jw *w, const struct revisions_owner *o, const char *hash)
{
	xb_jw_key(w, "labels");
	xb_jw_object(w);
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(o->object, "spec", "template", "metadata", "labels")); xb_jit_next(&it);) {
		if (xb_sv_is(it.key, o->hash_label))
			continue;
		xb_jw_keysv(w, it.key);
		xb_jw_raw(w, xb_jv_bytes(it.value));
	}
	xb_jw_kstr(w, o->hash_label, hash);
	xb_jw_end(w);
}

static void write_metadata(struct xb_jw *w, const struct revisions_owner *o, const char *hash)
{
	struct xb_jv annotations = xb_jv_path(o->object, "metadata", "annotations");
	_cleanup_buf_ struct xb_buf name = {};

	xb_buf_addf(&name, "%.*s-%s", XB_SV_ARG(revisions_prefix(xb_jv_meta(o->object, "name"))), hash);
	if (name.err)
		w->err = name.err;
	xb_jw_key(w, "metadata");
	xb_jw_object(w);
	xb_jw_ksv(w, "name", xb_buf_sv(&name));
	write_labels(w, o, hash);
	if (xb_jv_is(annotations)) {
		xb_jw_key(w, "annotations");
		xb_jw_raw(w, xb_jv_bytes(annotations));
	}
	xb_jw_key(w, "ownerReferences");
	xb_jw_array(w);
	xb_owner_write(w, o->kind, o->object);
	xb_jw_end(w);
	xb_jw_end(w);
}

void revisions_body(const struct revisions_owner *o, const char *hash, int64_t number, struct xb_sv data, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", "ControllerRevision");
	xb_jw_kstr(&w, "apiVersion", "apps/v1");
	write_metadata(&w, o, hash);
	xb_jw_key(&w, "data");
	xb_jw_raw(&w, data);
	xb_jw_kint(&w, "revision", number);
	xb_jw_end(&w);
	if (xb_jw_finish(&w) < 0)
		out->err = -ENOMEM;
}

/* The object is not there any more, or was changed: the copy will show it. */
static int on_written(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	return code == 404 || code == 409 || code == 422 ? -ESTALE : xb_calls_error(code, status);
}

static int count_collision(struct making *m)
{
	struct kcm_request q = {
		.method = "PUT", .kind = m->owner.kind, .name = m->w->name, .sub = "status", .type = KCM_JSON, .of = m->owner.object,
	};
	_cleanup_buf_ struct xb_buf body = {};

	xb_buf_addf(&body, "{\"status\":{\"collisionCount\":%lld}}", (long long)collisions(m->owner.object) + 1);
	q.body = xb_buf_sv(&body);
	return body.err ? body.err : kcm_work_ask(m->w, &q, on_written, NULL);
}

/* Its controller is the owner, or was one by the same name, or it has none and is selected: it is about to be the owner's, or to go. */
static bool comes_or_goes(const struct making *m, struct xb_jv namesake)
{
	struct xb_jv controller = xb_owner_controller(namesake);
	_cleanup_(xb_selector_freep) struct xb_selector *selector = NULL;

	if (xb_jv_is(controller))
		return xb_jv_streq(xb_jv_get(controller, "kind"), xb_sv(m->owner.kind->kind)) &&
		       xb_jv_streq(xb_jv_get(controller, "name"), xb_jv_meta(m->owner.object, "name"));
	xb_selector_from_label_selector(xb_jv_path(m->owner.object, "spec", "selector"), &selector, NULL);
	return selector && selects(selector, namesake);
}

static int on_namesake(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct making *m = arg;
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct xb_jv namesake;
	int r = on_written(NULL, code, body, status);

	if (!r)
		r = xb_json_parse(body, NULL, &doc, NULL);
	if (r)
		return r;
	namesake = xb_json_root(doc);
	return has(namesake, m->data) && comes_or_goes(m, namesake) ? -ESTALE : count_collision(m);
}

static int on_made(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct making *m = arg;
	struct kcm_request namesake = { .method = "GET", .kind = m->owner.revision_kind, .name = m->name };
	int r = xb_calls_error(code, status);

	if (r == -EEXIST)
		return kcm_work_ask(m->w, &namesake, on_namesake, m);
	/* whatever is made in a namespace that goes would go as well */
	if (kcm_is_terminating(status))
		return 0;
	if (r)
		m->w->why = xb_arena_strn(m->w->arena, xb_sv(status && status->message ? status->message : ""));
	return r;
}

static int make(struct kcm_work *w, const struct revisions_owner *o, int64_t number, void (*then)(struct kcm_work *w, int error))
{
	_cleanup_buf_ struct xb_buf data = {}, body = {};
	struct kcm_request q = { .method = "POST", .kind = o->revision_kind, .type = KCM_JSON };
	struct making *m = xb_arena_alloc(w->arena, sizeof(*m));
	struct template_hash hash;

	if (!m)
		return -ENOMEM;
	template_patch(xb_jv_path(o->object, "spec", "template"), &data);
	hash = template_patch_hash(xb_buf_sv(&data), collisions(o->object));
	revisions_body(o, hash.s, number, xb_buf_sv(&data), &body);
	*m = (struct making){ .w = w, .owner = *o, .data = xb_arena_sv(w->arena, xb_buf_sv(&data)) };
	m->name = xb_arena_printf(w->arena, "%.*s-%s", XB_SV_ARG(revisions_prefix(xb_jv_meta(o->object, "name"))), hash.s);
	if (data.err || body.err || !m->data.p || !m->name || kcm_work_hold(w, o->object))
		return -ENOMEM;
	q.body = xb_buf_sv(&body);
	kcm_work_round(w, then);
	kcm_work_ask(w, &q, on_made, m);
	kcm_work_go(w);
	return 0;
}

/* --- those that are there --- */
static int renumber(struct kcm_work *w, const struct xb_kind *kind, const struct revisions_update *u,
		    void (*then)(struct kcm_work *w, int error))
{
	struct kcm_request q = { .method = "PATCH", .kind = kind, .type = KCM_MERGE };
	_cleanup_buf_ struct xb_buf patch = {};

	q.name = xb_arena_strn(w->arena, xb_jv_meta(u->revision, "name"));
	xb_buf_addf(&patch, "{\"metadata\":{\"uid\":\"%.*s\",\"resourceVersion\":\"%.*s\"},\"revision\":%lld}",
		    XB_SV_ARG(xb_jv_meta(u->revision, "uid")), XB_SV_ARG(xb_jv_meta(u->revision, "resourceVersion")), (long long)u->number);
	if (!q.name || patch.err)
		return -ENOMEM;
	q.body = xb_buf_sv(&patch);
	kcm_work_round(w, then);
	kcm_work_ask(w, &q, on_written, NULL);
	kcm_work_go(w);
	return 0;
}

int revisions_write(struct kcm_work *w, const struct revisions_owner *o, const struct revisions_update *u,
		    void (*then)(struct kcm_work *w, int error))
{
	return xb_jv_is(u->revision) ? renumber(w, o->revision_kind, u, then) : make(w, o, u->number, then);
}

size_t revisions_excess(const struct revisions *r, int64_t limit, bool (*live)(void *arg, struct xb_jv revision), void *arg,
			struct xb_jv *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < r->owned.n; i++)
		if (!live(arg, r->owned.v[i]))
			ret[n++] = r->owned.v[i];
	return limit < 0 || (int64_t)n <= limit ? 0 : n - (size_t)limit;
}

struct deletion {
	const char *name;
	struct xb_sv body;
};

static int write_deletion(struct kcm_work *w, struct xb_jv revision, struct deletion *ret)
{
	const char *body = xb_arena_printf(w->arena, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"preconditions\":"
		"{\"uid\":\"%.*s\",\"resourceVersion\":\"%.*s\"}}",
		XB_SV_ARG(xb_jv_meta(revision, "uid")), XB_SV_ARG(xb_jv_meta(revision, "resourceVersion")));

	*ret = (struct deletion){ xb_arena_strn(w->arena, xb_jv_meta(revision, "name")), xb_sv(body) };
	return ret->name && body ? 0 : -ENOMEM;
}

int revisions_delete(struct kcm_work *w, const struct xb_kind *kind, const struct xb_jv *revisions, size_t n,
		     void (*then)(struct kcm_work *w, int error))
{
	struct deletion *d = xb_arena_alloc(w->arena, (n + 1) * sizeof(*d));
	int r = d ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && !r; i++)
		r = write_deletion(w, revisions[i], &d[i]);
	if (r)
		return r;
	kcm_work_round(w, then);
	for (size_t i = 0; i < n; i++) {
		struct kcm_request q = { .method = "DELETE", .kind = kind, .name = d[i].name, .type = KCM_JSON, .body = d[i].body };

		kcm_work_ask(w, &q, on_written, NULL);
	}
	kcm_work_go(w);
	return 0;
}
