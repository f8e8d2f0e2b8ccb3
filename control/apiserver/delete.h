/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_DELETE_H
#define APISERVER_DELETE_H
/* What DELETE of one object and of a collection share. */
#include "write.h"

struct delete_options {                    /* metav1.DeleteOptions, from the body or else the query */
	struct delete_request ask;
	struct xb_sv uid, resource_version; /* preconditions; {} for none */
	bool accepted;                     /* orphanDependents=false was said: an object that stays is answered with 202 */
};
/* Reads and checks them. 400, 415, 422. */
int delete_options_read(struct request *q, struct delete_options *ret);
/* The same of a DeleteOptions that is decoded already; NULL: only the query speaks. */
int delete_options_from(struct request *q, const struct xb_tree *body, struct delete_options *ret);

/* What becomes of one object. */
struct deletion_plan {
	struct xb_tree *old, *object;      /* as it is; its last or next state */
	enum { DELETION_REMOVES, DELETION_MARKS, DELETION_CHANGES_NOTHING } outcome;
};
/* w is the object's own; head stays borrowed and its document must outlive the trees. */
int delete_plan(struct request *q, struct write *w, const struct delete_options *o, struct store_object *head,
		struct deletion_plan *ret);

/* Deletes what q->write names. An object that goes is answered by "removed", one that stays by q->answer. */
typedef void answer_fn(struct request *q, const struct xb_json *doc);
int delete_object(struct request *q, const struct delete_options *options, answer_fn *removed);

#endif
