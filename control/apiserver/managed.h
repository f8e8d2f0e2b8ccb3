/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_MANAGED_H
#define APISERVER_MANAGED_H
/*
 * metadata.managedFields: who owns which fields (KEP-555; apimachinery pkg/util/managedfields). Kept by every write, in
 * the form in which objects are stored. All of it lives in the write's arena.
 */
#include "request.h"

struct managed_entry {
	struct xb_sv manager, api_version, subresource;
	struct xb_sv time;             /* RFC 3339; {} for none */
	bool applied;                  /* operation Apply, else Update */
	struct xb_tree *fields;        /* xb/field_set.h; its own copy */
};
struct managed {
	struct managed_entry *at;
	unsigned n, room;
};

/* From a list of managedFields, which may be NULL. -EINVAL: it is not well formed. -ENOMEM. */
int managed_read(struct xb_arena *a, const struct xb_tree *list, struct managed *ret);
/* The entry of that identity, made with an empty set when there is none. For an applier the version says nothing. */
struct managed_entry *managed_obtain(struct xb_arena *a, struct managed *m, struct managed_entry identity);
/* Who does the request's write, by ?fieldManager or the User-Agent's first part. .manager.p is NULL without memory. */
struct managed_entry managed_identity(struct request *q, bool applied);
/* Becomes the object's managedFields, in upstream's order; entries that own nothing are left out. 0, -ENOMEM. */
int managed_write(struct write *w, struct managed *m, struct xb_tree *object);

/* What an empty object of the type looks like when Go writes it: the fields that nobody set. NULL without memory. */
struct xb_tree *managed_nothing(struct xb_arena *a, const struct xb_type *t);
/* The status of a new object is not its writer's where status has a path of its own. fields may be NULL. */
void managed_leave_status(const struct write *w, struct xb_tree *fields);

/*
 * For create, update and patch: object, with its status already as it will be, gets the managedFields that follow from
 * old's (NULL: it is created) and from what it changes. What the client sent as managedFields takes the place of old's
 * when it is well formed; [] and [{}] end the keeping of them. 0, -ENOMEM.
 */
int managed_update(struct request *q, struct xb_tree *object, const struct xb_tree *old);

#endif
