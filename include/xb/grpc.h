/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_GRPC_H
#define XB_GRPC_H
/*
 * A gRPC client (gRPC over HTTP/2, without TLS, compression or retries) on a libuv loop: to a runtime's unix socket, or to a
 * numeric address. Messages are bytes here; who calls encodes them. One thread: everything is called on the loop and calls
 * back there.
 *
 * The first call connects, and any call that finds no connection does so again: when the peer dies, every call under way ends
 * with XB_GRPC_UNAVAILABLE, and how soon to try again is the caller's to say. A peer that says it is leaving (GOAWAY) may
 * finish what it has taken; later calls get a new connection. An idle connection costs its socket and nothing else: no pings.
 */
#include <uv.h>
#include "xb/str.h"

enum xb_grpc_code {
	XB_GRPC_OK,
	XB_GRPC_CANCELLED,
	XB_GRPC_UNKNOWN,
	XB_GRPC_INVALID_ARGUMENT,
	XB_GRPC_DEADLINE_EXCEEDED,
	XB_GRPC_NOT_FOUND,
	XB_GRPC_ALREADY_EXISTS,
	XB_GRPC_PERMISSION_DENIED,
	XB_GRPC_RESOURCE_EXHAUSTED,
	XB_GRPC_FAILED_PRECONDITION,
	XB_GRPC_ABORTED,
	XB_GRPC_OUT_OF_RANGE,
	XB_GRPC_UNIMPLEMENTED,
	XB_GRPC_INTERNAL,
	XB_GRPC_UNAVAILABLE,
	XB_GRPC_DATA_LOSS,
	XB_GRPC_UNAUTHENTICATED,
};
const char *xb_grpc_code_name(int code);        /* "DeadlineExceeded", as upstream's logs and Events have it; "Code(99)" is "Unknown" */

/* Appends "rpc error: code = NotFound desc = WHY": how upstream's programs write such a fault. */
void xb_grpc_describe(int code, const char *why, struct xb_buf *out);

struct xb_grpc;                                 /* a channel to one server */
struct xb_grpc_call;

/* Goes with every request, or with one. Names are lower case; a value of a name that ends in "-bin" is already base64. */
struct xb_grpc_metadata {
	const char *name, *value;
};

struct xb_grpc_config {
	uv_loop_t *loop;                        /* borrowed */
	const char *target;                     /* "unix:///run/x.sock", "/run/x.sock", "10.0.0.1:80", "[::1]:80"; no names. Copied */
	const char *user_agent;                 /* copied */
	size_t max_message_bytes;               /* of what is received; 0: 16 MiB. Beyond: XB_GRPC_RESOURCE_EXHAUSTED */
};
/* Does not connect. -EINVAL: target is none of the above; -ENAMETOOLONG: a socket's path has at most 107 bytes. */
int xb_grpc_new(const struct xb_grpc_config *c, struct xb_grpc **ret);
struct xb_grpc *xb_grpc_free(struct xb_grpc *g);        /* drops what is under way without calling back; also from a callback. Its
							 * handles and its memory are gone as the loop runs on */
XB_DEFINE_CLEANUP(struct xb_grpc *, xb_grpc_free)

/*
 * How a call ended; the call is gone afterwards. code: of xb_grpc_code, or another number that the server sent. why: the
 * server's words (percent-decoded), or ours in grpc-go's; never NULL, "" when there are none. reply: the message of a unary
 * call that ended with XB_GRPC_OK. Both are borrowed. Never called from within the function that starts a call.
 */
typedef void (*xb_grpc_done)(void *arg, int code, const char *why, struct xb_sv reply);
/* A message of a stream, in order; borrowed until it returns. */
typedef void (*xb_grpc_message)(void *arg, struct xb_sv message);

struct xb_grpc_request {
	const char *path;                       /* "/grpc.health.v1.Health/Check" */
	struct xb_sv message;                   /* copied */
	const struct xb_grpc_metadata *metadata; /* NULL: none; copied */
	size_t n_metadata;
	unsigned timeout_ms;                    /* told to the server as well; 0: none. Then: XB_GRPC_DEADLINE_EXCEEDED */
	bool open;                              /* its messages come by xb_grpc_write, and message is none of them */
};
/* All three return 0 or -ENOMEM; after a fault no callback is called. Callbacks may start, write to and cancel calls. ret_call
 * may be NULL. */
int xb_grpc_unary(struct xb_grpc *g, const struct xb_grpc_request *q, xb_grpc_done done, void *arg, struct xb_grpc_call **ret_call);
int xb_grpc_stream(struct xb_grpc *g, const struct xb_grpc_request *q, xb_grpc_message message, xb_grpc_done done, void *arg,
		   struct xb_grpc_call **ret_call);
/* One more message of an open request. It is copied and waits until the server takes it: a caller with many asks
 * xb_grpc_unsent, or waits for what the server answers to each. Nothing is sent on a call that has ended unbeknown. */
int xb_grpc_write(struct xb_grpc_call *call, struct xb_sv message);
void xb_grpc_end(struct xb_grpc_call *call);            /* no more messages: half-closes */
size_t xb_grpc_unsent(const struct xb_grpc_call *call); /* bytes */
void xb_grpc_cancel(struct xb_grpc_call *call);         /* the server is told, done is not called; NULL is taken */

#endif
