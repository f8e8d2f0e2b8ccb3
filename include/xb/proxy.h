/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_PROXY_H
#define XB_PROXY_H
/*
 * Hands a request on to a server behind this one and its answer back: the body as it comes, or, after a checked 101, two
 * connections that are one stream. All of it on the thread of the client's connection. Not more than XB_STREAM_PENDING_MAX waits
 * for a client that is slow; when one side leaves, so does the other. What the client sends as a body is whole before it is handed
 * on (max_body_bytes of the server).
 *
 * Handed on of an answer is what it says of the content, and nothing of how it was framed (RFC 9110 7.6.1). An answer that breaks
 * off breaks off for the client, too. A server that stops breaks it off.
 */
#include "xb/http_server.h"
#include "xb/upstream.h"

struct xb_proxy_ops {                   /* on the thread of the connection. Each of the first three ends r, or says that it goes on */
	/* Nothing came, or nothing that can be handed on: answers r. why: static or borrowed words. */
	void (*failed)(struct xb_http_request *r, const char *why, void *arg);
	/* NULL: such an answer is handed on as any other. Else it is called for all but 2xx, with at most 50,000 bytes: answers r. */
	void (*refused)(struct xb_http_request *r, int status, struct xb_sv body, void *arg);
	/* After 101, NULL: both connections are spliced. Else: takes u and r, answers r and frees arg when it is done with it. */
	void (*upgraded)(struct xb_http_request *r, struct xb_upstream *u, void *arg);
	void (*free)(void *arg);        /* may be NULL */
};
struct xb_proxy_request {
	struct xb_upstream_request upstream;
	const char *content_type;       /* of the answer, in place of the upstream's; NULL: that */
	const char *prefix;             /* of the client's path, put before that of a Location on the same server; NULL: none */
	int *status;                    /* NULL, or where the status goes that the client gets, before r is gone */
	const struct xb_proxy_ops *ops;
	void *arg;                      /* freed by ops->free, also when xb_proxy fails */
};
/* r is gone to the caller, and on_gone is called as xb_http_move says. Everything but the TLS context is copied. -ENOMEM, -EINVAL
 * (a line break where there may be none): r is still to be answered. */
int xb_proxy(struct xb_http_request *r, const struct xb_proxy_request *q);

/* Is a field of that name about one connection only, or said anew by whoever hands it on? */
bool xb_proxy_is_hop(struct xb_sv name);

#endif
