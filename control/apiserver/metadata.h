/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_METADATA_H
#define APISERVER_METADATA_H
/*
 * What the server itself writes into metadata, and its part of a deletion (apiserver pkg/registry/rest: BeforeCreate,
 * BeforeUpdate, BeforeDelete). The tree's nodes come from the write's arena; without memory w->no_memory is set.
 */
#include "request.h"

/* metadata, made when it is missing. NULL without memory. */
struct xb_tree *metadata_of(struct write *w, struct xb_tree *object);

/* Namespace by the URL (400 when the body names another), generated name, uid, creationTimestamp, generation; what only
 * the server may say is taken out. Fills w->name. */
int metadata_create(struct write *w, struct xb_tree *object, struct xb_status *reterr);
bool metadata_wants_name(const struct xb_tree *object);     /* has none, but a generateName */
void metadata_generate_name(struct write *w, struct xb_tree *object); /* of that, in place of the name it has; fills w->name */
/* What an update may leave out comes from old; generation goes up when more than metadata and status changed. */
void metadata_update(struct write *w, struct xb_tree *object, const struct xb_tree *old, bool counts_generation);
/* Are both the same but for their resourceVersion? */
bool metadata_only_version_differs(const struct xb_tree *a, const struct xb_tree *b);

bool metadata_deleting(const struct xb_tree *object);       /* has a deletionTimestamp */
bool metadata_held(const struct xb_tree *object);           /* has finalizers or a grace period */
/* Marks it: deletionTimestamp now, no grace, one more generation. Nothing when it is marked. */
void metadata_mark_deleted(struct write *w, struct xb_tree *object);
/* The finalizers orphan and foregroundDeletion as the policy demands ("Orphan", "Foreground", "Background"). */
void metadata_set_propagation(struct write *w, struct xb_tree *object, const char *policy);

#endif
