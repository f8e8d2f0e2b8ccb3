/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "xb/kinds.h"

static int stamp(const struct xb_kind *k, struct xb_arena *a, struct xb_tree *object)
{
	const char *text = *k->group ? xb_arena_printf(a, "%s/%s", k->group, k->version) : k->version;
	struct xb_tree *version = text ? xb_tree_str(a, xb_sv(text)) : NULL, *kind = xb_tree_str(a, xb_sv(k->kind));

	if (!version || !kind)
		return -ENOMEM;
	xb_tree_setc(object, "apiVersion", version);
	xb_tree_setc(object, "kind", kind);
	return 0;
}

static int become(const struct xb_kind *k, const struct xb_decode *d, struct xb_tree *object)
{
	int r = stamp(k, d->arena, object);

	return r ? r : xb_schema_decode(d, k->type, object, NULL);
}

int xb_kind_to_stored(const struct xb_kind *k, struct xb_arena *a, struct xb_tree *object)
{
	int r;

	if (!k->stored)
		return 0;
	r = k->conversion ? k->conversion->to_stored(a, object) : 0;
	return r ? r : become(k->stored, &(struct xb_decode){ .arena = a }, object);
}

int xb_kind_from_stored(const struct xb_kind *k, struct xb_arena *a, struct xb_tree *object)
{
	int r;

	if (!k->stored)
		return 0;
	r = k->conversion ? k->conversion->from_stored(a, object) : 0;
	return r ? r : become(k, &(struct xb_decode){ .arena = a, .no_defaults = true }, object);
}
