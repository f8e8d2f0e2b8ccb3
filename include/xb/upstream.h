/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_UPSTREAM_H
#define XB_UPSTREAM_H
/*
 * One HTTP/1.1 request to a server behind this one, on a connection of its own: the answer's body as it comes, or, after 101, the
 * connection as a stream. Made for what is handed on (xb/proxy.h) and for short questions to nodes; for an API server there is
 * xb/rest.h. No redirect is followed, nothing is sent twice. One loop, one thread. Costs a connection, with TLS some 1 ms of
 * processor time and 25 KB, and of the answer nothing but what its user keeps.
 */
#include "xb/stream.h"

struct xb_upstream;
struct xb_upstream_ops {                /* from the loop; u may be freed in each */
	/* The answer's status and fields are there. 101 comes only to whom asked for it, and names that protocol: the user takes
	 * the connection (xb_upstream_take) or frees u. */
	void (*head)(struct xb_upstream *u, int status);
	void (*body)(struct xb_upstream *u, struct xb_sv bytes);
	/* Once, not after 101: 0: the answer is whole; else it is not, and xb_upstream_why says so. u is still to be freed. */
	void (*done)(struct xb_upstream *u, int error);
};
struct xb_upstream_request {
	struct xb_stream_target target;
	const char *method, *path;      /* path with its query */
	const char *host;               /* of the field Host; NULL: the target's */
	const char *upgrade;            /* the protocol to change to; NULL: none */
	struct xb_sv fields;            /* further ones, each with its CRLF: none of Host, Connection, Upgrade, Content-Length */
	struct xb_sv body;
	unsigned answer_ms;             /* from the connection to the answer's fields; 0: without limit */
};
/* Its two halves are for who makes it on another thread than it is sent on. */
int xb_upstream_new(const struct xb_upstream_request *q, const struct xb_upstream_ops *ops, void *arg, struct xb_upstream **ret);
int xb_upstream_start(struct xb_upstream *u, uv_loop_t *loop);
/* Copies what it needs. -EINVAL: a NUL, CR or LF, or a space in method, path, host or upgrade; -ENOMEM. */
int xb_upstream_send(uv_loop_t *loop, const struct xb_upstream_request *q, const struct xb_upstream_ops *ops, void *arg,
		     struct xb_upstream **ret);
struct xb_upstream *xb_upstream_free(struct xb_upstream *u);    /* NULL is taken */
XB_DEFINE_CLEANUP(struct xb_upstream *, xb_upstream_free)
void *xb_upstream_arg(const struct xb_upstream *u);
const char *xb_upstream_why(const struct xb_upstream *u);
/* From head on, until u is freed; borrowed. The first of that name; all, in order, with *iter = 0 at first. */
struct xb_sv xb_upstream_field(const struct xb_upstream *u, const char *name);
bool xb_upstream_next(const struct xb_upstream *u, size_t *iter, struct xb_sv *ret_name, struct xb_sv *ret_value);
void xb_upstream_pause(struct xb_upstream *u, bool paused);
/* In head, after 101: the connection, with its new user. */
struct xb_stream *xb_upstream_take(struct xb_upstream *u, const struct xb_stream_ops *ops, void *arg);

#endif
