/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_STORED_H
#define APISERVER_STORED_H
/*
 * From the form that clients see to the form at rest, and back. At rest an object has a hole for its revision, and what many
 * objects have alike may be parts of the store's (../store/store.h): ownerReferences, the sets of fields in managedFields or
 * members of theirs, an Event's entries there, and in specs of pods tolerations, topologySpreadConstraints, securityContext, the
 * volumes' projected, and the containers' env, envFrom, command, args, probes, lifecycle and securityContext. Whoever reads one
 * of these does it through here.
 */
#include "../store/store.h"
#include "xb/tree.h"

/* The object's bytes, to be written: borrowed from out. The metadata's resourceVersion becomes the hole. 0 or -ENOMEM. */
int stored_value(struct xb_arena *a, struct xb_tree *object, struct xb_buf *out, struct store_value *ret);
/* The whole document, parts in their places. Borrows from doc. NULL without memory. */
struct xb_tree *stored_tree(struct xb_arena *a, const struct xb_json *doc);
/* A value of a document that may be a part's number: the part's value then, else v. */
struct xb_jv stored_whole(struct xb_jv v);
/* A value of a document, the root or its metadata, appended as clients see it; revision, unless 0, instead of its own. */
void stored_write(struct xb_jv v, uint64_t revision, struct xb_buf *out);

#endif
