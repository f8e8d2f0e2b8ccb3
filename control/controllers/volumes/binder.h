/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VOLUMES_BINDER_H
#define VOLUMES_BINDER_H
/*
 * The inside of persistentvolume-binder-controller. Keys are claims (namespace/name) and volumes (name), in one queue with one
 * worker, as each sync writes both: none decides by what another one is about to change.
 */
#include "binder_edit.h"
#include "../work.h"
#include "../written.h"
#include "xb/volumes.h"

struct binder {
	struct kcm *kcm;
	const struct xb_kind *claim_kind, *volume_kind, *node_kind;
	struct xb_informer *claims, *volumes, *classes;
	struct xb_index *volumes_by_claim; /* "<namespace>/<name>" of the claim; free ones "/<class>" */
	struct xb_index *claims_by_volume; /* its name; claims without one "/<class>" */
	struct xb_index *pods_by_claim;
	struct written *claims_written, *volumes_written;
	struct kcm_queue *queue;
};

struct binder_step {
	binder_edit *edit;
	bool of_claim;                  /* what is written; else the volume */
	const char *sub;                /* "status", or NULL */
};
struct binder_sync {
	struct kcm_work *w;
	struct binder *b;
	struct xb_jv claim, volume;     /* as the copies show them, held; {}: none */
	struct binder_pair pair;        /* the same, as the steps make them */
	const struct binder_step *steps;
	void (*then)(struct binder_sync *s);
	bool wrote;                     /* one of the steps changed something */
	const struct binder_step *step; /* under way */
	struct xb_jv node;              /* that was selected for the claim's volume */
};

/* The object is part of the work from now on. 0 or -ENOMEM. */
int binder_take_claim(struct binder_sync *s, struct xb_jv claim);
int binder_take_volume(struct binder_sync *s, struct xb_jv volume);
/* Does one step after the other, each a write when it changes something; {} ends them. then goes on; an error ends the work. */
void binder_run(struct binder_sync *s, const struct binder_step *steps, void (*then)(struct binder_sync *s));
void binder_bind(struct binder_sync *s);                /* claim and volume to each other; ends the work */
void binder_done(struct binder_sync *s);
void binder_set_phase(struct binder_sync *s, bool of_claim, const char *phase, void (*then)(struct binder_sync *s));
void binder_tell(struct binder_sync *s, bool of_claim, enum xb_event_type type, const char *reason, const char *fmt, ...) _printf_(5, 6);

/* Each ends the work. */
void binder_sync_claim(struct binder_sync *s);          /* binder_claim.c */
void binder_sync_volume(struct binder_sync *s);         /* binder_volume.c */
void binder_provision(struct binder_sync *s);           /* provision.c: the claim has a class, and no volume */
void binder_reclaim(struct binder_sync *s);             /* reclaim.c: the volume's claim is gone */

#endif
