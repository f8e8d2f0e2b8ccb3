/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LIB_NET_GRPC_CONN_H
#define LIB_NET_GRPC_CONN_H
/*
 * Between grpc.c, which has the calls, and grpc_conn.c, which has connections and HTTP/2. Nobody's callback is called while
 * nghttp2 works: what came is left with its call, and the call in the channel's news, which are told afterwards.
 */
#include <nghttp2/nghttp2.h>
#include <sys/queue.h>
#include <sys/un.h>
#include "grpc_wire.h"

#define GRPC_READ_BYTES (16 << 10)

struct grpc_conn {
	struct xb_grpc *g;              /* NULL: closed, and gone as the loop runs on */
	LIST_ENTRY(grpc_conn) link;
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_pipe_t pipe;
		uv_tcp_t tcp;
	} u;
	uv_connect_t connect;
	uv_write_t write;
	nghttp2_session *session;
	struct xb_buf out;              /* being written */
	bool connected, writing;
	char in[GRPC_READ_BYTES];
};

struct xb_grpc {
	uv_loop_t *loop;
	uv_timer_t timer;               /* the soonest deadline, or at once when there are news that nobody is about to tell */
	uint64_t due;                   /* of the timer, while it is active */
	char *target;                   /* a path or an address, as a person reads it */
	char *user_agent;
	union {
		struct sockaddr any;
		struct sockaddr_storage ip;
		struct sockaddr_un path;
	} to;
	size_t limit;
	struct grpc_conn *conn;         /* the one for new calls; may be NULL */
	LIST_HEAD(, grpc_conn) conns;
	TAILQ_HEAD(grpc_calls, xb_grpc_call) calls;
	TAILQ_HEAD(, xb_grpc_call) news;
	bool closed;
};

struct xb_grpc_call {
	struct xb_grpc *g;
	struct grpc_conn *conn;         /* NULL: its stream is over */
	TAILQ_ENTRY(xb_grpc_call) link, news_link;
	int32_t id;                     /* of the stream */
	struct xb_buf in, out;          /* messages with their prefixes, of which "sent" bytes of out are gone */
	size_t sent;
	bool open;                      /* more messages may come from the caller */
	bool refused;                   /* its head was never sent */
	bool ended;                     /* the ending is settled; done has not been called */
	bool in_news, busy, gone;       /* busy: in a callback; gone: cancelled there, freed after it */
	uint64_t deadline;              /* in the loop's ms; 0: none */
	struct grpc_ending ending;
	xb_grpc_message on_message;     /* NULL: unary */
	xb_grpc_done done;
	void *arg;
};

/* grpc_conn.c */
int grpc_conn_get(struct xb_grpc *g, struct grpc_conn **ret);   /* one that takes calls, maybe still connecting; -ENOMEM */
int grpc_conn_start(struct grpc_conn *c, struct xb_grpc_call *call, const struct xb_grpc_request *q);
void grpc_conn_drop(struct xb_grpc_call *call);                 /* takes the call from its stream, and resets that unless it is over */
void grpc_conn_flush(struct grpc_conn *c);                      /* may end the connection and its calls */
void grpc_conn_close(struct grpc_conn *c);                      /* ends no calls */

/* grpc.c */
void grpc_call_news(struct xb_grpc_call *call);
void grpc_call_fail(struct xb_grpc_call *call, int code, const char *fmt, ...) _printf_(3, 4); /* ends it, here and at the server */
void grpc_call_end(struct xb_grpc_call *call, uint32_t h2_code);
void grpc_tell(struct xb_grpc *g);                              /* the news: calls callbacks, which may free g's parts */

#endif
