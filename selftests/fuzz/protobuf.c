/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A body as a client sends it; of a kind that is not known it is read as a pod. What is accepted is JSON that the parser
 * takes, and once it is an object of its type, decoding that JSON again changes nothing.
 */
#include <stdint.h>

#include "xb/kinds.h"
#include "xb/protobuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const struct xb_type *type_of(const struct xb_protobuf_envelope *e)
{
	struct xb_sv version = e->api_version, group = {};
	const struct xb_kind *k;

	xb_sv_split(&version, '/', &group);
	k = version.p ? xb_kind_by_name(group, version, e->kind) : xb_kind_by_name(XB_SV(""), group, e->kind);
	if (xb_sv_is(e->kind, "DeleteOptions"))
		return &xb_type_delete_options;
	return k ? k->type : xb_kind_by_name(XB_SV(""), XB_SV("v1"), XB_SV("Pod"))->type;
}

static const struct xb_json_limits limits = { .max_bytes = 1 << 28 };

static void check_write(const struct xb_tree *tree, struct xb_buf *out)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;

	xb_tree_write(tree, out);
	if (xb_json_parse(xb_buf_sv(out), &limits, &doc, NULL) < 0)
		abort();
}

/* 0; 1: the client was told why not. */
static int read_object(struct xb_arena *a, struct xb_sv body, const struct xb_type **ret_type, struct xb_tree *object)
{
	_cleanup_buf_ struct xb_buf why = {};
	struct xb_protobuf_envelope e;

	if (xb_protobuf_open(body, &e, &why) == 0) {
		*ret_type = type_of(&e);
		if (xb_protobuf_decode(a, *ret_type, e.message, object, &why) == 0)
			return 0;
	}
	if (!why.n)
		abort();
	return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	_cleanup_buf_ struct xb_buf raw = {}, once = {}, twice = {};
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
	_cleanup_status_ struct xb_status status = {};
	const struct xb_decode how = { .arena = a };
	struct xb_tree *object = xb_tree_object(a);
	const struct xb_type *t;

	if (read_object(a, (struct xb_sv){ (const char *)bytes, n }, &t, object))
		return 0;
	check_write(object, &raw);
	if (xb_schema_decode(&how, t, object, &status) < 0) {
		if (status.code != 400 || !status.message)
			abort();
		return 0;
	}
	check_write(object, &once);
	if (xb_tree_read(a, xb_buf_sv(&once), &limits, &object) < 0 || xb_schema_decode(&how, t, object, NULL) < 0)
		abort();
	check_write(object, &twice);
	if (!xb_sv_eq(xb_buf_sv(&once), xb_buf_sv(&twice)))
		abort();
	return 0;
}
