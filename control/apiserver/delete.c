/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "admission.h"
#include "decode.h"
#include "delete.h"
#include "metadata.h"
#include "registry/edit.h"
#include "stored.h"

static const char *const policies[] = { "Background", "Foreground", "Orphan", NULL };

static const char *policy_of(struct xb_sv text)
{
	for (unsigned i = 0; policies[i]; i++)
		if (xb_sv_is(text, policies[i]))
			return policies[i];
	return NULL;
}

/* A body replaces what the query says, as upstream has it. */
static void take_body(const struct xb_tree *body, struct query *said, struct delete_options *o)
{
	const struct xb_tree *orphan = xb_tree_get(body, "orphanDependents"), *dry_run = xb_tree_get(body, "dryRun");

	said->grace_seconds = xb_tree_geti64(body, "gracePeriodSeconds", -1);
	said->propagation = xb_tree_gettext(body, "propagationPolicy");
	said->orphan_dependents = !orphan ? QUERY_UNSET : xb_tree_true(orphan) ? QUERY_TRUE : QUERY_FALSE;
	if (dry_run)
		said->n_dry_run = 0;
	xb_tree_each(d, dry_run)
		if (said->n_dry_run < ARRAY_SIZE(said->dry_run))
			said->dry_run[said->n_dry_run++] = xb_tree_text(d);
	o->uid = xb_tree_text(xb_tree_path(body, "preconditions", "uid"));
	o->resource_version = xb_tree_text(xb_tree_path(body, "preconditions", "resourceVersion"));
}

static int check(struct request *q, const struct query *said)
{
	struct xb_field_errors e = { .arena = q->arena };
	const struct xb_path *at = XB_PATH(NULL, "propagationPolicy");

	if (said->propagation.n && said->orphan_dependents != QUERY_UNSET)
		xb_err_invalid_sv(&e, at, said->propagation, "orphanDependents and deletionPropagation cannot be both set");
	else if (said->propagation.n && !policy_of(said->propagation))
		xb_err_unsupported(&e, at, said->propagation, policies);
	return xb_field_errors_status(&e, "meta.k8s.io", "DeleteOptions", (struct xb_sv){}, &q->fault);
}

int delete_options_read(struct request *q, struct delete_options *ret)
{
	static const struct expected options = { "", "v1", "DeleteOptions", &xb_type_delete_options };
	struct xb_tree *body = NULL;
	int r;

	r = decode_tree(q, options, true, &body);
	if (!r && body)
		r = decode_object(q, options, body);
	return r ? r : delete_options_from(q, body, ret);
}

int delete_options_from(struct request *q, const struct xb_tree *body, struct delete_options *ret)
{
	struct query *said = &q->query;
	struct delete_options o = {};
	int r;

	if (body)
		take_body(body, said, &o);
	r = query_check_write(q->arena, said, "DeleteOptions", &q->fault);
	if (!r)
		r = check(q, said);
	if (r)
		return r;
	o.ask.grace_seconds = said->grace_seconds;
	o.ask.propagation = policy_of(said->propagation);
	if (said->orphan_dependents != QUERY_UNSET)
		o.ask.propagation = said->orphan_dependents == QUERY_TRUE ? "Orphan" : "Background";
	o.accepted = said->orphan_dependents == QUERY_FALSE;
	*ret = o;
	return 0;
}

static int check_preconditions(struct request *q, const struct write *w, const struct delete_options *o, const struct xb_tree *old)
{
	struct xb_sv uid = xb_tree_text(xb_tree_path(old, "metadata", "uid"));
	struct xb_sv version = xb_tree_text(xb_tree_path(old, "metadata", "resourceVersion"));

	if (o->uid.n && !xb_sv_eq(o->uid, uid))
		return xb_status_conflict(&q->fault, w->kind->group, w->kind->kind, w->name,
			"the UID in the precondition (%.*s) does not match the UID in record (%.*s). The object might have been deleted and then recreated",
			XB_SV_ARG(o->uid), XB_SV_ARG(uid));
	if (o->resource_version.n && !xb_sv_eq(o->resource_version, version))
		return xb_status_conflict(&q->fault, w->kind->group, w->kind->kind, w->name,
			"the ResourceVersion in the precondition (%.*s) does not match the ResourceVersion in record (%.*s). The object might have been modified",
			XB_SV_ARG(o->resource_version), XB_SV_ARG(version));
	return 0;
}

static bool has_finalizer(const struct xb_tree *object, const char *name)
{
	xb_tree_each(f, xb_tree_path(object, "metadata", "finalizers"))
		if (xb_tree_is(f, name))
			return true;
	return false;
}

/* What was not said now, but with an earlier deletion, stays as it was. */
static const char *propagation_of(const struct strategy *s, const struct delete_options *o, const struct xb_tree *old)
{
	if (o->ask.propagation)
		return o->ask.propagation;
	if (has_finalizer(old, "orphan") || has_finalizer(old, "foregroundDeletion"))
		return NULL;
	return s->default_propagation;
}

int delete_plan(struct request *q, struct write *w, const struct delete_options *o, struct store_object *head,
		struct deletion_plan *ret)
{
	const struct strategy *s = strategy_of(w->kind);
	struct xb_tree *old = stored_tree(w->arena, head->doc);
	struct xb_tree *object = stored_tree(w->arena, head->doc);
	enum deletion how = DELETE_NOW;
	int r;

	if (!old || !object)
		return -ENOMEM;
	r = check_preconditions(q, w, o, old);
	if (!r)
		r = admission_run(q, w, NULL, old);
	if (r)
		return r;
	if (s->delete_)
		how = s->delete_(w, object, &o->ask, &q->fault);
	if (q->fault.code)
		return -EACCES;
	metadata_set_propagation(w, object, propagation_of(s, o, old));
	*ret = (struct deletion_plan){ .old = old, .object = object, .outcome = DELETION_REMOVES };
	if (how == DELETE_LATER) {
		ret->outcome = DELETION_MARKS;
	} else if (!edit_is_empty(xb_tree_path(object, "metadata", "finalizers"))) {
		metadata_mark_deleted(w, object);
		ret->outcome = DELETION_MARKS;
	}
	if (ret->outcome == DELETION_MARKS && metadata_only_version_differs(object, old))
		ret->outcome = DELETION_CHANGES_NOTHING;
	return w->no_memory ? -ENOMEM : 0;
}

static void answer_removed(struct request *q, const struct xb_json *doc)
{
	const struct xb_kind *k = q->write.kind;
	struct xb_jv uid = xb_jv_path(xb_json_root(doc), "metadata", "uid");
	struct xb_buf body = {};
	struct xb_jw w = XB_JW(&body);

	if (strategy_of(k)->returns_deleted) {
		request_reply_object(q, 200, doc);
		return;
	}
	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", "Status");
	xb_jw_kstr(&w, "apiVersion", "v1");
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_end(&w);
	xb_jw_kstr(&w, "status", "Success");
	xb_jw_key(&w, "details");
	xb_jw_object(&w);
	xb_jw_ksv(&w, "name", q->write.name);
	if (*k->group)
		xb_jw_kstr(&w, "group", k->group);
	xb_jw_kstr(&w, "kind", k->plural);
	xb_jw_ksv(&w, "uid", xb_jv_text(uid));
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_buf_addc(&body, '\n');
	request_reply_buf(q, 200, "application/json", &body);
}

int delete_object(struct request *q, const struct delete_options *options, answer_fn *removed)
{
	struct deletion_plan plan;
	struct store_object *head;
	const char *key;
	int r;

	q->write.dry_run = q->query.n_dry_run > 0;
	key = write_key(q, &q->write);
	if (!key)
		return -ENOMEM;
	head = store_head(q->server->store, key);
	if (!head)
		return xb_status_not_found(&q->fault, q->write.kind->group, q->write.kind->plural, q->write.name);
	r = request_keep(q, xb_json_ref(head->doc));
	if (!r)
		r = delete_plan(q, &q->write, options, head, &plan);
	if (r)
		return r;
	if (plan.outcome == DELETION_CHANGES_NOTHING)
		return write_nothing(q, head->doc, 200);
	if (plan.outcome == DELETION_MARKS)
		return write_put(q, head->revision, plan.object, options->accepted ? 202 : 200);
	r = write_begin_removal(q, &q->write, plan.old);
	q->answer = removed;
	return r ? r : write_remove(q, head->revision, plan.object, 200);
}

int delete_handler(struct request *q)
{
	struct delete_options options;
	int r;

	r = write_init(q);
	if (!r)
		r = delete_options_read(q, &options);
	return r ? r : delete_object(q, &options, answer_removed);
}
