/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_SERVER_H
#define APISERVER_SERVER_H
/*
 * The API server: the store, what is allocated beside it, the listener, and the requests on their way. One loop, one
 * thread; commits run on a thread of the store's own.
 */
#include <sys/queue.h>
#include "../store/store.h"
#include "request.h"

struct apiserver_options;
struct authn;
struct authz;
struct event_ttl;
struct quota_tallies;
struct scraper;
struct flows;
struct frame_cache;
struct kubelets;
struct metrics;
struct pki;
struct rbac_aggregate;
struct renewals;
struct sa_tokens;
struct watch;

struct server {
	uv_loop_t *loop;
	const struct apiserver_options *options;
	struct store *store;
	struct registry *registry;
	struct authn *authn;
	struct authz *authz;
	struct sa_tokens *tokens;
	struct rbac_aggregate *aggregate;
	struct event_ttl *event_ttl;       /* NULL: events stay */
	struct xb_http_server *http;
	struct kubelets *kubelets;         /* how to reach nodes */
	struct scraper *scraper;           /* of what nodes and pods use */
	struct frame_cache *frames;
	struct renewals *renewals;
	struct metrics *metrics;
	struct flows *flows;               /* who is served when */
	LIST_HEAD(, request) requests;     /* all but watches: what may time out */
	struct quota_tallies *tallies;
	struct quota_claim *claims;        /* quota.c: creations that are not committed yet */
	struct watch *watches;             /* watch.c: every open one */
	TAILQ_HEAD(, watch) due;           /* those of them that have news */
	uv_idle_t pump;                    /* active while there are such */
	uv_timer_t tick;                   /* once a second while a watch is open */
	uv_timer_t sweep;                  /* for deadlines, while there are requests */
	uv_timer_t delay;                  /* between the signal and the end of listening */
	uv_signal_t signals[2];
	TAILQ_HEAD(, request) streams;     /* that may write more, the next first */
	uv_idle_t stream_turn;             /* while there are any */
	unsigned bootstrapping;            /* writes of the server's own that are not committed yet */
	bool ready, stopping;
};

struct xb_tls;
/*
 * Opens the store and listens. options, pki and tls are borrowed for the server's life. *reterr_why: a sentence for the
 * operator, the caller's to free. The loop is then the caller's to run, until SIGTERM or SIGINT have ended everything.
 */
int server_new(uv_loop_t *loop, const struct apiserver_options *options, const struct pki *pki, struct xb_tls *tls,
	       struct server **ret, char **reterr_why);
struct server *server_free(struct server *s);          /* after the loop has ended; NULL is fine */
XB_DEFINE_CLEANUP(struct server *, server_free)

/* The client of that request left. */
void server_client_left(struct xb_http_request *http);

#endif
