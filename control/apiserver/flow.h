/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_FLOW_H
#define APISERVER_FLOW_H
/*
 * How much is served at once, and who is next: --max-requests-inflight and --max-mutating-requests-inflight, with a queue
 * for each user where upstream has only a number (the idea of API Priority and Fairness, KEP-1040).
 *
 * A limit is a number of seats. A seat stands for 64 KiB: a request takes one, and one more for each further 64 KiB of its
 * body, and, once they are known, of its reply, until all of that has left. So the limits bound memory, whoever is slow:
 * the disk, or a client that does not read. A user that has seats takes none of the last quarter: there is room for
 * whoever comes.
 *
 * What finds no seat waits in its user's queue; the queues are served in turn. What waits is bounded, too: by its bytes (16
 * KiB each, and the body), for a user and for all, and by time. When all queues together are full, the newest request of
 * the longest queue makes room.
 */
#include <uv.h>
#include "xb/str.h"

enum flow_kind { FLOW_READ_ONLY, FLOW_MUTATING };
enum flow_refusal { FLOW_QUEUE_FULL, FLOW_TIME_OUT };

struct flows;
struct flow_seat;
struct flow_config {
	uv_loop_t *loop;
	unsigned seats[2];             /* by kind; 0: no limit */
	uint64_t wait_ms;              /* the longest wait; not 0 */
	/* arg has waited and has its seat now, or never will have one: from the loop; the latter also within flow_enter. */
	void (*serve)(void *arg);
	void (*refuse)(void *arg, enum flow_refusal why);
};
int flows_new(const struct flow_config *c, struct flows **ret);
/* Every seat has been freed, or never will be used again. The loop must turn once more before it can be closed. */
struct flows *flows_free(struct flows *f);
XB_DEFINE_CLEANUP(struct flows *, flows_free)

/*
 * 0: *ret is a seat, go on; it is NULL where there is no limit. -EINPROGRESS: *ret waits, and serve or refuse will be called
 * with arg, unless it is freed before. -EBUSY: there is no room to wait. -ENOMEM. The seat is the caller's to free.
 */
int flow_enter(struct flows *f, enum flow_kind kind, struct xb_sv user, size_t body_bytes, void *arg, struct flow_seat **ret);
/* It holds so many bytes more than were said so far. */
void flow_seat_widen(struct flow_seat *s, size_t bytes);
struct flow_seat *flow_seat_free(struct flow_seat *s);  /* waiting or not; NULL is fine */

struct flow_stats {
	unsigned waiting, seats;       /* now */
	uint64_t refused[2];           /* by enum flow_refusal */
};
void flow_stats(const struct flows *f, enum flow_kind kind, struct flow_stats *ret);

#endif
