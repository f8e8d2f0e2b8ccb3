/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the parser accepts must survive every reader, the tree and the writer, and mean the same afterwards. */
#include <stdint.h>

#include "xb/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void walk(struct xb_jv v)
{
	for (struct xb_jit it = xb_jv_iter(v); xb_jit_next(&it);) {
		_cleanup_free_ char *decoded = xb_jv_dup(it.value);
		_cleanup_buf_ struct xb_buf key = {};
		struct xb_sv bytes = xb_jv_bytes(it.value);

		if (!bytes.n || (decoded && !xb_jv_escaped(it.value) && !xb_jv_streq(it.value, xb_sv(decoded)) &&
				 strlen(decoded) == xb_jv_text(it.value).n))
			abort();
		xb_json_unescape(it.key, &key);
		if (xb_jv_type(v) == XB_JSON_OBJECT && !xb_jv_is(xb_jv_getsv(v, xb_buf_sv(&key))))
			abort();
		walk(it.value);
	}
}

static struct xb_json *rewrite(const struct xb_json *d, struct xb_arena *a)
{
	struct xb_json_limits limits = { .max_bytes = 1 << 24 };
	struct xb_tree *tree = xb_tree_from(a, xb_json_root(d), NULL, NULL);
	_cleanup_buf_ struct xb_buf out = {};
	struct xb_json *again;

	xb_tree_write(tree, &out);
	if (!xb_tree_equal(tree, xb_tree_copy(a, tree)) || xb_json_parse(xb_buf_sv(&out), &limits, &again, NULL) < 0)
		abort();
	if (!xb_tree_equal(tree, xb_tree_from(a, xb_json_root(again), NULL, NULL)))
		abort();
	return again;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL, *again = NULL;
	_cleanup_buf_ struct xb_buf text = {};
	struct xb_json_fault fault;

	if (xb_json_parse((struct xb_sv){ (const char *)bytes, n }, NULL, &d, &fault) < 0) {
		xb_json_fault_text(&fault, &text);
		return 0;
	}
	if (!xb_jv_bytes(xb_json_root(d)).n)
		abort();
	walk(xb_json_root(d));
	again = rewrite(d, a);
	return 0;
}
