/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VOLUMES_BINDER_EDIT_H
#define VOLUMES_BINDER_EDIT_H
/*
 * The changes of which a binding is made, a write each (upstream's pv_controller.go). Each leaves alone what is as it should
 * be, so whoever goes on after another was killed writes what is missing and no more. Pure.
 */
#include "xb/tree.h"

struct binder_pair {
	struct xb_arena *arena;
	struct xb_tree *volume, *claim; /* either may be NULL for a change that does not look at it */
	const char *text;               /* what is to be written, where a change says so */
	const char *message;            /* of the volume's status; NULL: none */
};
/* All: 1; 0: it was so already; -ENOMEM. */
typedef int binder_edit(struct binder_pair *p);

binder_edit binder_reserve;             /* volume: spec.claimRef */
binder_edit binder_unreserve;           /* volume: gives that up, but for a name that somebody else has put there */
binder_edit binder_volume_phase;        /* volume: status.phase = text */
binder_edit binder_name_volume;         /* claim: spec.volumeName, and that the binding is complete */
binder_edit binder_claim_bound;         /* claim: its status says what the volume gives */
binder_edit binder_claim_phase;         /* claim: status.phase = text, it has nothing */
binder_edit binder_set_class;           /* claim: spec.storageClassName = text */
binder_edit binder_set_provisioner;     /* claim: text is to make its volume */
binder_edit binder_unselect_node;       /* claim: another node is to be found */

#endif
