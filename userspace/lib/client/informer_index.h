/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_INFORMER_INDEX_H
#define XB_INFORMER_INDEX_H
/* The inside of an informer's copy, for its indexes. */
#include "xb/informer.h"

struct membership;
struct item {
	struct xb_json *doc;        /* of ours: the object, or what it was transformed to */
	uint64_t version;           /* resourceVersion as a number, 0 when it is none */
	uint64_t uid;               /* a hash of it */
	struct membership *in;      /* of what keys, in all indexes */
	uint32_t list;              /* the list that last showed it */
	uint32_t key_n;
	char key[];                 /* "namespace/name", "/name" without a namespace */
};

struct xb_index *informer_index_new(struct xb_index **list, xb_index_keys *keys); /* into the list of an informer's */
int informer_index_add(struct xb_index *list, struct item *it);                   /* -ENOMEM: some keys are missing */
void informer_index_drop(struct item *it);
void informer_indexes_free(struct xb_index *list);                                 /* when no item is in them */

#endif
