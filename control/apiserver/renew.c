/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "admission.h"
#include "managed.h"
#include "registry/strategy.h"
#include "renewals.h"
#include "stored.h"
#include "write.h"

/* Would n be written as v stands there? A tree that was decoded is in the order in which it is written. */
static bool same(const struct xb_tree *n, struct xb_jv v);

static bool same_member(const struct xb_tree *n, const struct xb_jit *it)
{
	bool named = it->key_escaped ? xb_jv_getsv(it->in, n->key).at == it->value.at : xb_sv_eq(n->key, it->key);

	return named && same(n, it->value);
}

static bool same(const struct xb_tree *n, struct xb_jv v)
{
	struct xb_jit it;

	v = stored_whole(v);
	if (n->type != xb_jv_type(v))
		return false;
	switch (n->type) {
	case XB_JSON_STRING:
		return xb_jv_streq(v, n->text);
	case XB_JSON_NUMBER:
		return xb_sv_eq(n->text, xb_jv_bytes(v));
	case XB_JSON_BOOL:
		return n->b == xb_jv_true(v);
	case XB_JSON_ARRAY:
	case XB_JSON_OBJECT:
		break;
	default:
		return true;
	}
	it = xb_jv_iter(v);
	xb_tree_each(child, n)
		if (!xb_jit_next(&it) || !same_member(child, &it))
			return false;
	return !xb_jit_next(&it);
}

/* What was sent comes first, managedFields behind it, and then what metadata_update keeps, in its order. */
static bool same_metadata(const struct xb_tree *meta, struct xb_jv old)
{
	static const struct xb_sv kept[] = { XB_SV("namespace"), XB_SV("uid"), XB_SV("creationTimestamp") };
	struct xb_jit it = xb_jv_iter(old);
	unsigned i = 0;

	xb_tree_each(m, meta) {
		if (xb_sv_is(m->key, "managedFields")) {
			if (!same(m, xb_jv_get(old, "managedFields")))
				return false;
		} else if (!xb_jit_next(&it) || !same_member(m, &it)) {
			return false;
		}
	}
	if (!xb_jit_next(&it) || !xb_sv_is(it.key, "managedFields"))
		return false;
	while (xb_jit_next(&it)) {
		while (i < ARRAY_SIZE(kept) && !xb_sv_eq(kept[i], it.key))
			i++;
		if (i++ == ARRAY_SIZE(kept))
			return false;
	}
	return true;
}

/* *ret: the renewed time and what it becomes. */
static bool same_spec(const struct xb_tree *spec, struct xb_jv old, const char *renewed, struct xb_json_change *ret)
{
	struct xb_jit it = xb_jv_iter(old);

	xb_tree_each(m, spec) {
		if (!xb_jit_next(&it))
			return false;
		if (xb_sv_is(m->key, renewed) && xb_sv_is(it.key, renewed))
			*ret = (struct xb_json_change){ it.value, xb_tree_text(m) };
		else if (!same_member(m, &it))
			return false;
	}
	return !xb_jit_next(&it) && ret->text.n && !xb_jv_streq(ret->string, ret->text);
}

static bool same_but(const struct xb_tree *object, struct xb_jv old, const char *renewed, struct xb_json_change *ret)
{
	struct xb_jit it = xb_jv_iter(old);

	xb_tree_each(m, object) {
		if (!xb_jit_next(&it) || !xb_sv_eq(m->key, it.key))
			return false;
		if (xb_sv_is(m->key, "metadata") ? !same_metadata(m, it.value) :
		    xb_sv_is(m->key, "spec") ? !same_spec(m, it.value, renewed, ret) : !same(m, it.value))
			return false;
	}
	return !xb_jit_next(&it) && ret->text.n;
}

static bool owns(struct xb_jv fields, const char *renewed)
{
	fields = stored_whole(xb_jv_get(stored_whole(fields), "f:spec"));
	for (struct xb_jit it = xb_jv_iter(fields); xb_jit_next(&it);)
		if (it.key.n > 2 && xb_sv_is((struct xb_sv){ it.key.p + 2, it.key.n - 2 }, renewed))
			return true;
	return false;
}

static bool next_is(struct xb_jit *it, const char *key)
{
	return xb_jit_next(it) && xb_sv_is(it->key, key);
}

/* Of one who wrote alone, and wrote this before, managedFields tell nothing new but the time. Entries are in managed_write's order. */
static bool is_by_its_only_manager(struct request *q, struct xb_jv managed, const char *renewed, struct xb_json_change *ret)
{
	struct managed_entry me = managed_identity(q, false);
	struct xb_jit entries = xb_jv_iter(managed), it;

	if (!me.manager.p || !xb_jit_next(&entries))
		return false;
	it = xb_jv_iter(entries.value);
	if (!next_is(&it, "apiVersion") || !xb_jv_streq(it.value, me.api_version) || !next_is(&it, "fieldsType") ||
	    !next_is(&it, "fieldsV1") || !owns(it.value, renewed) || !next_is(&it, "manager") || !xb_jv_streq(it.value, me.manager) ||
	    !next_is(&it, "operation") || !xb_jv_streq(it.value, XB_SV("Update")) || !next_is(&it, "time"))
		return false;
	*ret = (struct xb_json_change){ it.value, me.time };
	return !xb_jit_next(&entries);
}

/* What a renewal made has one manager. */
static bool is_by_its_last_writer(struct request *q, struct xb_jv managed, struct xb_json_change *ret)
{
	struct managed_entry me = managed_identity(q, false);
	struct xb_jv entry = xb_jv_at(managed, 0);

	*ret = (struct xb_json_change){ xb_jv_get(entry, "time"), me.time };
	return me.manager.p && xb_jv_streq(xb_jv_get(entry, "manager"), me.manager);
}

/* What q may renew, if its kind is of that sort. 0, -ENOTSUP, -ENOMEM. */
static int find_head(struct request *q, const char **ret_key, struct store_object **ret)
{
	const struct write *w = &q->write;

	if (!strategy_of(w->kind)->renewed || w->sub || w->dry_run || w->kind != xb_kind_stored(w->kind))
		return -ENOTSUP;
	*ret_key = write_key(q, w);
	if (!*ret_key)
		return -ENOMEM;
	*ret = store_head(q->server->store, *ret_key);
	return *ret ? 0 : -ENOTSUP;
}

static struct xb_jv managed_of(const struct store_object *head)
{
	return xb_jv_path(xb_json_root(head->doc), "metadata", "managedFields");
}

/* object: what plugins are told, as what is there and as what comes. What its writer renews none of them asks for. */
static int renew(struct request *q, const char *key, const struct store_object *head, struct xb_tree *object, struct store_amendment *a)
{
	int r = admission_run(q, &q->write, object, object);

	if (r)
		return r;
	r = write_amend(q, key, head->revision, a);
	return r == -EINVAL ? -ENOTSUP : r;
}

int renew_object(struct request *q, struct xb_tree *object, struct xb_sv body)
{
	struct write *w = &q->write;
	const char *renewed = strategy_of(w->kind)->renewed, *key;
	struct store_amendment a = { .n = 2 };
	struct store_object *head;
	int r;

	r = find_head(q, &key, &head);
	if (r)
		return r;
	if (!same_but(object, xb_json_root(head->doc), renewed, &a.changes[0]) ||
	    !is_by_its_only_manager(q, managed_of(head), renewed, &a.changes[1]))
		return -ENOTSUP;
	r = renew(q, key, head, object, &a);
	if (!r && body.n)
		renewals_note(q->server->renewals, xb_sv(key), store_head(q->server->store, key)->revision, body, renewed);
	return r;
}

/* What says of itself no more than where it is. NULL without memory. */
static struct xb_tree *named(struct write *w)
{
	struct xb_tree *object = xb_tree_object(w->arena), *meta = xb_tree_object(w->arena);
	struct xb_tree *name = xb_tree_str(w->arena, w->name), *space = xb_tree_str(w->arena, w->namespace_);

	if (!object || !meta || !name || !space)
		return NULL;
	xb_tree_setc(object, "metadata", meta);
	xb_tree_setc(meta, "name", name);
	xb_tree_setc(meta, "namespace", space);
	return object;
}

int renew_again(struct request *q, struct xb_sv body)
{
	struct write *w = &q->write;
	struct store_amendment a = { .n = 2 };
	struct renewals *renewals = q->server->renewals;
	struct store_object *head;
	struct xb_tree *object;
	const char *key;
	struct xb_jv root;
	int r;

	r = find_head(q, &key, &head);
	if (r)
		return r;
	root = xb_json_root(head->doc);
	a.changes[0].string = xb_jv_path(root, "spec", strategy_of(w->kind)->renewed);
	if (!renewals_said(renewals, xb_sv(key), head->revision, body, xb_jv_meta(root, "resourceVersion"), &a.changes[0].text) ||
	    xb_jv_streq(a.changes[0].string, a.changes[0].text) || !is_by_its_last_writer(q, managed_of(head), &a.changes[1]))
		return -ENOTSUP;
	object = named(w);
	r = object ? renew(q, key, head, object, &a) : -ENOMEM;
	if (!r)
		renewals_again(renewals, xb_sv(key), store_head(q->server->store, key)->revision);
	return r;
}
