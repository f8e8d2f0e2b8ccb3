/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef HTTP_CONN_H
#define HTTP_CONN_H
/*
 * The inside of the HTTP server: http_server.c listens and shuts down, http_conn.c moves one connection through its phases,
 * http_reply.c queues what is to be sent, http_request.c answers questions about a request.
 *
 * A connection has one request at a time; what the client pipelines waits in `in`. Callbacks of the handler run from the
 * loop only, never inside a call that the handler makes.
 */
#include <netinet/in.h>
#include <uv.h>
#include "transport.h"
#include "xb/http1.h"
#include "xb/http_server.h"

#define DRAIN_BYTES (64 << 10)          /* on_drain's mark */
#define SCRATCH_BYTES (64 << 10)        /* one read, of any connection */
#define PIPELINE_BYTES (16 << 10)       /* read ahead of the reply */

struct xb_http_request {
	void *user;
	void (*on_close)(struct xb_http_request *r);
	void (*on_shutdown)(struct xb_http_request *r);
	void (*on_drain)(struct xb_http_request *r);
	struct xb_buf headers;          /* added by the handler, each with its CRLF */
	bool active;                    /* the handler has it */
	bool streaming, chunked, no_body;
	bool above;                     /* pending has been over the mark; on_drain is owed */
};

struct segment {                        /* of what is to be sent: bytes of its own, or a shared chunk */
	struct segment *next;
	struct xb_http_chunk *chunk;
	struct xb_buf buf;
	size_t at;                      /* sent so far */
};

enum phase {
	PHASE_READING,                  /* between requests, or within one */
	PHASE_REPLYING,                 /* the handler has it */
	PHASE_FLUSHING,                 /* the reply is whole, not all of it sent */
	PHASE_LINGERING,                /* all is said; waits for the client to close, so that no reset eats the reply */
	PHASE_DEAD,                     /* closed; the handler may not know yet */
};
enum wait { WAIT_NONE, WAIT_HEAD, WAIT_BODY, WAIT_IDLE, WAIT_SEND, WAIT_LINGER };

struct conn {
	struct xb_http_server *server;
	struct conn *next, *prev;
	struct transport transport;
	uv_poll_t poll;
	uv_timer_t timer;
	int events;                     /* polled for */
	enum phase phase;
	enum wait wait;                 /* what the timer stands for */
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} peer;
	bool eof;                       /* the client sends no more */
	bool close;                     /* after this reply */
	bool blocked;                   /* sending waits for the socket */
	bool running;                   /* a callback or conn_run is on the stack */
	bool greeted;                   /* a first request has begun */
	uint8_t handles;                /* of libuv, still open */
	struct xb_http1 parser;
	struct xb_buf in;
	struct segment *out, *out_last;
	size_t pending;                 /* bytes in out */
	struct xb_http_request request;
};

struct listener {
	struct listener *next;
	struct xb_http_server *server;
	uv_poll_t poll;
	int fd, port;
};

struct xb_http_server {
	struct xb_http_config config;
	struct xb_http1_limits limits;
	struct listener *listeners;
	struct conn *conns;
	uv_timer_t timer;               /* a pause of accepting; after shutdown, the grace */
	bool stopping, freed;
	void (*done)(void *arg);
	void *done_arg;
	unsigned handles;               /* of listeners and the timer */
	struct xb_http_stats stats;
	time_t date_at;
	char date[32];                  /* "Sun, 06 Nov 1994 08:49:37 GMT" */
	char scratch[SCRATCH_BYTES];
};

/* http_conn.c. conn_new takes the fd; memory faults close it. */
void conn_new(struct xb_http_server *s, int fd, const struct sockaddr_storage *peer);
void conn_run(struct conn *c);          /* goes on as far as it can without waiting */
void conn_stop_waiting(struct conn *c); /* the time starts again */
void conn_die(struct conn *c);          /* closes now; tells the handler from the loop */
void conn_shutdown(struct conn *c);     /* the server stops: idle ones close, streams are told */
/* http_reply.c */
int conn_flush(struct conn *c);         /* 0, also when blocked; else the connection is broken */
void conn_drop_output(struct conn *c);
void conn_continue(struct conn *c);     /* 100 Continue */
void conn_fault(struct conn *c, int code, const char *message);
/* http_server.c: the connection is gone and its memory freed by the caller. */
void server_conn_gone(struct xb_http_server *s);
const char *server_date(struct xb_http_server *s);

static inline struct conn *conn_of(const struct xb_http_request *r)
{
	return container_of(r, struct conn, request);
}

#endif
