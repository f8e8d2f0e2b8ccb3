/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "metadata.h"
#include "write.h"
#include "xb/patch.h"

static enum body_type patch_type(struct request *q)
{
	return negotiate_body(xb_http_header(q->http, "content-type"));
}

static int bad_patch(struct request *q, enum body_type type, const char *why)
{
	/* recorded from upstream: not a 400, and without a reason */
	if (type == BODY_MERGE_PATCH)
		return xb_status_set(&q->fault, 500, NULL, "Invalid JSON Patch");
	if (type == BODY_APPLY)
		return xb_status_bad_request(&q->fault, "error decoding YAML: %s", why);
	return xb_status_bad_request(&q->fault, "error decoding patch: %s", why);
}

int patch_read(struct request *q, struct xb_tree **ret)
{
	enum body_type type = patch_type(q);
	_cleanup_buf_ struct xb_buf why = {};
	int r;

	r = decode_bytes(q, xb_http_body(q->http), type == BODY_APPLY, ret, &why);
	if (r == -EBADMSG || r == -E2BIG)
		return bad_patch(q, type, why.p ? why.p : "");
	if (r)
		return r;
	if ((*ret)->type != (type == BODY_JSON_PATCH ? XB_JSON_ARRAY : XB_JSON_OBJECT))
		return bad_patch(q, type, type == BODY_JSON_PATCH ? "a JSON patch is an array of operations" : "a patch is an object");
	return 0;
}

static int patch_tree(struct request *q, const struct xb_type *t, struct xb_tree **target)
{
	enum body_type type = patch_type(q);
	struct xb_tree *patch;
	int r;

	r = patch_read(q, &patch);
	if (r)
		return r;
	switch (type) {
	case BODY_JSON_PATCH:
		return xb_patch_json(q->arena, target, patch, &q->fault);
	case BODY_MERGE_PATCH:
		return xb_patch_merge(q->arena, target, patch);
	default:
		return xb_patch_strategic(q->arena, t, target, patch, &q->fault);
	}
}

/* As Go prints a map with %+v. */
static void show_map(const struct xb_tree *n, struct xb_buf *out)
{
	bool object = n->type == XB_JSON_OBJECT;

	if (n->type == XB_JSON_NULL) {
		xb_buf_adds(out, "<nil>");
	} else if (n->type == XB_JSON_STRING) {
		xb_buf_addsv(out, n->text);
	} else if (object || n->type == XB_JSON_ARRAY) {
		xb_buf_adds(out, object ? "map[" : "[");
		xb_tree_each(c, n) {
			xb_buf_adds(out, c == n->first ? "" : " ");
			if (object)
				xb_buf_addf(out, "%.*s:", XB_SV_ARG(c->key));
			show_map(c, out);
		}
		xb_buf_addc(out, ']');
	} else {
		xb_tree_write(n, out);
	}
}

/* The fault shows the strategic patch, and of the others what they made. */
static int no_object(struct request *q, const struct xb_tree *made, const char *why)
{
	struct xb_field_errors e = { .arena = q->arena };
	_cleanup_buf_ struct xb_buf shown = {};
	struct xb_tree *patch;
	int r;

	if (patch_type(q) == BODY_STRATEGIC_PATCH) {
		r = patch_read(q, &patch); /* again: parts of the one that was applied are in what it made */
		if (r)
			return r;
		show_map(patch, &shown);
	} else {
		xb_tree_write(made, &shown);
	}
	if (shown.err)
		return shown.err;
	xb_err_invalid_sv(&e, XB_PATH(NULL, "patch"), xb_buf_sv(&shown), "%s", why);
	return xb_field_errors_status(&e, "", "", (struct xb_sv){}, &q->fault);
}

int patch_object(struct request *q, struct expected want, struct xb_tree **object)
{
	_cleanup_buf_ struct xb_buf why = {};
	int r;

	r = patch_tree(q, want.type, object);
	if (!r)
		r = decode_fields(q, want, *object, &why);
	return r == -EBADMSG ? no_object(q, *object, why.p) : r;
}

static int check_type(struct request *q)
{
	switch (patch_type(q)) {
	case BODY_JSON_PATCH:
	case BODY_MERGE_PATCH:
	case BODY_STRATEGIC_PATCH:
	case BODY_APPLY:
		return 0;
	default:
		return xb_status_set(&q->fault, 415, "UnsupportedMediaType", "415: Unsupported Media Type");
	}
}

static int check_manager(struct request *q)
{
	struct xb_field_errors e = { .arena = q->arena };

	if (patch_type(q) == BODY_APPLY && !q->query.field_manager.n)
		xb_err_required(&e, XB_PATH(NULL, "fieldManager"), "is required for apply patch");
	if (patch_type(q) != BODY_APPLY && q->query.force)
		xb_err_forbidden(&e, XB_PATH(NULL, "force"), "may not be specified for non-apply patch");
	return xb_field_errors_status(&e, "meta.k8s.io", "PatchOptions", (struct xb_sv){}, &q->fault);
}

int patch_handler(struct request *q)
{
	struct store_object *head;
	struct xb_tree *object, *old;
	int r;

	r = check_type(q);
	if (!r)
		r = query_check_write(q->arena, &q->query, "PatchOptions", &q->fault);
	if (!r)
		r = check_manager(q);
	if (!r)
		r = write_init(q);
	if (r)
		return r;
	if (patch_type(q) == BODY_APPLY)
		return apply_handler(q);
	r = write_read(q, &head, &old);
	if (r)
		return r;
	object = xb_tree_copy(q->arena, old);
	r = object ? xb_kind_from_stored(q->route.kind, q->arena, object) : -ENOMEM;
	if (!r)
		r = patch_object(q, expected_of(&q->route), &object);
	if (!r)
		r = write_check_name(q, object);
	return r ? r : update_object(q, head, old, object);
}
