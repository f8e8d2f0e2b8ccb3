/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_WORK_H
#define CONTROLLERS_WORK_H
/*
 * The work on one key: from the moment it is handed out until kcm_work_done it may send any number of rounds of requests, and
 * goes on when a round is answered. All that it needs meanwhile lives in its arena. When the program stops, the work under way is
 * dropped where it stands; what it had done so far is what the next process finds.
 *
 * Copies change between rounds: a view of an object (struct xb_jv) is good until the first round begins, or held.
 */
#include "kcm.h"
#include "xb/calls.h"

struct kcm_work {
	struct kcm *kcm;
	void *loop;                     /* the queue's */
	const char *key;                /* "namespace/name" or "name" */
	const char *namespace_, *name;  /* its parts; namespace_ is "" without one */
	struct xb_arena *arena;
	void *state;                    /* the loop's own, for what comes after a round */
	const char *why;                /* what the API server said when it failed, for the log; NULL: nothing */
	struct kcm_queue *queue;
	/* work.c's */
	struct kcm_work *prev, *next;
	struct xb_calls *calls;
	void (*then)(struct kcm_work *w, int error);
	XB_VEC(struct xb_json *) held;
};

struct kcm_queue_config {
	const char *name;               /* of the metrics: "replicaset" */
	int workers;                    /* how many keys at once */
	void (*sync)(struct kcm_work *w); /* ends with kcm_work_done, now or later */
	void *loop;
	unsigned backoff_max_ms;        /* xb_work_queue's */
};
int kcm_queue_new(struct kcm *k, const struct kcm_queue_config *c, struct kcm_queue **ret);
struct kcm_queue *kcm_queue_free(struct kcm_queue *q);  /* with the work under way, which is dropped; from a loop's stop */
void kcm_queue_add(struct kcm_queue *q, struct xb_jv object);
void kcm_queue_add_after(struct kcm_queue *q, struct xb_jv object, int64_t ms);
struct xb_work_queue *kcm_queue_keys(struct kcm_queue *q); /* to add by key */

/* The key of an object: "namespace/name" or "name", in out, which is emptied first. */
const char *kcm_key(struct xb_jv object, struct xb_buf *out);

/* Begins a round; then is called, with the first error, when kcm_work_go was called and everything is answered:
 * kcm_work_done, when nothing comes after. */
void kcm_work_round(struct kcm_work *w, void (*then)(struct kcm_work *w, int error));
/* The same in the process's own name, which may list whatever there are copies of. */
void kcm_work_round_of_lists(struct kcm_work *w, void (*then)(struct kcm_work *w, int error));
struct kcm_request {
	const char *method;
	const struct xb_kind *kind;     /* NULL: path says it all */
	const char *path;
	const char *name, *sub;         /* NULL: the collection; the object itself */
	const char *namespace_;         /* NULL: the work's */
	const char *type;               /* of the body */
	struct xb_sv body;              /* copied */
	/* For a PUT: body is a merge patch of that object, which is sent as a whole, and refused when it changed since. Upstream's
	 * roles give leave to update a status, and not to patch it. */
	struct xb_jv of;
	const char *accept;             /* xb_rest_request's */
};
#define KCM_JSON      "application/json"
#define KCM_MERGE     "application/merge-patch+json"
#define KCM_STRATEGIC "application/strategic-merge-patch+json"
/* As xb_calls_add. Also from within an answer. An error counts as the round's. */
int kcm_work_ask(struct kcm_work *w, const struct kcm_request *q,
		 int (*answered)(void *arg, int code, struct xb_sv body, const struct xb_status *status), void *arg);
/* A PUT of the status of the work's object: status, one value, is a merge patch of the one that it has. */
int kcm_work_ask_status(struct kcm_work *w, const struct xb_kind *kind, struct xb_jv object, struct xb_sv status,
			int (*answered)(void *arg, int code, struct xb_sv body, const struct xb_status *status), void *arg);
void kcm_work_go(struct kcm_work *w);                   /* may call then at once: w may be gone afterwards */
int kcm_work_hold(struct kcm_work *w, struct xb_jv object); /* its document stays until the work is done. 0 or -ENOMEM */
bool kcm_is_terminating(const struct xb_status *status); /* refused because the namespace goes: no fault of a loop's */
/* Frees w. Not from an answer: from then, or before there is a round. error as xb_work_queue_done's: with one the key comes again. */
void kcm_work_done(struct kcm_work *w, int error);

#endif
