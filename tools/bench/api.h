/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BENCH_API_H
#define BENCH_API_H
/*
 * xebec-bench api: bounded load on any API server. One thread drives all connections by epoll, so that the client's share
 * of a small machine is small and known: each report names it. Its own HTTP/1.1 client, as libcurl's multi interface took
 * 25 us of CPU for a get of 1 KB through 64 connections where this takes 10, and so would be part of what is measured.
 * HTTP/2 is nghttp2's, with client-go's windows.
 *
 * Times are nanoseconds of CLOCK_MONOTONIC. Everything runs on one thread. Functions return 0 or -errno; reterr_why is a
 * sentence, the caller's to free.
 */
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include "xb/json.h"

struct nghttp2_session;
struct target;
struct xb_kubeconfig;

/* --- api.c: what the user asked for --- */
enum api_op { API_CREATE, API_GET, API_UPDATE, API_LIST, API_DELETE, API_OPS };
extern const char *const api_op_names[API_OPS];

struct api_options {
	const char *kubeconfig, *context, *kind, *namespace_, *query, *prefix, *output;
	char **server_pid;
	int count, objects, first, clients, size, read_rate, watches, streams, events, seconds;
	bool http2, help;
	const struct api_verb *verb;
	char *const *command;   /* what stands after "--"; NULL for nothing */
};
/* Opens what the options' kubeconfig names. The caller closes both, also after a failure. */
int api_open(const struct api_options *o, struct xb_kubeconfig *k, struct target *t, char **reterr_why);

/* --- api_latency.c: a histogram of fixed size, exact to 1/128 --- */
enum { LATENCY_SUB = 128, LATENCY_BUCKETS = 58 * LATENCY_SUB };
struct latency {
	uint64_t n, most;
	uint32_t count[LATENCY_BUCKETS];
};
void latency_add(struct latency *l, uint64_t ns);
uint64_t latency_at(const struct latency *l, double quantile); /* 0.99: p99, never below the true one; 0 when empty */

/* --- api_reply.c: an incremental parser of HTTP/1.1 responses (RFC 9112) --- */
enum reply_state {
	REPLY_STATUS_LINE, REPLY_FIELDS, REPLY_COUNTED, REPLY_CHUNK_SIZE, REPLY_CHUNK, REPLY_CHUNK_END, REPLY_TRAILERS,
	REPLY_COMPLETE,
};
struct reply {                  /* {} is the start of a reply */
	enum reply_state state;
	int code;
	bool has_length, chunked, close;
	uint64_t left;          /* of the body, or of this chunk */
	unsigned line_n;
	char line[128];         /* the beginning of a line that came in pieces; the rest of it is dropped */
};
/*
 * Takes bytes from the front of in. 1: the reply is whole; 0: in is empty, or *ret_piece holds bytes of the body: call again
 * while in has bytes. A last piece comes with 1. -EBADMSG: not a reply, or one whose end cannot be known.
 */
int reply_feed(struct reply *r, struct xb_sv *in, struct xb_sv *ret_piece);

/* --- api_target.c: the server, and who we are --- */
struct target {
	struct sockaddr_storage address;
	socklen_t address_n;
	SSL_CTX *tls;
	char *server_name;      /* what the certificate must name */
	char *base;             /* path before /api, mostly empty */
	char *fields;           /* header fields of every request: Host, Authorization... each with CR LF */
	bool http2;
};
int target_open(struct target *t, const struct xb_kubeconfig *k, bool http2, char **reterr_why);
void target_done(struct target *t);

/* --- api_conn.c: connections, and calls on them: one at a time of HTTP/1.1, many of HTTP/2 --- */
struct conn_loop;
struct call {                   /* a request and its reply; the caller's, used again when the reply is whole */
	struct conn *conn;
	struct xb_buf out;      /* the request as HTTP/1.1 writes it; of HTTP/2 it is made into frames */
	size_t body_at;         /* HTTP/2: what of out has been sent */
	struct reply reply;     /* of HTTP/2, only its code */
};
struct conn {
	struct conn_loop *loop;
	int fd;
	bool ready;             /* the handshake is done */
	unsigned events;        /* that epoll waits for */
	SSL *ssl;
	struct xb_buf wire;     /* to be sent */
	size_t sent;
	size_t allowed;         /* bytes that may be read, when the loop is paced */
	struct call *call;      /* HTTP/1.1: whose reply comes */
	struct nghttp2_session *session; /* NULL: HTTP/1.1 */
	bool receiving;         /* the session is on the stack */
	const char *fault;      /* found by it there */
};
struct conn_ops {               /* any may send the next request, or stop the loop */
	void (*ready)(struct conn *c);
	void (*head)(struct call *c);                           /* the reply has begun; may be NULL */
	void (*piece)(struct call *c, struct xb_sv piece);      /* of the body, as it comes; c->reply.code is known */
	void (*reply)(struct call *c);                          /* whole; of HTTP/1.1, it may close the connection */
	void (*lost)(struct conn *c, const char *why);          /* the connection is closed already, its calls are void */
	void (*tick)(void);                                     /* every TICK_MS; may be NULL */
};
enum { TICK_MS = 20 };
struct conn_loop {
	int epoll;
	bool stop;
	bool paced;             /* connections read only what conn_allow lets them */
	const struct target *target;
	const struct conn_ops *ops;
};
int conn_loop_open(struct conn_loop *l, const struct target *t, const struct conn_ops *ops);
int conn_loop_run(struct conn_loop *l, uint64_t until);         /* 0: stopped; -ETIME: the time came first */
int conn_loop_turn(struct conn_loop *l);                        /* what there is to do, for a loop that polls l->epoll itself */
void conn_loop_close(struct conn_loop *l);
int conn_open(struct conn *c, struct conn_loop *l);             /* ready or lost follow */
void conn_close(struct conn *c);                                /* also of one that is {} or closed */
void conn_allow(struct conn *c, size_t bytes);                  /* to be read, of a paced loop */
/* What is in c->out, on c->conn, which is ready; lost may be called before it returns. */
void conn_send(struct call *c);
/* The same in two steps: what was put leaves at once, and with fewer system calls. */
void conn_put(struct call *c);
void conn_flush(struct conn *c);                                /* also of one that is {}, closed or not ready */

/* --- api_http2.c: what api_conn.c leaves to nghttp2 --- */
int http2_open(struct conn *c);
void http2_close(struct conn *c);
int http2_submit(struct call *c);                               /* -errno */
int http2_receive(struct conn *c, struct xb_sv in);             /* calls the loop's ops; -EBADMSG */
int http2_write(struct conn *c);                                /* what the session has to say, to c->wire */
/* The fields of a request, cut out of its HTTP/1.1 text, which they borrow; ret_n of at most HTTP2_FIELDS. Returns where the body is. */
enum { HTTP2_FIELDS = 16 };
struct http2_field {
	struct xb_sv name, value;
};
size_t http2_fields(struct xb_sv request, struct http2_field ret[static HTTP2_FIELDS], size_t *ret_n);

/* --- api_object.c: paths and bodies --- */
struct object;
/* size: about the bytes of one object's JSON; kinds with nothing to fill are smaller. -EINVAL: no such kind. */
int object_new(const struct api_options *o, const char *namespace_, struct object **ret, char **reterr_why);
struct object *object_free(struct object *o);
XB_DEFINE_CLEANUP(struct object *, object_free)
/* Both write a whole request to out, cleared first. n: which object, below 10^8. An update differs from all before it. */
void object_request(struct object *o, enum api_op op, unsigned n, const struct target *t, struct xb_buf *out);
void object_list(const struct object *o, const char *query, const struct target *t, struct xb_buf *out);

/* --- api_usage.c: what processes use --- */
struct usage {                  /* of the server's processes, and of this one */
	bool known;             /* the server's */
	double cpu_seconds, own_cpu_seconds;
	uint64_t rss_bytes, own_rss_bytes;
};
struct usage usage_now(char *const *pids);
/* Lets this process and those have n files open; -errno. */
int usage_allow_files(int n, char *const *pids);

/* --- api_report.c --- */
struct api_report {
	const struct api_options *options;
	double seconds;
	uint64_t requests, failed, unfinished, bytes_in;
	struct usage before, after;
	uint64_t rss_most;                      /* of the server meanwhile, looked at every TICK_MS */
	const struct latency *ops;              /* API_OPS of them, the unused ones empty; NULL for none */
	const struct api_watched *watched;      /* of a watch; else NULL */
	const struct api_started *started;      /* of a start; else NULL */
	const char *first_error;                /* NULL for none */
};
struct api_watched {
	unsigned watches, connections;          /* open at the end */
	double open_seconds;
	struct usage idle;                      /* with all watches open, before the first event */
	struct latency since_send, since_ack;   /* of an event's last receipt */
	struct latency receipt;                 /* of each, since the ack */
};
struct api_started {
	int pid;
	double ready_milliseconds;
};
int report_print(const struct api_report *r);
/* Members of a report in JSON, for w. */
void report_double(struct xb_jw *w, const char *key, double value);
void report_latency(struct xb_jw *w, const char *name, const struct latency *l);
/* rss_most: 0 where it is not known. Nothing is written when the processes are not known. */
void report_usage(struct xb_jw *w, const char *name, const struct usage *before, const struct usage *after, uint64_t rss_most);
/* Prints a whole report: as it is with "json", else each member on a line of words. -EBADMSG, -ENOMEM. */
int report_print_json(const char *output, struct xb_sv json);

/* --- the ways to measure: return EXIT_SUCCESS or EXIT_FAILURE, having reported --- */
int api_load(const struct api_options *o, const struct target *t, struct object *object);     /* api_load.c */
int api_watch(const struct api_options *o, const struct target *t, struct object *object);    /* api_watch.c */
int api_start(const struct api_options *o, const struct target *t, struct object *object);    /* api_start.c: of NULLs */

/* What a verb does; count, clients, size: where the user does not say. */
struct api_verb {
	const char *name, *summary;
	int (*run)(const struct api_options *o, const struct target *t, struct object *object);
	const enum api_op *turns;       /* each client goes round through these */
	unsigned n_turns;
	int count, clients, size;
};
/* Why a reply was not a success, on one line: "GET ...: 404: pods "x" not found". Returns new, or NULL without memory. */
char *api_fault(const struct xb_buf *request, int code, struct xb_sv body);

#endif
