/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef HTTP2_H
#define HTTP2_H
/*
 * The HTTP/2 side of a connection (RFC 9113): http2.c has the session, its limits and its time, http2_stream.c makes
 * requests and replies of streams. nghttp2 keeps the protocol's state. Its callbacks only note what happened: a stream with
 * news is queued, and step() attends to it when nghttp2 is not on the stack.
 */
#include <nghttp2/nghttp2.h>
#include "http_conn.h"

#define STREAMS_MAX 250                 /* at a time, as upstream */

struct http2_stream {
	struct xb_http_request request;
	LIST_ENTRY(http2_stream) link;
	TAILQ_ENTRY(http2_stream) timed_link, news_link;
	int32_t id;
	bool timed, queued;             /* on these lists */
	bool complete;                  /* the client has sent all of the request */
	bool answered;                  /* the reply's head is on its way */
	bool ended;                     /* the reply is whole */
	bool deferred;                  /* nghttp2 waits to be told of more to send */
	bool closed;                    /* nghttp2 has let go of it */
	int fault_code;                 /* the request will not get to the handler */
	const char *fault;
	uint64_t deadline;              /* while timed: for the request to come, then for the client to take some of the reply */
	struct xb_buf head, body;
	struct xb_http1_field *fields, method, target; /* method and target have only a value */
	uint32_t cap_fields, list_bytes;
	struct http_out out;
};

struct http2 {
	nghttp2_session *session;
	void *frames;                   /* a mapping that nghttp2 makes frames in */
	LIST_HEAD(, http2_stream) streams;
	TAILQ_HEAD(, http2_stream) timed;       /* by deadline: all wait equally long */
	TAILQ_HEAD(, http2_stream) news;
	unsigned n_streams;
	size_t body_bytes;              /* of all streams */
	bool greeted;                   /* the client's SETTINGS have come */
	bool away;                      /* it was told GOAWAY */
	uint64_t heard_at;              /* of the client, anything */
	uint64_t pinged_at;             /* not heard of since; 0: no ping is out */
	uint64_t head_at;               /* a header block began and is not whole; 0: there is none */
	uint64_t idle_at;               /* without streams since */
	unsigned tokens;                /* for frames that bring nothing */
	uint64_t tokens_at;
};

/* http2_stream.c. What the client sends: nghttp2's callbacks, in the order they come for one stream. */
int http2_stream_new(struct conn *c, int32_t id);
int http2_stream_add_field(struct http2_stream *s, struct xb_sv name, struct xb_sv value);
void http2_stream_end_head(struct http2_stream *s, bool complete);
int http2_stream_add_body(struct http2_stream *s, struct xb_sv bytes);
void http2_stream_complete(struct http2_stream *s);
void http2_stream_closed(struct http2_stream *s);
/* What becomes of it: its news; its time is over; its memory. */
void http2_stream_attend(struct http2_stream *s);
void http2_stream_late(struct http2_stream *s);
void http2_stream_free(struct http2_stream *s);
/* n bytes of the reply for a DATA frame. */
int http2_stream_sent(struct http2_stream *s, size_t n);

#endif
