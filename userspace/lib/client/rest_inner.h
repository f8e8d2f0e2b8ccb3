/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CLIENT_REST_INNER_H
#define CLIENT_REST_INNER_H
/*
 * The inside of the API client: rest.c has clients, rest_call.c calls from beginning to end, rest_request.c what one asks of curl,
 * rest_drive.c curl in the loop.
 */
#include <curl/curl.h>
#include <sys/queue.h>

#include "xb/rest.h"

struct watched;
struct xb_rest {
	struct xb_rest *root;           /* whose connections it uses: itself, unless it is somebody else's name */
	struct xb_rest *nameless;       /* whose connections those with other names use; NULL until there is one */
	struct xb_rest *more;           /* whose connection the streams use that this one has no room for; NULL until there is one */
	unsigned streams;               /* under way on its connection */
	bool multiplexed;               /* its server does HTTP/2 */
	uv_loop_t *loop;
	uv_timer_t timer;               /* curl's */
	uv_timer_t reread;              /* for what curl has left unread */
	bool looked;                    /* at the sockets, for that */
	unsigned filled;                /* calls under way that filled their buffer in curl */
	unsigned open_timers;
	CURLM *multi;
	TAILQ_HEAD(, watched) sockets;  /* curl's */
	unsigned n_sockets;
	uint64_t woken_ns;              /* when curl was last called for what there is to read */
	void (*refused)(void *arg);     /* of one with a name of its own */
	void *refused_arg;
	struct xb_kubeconfig k;
	char *url;                      /* what curl connects to: k.server, perhaps under its TLS name */
	struct curl_slist *connect_to;  /* where that name really is */
	char *host_header;
	char *user_agent;
	struct xb_rest_call *calls;     /* all; doubly linked */
	struct xb_rest_call *ready;     /* those with lines that came in the turn under way; singly linked */
	bool (*may)(void *arg);         /* NULL: always */
	void *may_arg;
};

struct xb_rest_call {
	struct xb_rest *r;
	struct xb_rest *via;            /* whose connection it uses */
	struct xb_rest_call *prev, *next, *next_ready;
	CURL *easy;
	struct curl_slist *headers;
	char error[CURL_ERROR_SIZE];
	struct xb_buf in;
	size_t scanned;                 /* bytes of in known to hold no newline */
	curl_off_t received;            /* of the answer, as it is packed */
	void (*line)(void *arg, struct xb_sv line);
	xb_rest_done done;
	void *arg;
	bool is_ready, calling, cancelled, too_large;
	bool filled;                    /* its buffer in curl, at least once */
	bool reads, sent;               /* reads: may be sent as often as is needed */
};

/* rest_request.c */
int rest_request_set(struct xb_rest_call *c, const struct xb_rest_request *q);  /* -ENOMEM, or the -errno of reading the token file */

/* Does the fence let anything through? */
static inline bool rest_may(const struct xb_rest *r)
{
	return !r->may || r->may(r->may_arg);
}

/* rest_call.c */
size_t rest_call_bytes(char *p, size_t size, size_t n, void *call);     /* curl's CURLOPT_WRITEFUNCTION */
void rest_call_lines(struct xb_rest_call *c);                           /* hands on what is whole; may free it */
void rest_call_finish(struct xb_rest_call *c, CURLcode result);         /* calls back and frees it */
void rest_call_drop(struct xb_rest_call *c);                            /* cuts it off and frees it */

/* rest_drive.c */
void rest_drive_init(struct xb_rest *r, uv_loop_t *loop);               /* r->multi is there */
void rest_drive_free(struct xb_rest *r);                                /* after curl has closed its sockets; r goes as the loop runs on */
void rest_drive_reread(struct xb_rest *r);                              /* curl may have left something unread */

#endif
