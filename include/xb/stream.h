/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_STREAM_H
#define XB_STREAM_H
/*
 * A byte stream over TCP, plain or through TLS, on a libuv loop: one that was dialled, or a client's connection that an HTTP
 * server has handed over (xb_http_upgrade). One loop, one thread. Callbacks come from the loop only, never within a call.
 *
 * Back-pressure is the user's: while xb_stream_pending of the one side is large it pauses the other. Written bytes go to the
 * socket at once and are queued only when that is full; so an idle stream holds no buffers (some 700 bytes; 10 to 20 KB more
 * with TLS, OpenSSL's), and a busy one what its user lets it queue.
 */
#include <uv.h>
#include "xb/str.h"
#include "xb/tls.h"

#define XB_STREAM_PENDING_MAX (128 << 10) /* of one direction, before the other side is paused: what xb_splice does */

struct iovec;
struct xb_stream;
struct xb_stream_ops {
	/* Of a dialled one: connected, and TLS's handshake is over. */
	void (*opened)(struct xb_stream *s);
	/* Bytes, 64 KiB at most; n is 0, once, at the end of what the other side sends. Not while paused. */
	void (*received)(struct xb_stream *s, const char *bytes, size_t n);
	/* What was written has left; called only after it did not at once. */
	void (*drained)(struct xb_stream *s);
	/*
	 * Over, once: 0 when both sides have ended, else a negative errno (-ETIMEDOUT, -ECONNRESET, -ESHUTDOWN: the server stops).
	 * What came before a reset, or before it was found that nothing can be sent, is received first.
	 * s is still to be freed, and good for nothing else but xb_stream_why.
	 */
	void (*closed)(struct xb_stream *s, int error);
};

struct xb_stream_target {
	const char *host;       /* an address or a name; what a certificate must be for */
	int port;
	struct xb_tls *tls;     /* a client's context, borrowed for the stream's life; NULL: plain */
	unsigned timeout_ms;    /* for all of it: look-up, each address in turn, handshake. 0: 30 s */
};
/* Faults of the network come by closed. -ENOMEM, or libuv's. The target's host is copied. */
int xb_stream_dial(uv_loop_t *loop, const struct xb_stream_target *t, const struct xb_stream_ops *ops, void *arg,
		   struct xb_stream **ret);
struct xb_stream *xb_stream_free(struct xb_stream *s);  /* closes at once; may be called from a callback. NULL is taken */
XB_DEFINE_CLEANUP(struct xb_stream *, xb_stream_free)
/* As free, but what is pending is sent first, for 5 s at most, and the other side's bytes are read over until it closes, so that
 * no reset eats them. */
void xb_stream_leave(struct xb_stream *s);
/* Another user: its callbacks are called from now on. */
void xb_stream_hand_over(struct xb_stream *s, const struct xb_stream_ops *ops, void *arg);
void *xb_stream_arg(const struct xb_stream *s);
uv_loop_t *xb_stream_loop(const struct xb_stream *s);
/* "dial tcp 192.0.2.1:10250: connect: connection refused": why it is closed, as Go's net package says it. Borrowed. */
const char *xb_stream_why(const struct xb_stream *s);

/* Copies what does not leave at once. After a fault nothing happens: closed tells of it. */
void xb_stream_write(struct xb_stream *s, struct xb_sv bytes);
void xb_stream_writev(struct xb_stream *s, const struct iovec *iov, int n);
size_t xb_stream_pending(const struct xb_stream *s);
void xb_stream_end(struct xb_stream *s);                /* no more is written: the other side sees the end once all is sent */
/* While paused nothing is received, not even an end. A peer that closes meanwhile, and is not read again for 30 s, is lost. */
void xb_stream_pause(struct xb_stream *s, bool paused);
/* closed(-ETIMEDOUT) unless it is called again, with 0 for never, within ms. */
void xb_stream_deadline(struct xb_stream *s, unsigned ms);
/* Bytes that came before it was a stream: received first. -ENOMEM. */
int xb_stream_unread(struct xb_stream *s, struct xb_sv bytes);

/*
 * Joins two streams: what the one receives the other is sent, ends too, until both are closed; it takes both. A side that is slow
 * pauses the other at XB_STREAM_PENDING_MAX. When one breaks, the other is left (xb_stream_leave). When one has ended, the other
 * has 30 s without a byte. done: both are gone; may be NULL. -ENOMEM: nothing was taken.
 */
int xb_splice(struct xb_stream *a, struct xb_stream *b, void (*done)(void *arg), void *arg);

#endif
