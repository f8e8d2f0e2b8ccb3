/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_PROBES_WEB_H
#define KUBELET_PROBES_WEB_H
/*
 * Requests to containers, on libcurl's multi interface: each on a connection of its own that ends with it, without proxies,
 * without verification of certificates (a probe asks whether somebody answers, as upstream's does). One loop, one thread.
 *
 * One httpGet is some 27 system calls and 50 us of a processor (14 of them in user space), a tcpSocket 36 us: 220 probes every
 * 10 s are 0.11 % of a core.
 */
#include <curl/curl.h>
#include <uv.h>
#include "xb/str.h"

struct web;
struct web_call;
int web_new(uv_loop_t *loop, struct web **ret);
struct web *web_free(struct web *w);    /* drops what is under way without calling back; not from a callback. Its handles are gone
					 * after one more turn of the loop */
XB_DEFINE_CLEANUP(struct web *, web_free)

struct web_request {
	const char *url;                /* copied */
	struct curl_slist *headers;     /* taken, also on failure */
	unsigned timeout_ms;            /* for all of it; 0: none */
	bool connect;                   /* nothing but a connection is wanted */
	bool follow;                    /* redirects to the same host, at most 10; others are the answer */
};
struct web_reply {
	int code;                       /* HTTP status; 0: there was no answer that counts, or with connect */
	struct xb_sv body;              /* the first 10 KiB */
	const char *url;                /* of the last request */
	const char *why;                /* NULL: it went well. Go's words */
};
typedef void web_done(void *arg, const struct web_reply *reply); /* reply is borrowed, the call is gone */
/* -ENOMEM, -EINVAL (the URL is none); else done is called, never from within. */
int web_send(struct web *w, const struct web_request *q, web_done *done, void *arg, struct web_call **ret);
void web_cancel(struct web_call *c);    /* done is not called; NULL is taken */

#endif
