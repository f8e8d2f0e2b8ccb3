/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_WORK_QUEUE_H
#define XB_WORK_QUEUE_H
/*
 * What is to be looked at again, by key, each once however often it was asked for (client-go util/workqueue): a key that is
 * added while it is being worked on is worked on again afterwards, never twice at a time. Work may end later than the call
 * that began it, as it does when it waits for the API server; up to "workers" keys are under way at once. A key whose
 * work failed comes again after 5 ms, doubled with each failure in a row, up to 1000 s. One loop, one thread.
 */
#include <stdint.h>
#include <uv.h>
#include "xb/macro.h"
#include "xb/str.h"

struct xb_work_queue;
struct xb_work_queue_config {
	uv_loop_t *loop;
	const char *name;               /* borrowed; for metrics */
	unsigned workers;               /* 0: 5 */
	/* Begins the work on a key, which is borrowed until it is done; ends with xb_work_queue_done, before it returns or later. */
	void (*work)(void *arg, const char *key);
	void *arg;
	unsigned backoff_min_ms, backoff_max_ms; /* 0: 5 and 1000000 */
};
int xb_work_queue_new(const struct xb_work_queue_config *c, struct xb_work_queue **ret);
/* Drops what waits. Work under way is the caller's to cancel before. The loop must turn once more before it can be closed. */
struct xb_work_queue *xb_work_queue_free(struct xb_work_queue *q);

/* Until then nothing is handed out: for queues whose first keys come before all caches are filled. */
void xb_work_queue_start(struct xb_work_queue *q);

/* All of them without an error: a key for which there is no memory is lost, and counted; the next change brings it again. */
void xb_work_queue_add(struct xb_work_queue *q, const char *key);
void xb_work_queue_add_after(struct xb_work_queue *q, const char *key, uint64_t ms); /* not before; the soonest asked for counts */
/* The work on a key is over. error: 0 forgets its failures; -EAGAIN brings it again without counting a failure, at once;
 * any other after the back-off. */
void xb_work_queue_done(struct xb_work_queue *q, const char *key, int error);
unsigned xb_work_queue_failures(const struct xb_work_queue *q, const char *key); /* in a row */

struct xb_work_queue_stats {
	uint64_t depth, under_way, adds, retries, lost, done;
	uint64_t unfinished, longest_running;      /* nanoseconds: of all keys under way together, and of the longest */
};
void xb_work_queue_stats(const struct xb_work_queue *q, struct xb_work_queue_stats *ret);
/* client-go's workqueue_* metrics of n queues, by their names. Appended. */
void xb_work_queue_metrics(struct xb_work_queue *const *queues, size_t n, struct xb_buf *out);

#endif
