/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BENCH_API_H
#define BENCH_API_H
/*
 * xebec-bench api: bounded load on any API server. One thread drives all connections by epoll, so that the client's share
 * of a small machine is small and known: each report names it. Its own HTTP/1.1 client, as libcurl's multi interface took
 * 25 us of CPU for a get of 1 KB through 64 connections where this takes 10, and so would be part of what is measured.
 *
 * Times are nanoseconds of CLOCK_MONOTONIC. Everything runs on one thread. Functions return 0 or -errno; reterr_why is a
 * sentence, the caller's to free.
 */
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include "xb/json.h"

struct xb_kubeconfig;

/* --- api.c: what the user asked for --- */
enum api_op { API_CREATE, API_GET, API_UPDATE, API_LIST, API_DELETE, API_OPS };
extern const char *const api_op_names[API_OPS];

struct api_options {
	const char *kubeconfig, *context, *kind, *namespace_, *query, *prefix, *output;
	char **server_pid;
	int count, objects, first, clients, size, watches, events, seconds;
	bool help;
	const struct api_verb *verb;
};

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
};
int target_open(struct target *t, const struct xb_kubeconfig *k, char **reterr_why);
void target_done(struct target *t);

/* --- api_conn.c: one connection, one request at a time --- */
struct conn_loop;
struct conn {
	struct conn_loop *loop;
	int fd;
	bool ready;             /* the handshake is done */
	bool polls_out;
	SSL *ssl;
	struct xb_buf out;
	size_t sent;
	struct reply reply;
};
struct conn_ops {               /* any may send the next request, or close the connection, or stop the loop */
	void (*ready)(struct conn *c);
	void (*head)(struct conn *c);                           /* the reply has begun; may be NULL */
	void (*piece)(struct conn *c, struct xb_sv piece);      /* of the body, as it comes; c->reply.code is known */
	void (*reply)(struct conn *c);                          /* whole; returns with the connection free for the next request */
	void (*lost)(struct conn *c, const char *why);          /* the connection is closed already */
};
struct conn_loop {
	int epoll;
	bool stop;
	const struct target *target;
	const struct conn_ops *ops;
};
int conn_loop_open(struct conn_loop *l, const struct target *t, const struct conn_ops *ops);
int conn_loop_run(struct conn_loop *l, uint64_t until);         /* 0: stopped; -ETIME: the time came first */
void conn_loop_close(struct conn_loop *l);
int conn_open(struct conn *c, struct conn_loop *l);             /* ready or lost follow */
void conn_close(struct conn *c);                                /* also of one that is {} or closed */
void conn_send(struct conn *c);                                 /* what is in c->out; lost may be called before it returns */

/* --- api_object.c: paths and bodies --- */
struct object;
/* size: about the bytes of one object's JSON; kinds with nothing to fill are smaller. -EINVAL: no such kind. */
int object_new(const struct api_options *o, const char *namespace_, struct object **ret, char **reterr_why);
struct object *object_free(struct object *o);
XB_DEFINE_CLEANUP(struct object *, object_free)
/* Both write a whole request to out, cleared first. n: which object, below 10^8. An update differs from all before it. */
void object_request(struct object *o, enum api_op op, unsigned n, const struct target *t, struct xb_buf *out);
void object_list(const struct object *o, const char *query, const struct target *t, struct xb_buf *out);

/* --- api_report.c --- */
struct usage {                  /* of the server's processes, and of this one */
	bool known;
	double cpu_seconds, own_cpu_seconds;
	uint64_t rss_bytes;
};
struct usage usage_now(char *const *pids);
struct api_report {
	const struct api_options *options;
	double seconds;
	uint64_t requests, failed, bytes_in;
	struct usage before, after;
	const struct latency *ops;              /* API_OPS of them, the unused ones empty */
	const struct latency *since_send, *since_ack; /* of a watch; else NULL */
	unsigned watches;                       /* open at the end */
	uint64_t rss_idle;                      /* with all watches open, before the first event */
	double open_seconds;
	const char *first_error;                /* NULL for none */
};
int report_print(const struct api_report *r);

/* --- the two ways to load: return EXIT_SUCCESS or EXIT_FAILURE, having reported --- */
int api_load(const struct api_options *o, const struct target *t, struct object *object);     /* api_load.c */
int api_watch(const struct api_options *o, const struct target *t, struct object *object);    /* api_watch.c */

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
