/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "decode.h"
#include "metadata.h"
#include "registry/edit.h"
#include "registry/table.h"
#include "review.h"
#include "write.h"
#include "xb/validate.h"

/* --- scale (autoscaling/v1): a small view of what has spec.replicas --- */

/* Is the kind's spec.selector a LabelSelector? Else it is a map of labels. */
static bool selects_by_rules(const struct xb_kind *k)
{
	const struct xb_field *spec = xb_type_field(k->type, XB_SV("spec"));
	const struct xb_field *selector = spec ? xb_type_field(spec->type, XB_SV("selector")) : NULL;

	return selector && selector->shape == XB_ONE;
}

static int write_selector(const struct xb_kind *k, struct xb_jv selector, struct xb_buf *out)
{
	_cleanup_(xb_selector_freep) struct xb_selector *s = NULL;
	int r;

	r = selects_by_rules(k) ? xb_selector_from_label_selector(selector, &s, NULL) : xb_selector_from_map(selector, &s);
	if (!r && s)
		xb_selector_write(s, out);
	return r;
}

static int64_t count_of(struct xb_jv part)
{
	int64_t n = 0;

	return xb_jv_i64(xb_jv_get(part, "replicas"), &n) ? 0 : n;
}

static int write_scale(const struct xb_kind *k, struct xb_jv object, struct xb_buf *out)
{
	static const char *const shown[] = { "name", "namespace", "uid", "resourceVersion", "creationTimestamp" };
	struct xb_jv meta = xb_jv_get(object, "metadata"), spec = xb_jv_get(object, "spec"), status = xb_jv_get(object, "status");
	_cleanup_buf_ struct xb_buf selector = {};
	struct xb_jw w = XB_JW(out);
	int r;

	r = write_selector(k, xb_jv_get(spec, "selector"), &selector);
	if (r)
		return r;
	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", "Scale");
	xb_jw_kstr(&w, "apiVersion", "autoscaling/v1");
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	for (unsigned i = 0; i < ARRAY_SIZE(shown); i++) {
		if (!xb_jv_is(xb_jv_get(meta, shown[i])))
			continue;
		xb_jw_key(&w, shown[i]);
		xb_jw_raw(&w, xb_jv_bytes(xb_jv_get(meta, shown[i])));
	}
	xb_jw_end(&w);
	xb_jw_key(&w, "spec");
	xb_jw_object(&w);
	xb_jw_kint(&w, "replicas", count_of(spec));
	xb_jw_end(&w);
	xb_jw_key(&w, "status");
	xb_jw_object(&w);
	xb_jw_kint(&w, "replicas", count_of(status));
	if (selector.n)
		xb_jw_ksv(&w, "selector", xb_buf_sv(&selector));
	xb_jw_end(&w);
	xb_jw_end(&w);
	r = xb_jw_finish(&w);
	return selector.err ? selector.err : r;
}

static const struct column scale_columns[] = {
	COLUMN_NAME,
	{ "Desired", "integer", "", "replicas is the desired number of instances for the scaled object.", 0 },
	{ "Available", "integer", "", "replicas is the actual number of observed instances of the scaled object.", 0 },
	COLUMN_AGE,
};

static void scale_row(struct table_row *r, struct xb_jv scale)
{
	cell_name(r, scale);
	cell_int(r, xb_jv_path(scale, "spec", "replicas"), 0);
	cell_int(r, xb_jv_path(scale, "status", "replicas"), 0);
	cell_age(r, scale);
}

static const struct strategy scale_table = { COLUMNS(scale_columns), .row = scale_row };

static void answer_scale(struct request *q, const struct xb_json *doc)
{
	_cleanup_buf_ struct xb_buf bytes = {};
	_cleanup_(xb_json_unrefp) struct xb_json *scale = NULL;
	int r = write_scale(q->route.kind, xb_json_root(doc), &bytes);

	if (!r)
		r = xb_json_parse(xb_buf_sv(&bytes), NULL, &scale, NULL);
	if (r) {
		request_fail(q, r);
		return;
	}
	q->encoding.table = &scale_table;
	request_reply_object(q, q->answer_code, scale);
}

static int scale_get(struct request *q)
{
	struct store_object *o;
	const char *key;
	int r;

	r = write_init(q);
	key = r ? NULL : write_key(q, &q->write);
	if (!key)
		return -ENOMEM;
	o = store_get(q->server->store, key);
	if (!o)
		return xb_status_not_found(&q->fault, q->write.kind->group, q->write.kind->plural, q->write.name);
	q->answer_code = 200;
	answer_scale(q, o->doc);
	return 0;
}

static int scale_tree(struct request *q, const struct xb_json *doc, struct xb_tree **ret)
{
	_cleanup_buf_ struct xb_buf bytes = {};
	_cleanup_buf_ struct xb_buf why = {};
	int r = write_scale(q->route.kind, xb_json_root(doc), &bytes);

	return r ? r : decode_bytes(q, xb_buf_sv(&bytes), false, ret, &why);
}

/* scale, decoded, becomes the object's. Its version and uid are preconditions as the object's own would be. */
static int apply_scale(struct request *q, struct store_object *head, const struct xb_tree *old, const struct xb_tree *scale)
{
	static const char *const preconditions[] = { "uid", "resourceVersion" };
	struct xb_tree *object = xb_tree_copy(q->arena, old), *meta;
	struct xb_field_errors e = { .arena = q->arena };
	const struct xb_tree *replicas = xb_tree_path(scale, "spec", "replicas");
	int64_t n = xb_tree_geti64(xb_tree_get(scale, "spec"), "replicas", 0);

	if (n < 0) {
		xb_validate_nonnegative(&e, XB_PATH(XB_PATH(NULL, "spec"), "replicas"), n);
		return xb_field_errors_status(&e, "autoscaling", "Scale", q->write.name, &q->fault);
	}
	meta = metadata_of(&q->write, object);
	if (!meta)
		return -ENOMEM;
	for (unsigned i = 0; i < ARRAY_SIZE(preconditions); i++)
		edit_keep(&q->write, meta, xb_tree_get(scale, "metadata"), preconditions[i]);
	if (replicas || xb_tree_path(old, "spec", "replicas"))
		edit_int(&q->write, edit_obtain(&q->write, object, "spec"), "replicas", n);
	q->write.sub = NULL;
	q->answer = answer_scale;
	return q->write.no_memory ? -ENOMEM : update_object(q, head, old, object);
}

static int scale_change(struct request *q)
{
	bool patches = q->route.verb == XB_VERB_PATCH;
	struct store_object *head;
	struct xb_tree *old, *scale;
	int r;

	r = query_check_write(q->arena, &q->query, patches ? "PatchOptions" : "UpdateOptions", &q->fault);
	if (!r)
		r = write_init(q);
	if (!r && !patches)
		r = decode_body(q, &scale);
	if (!r)
		r = write_read(q, &head, &old);
	if (!r && patches)
		r = scale_tree(q, head->doc, &scale);
	if (!r && patches)
		r = patch_object(q, expected_of(&q->route), &scale);
	return r ? r : apply_scale(q, head, old, scale);
}

/* --- binding: the scheduler gives a pod its node --- */

static void answer_bound(struct request *q, const struct xb_json *doc)
{
	struct xb_status s = { .code = 201 };
	struct xb_buf body = {};

	xb_status_write(&s, &body);
	request_reply_buf(q, 201, "application/json", &body);
}

static int check_binding(struct request *q, const struct xb_tree *binding)
{
	struct xb_field_errors e = { .arena = q->arena };
	const struct xb_tree *target = xb_tree_get(binding, "target");
	const struct xb_path *at = XB_PATH(NULL, "target");
	struct xb_sv kind = xb_tree_gettext(target, "kind");

	if (kind.n && !xb_sv_is(kind, "Node"))
		xb_err_unsupported(&e, XB_PATH(at, "kind"), kind, (const char *const[]){ "Node", "<empty>", NULL });
	if (!xb_tree_gettext(target, "name").n)
		xb_err_required(&e, XB_PATH(at, "name"), "");
	return xb_field_errors_status(&e, "", "Binding", xb_tree_text(xb_tree_path(binding, "metadata", "name")), &q->fault);
}

static int check_unbound(struct request *q, const struct xb_tree *pod)
{
	struct xb_sv node = xb_tree_text(xb_tree_path(pod, "spec", "nodeName")), name = q->write.name;

	if (metadata_deleting(pod))
		return xb_status_conflict(&q->fault, "", "pods/binding", name,
					  "pod %.*s is being deleted, cannot be assigned to a host", XB_SV_ARG(name));
	if (node.n)
		return xb_status_conflict(&q->fault, "", "pods/binding", name,
					  "pod %.*s is already assigned to node \"%.*s\"", XB_SV_ARG(name), XB_SV_ARG(node));
	return 0;
}

static void bind_pod(struct write *w, struct xb_tree *pod, const struct xb_tree *binding)
{
	const struct xb_tree *notes = xb_tree_path(binding, "metadata", "annotations");
	struct xb_tree *meta = metadata_of(w, pod);

	edit_sv(w, edit_obtain(w, pod, "spec"), "nodeName", xb_tree_text(xb_tree_path(binding, "target", "name")));
	edit_condition(w, edit_obtain(w, pod, "status"), "PodScheduled", "True");
	xb_tree_each(a, notes) {
		struct xb_tree *all = edit_obtain(w, meta, "annotations"), *copy = xb_tree_copy(w->arena, a);

		if (all && copy)
			xb_tree_set(all, a->key, copy);
		else
			w->no_memory = true;
	}
}

/* POST pods/NAME/binding, or bindings with the pod's name in the body. */
static int bind_handler(struct request *q)
{
	struct write *w = &q->write;
	struct xb_tree *binding, *old, *pod;
	struct store_object *head;
	int r;

	r = query_check_write(q->arena, &q->query, "CreateOptions", &q->fault);
	if (!r)
		r = write_init(q);
	if (!r)
		r = decode_body(q, &binding);
	if (!r)
		r = check_binding(q, binding);
	if (r)
		return r;
	w->kind = xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("pods"));
	w->sub = NULL;
	if (!w->name.n)
		w->name = xb_tree_text(xb_tree_path(binding, "metadata", "name"));
	r = write_read(q, &head, &old);
	if (!r)
		r = check_unbound(q, old);
	if (r)
		return r;
	pod = xb_tree_copy(q->arena, old);
	if (!pod)
		return -ENOMEM;
	bind_pod(w, pod, binding);
	q->answer = answer_bound;
	return w->no_memory ? -ENOMEM : write_put(q, head->revision, pod, 201);
}

request_handler *subresource_handler(const struct route *t)
{
	static const struct {
		const char *name;
		enum xb_verb verb;
		request_handler *handler;
	} rows[] = {
		{ "scale", XB_VERB_GET, scale_get },
		{ "scale", XB_VERB_UPDATE, scale_change },
		{ "scale", XB_VERB_PATCH, scale_change },
		{ "binding", XB_VERB_CREATE, bind_handler },
		{ "eviction", XB_VERB_CREATE, eviction_handler },
		{ "token", XB_VERB_CREATE, token_request_handler },
	};

	if (!t->sub && !strcmp(t->kind->plural, "bindings") && !*t->kind->group)
		return bind_handler;
	for (unsigned i = 0; t->sub && i < ARRAY_SIZE(rows); i++)
		if (!strcmp(t->sub->name, rows[i].name) && t->verb == rows[i].verb)
			return rows[i].handler;
	return NULL;
}
