/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Four lines: two sets of fields, a pod, a configuration that is applied to it. The algebra of sets holds, what walks make of
 * objects are sets, and a configuration applied twice changes nothing the second time.
 */
#include <stdint.h>

#include "xb/field_set.h"
#include "xb/kinds.h"
#include "xb/patch.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static bool same(struct xb_arena *a, const struct xb_tree *x, const struct xb_tree *y)
{
	return xb_tree_equal(x ? x : xb_tree_object(a), y ? y : xb_tree_object(a));
}

/* Both are empty, or x is in order: to check it changes nothing. */
static void check_set(struct xb_arena *a, struct xb_tree *x)
{
	_cleanup_buf_ struct xb_buf before = {}, after = {};

	if (!x)
		return;
	xb_tree_write(x, &before);
	must(!xb_field_set_check(a, x));
	xb_tree_write(x, &after);
	must(xb_sv_eq(xb_buf_sv(&before), xb_buf_sv(&after)));
}

static void check_algebra(struct xb_arena *a, struct xb_tree *x, struct xb_tree *y)
{
	struct xb_tree *both, *rest, *common = NULL;

	if (xb_field_set_check(a, x) || xb_field_set_check(a, y))
		return;
	both = xb_tree_copy(a, x);
	rest = xb_tree_copy(a, x);
	must(!xb_field_set_add(a, both, y) && !xb_field_set_common(a, x, y, &common));
	xb_field_set_remove(rest, y);
	check_set(a, both);
	check_set(a, rest);
	check_set(a, common);
	must(!xb_field_set_add(a, rest, common) && same(a, rest, x));
	must(!xb_field_set_common(a, both, x, &common) && same(a, common, x));
	xb_field_set_remove(both, y);
	xb_field_set_remove(both, x);
	must(xb_field_set_empty(both));
}

static void check_apply(struct xb_arena *a, const struct xb_type *t, struct xb_tree *live, const struct xb_tree *config)
{
	const struct xb_decode how = { .arena = a };
	struct xb_tree *claim, *changed, *removed, *once, *twice;
	_cleanup_buf_ struct xb_buf why = {};

	if (xb_schema_decode(&how, t, live, NULL) || xb_field_set_of(a, t, config, &claim, &why))
		return;
	check_set(a, claim);
	once = xb_tree_copy(a, live);
	must(!xb_patch_apply(a, t, once, config, NULL, claim));
	must(!xb_field_set_compare(a, t, live, once, &changed, &removed));
	check_set(a, changed);
	check_set(a, removed);
	twice = xb_tree_copy(a, once);
	must(!xb_patch_apply(a, t, twice, config, claim, claim));
	must(!xb_field_set_compare(a, t, once, twice, &changed, &removed) && !changed && !removed);
	must(!xb_patch_apply(a, t, twice, xb_tree_object(a), claim, NULL));
}

static struct xb_tree *read_line(struct xb_arena *a, struct xb_sv *rest)
{
	struct xb_sv line;
	struct xb_tree *n;

	if (!xb_sv_split(rest, '\n', &line) || xb_tree_read(a, line, NULL, &n))
		return NULL;
	return n->type == XB_JSON_OBJECT ? n : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	const struct xb_type *t = xb_kind_by_name(XB_SV(""), XB_SV("v1"), XB_SV("Pod"))->type;
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
	struct xb_sv rest = { (const char *)bytes, n };
	struct xb_tree *x = read_line(a, &rest), *y = read_line(a, &rest), *live = read_line(a, &rest), *config = read_line(a, &rest);

	if (x && y)
		check_algebra(a, x, y);
	if (live && config)
		check_apply(a, t, live, config);
	return 0;
}
