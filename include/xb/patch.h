/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_PATCH_H
#define XB_PATCH_H
/*
 * The ways to patch an object. Each changes target in place (target may come out as another node: *target). Client
 * faults go to reterr, with -EINVAL; target is spoilt then. patch's nodes may be moved into target, so it is used up.
 */
#include "xb/schema.h"

int xb_patch_json(struct xb_arena *a, struct xb_tree **target, const struct xb_tree *operations, struct xb_status *reterr); /* RFC 6902 */
int xb_patch_merge(struct xb_arena *a, struct xb_tree **target, struct xb_tree *patch);                                     /* RFC 7386 */
/* Kubernetes' strategic merge patch: lists merged by the key of the type's rows, directives $patch, $retainKeys,
 * $deleteFromPrimitiveList/<field>, $setElementOrder/<field>. */
int xb_patch_strategic(struct xb_arena *a, const struct xb_type *t, struct xb_tree **target, struct xb_tree *patch,
		       struct xb_status *reterr);
/*
 * Server-side apply's merge (KEP-555): config over target, lists by their keys or values, atomic parts as a whole. Then
 * what the last configuration owned and nobody owns now goes, with all in it. last and owned are sets of fields
 * (xb/field_set.h), owned that of all managers with config's own; last may be NULL. config fits the type
 * (xb_field_set_of accepts it) and is left alone. 0 or -ENOMEM.
 */
int xb_patch_apply(struct xb_arena *a, const struct xb_type *t, struct xb_tree *target, const struct xb_tree *config,
		   const struct xb_tree *last, const struct xb_tree *owned);

#endif
