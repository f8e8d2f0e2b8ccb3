/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Three lines: the way to patch (j, m, s), a pod, a patch. Whatever comes out is JSON that the parser takes, and what the
 * decoder makes of it is not changed by decoding it again.
 */
#include <stdint.h>

#include "xb/kinds.h"
#include "xb/patch.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static struct xb_json *rewrite(const struct xb_tree *tree)
{
	struct xb_json_limits limits = { .max_bytes = 1 << 28 };
	_cleanup_buf_ struct xb_buf out = {};
	struct xb_json *d;

	xb_tree_write(tree, &out);
	if (xb_json_parse(xb_buf_sv(&out), &limits, &d, NULL) < 0)
		abort();
	return d;
}

static void decode(struct xb_arena *a, const struct xb_type *t, struct xb_tree *object)
{
	const struct xb_decode how = { .arena = a };
	_cleanup_status_ struct xb_status status = {};
	_cleanup_(xb_json_unrefp) struct xb_json *once = NULL, *twice = NULL;

	if (xb_schema_decode(&how, t, object, &status) < 0) {
		if (status.code != 400 || !status.message)
			abort();
		return;
	}
	once = rewrite(object);
	object = xb_tree_from(a, xb_json_root(once), NULL, NULL);
	if (xb_schema_decode(&how, t, object, NULL) < 0)
		abort();
	twice = rewrite(object);
	if (!xb_sv_eq(xb_json_bytes(once), xb_json_bytes(twice)))
		abort();
}

static int apply(struct xb_arena *a, char way, const struct xb_type *t, struct xb_tree **target, struct xb_tree *patch)
{
	_cleanup_status_ struct xb_status status = {};
	int r;

	if (way == 'm')
		return xb_patch_merge(a, target, patch);
	r = way == 'j' ? xb_patch_json(a, target, patch, &status) : xb_patch_strategic(a, t, target, patch, &status);
	if (r < 0 && (status.code < 400 || !status.message))
		abort();
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	const struct xb_type *t = xb_kind_by_name(XB_SV(""), XB_SV("v1"), XB_SV("Pod"))->type;
	_cleanup_(xb_json_unrefp) struct xb_json *target = NULL, *patch = NULL, *patched = NULL;
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
	struct xb_sv rest = { (const char *)bytes, n }, way, object;
	struct xb_tree *tree;

	if (!n || !xb_sv_split(&rest, '\n', &way) || !way.n || !xb_sv_split(&rest, '\n', &object) || !rest.p)
		return 0;
	if (xb_json_parse(object, NULL, &target, NULL) < 0 || xb_json_parse(rest, NULL, &patch, NULL) < 0)
		return 0;
	tree = xb_tree_from(a, xb_json_root(target), NULL, NULL);
	if (tree->type != XB_JSON_OBJECT || apply(a, way.p[0], t, &tree, xb_tree_from(a, xb_json_root(patch), NULL, NULL)) < 0)
		return 0;
	patched = rewrite(tree);
	decode(a, t, tree);
	return 0;
}
