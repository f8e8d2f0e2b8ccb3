/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NET_STREAM_H
#define NET_STREAM_H
/* The inside of xb/stream.h: stream.c moves the bytes, stream_dial.c gets a connection. */
#include "http_out.h"
#include "transport.h"
#include "xb/stream.h"

struct dial;
struct xb_stream {
	uv_loop_t *loop;
	const struct xb_stream_ops *ops;
	void *arg;
	struct transport transport;     /* fd -1: none yet, or no more */
	struct http_out out;
	struct xb_buf unread;           /* received before anything of the socket */
	uv_poll_t *poll;                /* of the transport's fd; NULL without one */
	uv_timer_t timer;
	uint64_t deadline, leaving_at;  /* by uv_now; 0: none. leaving_at: the peer has closed while paused */
	int events;
	int error;                      /* it is over; closed is to be called, or was */
	int broken;                     /* nothing can be sent any more; what the other side had sent before is still read. 0: not so */
	uint8_t handles;                /* of libuv, still open */
	bool paused, blocked, eof, eof_told;
	bool ending, ended;             /* asked to end its side; done */
	bool over, told;                /* error counts, even 0; closed was called */
	bool left, freed;               /* of no user; its memory goes */
	bool running;                   /* reading */
	void (*gone)(void *arg);        /* its memory goes */
	void *gone_arg;
	struct dial *dial;              /* until it is open */
	bool connecting;                /* its socket is; then comes the handshake */
	char *why;
};

/* stream.c. A stream without a connection; -ENOMEM. */
int stream_new(uv_loop_t *loop, const struct xb_stream_ops *ops, void *arg, struct xb_stream **ret);
int stream_attach(struct xb_stream *s);         /* its transport's fd can be polled from now on */
void stream_detach(struct xb_stream *s);        /* closes the transport */
void stream_fail(struct xb_stream *s, int error); /* closed follows, from the loop */
void stream_unref(struct xb_stream *s);         /* one of its handles is closed */
void stream_arm(struct xb_stream *s);
/*
 * Takes an open transport, with what is to be sent (emptied). gone is called when the stream's memory goes. Afterwards the user
 * gives it what was read already (xb_stream_unread). -ENOMEM: nothing was taken.
 */
int stream_adopt(uv_loop_t *loop, struct transport *t, struct http_out *out, bool eof, void (*gone)(void *arg), void *gone_arg,
		 struct xb_stream **ret);

/* stream_dial.c: its socket can be written. And the end of trying. */
void dial_ready(struct xb_stream *s);
void dial_failed(struct xb_stream *s, int error);
void dial_free(struct xb_stream *s);

#endif
