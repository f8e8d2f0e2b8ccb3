/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_PATCH_H
#define XB_PATCH_H
/*
 * The three ways to patch an object. Each changes target in place (target may come out as another node: *target). Client
 * faults go to reterr, with -EINVAL; target is spoilt then. patch's nodes may be moved into target, so it is used up.
 */
#include "xb/schema.h"

int xb_patch_json(struct xb_arena *a, struct xb_node **target, const struct xb_node *operations, struct xb_status *reterr); /* RFC 6902 */
int xb_patch_merge(struct xb_arena *a, struct xb_node **target, struct xb_node *patch);                                     /* RFC 7386 */
/* Kubernetes' strategic merge patch: lists merged by the key of the type's rows, directives $patch, $retainKeys,
 * $deleteFromPrimitiveList/<field>, $setElementOrder/<field>. */
int xb_patch_strategic(struct xb_arena *a, const struct xb_type *t, struct xb_node **target, struct xb_node *patch,
		       struct xb_status *reterr);

#endif
