/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_REST_H
#define XB_REST_H
/*
 * The API client: requests and streams to one API server, on libcurl's multi interface driven by a libuv loop. One thread.
 * Connections are kept and shared; HTTP/2 is used when the server offers it (TLS+ALPN): then a hundred streams share one, and
 * requests, of which any number may be asked for at once, two. The server is asked for HEAD /version when the end of an HTTP/2 answer
 * may have come unnoticed.
 */
#include <uv.h>
#include "xb/json.h"
#include "xb/kubeconfig.h"
#include "xb/status.h"

struct xb_rest;
struct xb_rest_call;

/* Borrows the loop; copies what it needs of the configuration. reterr_why: sentence for the operator. */
int xb_rest_new(uv_loop_t *loop, const struct xb_kubeconfig *k, const char *user_agent, struct xb_rest **ret, char **reterr_why);
struct xb_rest *xb_rest_free(struct xb_rest *r);        /* drops what is under way without calling back; not from a callback.
							 * Its handles are gone after one more turn of the loop */
XB_DEFINE_CLEANUP(struct xb_rest *, xb_rest_free)
uv_loop_t *xb_rest_loop(const struct xb_rest *r);
uint64_t xb_rest_woken_ns(const struct xb_rest *r);     /* in a callback: when what it is about was there to be read; of uv_hrtime() */
/*
 * The same server as somebody else: with neither r's certificate nor its token, but that of xb_rest_set_token, which may be set
 * anew at any time. All that are made from one r share one connection. who: behind r's user agent. refused: a request was
 * answered 401; called before its done, may be NULL. To be freed before r, which is not itself of this kind.
 */
int xb_rest_as(struct xb_rest *r, const char *who, void (*refused)(void *arg), void *arg, struct xb_rest **ret);
int xb_rest_set_token(struct xb_rest *r, struct xb_sv token); /* copied; for requests from now on */

/* code: HTTP status, or 0 when there was no answer (status->message says why: refused, time-out, certificate); a write, which is
 * never sent twice, may have been done then. body: the whole answer, borrowed. status: the Status the server sent when code is
 * not 2xx, or one made here. */
typedef void (*xb_rest_done)(void *arg, int code, struct xb_sv body, const struct xb_status *status);
struct xb_rest_request {
	const char *method, *path;      /* path with query, "/api/v1/..." */
	const char *content_type;       /* NULL without a body */
	const char *accept;             /* NULL: "application/json" */
	struct xb_sv body;              /* copied */
	unsigned timeout_ms;            /* 0: 30 s */
};
/* Both return 0, -ENOMEM, or the -errno of reading the token file; then neither callback is called. A call is gone once done
 * was called. Callbacks may start and cancel calls. ret_call may be NULL. */
int xb_rest_send(struct xb_rest *r, const struct xb_rest_request *q, xb_rest_done done, void *arg, struct xb_rest_call **ret_call);
/* A stream: line is called for each line of a 2xx answer as it comes (borrowed, without the newline); done at its end. */
int xb_rest_stream(struct xb_rest *r, const struct xb_rest_request *q, void (*line)(void *arg, struct xb_sv line), xb_rest_done done,
		   void *arg, struct xb_rest_call **ret_call);
void xb_rest_cancel(struct xb_rest_call *c);            /* done is not called; NULL is taken */
/* While may says no nothing is sent and no answer is handed on, also of what is under way: asked before each, so that a process which
 * stood still does not go on with what has become another's. It holds for all that xb_rest_as made of r. NULL: always. */
void xb_rest_fence(struct xb_rest *r, bool (*may)(void *arg), void *arg);

/* Appends "?key=value" or "&key=value" to a path, percent-encoded. */
void xb_rest_add_query(struct xb_buf *path, const char *key, struct xb_sv value);

#endif
