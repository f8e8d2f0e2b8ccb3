/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "admission.h"
#include "decode.h"
#include "managed.h"
#include "metadata.h"
#include "negotiate.h"
#include "quota.h"
#include "registry/edit.h"
#include "stored.h"
#include "write.h"

static int check_version(struct request *q, const struct xb_tree *meta, const struct xb_tree *old_meta)
{
	const struct write *w = &q->write;
	struct xb_sv want = xb_tree_gettext(meta, "resourceVersion");
	struct xb_field_errors e = { .arena = q->arena };
	uint64_t revision;
	int r;

	if (want.n) {
		if (xb_sv_eq(want, xb_tree_gettext(old_meta, "resourceVersion")))
			return 0;
		r = query_revision(want, true, &revision, &q->fault);
		return r ? r : xb_status_conflict(&q->fault, w->kind->group, w->kind->plural, w->name,
			"the object has been modified; please apply your changes to the latest version and try again");
	}
	if (strategy_of(w->kind)->unconditional_update || q->route.verb == XB_VERB_PATCH)
		return 0;
	xb_err_invalid_go(&e, XB_PATH(XB_PATH(NULL, "metadata"), "resourceVersion"), "0x0", "must be specified for an update");
	return xb_field_errors_status(&e, w->kind->group, w->kind->kind, w->name, &q->fault);
}

static int check_preconditions(struct request *q, const struct xb_tree *object, const struct xb_tree *old)
{
	const struct write *w = &q->write;
	const struct xb_tree *meta = xb_tree_get(object, "metadata"), *old_meta = xb_tree_get(old, "metadata");
	struct xb_sv uid = xb_tree_gettext(meta, "uid"), old_uid = xb_tree_gettext(old_meta, "uid");

	if (uid.n && !xb_sv_eq(uid, old_uid))
		return xb_status_conflict(&q->fault, w->kind->group, w->kind->plural, w->name,
			"Precondition failed: UID in precondition: %.*s, UID in object meta: %.*s", XB_SV_ARG(uid), XB_SV_ARG(old_uid));
	return check_version(q, meta, old_meta);
}

/* All members become old's, but for metadata and this one. */
static void keep_members(struct write *w, struct xb_tree *object, const struct xb_tree *old, const char *but)
{
	struct xb_tree *next;

	for (struct xb_tree *m = object->first; m; m = next) {
		next = m->next;
		if (!xb_sv_is(m->key, "metadata") && !xb_sv_is(m->key, but) && !xb_tree_getsv(old, m->key))
			xb_tree_remove(m);
	}
	xb_tree_each(m, old)
		if (!xb_sv_is(m->key, "metadata") && !xb_sv_is(m->key, but))
			edit_member(w, object, m->key, xb_tree_copy(w->arena, m));
}

static void keep_but_part(struct write *w, struct xb_tree *object, const struct xb_tree *old)
{
	static const char *const metadata[] = { "labels", "annotations", "finalizers", "ownerReferences" };
	const struct xb_tree *sent = xb_tree_copy(w->arena, object);
	struct xb_tree *meta = metadata_of(w, object);

	keep_members(w, object, old, "metadata");
	for (unsigned i = 0; meta && i < ARRAY_SIZE(metadata); i++)
		edit_keep(w, meta, xb_tree_get(old, "metadata"), metadata[i]);
	if (sent && !w->no_memory)
		strategy_part_of(w)->merge(w, object, sent);
	else
		w->no_memory = true;
}

/* A write to status changes status and metadata; one to the object changes all but status, where status has a path of its own. */
static void keep_separate(struct write *w, struct xb_tree *object, const struct xb_tree *old)
{
	if (strategy_part_of(w))
		keep_but_part(w, object, old);
	else if (write_is_status(w))
		keep_members(w, object, old, "status");
	else if (xb_kind_subresource(w->kind, XB_SV("status")))
		edit_keep(w, object, old, "status");
}

/* The last finalizer went: what was asked for before happens now. */
static bool completes_deletion(const struct write *w, const struct xb_tree *object)
{
	const struct strategy *s = strategy_of(w->kind);

	return metadata_deleting(object) && !metadata_held(object) && !(s->held && s->held(object));
}

int update_object(struct request *q, struct store_object *head, const struct xb_tree *old, struct xb_tree *object)
{
	struct write *w = &q->write;
	const struct strategy *s = strategy_of(w->kind);
	int r;

	r = check_preconditions(q, object, old);
	if (r)
		return r;
	keep_separate(w, object, old);
	r = q->managed ? 0 : managed_update(q, object, old);
	if (r)
		return r;
	if (s->prepare_update && !write_is_status(w))
		s->prepare_update(w, object, old);
	if (s->prepare_status && write_is_status(w))
		s->prepare_status(w, object, old);
	metadata_update(w, object, old, s->has_generation);
	r = w->no_memory ? -ENOMEM : admission_run(q, w, object, old);
	if (!r)
		r = write_validate(q, w, object, old);
	if (r)
		return r;
	if (metadata_only_version_differs(object, old)) {
		write_end(w, false);
		return write_nothing(q, head->doc, 200);
	}
	if (!completes_deletion(w, object)) {
		r = admission_runs(q, "ResourceQuota") ? quota_admit(q, w, object, head->doc) : 0;
		if (!r)
			return write_put(q, head->revision, object, 200);
		write_end(w, false);
		return r;
	}
	/* as upstream: who watches sees it as it last was, with its last finalizer */
	write_end(w, false);
	object = stored_tree(w->arena, head->doc);
	r = object ? write_begin_removal(q, w, old) : -ENOMEM;
	return r ? r : write_remove(q, head->revision, object, 200);
}

/* The object is the one that the URL names. */
static int check_names(struct request *q, const struct xb_tree *object)
{
	const struct write *w = &q->write;
	struct xb_sv space = xb_tree_text(xb_tree_path(object, "metadata", "namespace"));
	int r = write_check_name(q, object);

	if (r)
		return r;
	if (w->kind->namespaced && space.n && !xb_sv_eq(space, w->namespace_))
		return xb_status_bad_request(&q->fault, "the namespace of the object (%.*s) does not match the namespace on the request (%.*s)",
					     XB_SV_ARG(space), XB_SV_ARG(w->namespace_));
	return 0;
}

/* The body, if its bytes alone say what it means and nothing is to be said about it; else {}. */
static struct xb_sv plain_body(const struct request *q)
{
	if (q->query.field_validation.n || negotiate_body(xb_http_header(q->http, "content-type")) != BODY_JSON)
		return (struct xb_sv){};
	return xb_http_body(q->http);
}

static int read_and_renew(struct request *q, struct xb_sv body, struct xb_tree **ret)
{
	int r = decode_body(q, ret);

	if (!r)
		r = check_names(q, *ret);
	return r ? r : renew_object(q, *ret, q->warned ? (struct xb_sv){} : body);
}

int update_handler(struct request *q)
{
	struct store_object *head;
	struct xb_tree *object, *old;
	struct xb_arena_mark mark;
	struct xb_sv body;
	int r;

	r = query_check_write(q->arena, &q->query, "UpdateOptions", &q->fault);
	if (!r)
		r = write_init(q);
	if (r)
		return r;
	mark = xb_arena_mark(q->arena);
	body = plain_body(q);
	r = renew_again(q, body);
	if (r == -ENOTSUP)
		r = read_and_renew(q, body, &object);
	if (!r)
		request_forget(q, mark);
	if (r != -ENOTSUP)
		return r;
	r = write_read(q, &head, &old);
	if (r == -ENOENT && !q->route.sub && strategy_of(q->route.kind)->create_on_update) {
		xb_status_done(&q->fault);
		return create_object(q, object);
	}
	return r ? r : update_object(q, head, old, object);
}
