/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_VOLUMES_H
#define XB_VOLUMES_H
/*
 * PersistentVolumes and the claims to them, as whoever binds them and whoever places pods must agree on (component-helpers
 * storage/volume): which claim a pod's volume means, which volumes a claim may have and which of them it gets. Pure.
 */
#include "xb/json.h"
#include "xb/quantity.h"
#include "xb/selector.h"
#include "xb/tree.h"

#define XB_BIND_COMPLETED      "pv.kubernetes.io/bind-completed"          /* of a claim: both sides name each other */
#define XB_BOUND_BY_CONTROLLER "pv.kubernetes.io/bound-by-controller"     /* of either: the binding is nobody's wish but ours */
#define XB_PROVISIONED_BY      "pv.kubernetes.io/provisioned-by"          /* of a volume */
#define XB_SELECTED_NODE       "volume.kubernetes.io/selected-node"       /* of a claim: where its volume is to be made */
#define XB_NO_PROVISIONER      "kubernetes.io/no-provisioner"             /* of a class whose volumes are made by hand */

struct xb_sv xb_annotation(struct xb_jv object, const char *key);       /* {} when it has none */
struct xb_sv xb_volume_class(struct xb_jv object);      /* of a volume or a claim; {}: none */
bool xb_class_waits(struct xb_jv class);                /* WaitForFirstConsumer: not before a pod wants it; {} does not */
bool xb_claim_is_bound(struct xb_jv claim);             /* has a volume, for good */
bool xb_volume_is_free(struct xb_jv volume);            /* reserved for no claim */

/* A claim, read once to be held against many volumes. The object must outlive it. */
struct xb_claim {
	struct xb_jv object;
	struct xb_sv namespace_, name, uid, class;
	struct xb_quantity size;
	unsigned access;                /* a bit for each mode */
	bool block;
	struct xb_selector *selector;
};
int xb_claim_read(struct xb_jv object, struct xb_claim *ret);   /* 0 or -ENOMEM */
void xb_claim_done(struct xb_claim *c);
#define _cleanup_claim_ _cleanup_(xb_claim_done)
/* The volume is reserved for that claim, by its name at least. */
bool xb_claim_owns(const struct xb_claim *c, struct xb_jv volume);
/* NULL: the claim could be bound to it; why not, in upstream's words. */
const char *xb_claim_misfit(const struct xb_claim *c, struct xb_jv volume);
/* May the binder choose it: it fits, and is reserved for the claim, or is available, of its class and selected. */
bool xb_claim_may_have(const struct xb_claim *c, struct xb_jv volume);
/* Of two that it may have, which one to choose: reserved for it, of less use to others, smaller; below 0: a. */
struct xb_volume_rank {
	bool reserved;
	int modes;
	struct xb_quantity size;
	struct xb_sv name;
};
struct xb_volume_rank xb_claim_rank(const struct xb_claim *c, struct xb_jv volume);
int xb_volume_rank_cmp(const struct xb_volume_rank *a, const struct xb_volume_rank *b);

/* The name of the claim that a volume of a pod's spec means, in ret_name, in place of what that held. False: it is of another kind. */
bool xb_pod_claim(struct xb_jv pod, struct xb_jv volume, struct xb_buf *ret_name, bool *ret_ephemeral);
bool xb_claim_is_of_pod(struct xb_jv claim, struct xb_jv pod);  /* was made for its ephemeral volume */

/* Changes of objects: 1; 0: it was so already; -ENOMEM. Text is borrowed. */
int xb_annotate(struct xb_arena *a, struct xb_tree *object, const char *key, struct xb_sv text);
int xb_volume_reserve(struct xb_arena *a, struct xb_tree *volume, const struct xb_tree *claim); /* spec.claimRef */

#endif
