/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_HTTP_SERVER_H
#define XB_HTTP_SERVER_H
/*
 * A server of HTTP/1.1 and HTTP/2 (RFC 9110, 9112, 9113) on libuv with TLS by OpenSSL, for the API server, the kubelet and
 * health ports. A TLS client chooses by ALPN; a plain one speaks HTTP/2 by prior knowledge. To a handler both are the same:
 * requests arrive whole, within limits; replies are whole or streamed. Everything here is called on the server's loop, and
 * calls back there. By itself a server does all its work there, too; with io_threads, connections, TLS, HTTP and compression
 * are on threads of its own, which hand over requests and take replies.
 *
 * Of HTTP/2, a connection has at most 250 requests at a time; more, and a client that floods, are refused with the words of
 * RFC 9113. What a header limit says holds for the list as RFC 9113 6.5.2 counts it, a body's for each stream. A whole reply
 * of more than 128 KiB of JSON is compressed where the client takes gzip.
 */
#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <uv.h>
#include "xb/str.h"
#include "xb/tls.h"

struct xb_http_server;
struct xb_http_request;

struct xb_http_config {
	uv_loop_t *loop;
	unsigned io_threads;                /* 0: none */
	struct xb_tls *tls;                 /* NULL: plain. Borrowed; must outlive the server. Each thread reads its files again */
	size_t max_header_bytes;            /* 0: 64 KiB, request line included; beyond: 431 */
	size_t max_body_bytes;              /* 0: 3 MiB; beyond: 413, said before the body is read where its length is known */
	unsigned header_seconds;            /* 0: 10. From the first byte (or the handshake's start) to the last header: 408 and close */
	unsigned body_seconds;              /* 0: 60. For the whole body; and for the client to take any of the bytes that wait for it */
	unsigned idle_seconds;              /* 0: 180. Keep-alive without a request. HTTP/2: a client with requests that is silent for
					       a quarter of it gets a ping, and must be heard of within another */
	unsigned quiet_ms;                  /* 0: 3000. So long a connection must have brought nothing but what is patient to be so */
	unsigned max_connections;           /* 0: 20000; beyond, new ones are closed at once */
	void (*handler)(struct xb_http_request *r, void *arg);
	/* For faults found before there is a request (parse error, limits): writes the body of the reply; NULL: plain text.
	 * Called on the thread of the connection. */
	void (*fault_body)(int code, const char *message, struct xb_buf *out, const char **ret_content_type);
	void *arg;
};
int xb_http_server_new(const struct xb_http_config *c, struct xb_http_server **ret);
int xb_http_server_listen(struct xb_http_server *s, const struct sockaddr *addr); /* may be called for several; port 0: any */
/* Both, at the address that a flag gave; AF_UNSPEC: nothing. reterr_why names the flag. */
int xb_http_server_new_at(const struct xb_http_config *c, const struct sockaddr_storage *at, const char *flag, struct xb_http_server **ret,
			  char **reterr_why);
int xb_http_server_port(const struct xb_http_server *s);                          /* of the first listener */
/* No new connections; idle ones closed; running requests may end until grace_ms, streams are told by on_shutdown below;
 * done is called when the last connection is gone. */
void xb_http_server_shutdown(struct xb_http_server *s, unsigned grace_ms, void (*done)(void *arg), void *arg);
struct xb_http_server *
xb_http_server_free(struct xb_http_server *s); /* closes what is open; the memory goes as the loop runs on */

/* --- the request: valid until its reply is complete; all views borrowed --- */
struct xb_sv xb_http_method(const struct xb_http_request *r);
struct xb_sv xb_http_path(const struct xb_http_request *r);      /* still percent-encoded, without the query; starts with / */
struct xb_sv xb_http_query(const struct xb_http_request *r);     /* without '?' */
struct xb_sv xb_http_header(const struct xb_http_request *r, const char *name); /* first of that name, any case; {} when missing */
/* All headers of that name in order: call with *iter = 0 until false. */
bool xb_http_header_each(const struct xb_http_request *r, const char *name, size_t *iter, struct xb_sv *ret);
/* Every header, in order, its name in the case it came in: call with *iter = 0 until false. */
bool xb_http_header_next(const struct xb_http_request *r, size_t *iter, struct xb_sv *ret_name, struct xb_sv *ret_value);
struct xb_sv xb_http_body(const struct xb_http_request *r);
const struct xb_tls_peer *xb_http_peer_cert(const struct xb_http_request *r);   /* verified client certificate, or NULL */
const struct sockaddr *xb_http_peer_addr(const struct xb_http_request *r);
bool xb_http_peer_is_local(const struct xb_http_request *r);     /* by a loopback address: a client on this host */
void xb_http_set_user(struct xb_http_request *r, void *user);    /* the handler's own */
void *xb_http_user(const struct xb_http_request *r);
/*
 * Says that the client waits for nothing with r: a heartbeat, sent time and again, whose answer may take a moment. Said within the
 * handler, or before the answer where io_threads are. A connection that has brought nothing else for quiet_ms is patient: when bytes come
 * on one, all that have come on any are read 400 ms later, together, and what waits for nothing wakes the loop once. It is prompt
 * again with a request that is something else, with anything that is sent but a whole answer to one that is patient, and when its client
 * turns out to wait for each answer before it goes on.
 * True: r has waited like that, or must not.
 */
bool xb_http_patient(struct xb_http_request *r);
/* on_close: the client left, or the server gives up, before the reply was complete. Called at most once, from the loop and
 * never inside a call of the handler's; afterwards r is gone. NULL: r stays valid until it is answered, to nobody.
 * An HTTP/1.1 client that only ends its sending side gets a whole reply, and of a stream what is pending; an idle stream is
 * closed. Of HTTP/2, one stream may leave while others stay; the end of the connection is the end of them all.
 * on_shutdown: the server is stopping: end a stream soon; may be NULL. */
void xb_http_on_close(struct xb_http_request *r, void (*on_close)(struct xb_http_request *r),
		      void (*on_shutdown)(struct xb_http_request *r));
/* on_gone: nothing of the request or its reply is held any more: all of it has left, or the connection is gone. Called once,
 * from the loop or within a call that ends the reply; said before the reply is complete. */
void xb_http_on_gone(struct xb_http_request *r, void (*on_gone)(void *arg), void *arg);

/*
 * The rest of this request is served on the thread of its connection: serve is called there, once, and may be before this
 * returns. From then on r is its half, and everything about it is called there, with that thread's loop; on_close is to be set
 * anew. A client that has left meanwhile shows by xb_http_is_lost: r is answered then, to nobody. To the caller r is gone, but for
 * on_gone, when set before: it is still called on the owner's loop. Not once a reply has begun.
 */
void xb_http_move(struct xb_http_request *r, void (*serve)(struct xb_http_request *r, uv_loop_t *loop, void *arg), void *arg);
bool xb_http_is_lost(const struct xb_http_request *r);

/* --- the reply --- */
/* Adds a header to the reply to come. name and value are copied; neither may hold CR, LF or NUL (-EINVAL). */
int xb_http_add_header(struct xb_http_request *r, const char *name, const char *value);
/* A whole reply. The body is copied by _respond, and taken (emptied) by _respond_buf. r is gone afterwards. HEAD sends no body. */
void xb_http_respond(struct xb_http_request *r, int code, const char *content_type, struct xb_sv body);
/* Whether it only reads (GET, HEAD). False: it is answered with 405, and gone. */
bool xb_http_reads(struct xb_http_request *r);
void xb_http_respond_buf(struct xb_http_request *r, int code, const char *content_type, struct xb_buf *body);

/* A streamed reply: begin, any number of writes, end. */
struct xb_http_chunk {                      /* bytes shared by many streams: refcounted, and never changed */
	atomic_uint refs;
	size_t n;
	char bytes[];
};
struct xb_http_chunk *xb_http_chunk_new(struct xb_sv bytes);    /* refs 1; NULL without memory */
struct xb_http_chunk *xb_http_chunk_unref(struct xb_http_chunk *c);
void xb_http_stream_begin(struct xb_http_request *r, int code, const char *content_type,
			  void (*on_drain)(struct xb_http_request *r));
/* Copies; or takes a reference of a chunk. What is written in one turn of the loop is sent together at its end. Bytes queue
 * without bound, so look at pending() (of this stream) and wait for on_drain (called when pending falls below 64 KiB) before
 * writing more. */
void xb_http_stream_write(struct xb_http_request *r, struct xb_sv bytes);
void xb_http_stream_write_chunk(struct xb_http_request *r, struct xb_http_chunk *c);
size_t xb_http_stream_pending(const struct xb_http_request *r);
void xb_http_stream_end(struct xb_http_request *r);             /* r is gone afterwards */
void xb_http_stream_abort(struct xb_http_request *r);           /* it cannot be whole: the client sees it break off; r is gone */

/*
 * Answers 101 with the headers added so far, "Connection: Upgrade" and "Upgrade: <protocol>", and hands the connection over as a
 * stream (xb/stream.h); on the connection's own thread only (xb_http_move). What the client sent behind its request is received
 * first. r and its views are gone then; on_gone is called when the stream is. A server that stops closes it with -ESHUTDOWN, at
 * once. -EOPNOTSUPP: not of HTTP/1.1; -ENOTCONN: the client has left; -ENOMEM; r is still to be answered then, unless it is lost.
 */
struct xb_stream;
struct xb_stream_ops;
int xb_http_upgrade(struct xb_http_request *r, const char *protocol, const struct xb_stream_ops *ops, void *arg,
		    struct xb_stream **ret);

struct xb_http_stats {
	uint64_t connections, accepted, requests, bytes_in, bytes_out, faults;
};
void xb_http_server_stats(const struct xb_http_server *s, struct xb_http_stats *ret);

/* Percent-decoding of a path segment or query part ('+' is a space in a query). -EINVAL: bad escape or a NUL. */
int xb_http_decode(struct xb_sv s, bool query, struct xb_buf *ret);

#endif
