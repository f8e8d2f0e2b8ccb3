/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CLIENT_REST_INNER_H
#define CLIENT_REST_INNER_H
/*
 * The inside of the API client: rest.c has clients, rest_call.c calls from beginning to end, rest_request.c what one asks of curl,
 * rest_drive.c curl in the loop and the calls that wait for it.
 *
 * Curl gets one call at a time that has no connection yet, and never more than one connection carries: the others wait here. What waits
 * by curl's own rules (7.88) has no time-out and is woken one by one; and where it waits for none, beside a connection that is full or
 * being left, each call makes one for itself.
 */
#include <curl/curl.h>
#include <sys/queue.h>

#include "xb/rest.h"

#define REST_CONNECT_MS 10000U

struct watched;
TAILQ_HEAD(rest_calls, xb_rest_call);

struct xb_rest {
	struct xb_rest *root;           /* whose connections it uses: itself, unless it is somebody else's name */
	struct xb_rest *nameless;       /* whose connections those with other names use; NULL until there is one */
	struct xb_rest *more;           /* whose connection the streams use that this one has no room for; NULL until there is one */
	unsigned streams;               /* under way or waiting, of its connection */
	unsigned in_flight;             /* calls that curl has */
	struct rest_calls waiting;      /* those that it has not */
	struct xb_rest_call *connecting;/* of curl's the one that perhaps has no connection yet */
	uv_loop_t *loop;
	uv_timer_t timer;               /* curl's */
	uv_timer_t soon;                /* a turn that curl did not ask for */
	unsigned open_handles;
	TAILQ_HEAD(, watched) sockets;  /* curl's */
	unsigned n_sockets;
	bool unread;                    /* curl may have left something unread */
	bool came;                      /* bytes, since that was looked at */
	CURLM *multi;
	uint64_t woken_ns;              /* when curl was last called for what there is to read */
	void (*refused)(void *arg);     /* of one with a name of its own */
	void *refused_arg;
	struct xb_kubeconfig k;
	char *url;                      /* what curl connects to: k.server, perhaps under its TLS name */
	struct curl_slist *connect_to;  /* where that name really is */
	char *host_header;
	char *user_agent;
	struct rest_calls calls;        /* its own, by whatever connection */
	struct rest_calls ready;        /* those with lines that came in the turn under way */
	bool (*may)(void *arg);         /* NULL: always */
	void *may_arg;
};

struct xb_rest_call {
	struct xb_rest *r;
	struct xb_rest *via;            /* whose connection it uses */
	TAILQ_ENTRY(xb_rest_call) link, waiting_link, ready_link;
	CURL *easy;
	struct curl_slist *headers;
	char error[CURL_ERROR_SIZE];
	struct xb_buf in;
	size_t scanned;                 /* bytes of in known to hold no newline */
	void (*line)(void *arg, struct xb_sv line);
	xb_rest_done done;
	void *arg;
	CURLcode fate;                  /* of one that waits: what became of the connection that it waited for */
	bool is_waiting, is_ready, calling, cancelled, too_large;
	bool hasty;                     /* gives up before a connection does */
	bool reads, sent;               /* reads: may be sent as often as is needed */
};

/* rest_request.c */
int rest_request_set(struct xb_rest_call *c, const struct xb_rest_request *q);  /* -ENOMEM, or the -errno of reading the token file */

/* rest_call.c */
size_t rest_call_bytes(char *p, size_t size, size_t n, void *call);     /* curl's CURLOPT_WRITEFUNCTION */
void rest_call_lines(struct xb_rest_call *c);                           /* hands on what is whole; may free it */
void rest_call_finish(struct xb_rest_call *c, CURLcode result);         /* calls back and frees it */
void rest_call_drop(struct xb_rest_call *c);                            /* frees it */

/* rest_drive.c */
int rest_drive_init(struct xb_rest *r, uv_loop_t *loop);                /* r->multi is there */
void rest_drive_soon(struct xb_rest *r);                                /* starts what waits */
void rest_drive_remove(struct xb_rest_call *c);                         /* from curl, or from those that wait for it */
void rest_drive_unread(struct xb_rest *r);                              /* curl may have left something */

#endif
