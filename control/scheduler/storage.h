/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SCHEDULER_STORAGE_H
#define SCHEDULER_STORAGE_H
/*
 * Claims, volumes and storage classes as decisions see them. What was decided for one of them, and is being written, counts at
 * once (it is assumed) until the watch shows another version of it, or it is taken back.
 */
#include "xb/json.h"
#include "xb/map.h"
#include "xb/vec.h"

struct sched_stored {
	struct xb_json *doc, *assumed;  /* doc NULL: it is not there; assumed NULL: nothing is */
	unsigned users;                 /* of a claim: pods that use it and have a node */
	struct sched_offer *offer;      /* of a volume: where it is offered, and its place there */
	size_t slot;
	char *key;                      /* "<namespace>/<name>", "<name>" */
};
/* The volumes of a class that are bound to no claim yet. */
struct sched_offer {
	XB_VEC(struct sched_stored *) volumes;
};
enum sched_storage_kind { SCHED_CLAIMS, SCHED_VOLUMES, SCHED_CLASSES, SCHED_STORAGE_KINDS };
struct sched_storage {
	struct xb_map *objects[SCHED_STORAGE_KINDS];
	struct xb_map *offers;          /* by class */
};
struct sched_storage *sched_storage_new(void);          /* NULL without memory */
struct sched_storage *sched_storage_free(struct sched_storage *s);
XB_DEFINE_CLEANUP(struct sched_storage *, sched_storage_free)

/* As the watch shows it; {}: it is gone. All: 0 or -ENOMEM. */
int sched_storage_set(struct sched_storage *s, enum sched_storage_kind kind, struct xb_sv key, struct xb_jv object);
int sched_storage_assume(struct sched_storage *s, enum sched_storage_kind kind, struct xb_sv key, struct xb_json *doc);
int sched_storage_forget(struct sched_storage *s, enum sched_storage_kind kind, struct xb_sv key); /* what was assumed */
/* As it counts; {}: it is not there. */
struct xb_jv sched_storage_get(const struct sched_storage *s, enum sched_storage_kind kind, struct xb_sv key);
const struct sched_offer *sched_storage_offer(const struct sched_storage *s, struct xb_sv class); /* NULL: none */
int sched_storage_use(struct sched_storage *s, struct xb_sv claim, int n);      /* so many pods more use it */
unsigned sched_storage_users(const struct sched_storage *s, struct xb_sv claim);

#endif
