/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Server-side apply (KEP-555): a patch that says all that its manager wants, and owns. */
#include "decode.h"
#include "managed.h"
#include "metadata.h"
#include "registry/edit.h"
#include "write.h"
#include "xb/field_set.h"
#include "xb/patch.h"

#define BEFORE_FIRST_APPLY "before-first-apply"
#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

/* --- the configuration */

static int check_config(struct request *q, struct expected want, const struct xb_tree *config)
{
	const struct xb_tree *meta = xb_tree_get(config, "metadata");
	struct xb_sv version = xb_tree_gettext(config, "apiVersion"), kind = xb_tree_gettext(config, "kind");
	struct xb_sv name = xb_tree_gettext(meta, "name");

	if (!xb_sv_eq(version, managed_identity(q, true).api_version) || !xb_sv_is(kind, want.kind))
		return xb_status_bad_request(&q->fault, "invalid object type: %s%.*s, Kind=%.*s",
					     *want.group ? "" : "/", XB_SV_ARG(version), XB_SV_ARG(kind));
	if (xb_tree_get(meta, "managedFields"))
		return xb_status_bad_request(&q->fault, "metadata.managedFields must be nil");
	return name.n ? write_check_name(q, config) : 0;
}

/* What this path does not write, it does not own. */
static void leave_rest(const struct write *w, struct xb_tree *config)
{
	struct xb_tree *next;

	if (!write_is_status(w)) {
		if (xb_kind_subresource(w->kind, XB_SV("status")))
			xb_tree_del(config, "status");
		return;
	}
	for (struct xb_tree *n = config->first; n; n = next) {
		next = n->next;
		if (!xb_sv_is(n->key, "apiVersion") && !xb_sv_is(n->key, "kind") && !xb_sv_is(n->key, "metadata") &&
		    !xb_sv_is(n->key, "status"))
			xb_tree_remove(n);
	}
}

static int read_claim(struct request *q, struct expected want, const struct xb_tree *config, struct xb_tree **ret)
{
	_cleanup_buf_ struct xb_buf why = {};
	int r;

	r = xb_field_set_of(q->arena, want.type, config, ret, &why);
	if (r != -EINVAL)
		return r;
	return xb_status_set(&q->fault, 500, NULL, "failed to create typed patch object (%.*s/%.*s; %s/%s, Kind=%s): %s",
			     XB_SV_ARG(q->write.namespace_), XB_SV_ARG(q->write.name), want.group, want.version, want.kind,
			     why.p ? why.p : "");
}

static int read_config(struct request *q, struct expected want, struct xb_tree **ret_config, struct xb_tree **ret_claim)
{
	struct xb_tree *config, *claim;
	int r;

	r = patch_read(q, &config);
	if (!r)
		r = check_config(q, want, config);
	if (r)
		return r;
	leave_rest(&q->write, config);
	r = read_claim(q, want, config, &claim);
	if (r)
		return r;
	*ret_config = config;
	*ret_claim = claim;
	return 0;
}

/* --- conflicts */

struct conflict {
	const struct managed_entry *with;
	struct xb_tree *fields;
};
struct conflicts {
	struct conflict *at;
	unsigned n;
	unsigned paths;
	struct xb_buf words;           /* of who one conflict is with, or of all */
	struct xb_status *reterr;
};

static void add_who(const struct managed_entry *e, struct xb_buf *out)
{
	xb_buf_addq(out, e->manager);
	if (e->subresource.n) {
		xb_buf_adds(out, " with subresource ");
		xb_buf_addq(out, e->subresource);
	}
	if (!e->applied)
		xb_buf_addf(out, " using %.*s", XB_SV_ARG(e->api_version));
}

static int count_path(void *arg, struct xb_sv path)
{
	struct conflicts *c = arg;

	c->paths++;
	return 0;
}

static int add_line(void *arg, struct xb_sv path)
{
	struct conflicts *c = arg;

	xb_buf_addf(&c->words, "\n- %.*s", XB_SV_ARG(path));
	return c->words.err;
}

static int add_only(void *arg, struct xb_sv path)
{
	struct conflicts *c = arg;

	xb_buf_addf(&c->words, ": %.*s", XB_SV_ARG(path));
	return c->words.err;
}

static int add_cause(void *arg, struct xb_sv path)
{
	struct conflicts *c = arg;

	return xb_status_cause(c->reterr, "FieldManagerConflict", xb_buf_sv(&c->words), path);
}

static int conflicts_status(struct conflicts *c)
{
	int r = 0;

	for (unsigned i = 0; !r && i < c->n; i++)
		r = xb_field_set_each(c->at[i].fields, count_path, c);
	for (unsigned i = 0; !r && i < c->n; i++) {
		xb_buf_adds(&c->words, c->paths == 1 ? "conflict with " : i ? "\nconflicts with " : "conflicts with ");
		add_who(c->at[i].with, &c->words);
		xb_buf_adds(&c->words, c->paths == 1 ? "" : ":");
		r = xb_field_set_each(c->at[i].fields, c->paths == 1 ? add_only : add_line, c);
	}
	if (r || c->words.err)
		return r ? r : c->words.err;
	xb_status_set(c->reterr, 409, "Conflict", "Apply failed with %u conflict%s: %s", c->paths, c->paths == 1 ? "" : "s", c->words.p);
	for (unsigned i = 0; !r && i < c->n; i++) {
		xb_buf_clear(&c->words);
		xb_buf_adds(&c->words, "conflict with ");
		add_who(c->at[i].with, &c->words);
		r = c->words.err ? c->words.err : xb_field_set_each(c->at[i].fields, add_cause, c);
	}
	return r ? r : -ESTALE;
}

static int by_manager(const void *x, const void *y)
{
	const struct conflict *a = x, *b = y;
	const int r = xb_sv_cmp(a->with->manager, b->with->manager);

	return r ? r : (int)b->with->applied - (int)a->with->applied;
}

/*
 * What kubectl's client-side apply set and nobody changed since: kubectl may take it over without a conflict. *ret is NULL
 * when there is nothing of the kind.
 */
static int allowed_to_kubectl(struct request *q, struct expected want, const struct xb_tree *live, struct xb_tree **ret)
{
	struct xb_sv text = xb_tree_gettext(xb_tree_path(live, "metadata", "annotations"), LAST_APPLIED);
	struct xb_tree *config, *fields, *changed, *removed;
	_cleanup_buf_ struct xb_buf why = {};
	int r;

	*ret = NULL;
	if (!text.n)
		return 0;
	r = xb_tree_read(q->arena, text, NULL, &config);
	if (r || config->type != XB_JSON_OBJECT || !xb_sv_eq(xb_tree_gettext(config, "apiVersion"), managed_identity(q, true).api_version))
		return r == -ENOMEM ? r : 0;
	r = xb_field_set_of(q->arena, want.type, config, &fields, &why);
	if (!r)
		r = xb_field_set_compare(q->arena, want.type, config, live, &changed, &removed);
	if (r)
		return r == -ENOMEM ? r : 0;
	xb_field_set_remove(fields, changed);
	xb_field_set_remove(fields, removed);
	*ret = fields;
	return 0;
}

/* Does the change touch what others own? */
static int check_conflicts(struct request *q, const struct managed *m, const struct managed_entry *mine, const struct xb_tree *changed,
			   const struct xb_tree *allowed)
{
	struct conflicts c = { .reterr = &q->fault };
	int r;

	c.at = xb_arena_alloc(q->arena, m->n * sizeof(*c.at));
	if (!c.at)
		return -ENOMEM;
	for (unsigned i = 0; i < m->n; i++) {
		struct conflict *one = &c.at[c.n];

		if (&m->at[i] == mine)
			continue;
		one->with = &m->at[i];
		r = xb_field_set_common(q->arena, m->at[i].fields, changed, &one->fields);
		if (r)
			return r;
		if (one->fields)
			xb_field_set_remove(one->fields, allowed);
		c.n += !xb_field_set_empty(one->fields);
	}
	if (!c.n)
		return 0;
	qsort(c.at, c.n, sizeof(*c.at), by_manager);
	r = conflicts_status(&c);
	xb_buf_done(&c.words);
	return r;
}

/* --- applying */

/* An object that nobody owned yet is owned by all who were before. */
static int own_before(struct request *q, struct expected want, const struct xb_tree *live, struct managed *m)
{
	struct managed_entry before = managed_identity(q, false), *e;
	struct xb_tree *nothing = managed_nothing(q->arena, want.type), *changed, *removed;
	int r;

	before.manager = XB_SV(BEFORE_FIRST_APPLY);
	before.subresource = (struct xb_sv){};
	e = nothing ? managed_obtain(q->arena, m, before) : NULL;
	r = e ? xb_field_set_compare(q->arena, want.type, nothing, live, &changed, &removed) : -ENOMEM;
	if (r)
		return r;
	managed_leave_status(&q->write, changed);
	return xb_field_set_add(q->arena, e->fields, changed);
}

static int all_owned(struct xb_arena *a, const struct managed *m, struct xb_tree **ret)
{
	struct xb_tree *all = xb_tree_object(a);
	int r = all ? 0 : -ENOMEM;

	for (unsigned i = 0; !r && i < m->n; i++)
		r = xb_field_set_add(a, all, m->at[i].fields);
	if (!r)
		*ret = all;
	return r;
}

/* live, in the request's version, becomes what the configuration makes of it, in *ret; m what then is owned. */
static int apply_config(struct request *q, struct expected want, const struct xb_tree *live, const struct xb_tree *config,
			struct xb_tree *claim, struct managed *m, struct xb_tree **ret)
{
	const struct managed_entry me = managed_identity(q, true);
	struct xb_tree *object = xb_tree_copy(q->arena, live), *last, *owned, *changed, *removed, *allowed = NULL;
	struct managed_entry *mine = me.manager.p ? managed_obtain(q->arena, m, me) : NULL;
	int r;

	if (!object || !mine)
		return -ENOMEM;
	last = mine->fields;
	mine->fields = claim;
	mine->api_version = me.api_version;
	r = all_owned(q->arena, m, &owned);
	if (!r)
		r = xb_patch_apply(q->arena, want.type, object, config, last, owned);
	if (!r)
		r = xb_field_set_compare(q->arena, want.type, live, object, &changed, &removed);
	if (!r && xb_sv_is(me.manager, "kubectl"))
		r = allowed_to_kubectl(q, want, live, &allowed);
	if (!r && !q->query.force)
		r = check_conflicts(q, m, mine, changed, allowed);
	if (r)
		return r;
	for (unsigned i = 0; i < m->n; i++) {
		if (&m->at[i] != mine)
			xb_field_set_remove(m->at[i].fields, changed);
		xb_field_set_remove(m->at[i].fields, removed);
	}
	if (changed || removed || !xb_tree_equal(last, claim))
		mine->time = me.time;
	*ret = object;
	return 0;
}

/* kubectl's client-side apply goes on where server-side apply left off. config is used up. */
static void renew_last_applied(struct write *w, struct xb_tree *object, struct xb_tree *config)
{
	struct xb_tree *notes = xb_tree_path(object, "metadata", "annotations");
	_cleanup_buf_ struct xb_buf text = {};

	if (!xb_tree_gettext(notes, LAST_APPLIED).n)
		return;
	xb_tree_del(xb_tree_path(config, "metadata", "annotations"), LAST_APPLIED);
	xb_tree_write(config, &text);
	xb_buf_addc(&text, '\n');
	if (text.err)
		w->no_memory = true;
	else
		edit_entry(w, notes, XB_SV(LAST_APPLIED), xb_arena_sv(w->arena, xb_buf_sv(&text)));
}

static int apply_over(struct request *q, struct expected want, struct store_object *head, const struct xb_tree *old,
		      struct xb_tree *config, struct xb_tree *claim)
{
	struct xb_tree *live = xb_tree_copy(q->arena, old), *object;
	struct managed m;
	int r;

	r = live ? xb_kind_from_stored(q->route.kind, q->arena, live) : -ENOMEM;
	if (!r)
		r = managed_read(q->arena, xb_tree_path(live, "metadata", "managedFields"), &m);
	if (!r && !m.n)
		r = own_before(q, want, live, &m);
	if (!r)
		r = apply_config(q, want, live, config, claim, &m, &object);
	if (!r && xb_sv_is(q->query.field_manager, "kubectl"))
		renew_last_applied(&q->write, object, config);
	if (!r)
		r = decode_object(q, want, object);
	if (!r)
		r = managed_write(&q->write, &m, object);
	if (r)
		return r;
	q->managed = true;
	return update_object(q, head, old, object);
}

/* An apply of what is not there makes it, under the URL's name. */
static int apply_new(struct request *q, struct expected want, struct xb_tree *config, struct xb_tree *claim)
{
	struct managed_entry me = managed_identity(q, true);
	struct managed m = { .at = &me, .n = 1, .room = 1 };
	struct xb_tree *meta;
	int r;

	me.fields = claim;
	r = me.manager.p ? decode_object(q, want, config) : -ENOMEM;
	if (!r)
		r = managed_write(&q->write, &m, config);
	meta = r ? NULL : metadata_of(&q->write, config);
	if (!meta)
		return r ? r : -ENOMEM;
	if (!xb_tree_get(meta, "name"))
		xb_tree_setc(meta, "name", xb_tree_str(q->arena, q->write.name));
	q->managed = true;
	return create_object(q, config);
}

int apply_handler(struct request *q)
{
	struct expected want = expected_of(&q->route);
	struct xb_tree *config, *claim, *old = NULL;
	struct store_object *head;
	int r;

	r = write_read(q, &head, &old);
	if (r == -ENOENT && !q->route.sub) {
		xb_status_done(&q->fault);
		r = 0;
	}
	if (!r)
		r = read_config(q, want, &config, &claim);
	if (r)
		return r;
	return old ? apply_over(q, want, head, old, config, claim) : apply_new(q, want, config, claim);
}
