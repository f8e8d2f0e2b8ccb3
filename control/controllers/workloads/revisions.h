/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_REVISIONS_H
#define CONTROLLERS_REVISIONS_H
/*
 * What the pod template of an owner, a StatefulSet or a DaemonSet, was and is: a ControllerRevision for each content, numbered in the
 * order in which they were in force (upstream's pkg/controller/history). Names and bytes are upstream's, so either goes on with
 * what the other has left.
 *
 * A sync takes one of these steps, and what that wrote brings the next one: take over and let go (claims.h), revisions_write when
 * revisions_find says so, at its end revisions_delete. A loop follows the kind and queues the controller of what changed.
 */
#include "../work.h"
#include "xb/selector.h"

#define REVISIONS_POD_LABEL "controller-revision-hash"  /* of pods: which one they were made by */

struct revisions {                              /* views */
	XB_VEC(struct xb_jv) owned;             /* oldest first */
	XB_VEC(struct xb_jv) to_adopt, to_release;
};
/* by_controller: the index kcm_by_controller of the kind. 0 or -ENOMEM. */
int revisions_gather(const struct xb_index *by_controller, const struct xb_selector *selector, struct xb_jv owner,
		     struct revisions *ret);
void revisions_done(struct revisions *r);

/* What the owner's present template has, or is to have. */
struct revisions_update {
	struct xb_jv revision;                  /* the newest with that content; {}: none has it */
	int64_t number;                         /* the one that it must have; it has when that is the newest of all */
};
int revisions_find(const struct revisions *r, struct xb_jv owner, struct revisions_update *ret); /* 0 or -ENOMEM. Pure */
int64_t revisions_number(struct xb_jv revision);
bool revisions_settled(const struct revisions_update *u); /* there is nothing to write */

struct revisions_owner {
	const struct xb_kind *kind, *revision_kind;
	const char *hash_label;                 /* of the revision's own hash */
	struct xb_jv object;
};
/*
 * Makes the revision of the owner's template, named <owner>-<hash>, or gives the one that has it its new number: begins a round and
 * ends it; then is called as kcm_work_round's. Is the name taken by another content, the owner's status.collisionCount goes up by
 * one instead; by the same content, which the copy does not show or which goes with an owner of before, the error is -ESTALE. Whatever
 * the error is, the work is over. -ENOMEM: nothing was begun.
 */
int revisions_write(struct kcm_work *w, const struct revisions_owner *o, const struct revisions_update *u,
		    void (*then)(struct kcm_work *w, int error));
/* The body of that, with a hash: for revisions_write. Pure. */
void revisions_body(const struct revisions_owner *o, const char *hash, int64_t number, struct xb_sv data, struct xb_buf *out);
struct xb_sv revisions_prefix(struct xb_sv owner); /* of the name, before the "-" and the hash */

/* Those beyond limit that live does not name, oldest first, into ret, which has room for all that are owned. How many. */
size_t revisions_excess(const struct revisions *r, int64_t limit, bool (*live)(void *arg, struct xb_jv revision), void *arg,
			struct xb_jv *ret);
/* Deletes them, unless they have changed since: a round as revisions_write's. */
int revisions_delete(struct kcm_work *w, const struct xb_kind *kind, const struct xb_jv *revisions, size_t n,
		     void (*then)(struct kcm_work *w, int error));

#endif
