/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_PROTOBUF_H
#define XB_PROTOBUF_H
/*
 * application/vnd.kubernetes.protobuf: what typed clients send. A body is four bytes of magic and an envelope that names
 * the kind and holds the object's message (apimachinery pkg/runtime, Unknown); the rows of xb/schema.h have the numbers of
 * its fields. Reading only: whoever sends it takes JSON for an answer.
 */
#include "xb/schema.h"

struct xb_protobuf_envelope {
	struct xb_sv api_version, kind; /* empty where not said */
	struct xb_sv message;           /* the object */
};
/* Borrows from body. -EBADMSG with what is wrong appended to retwhy. */
int xb_protobuf_open(struct xb_sv body, struct xb_protobuf_envelope *ret, struct xb_buf *retwhy);

/*
 * Adds the message's members to object, as they would stand in it had it come as JSON: times, quantities and bytes as
 * text, embedded messages inlined. Zero values that the client wrote are there: xb_schema_decode takes out those that say
 * nothing. Numbers without a row are passed over without a word, as upstream does: only names could be told.
 * Strings are borrowed: message must outlive object. -EBADMSG with what is wrong appended to retwhy; -ENOMEM. After a
 * fault object has some of the members.
 */
int xb_protobuf_decode(struct xb_arena *a, const struct xb_type *t, struct xb_sv message, struct xb_tree *object, struct xb_buf *retwhy);

#endif
