/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_REQUEST_H
#define APISERVER_REQUEST_H
/*
 * One request on its way through the server: what it asks, the memory it uses, how it is answered. All on the loop's
 * thread. It lives in its own arena, which goes when the answer is complete, or, when the client leaves, as soon as the
 * store no longer holds on to it.
 */
#include <uv.h>
#include "encode.h"
#include "query.h"
#include "route.h"
#include "registry/strategy.h"
#include "xb/http_server.h"
#include "xb/selector.h"

struct server;
struct store_object;
struct user;

struct request {
	struct server *server;
	struct xb_http_request *http;      /* NULL once the client has left or has its answer */
	struct xb_arena *arena;
	const struct user *user;
	struct xb_sv path;                 /* not decoded */
	struct route route;                /* for an object's path */
	struct query query;
	struct encoding encoding;          /* the form of the answer */
	struct xb_selector *labels;        /* of list, watch, deletecollection; NULL: all */
	struct xb_field_selector *fields;
	struct xb_status fault;            /* what the client did wrong; handlers fill it and return a negative errno */
	struct xb_buf strict;              /* unknown and duplicate fields found in a body so far, when they are faults */
	struct write write;                /* what the strategy's hooks get */
	struct xb_json *documents[8];      /* what trees of this request were made from and still point into */
	unsigned n_documents;
	void (*answer)(struct request *q, const struct xb_json *doc); /* of a write, once it is committed */
	int answer_code;
	const struct xb_json *result;      /* what answer gets when nothing is written; among the documents */
	void *state;                       /* the handler's own, in the arena unless release says otherwise */
	void (*release)(struct request *q);/* called once, before the arena goes; may be NULL */
	uint64_t began;                    /* uv_hrtime */
	int fault_error;                   /* the handler's error while it waits for the store */
	bool managed;                      /* the managedFields of what is written are settled: it is applied */
	bool in_store;                     /* the store will call back with this request */
	bool counted;                      /* among the server's requests in flight */
};

/*
 * A handler answers, or arranges that a callback does, and returns 0; or it returns a negative errno, with q->fault set
 * when the fault is the client's, and the caller answers. It must not do both.
 */
typedef int request_handler(struct request *q);

/* http may be NULL, for the server's own writes. NULL without memory. */
struct request *request_new(struct server *s, struct xb_http_request *http);
struct request *request_free(struct request *q);

/* Answers; q is gone afterwards. */
void request_reply(struct request *q, int code, const char *content_type, struct xb_sv body);
void request_reply_buf(struct request *q, int code, const char *content_type, struct xb_buf *body); /* takes body, failed or not */
void request_reply_object(struct request *q, int code, const struct xb_json *doc); /* in the form that the client wants */
/* The fault in q->fault, or, when that is empty, the internal one of error. */
void request_fail(struct request *q, int error);
/* The same, once everything that is queued in the store is committed: for a fault that rests on what a writer saw. */
void request_fail_committed(struct request *q, int error);
/* Ends a streamed answer; q is gone afterwards. */
void request_end_stream(struct request *q);
/* A header "Warning: 299 - ..." of the answer to come (KEP-1693). */
void request_warn(struct request *q, struct xb_sv text);

/* Takes doc: it lives as long as the request. -ENOMEM (and doc is gone) when it keeps too many. */
int request_keep(struct request *q, struct xb_json *doc);
/* Does the object pass the request's selectors? */
bool request_selects(const struct request *q, struct xb_jv object);
/* "pods", or "pods/status"; in the arena. NULL without memory. */
const char *request_resource(const struct request *q);

#endif
