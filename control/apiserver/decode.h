/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_DECODE_H
#define APISERVER_DECODE_H
/*
 * From a body to an object: JSON, YAML or protobuf, the kind and version it claims, the type's rows, the kind's defaults, and what
 * fieldValidation asks for unknown and duplicate fields. Faults carry upstream's words (apimachinery pkg/runtime).
 */
#include "request.h"

/* What a body must be. */
struct expected {
	const char *group, *version, *kind;
	const struct xb_type *type;
};
struct expected expected_of(const struct route *t); /* of the kind, or of its subresource's body */

/* The body as a tree, not yet an object of a type. 415 unless it is JSON, YAML or protobuf. An empty body: *ret is NULL when
 * empty_allowed. */
int decode_tree(struct request *q, struct expected want, bool empty_allowed, struct xb_tree **ret);
/* Any bytes: patches come this way. yaml tells their form. The fault is left to the caller: -EBADMSG and its text. */
int decode_bytes(struct request *q, struct xb_sv bytes, bool yaml, struct xb_tree **ret, struct xb_buf *retwhy);

/*
 * The tree becomes an object of the wanted type, in place, by its rows and (for the kind itself) in its stored form and with its
 * defaults. Unknown and duplicate fields since decode_tree are refused, told as a warning, or dropped.
 */
int decode_object(struct request *q, struct expected want, struct xb_tree *object);
/* The same, but the fault of a tree that is no such object is left to the caller: -EBADMSG and its text. */
int decode_fields(struct request *q, struct expected want, struct xb_tree *object, struct xb_buf *retwhy);
/* The whole: body to object. */
int decode_body(struct request *q, struct xb_tree **ret);

#endif
