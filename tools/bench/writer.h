/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BENCH_WRITER_H
#define BENCH_WRITER_H
/*
 * Many requests that come due one by one, over few HTTP/2 connections, on a libuv loop beside xb/informer.h. A job is
 * something that has a request to make now and then: its text is made when there is room to send it, so that what waits is a
 * job and no body. What came due in one turn of the loop leaves with one system call a connection. One thread.
 */
#include <sys/queue.h>
#include <uv.h>
#include "api.h"

enum { WRITER_CONNS = 4, WRITER_MOST = 1000, WRITER_SLICES = 512 };

struct job;
struct writer_request {
	const char *method, *content_type;      /* content_type: NULL without a body */
	struct xb_buf path, body;               /* come empty */
};
struct job_ops {
	void (*write)(struct job *j, struct writer_request *q);
	/* The job is idle again, and may be added. code 0: the connection was lost. False: this is a failure, to be counted and told. */
	bool (*answered)(struct job *j, int code, struct xb_sv body);
	bool urgent;                            /* goes before those that are not */
};
enum job_place { JOB_IDLE, JOB_WAITING, JOB_QUEUED, JOB_UNDER_WAY };
struct job {                                    /* the caller's: { .ops = } */
	const struct job_ops *ops;
	TAILQ_ENTRY(job) entry;
	uint64_t due;                           /* tick */
	enum job_place place;
};
TAILQ_HEAD(job_list, job);

struct writer_slot {
	struct call call;
	TAILQ_ENTRY(writer_slot) entry;
	struct job *job;                        /* NULL: free */
	struct xb_buf body;                     /* of the answer */
	uint64_t sent_at;
};
TAILQ_HEAD(writer_slots, writer_slot);
struct writer {
	struct conn_loop loop;
	uv_poll_t poll;
	uv_prepare_t before_sleep;
	uv_timer_t timer;
	struct conn conns[WRITER_CONNS];
	uint64_t open_at[WRITER_CONNS];         /* when a lost one is tried again */
	struct writer_slot slots[WRITER_MOST];  /* slot i is of connection i % WRITER_CONNS */
	struct writer_slots free[WRITER_CONNS]; /* of each that is ready */
	unsigned turn;                          /* which is next to get one */
	struct job_list urgent, queued, waiting[WRITER_SLICES];
	struct writer_request request;          /* being made */
	unsigned most;                          /* under way at a time */
	uint64_t began, tick;
	uint64_t answered, failed, lost;
	char *first_error;                      /* NULL for none */
	struct latency latency[2];              /* of answers: others, urgent */
};
/* most: requests under way, up to WRITER_MOST. Borrows loop and target. One writer a process. */
int writer_open(struct writer *w, uv_loop_t *loop, const struct target *t, unsigned most);
void writer_close(struct writer *w);            /* answers nobody; the loop must turn until its handles are closed */
void writer_add(struct writer *w, struct job *j);                       /* a job that is under way must not be added */
void writer_add_after(struct writer *w, struct job *j, uint64_t ms);    /* not before */
void writer_drop(struct writer *w, struct job *j);                      /* no longer wanted; what is under way is answered still */
static inline bool job_is_busy(const struct job *j)
{
	return j->place == JOB_QUEUED || j->place == JOB_UNDER_WAY;
}

#endif
