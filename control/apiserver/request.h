/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_REQUEST_H
#define APISERVER_REQUEST_H
/*
 * One request on its way through the server: what it asks, the memory it uses, how it is answered. All on the loop's
 * thread. It lives in its own arena, which goes when the answer is complete, or, when the client leaves, as soon as the
 * store no longer holds on to it.
 */
#include <sys/queue.h>
#include <uv.h>
#include "encode.h"
#include "query.h"
#include "route.h"
#include "registry/strategy.h"
#include "xb/http_server.h"
#include "xb/selector.h"

struct attributes;
struct flow_seat;
struct path_row;
struct server;
struct store_object;
struct user;

struct request {
	struct server *server;
	struct xb_http_request *http;      /* NULL once the client has left or has its answer */
	LIST_ENTRY(request) link;          /* among the server's, while it may time out */
	struct xb_arena *arena;
	const struct user *user;
	const char *audit_id;              /* what the answer's header Audit-Id says; "" for the server's own */
	const char *verb;                  /* "GET", "LIST", "WATCH", "APPLY", ..., as upstream's logs and metrics have it; static */
	const struct path_row *row;        /* of paths.h, when it is no object; NULL: no such path */
	struct xb_sv path;                 /* not decoded */
	struct route route;                /* for an object's path */
	struct query query;
	const struct attributes *attributes; /* what it wants, once that was asked (authz_attributes) */
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
	TAILQ_ENTRY(request) turn;         /* among the streams that may write more */
	void (*more)(struct request *q);   /* of a stream */
	void *state;                       /* the handler's own, in the arena unless release says otherwise */
	void (*release)(struct request *q);/* called once, before the arena goes; may be NULL */
	uint64_t began;                    /* uv_hrtime */
	uint64_t waited;                   /* ns of it for a seat */
	uint64_t queued;                   /* uv_hrtime: its write went to the store */
	uint64_t deadline;                 /* uv_hrtime; 0: none */
	size_t reply_bytes;                /* so far, before compression */
	struct flow_seat *seat;            /* what it holds or waits for; NULL: it needs none */
	int fault_error;                   /* the handler's error while it waits for the store */
	bool warned;                       /* something was said about what it sent */
	bool managed;                      /* the managedFields of what is written are settled: it is applied */
	bool in_store;                     /* the store will call back with this request */
	bool mutating;
	bool served;                       /* a handler has it: it counts as in flight */
	bool streaming;                    /* its answer is under way */
	bool in_turn;                      /* on that list */
	bool answered;                     /* and counted */
	bool terminated;                   /* refused, or ended, to protect the server */
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
/*
 * A streamed answer: begin, any number of writes, end; q is gone afterwards. more is called when the client has taken most
 * of what was written, each stream in its turn: it writes what fits a window, so that a long answer to a fast client keeps
 * nobody else waiting.
 */
void request_begin_stream(struct request *q, const char *content_type, void (*more)(struct request *q));
void request_stream(struct request *q, struct xb_sv bytes);
void request_end_stream(struct request *q);
/* Its time is over: 504, or the end of a list that is not whole. What is in the store's hands stays there. */
void request_time_out(struct request *q);
/* Upstream's words for what finds no place: not a Status. */
void request_refuse(struct request *q);
/* It is a watch, or somebody else's to answer: it has no deadline. */
void request_runs_long(struct request *q);
/*
 * It is answered elsewhere: returns its http, for xb_http_move. q stays until that is gone, and is counted then with the code that
 * the other thread has put into answer_code. If nothing comes of it, request_take_back.
 */
struct xb_http_request *request_hand_on(struct request *q);
void request_take_back(struct request *q, struct xb_http_request *http);
/* A header "Warning: 299 - ..." of the answer to come (KEP-1693). */
void request_warn(struct request *q, struct xb_sv text);

/* Takes doc: it lives as long as the request. -ENOMEM (and doc is gone) when it keeps too many. */
int request_keep(struct request *q, struct xb_json *doc);
/* The trees made since the mark, and what they were made from, are not needed while the request waits: the next one has their memory. */
void request_forget(struct request *q, struct xb_arena_mark mark);
/* Does the object pass the request's selectors? */
bool request_selects(const struct request *q, struct xb_jv object);
/* "pods", or "pods/status"; in the arena. NULL without memory. */
const char *request_resource(const struct request *q);

#endif
