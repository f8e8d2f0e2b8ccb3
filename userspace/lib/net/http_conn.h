/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef HTTP_CONN_H
#define HTTP_CONN_H
/*
 * The inside of the HTTP server: http_server.c listens and shuts down, http_conn.c moves the bytes of one connection and
 * keeps its time, http1_conn.c and http2.c give the bytes their meaning, http_out.c holds what is to be sent, http_reply.c
 * and http_request.c are the handler's view of a request, whatever it came by. http_patience.c lets connections that bring
 * nothing urgent wait for each other. With io_threads, http_loops.c runs a server
 * of this kind on each thread, without listeners, whose handler is http_relay.c: it takes requests to the owner's loop and
 * replies back.
 *
 * Callbacks of the handler run from the loop only, never inside a call that the handler makes. Times are milliseconds of
 * uv_now().
 */
#include <netinet/in.h>
#include <sys/queue.h>
#include <uv.h>
#include "http_out.h"
#include "transport.h"
#include "xb/http1.h"
#include "xb/http_server.h"

#define DRAIN_BYTES (64 << 10)          /* on_drain's mark */
#define SCRATCH_BYTES (64 << 10)        /* one read, of any connection */

struct conn;
struct http2;
struct io_loop;
struct io_loops;

/* Where a reply goes: HTTP/1.1, HTTP/2, or another thread, whose connection it is (relay_reply). */
typedef void http_serve(struct xb_http_request *r, uv_loop_t *loop, void *arg);
struct reply_ops {
	/* The reply's head; length < 0: a stream. Sets no_body and chunked. */
	void (*begin)(struct xb_http_request *r, int code, const char *content_type, ssize_t length);
	void (*push)(struct xb_http_request *r); /* there is more in r->out */
	void (*end)(struct xb_http_request *r); /* the reply is whole; the handler lets go of r */
	void (*fail)(struct xb_http_request *r); /* no memory: the reply cannot be whole */
	void (*move)(struct xb_http_request *r, http_serve *serve, void *arg);
	/* NULL where one cannot: makes what answers 101 a stream. */
	int (*upgrade)(struct xb_http_request *r, struct xb_stream **ret);
};
extern const struct reply_ops http1_reply, http2_reply, relay_reply;

struct xb_http_request {
	struct conn *conn;
	const struct reply_ops *reply;
	struct http_out *out;           /* where its reply waits: the connection's, or its stream's */
	struct xb_sv method, target, body;
	const char *head;               /* fields are offsets into it */
	const struct xb_http1_field *fields;
	uint32_t n_fields;
	void *user;
	void (*on_close)(struct xb_http_request *r);
	void (*on_shutdown)(struct xb_http_request *r);
	void (*on_drain)(struct xb_http_request *r);
	void (*on_gone)(void *arg);
	void *gone_arg;
	struct xb_buf headers;          /* added by the handler, each with its CRLF */
	bool active;                    /* the handler has it */
	bool patient;                   /* said the handler */
	bool waited;                    /* its connection was read patiently, or the client waits for each answer */
	bool lost;                      /* its stream is gone, the connection may not be */
	bool told;                      /* that the server stops */
	bool streaming, chunked, no_body;
	bool above;                     /* pending has been over the mark; on_drain is owed */
	bool asked;                     /* on_drain went to another thread, whose answer is not yet here */
	size_t ahead;                   /* pending bytes that have left `out` for the connection's thread */
};

/* What HTTP/1.1 and HTTP/2 do each in their way. */
struct protocol {
	void (*receive)(struct conn *c, const char *bytes, size_t n); /* n is 0 at the end of what the client sends */
	bool (*step)(struct conn *c);           /* one thing that can be done without the client; false when there is none */
	int (*wants)(const struct conn *c);     /* UV_READABLE; UV_DISCONNECT: only to know that it leaves; or 0 */
	uint64_t (*deadline)(struct conn *c);   /* when to call on_deadline; 0: never */
	void (*on_deadline)(struct conn *c);
	void (*shutdown)(struct conn *c);       /* the server stops: idle ones close, streams are told */
	void (*closed)(struct conn *c);         /* the connection is dead: tells the handlers, each once */
	bool (*held)(const struct conn *c);     /* does a handler have a request */
	void (*done)(struct conn *c);           /* frees what open made */
};
extern const struct protocol http1_protocol, http2_protocol;

enum phase {
	PHASE_OPEN,
	PHASE_LINGERING,                /* all is said; waits for the client to close, so that no reset eats the reply */
	PHASE_UPGRADED,                 /* its bytes are a stream's, and it goes when that does */
	PHASE_DEAD,                     /* closed; the handler may not know yet */
};

enum http1_phase {
	HTTP1_READING,                  /* between requests, or within one */
	HTTP1_REPLYING,                 /* the handler has it */
	HTTP1_FLUSHING,                 /* the reply is whole, not all of it sent */
};
enum http1_wait { WAIT_NONE, WAIT_HEAD, WAIT_BODY, WAIT_IDLE };

struct http1_side {                     /* one request at a time; what the client pipelines waits in `in` */
	enum http1_phase phase;
	enum http1_wait wait;           /* what the time since `since` is spent on */
	uint64_t since;
	bool close;                     /* after this reply */
	bool greeted;                   /* a first request has begun */
	struct xb_http1 parser;
	struct xb_buf in;
	struct xb_http_request request;
};

struct conn {
	struct xb_http_server *server;
	LIST_ENTRY(conn) link;
	TAILQ_ENTRY(conn) awake_link, parked_link;
	const struct protocol *protocol; /* HTTP/1.1 until the first bytes show that it is the other */
	struct transport transport;
	uv_poll_t poll;
	uv_timer_t timer;
	uint64_t timer_at;              /* when it rings; 0: it does not */
	int events;                     /* polled for */
	bool beats;                     /* the last answer was to a patient request, and nothing else came or went since */
	bool patient;                   /* polled by the server's patience, and not by `poll` */
	bool silent;                    /* had no more to say, when it was read patiently last */
	bool awaited;                   /* and that was a heartbeat: its client waits for each answer */
	bool late;                      /* a stream began while the server stops, and is to be told */
	enum phase phase;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} peer;
	bool awake;                     /* conn_run is due this turn of the loop */
	bool parked;                    /* would read, but too many requests wait */
	bool begun;                     /* bytes have come; the protocol is known */
	bool eof;                       /* the client sends no more */
	bool blocked;                   /* sending waits for the socket */
	bool running;                   /* a callback or conn_run is on the stack */
	uint8_t handles;                /* of libuv, still open */
	uint64_t stuck_at;              /* since then the client has taken nothing of `out`; 0: it has all of it */
	uint64_t linger_at;
	uint64_t busy_at;               /* when something else came or went last */
	uint64_t beat_at;               /* when a patient request was answered last */
	struct http_out out;            /* for the wire */
	struct http1_side h1;
	struct http2 *h2;
	struct xb_stream *stream;       /* PHASE_UPGRADED */
};

/*
 * Connections that are read together. `conns` has them; `once` has nothing but `conns`, and tells the loop of the first that is
 * readable. To arm that again costs the same whatever `conns` has: libuv would take `conns` out and put it back, and for that
 * the kernel walks all that is in it.
 */
struct patience {
	int conns, once;                /* of epoll */
	uv_poll_t poll;                 /* of `once`; does not keep the loop alive */
	uv_timer_t timer;               /* runs from the first that is readable until all are read */
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
	struct io_loops *loops;         /* whose the connections are; NULL: they are on this one */
	struct io_loop *io;             /* the one of those that this serves; NULL: the owner's loop */
	struct listener *listeners;
	LIST_HEAD(, conn) conns;
	TAILQ_HEAD(, conn) awake, parked;
	bool full;                      /* too many requests wait for the owner: connections read no more */
	uv_timer_t timer;               /* a pause of accepting; after shutdown, the grace */
	uv_idle_t waker;                /* active while a connection is awake */
	struct patience patience;
	bool stopping, freed;
	void (*done)(void *arg);
	void *done_arg;
	unsigned handles;               /* of listeners, timers, the waker and patience */
	struct xb_http_stats stats;     /* written by count() alone: other threads look */
	time_t date_at;
	char date[32];                  /* "Sun, 06 Nov 1994 08:49:37 GMT" */
	char scratch[SCRATCH_BYTES];
};

/* http_conn.c. conn_new takes the fd; NULL without memory. Then conn_open, on the loop of s; it frees what it cannot open. */
struct conn *conn_new(struct xb_http_server *s, int fd, const struct sockaddr_storage *peer);
void conn_open(struct conn *c);
void conn_run(struct conn *c);          /* goes on as far as it can without waiting */
void conn_wake(struct conn *c);         /* conn_run before the loop sleeps: what is written until then leaves together */
void conn_die(struct conn *c);          /* closes now; tells the handlers from the loop */
void conn_unpark(struct conn *c);       /* reads again */
void conn_read(struct conn *c);         /* a patient one may be readable */
void conn_busy(struct conn *c);         /* it is prompt from now on */
void conn_beat(struct conn *c);         /* the answer to a patient request is whole */
void conn_shutdown(struct conn *c);     /* the server stops */
void conn_late(struct conn *c);         /* again before the loop sleeps, as it stops already: a stream has begun */
/* Its bytes become a stream's. -ENOMEM: nothing has changed. */
int conn_upgrade(struct conn *c, struct xb_stream **ret);
void conn_linger(struct conn *c);       /* all is sent: says so and waits for the client to close */
static inline uint64_t conn_now(const struct conn *c)
{
	return uv_now(c->poll.loop);
}
/* Tells a stream that the server stops, once. */
void conn_tell(struct xb_http_request *r);
/* Gives the handler a request that has come whole. */
void conn_hand_over(struct xb_http_request *r);
/* http_patience.c. Two handles, whose data is the server, as that of its others; patience_close comes behind them. */
int patience_open(struct xb_http_server *s);
void patience_close(struct xb_http_server *s);
/* From then on c is read (conn_read) when it is readable, or up to 400 ms later. 0 or -errno. */
int patience_add(struct conn *c);
void patience_remove(struct conn *c);
/* http2.c. Makes c one of HTTP/2; -ENOMEM. */
int http2_open(struct conn *c);
/* http_reply.c. Serves it on its own thread: at once. */
void reply_move(struct xb_http_request *r, http_serve *serve, void *arg);
/* http_request.c. Its memory goes: tells the handler, once. */
void request_gone(struct xb_http_request *r);
/* http_reply.c. Answers a request that never became one for the handler. */
void reply_fault(struct xb_http_request *r, int code, const char *message);
/* As xb_http_respond_buf and xb_http_stream_write do, with bytes that were queued elsewhere; takes them. */
void reply_whole(struct xb_http_request *r, int code, const char *content_type, struct http_out *body);
void reply_stream(struct xb_http_request *r, struct http_out *bytes);
/* http_gzip.c. Does that Accept-Encoding take gzip (RFC 9110 12.5.3); and a new compressed copy, 0 or -ENOMEM. */
bool http_accepts_gzip(struct xb_sv accept_encoding);
int http_gzip(struct xb_sv bytes, struct xb_buf *ret);
/* http_server.c: the connection is gone and its memory freed by the caller. */
void server_conn_gone(struct xb_http_server *s);
void server_tell_done(struct xb_http_server *s);
void server_close_handles(struct xb_http_server *s);    /* s goes with the last of them and of its connections */
const char *server_date(struct xb_http_server *s);

/* One thread writes, others may look. */
static inline void count(uint64_t *total, uint64_t more)
{
	__atomic_store_n(total, *total + more, __ATOMIC_RELAXED);
}
/* Connections come by the owner's thread and go by the loop's. */
static inline void count_conns(struct xb_http_server *s, int more)
{
	__atomic_fetch_add(&s->stats.connections, more, __ATOMIC_RELAXED);
}

#endif
