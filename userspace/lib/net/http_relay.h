/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef HTTP_RELAY_H
#define HTTP_RELAY_H
/*
 * The HTTP server with io_threads. http_loops.c has the threads: each runs a loop with a server of its own, which has
 * connections and no listeners. http_relay.c is the handler of those servers: it hands requests to the owner's loop, and
 * what the owner says back to the request, in batches. A lock is held to move pointers only, never in a callback.
 */
#include <sys/eventfd.h>
#include "http_conn.h"

struct relay;
TAILQ_HEAD(relays, relay);

/*
 * Ends a loop's sleep, from any thread. Not uv_async_t: libuv 1.44 wakes its loop before it is done with the handle, and the
 * loop spins until it is.
 */
struct waker {
	uv_poll_t poll;
	int fd;
};
static inline void wake(const struct waker *w)
{
	eventfd_write(w->fd, 1);
}

struct io_loop {
	struct xb_http_server *front;   /* the owner's */
	struct xb_tls *tls;
	uv_loop_t loop;
	struct waker waker;
	uv_thread_t thread;
	struct relays said;             /* owner's thread: replies that went on since the last turn */
	bool joined;                    /* owner's thread */
	struct xb_http_server *server;  /* its own thread, but for the count of connections */
	uv_mutex_t lock;                /* of what follows */
	TAILQ_HEAD(, conn) arrivals;    /* by awake_link */
	struct relays replies;          /* for this loop */
	struct relays news;             /* for the owner's */
	size_t waiting;                 /* bytes of requests there, about */
	bool stop, stopped;             /* asked for; done */
	bool leave, left;
	unsigned grace_ms;
};

struct io_loops {
	struct xb_http_server *front;
	struct waker waker;             /* of the owner's loop */
	bool stop, leave;               /* to be asked for at the end of this turn */
	unsigned grace_ms;
	unsigned n;
	struct io_loop io[];
};

/* http_loops.c, for the owner's thread. What loops_new has begun goes by loops_free, when it fails too. */
int loops_new(struct xb_http_server *front);
void loops_shutdown(struct io_loops *l, unsigned grace_ms);
void loops_free(struct io_loops *l);
struct xb_http_server *loops_least(const struct io_loops *l);   /* the one with the fewest connections */
void loops_hand_over(struct conn *c);
void loops_add_stats(const struct io_loops *l, struct xb_http_stats *stats);
void loops_flush_soon(struct io_loops *l);      /* relay_hand_back before the owner's loop sleeps */
/* For a loop's thread: its server is gone. */
void loop_close(struct io_loop *io);

/* http_relay.c. The handler of a loop's server; its arg is the loop. */
void relay_request(struct xb_http_request *r, void *arg);
/* Owner's thread: calls back what a loop has news of; and, with the lock held, gives it what the owner said. */
void relay_deliver(struct io_loop *io);
void relay_hand_back(struct io_loop *io);
/* The loop's thread: what the owner said becomes replies; connections are read again once fewer requests wait. */
void relay_reply_all(struct io_loop *io);
void relay_unpark(struct io_loop *io);

#endif
