/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_HTTP1_H
#define XB_HTTP1_H
/*
 * A strict, incremental parser of HTTP/1.x requests and responses (RFC 9110, 9112): bytes may come in pieces of any size.
 * Whatever two parsers could read differently is refused: line folding, a bare CR or LF, white space before a colon,
 * Content-Length twice or beside Transfer-Encoding, a chunk size that is not plain hexadecimal.
 */
#include "xb/str.h"

struct xb_http1_limits {
	size_t head_bytes;          /* request line and fields; trailers have the same again */
	uint64_t body_bytes;
	unsigned fields;
};
struct xb_http1_field {             /* offsets into head */
	uint32_t name, name_n, value, value_n;
};
enum xb_http1_state {
	XB_HTTP1_REQUEST_LINE, XB_HTTP1_STATUS_LINE, XB_HTTP1_FIELDS,                                   /* the head */
	XB_HTTP1_COUNTED_BODY, XB_HTTP1_BODY_TO_END, XB_HTTP1_CHUNK_SIZE, XB_HTTP1_CHUNK_EXTENSION, XB_HTTP1_CHUNK_SIZE_LF,   /* the body */
	XB_HTTP1_CHUNK_DATA, XB_HTTP1_CHUNK_CR, XB_HTTP1_CHUNK_LF, XB_HTTP1_TRAILERS,
	XB_HTTP1_COMPLETE, XB_HTTP1_FAULT,
};
struct xb_http1 {
	const struct xb_http1_limits *limits;   /* borrowed */
	enum xb_http1_state state;
	struct xb_buf head;                     /* as it came */
	struct xb_buf body;                     /* without the chunks' frame */
	struct xb_http1_field *fields;
	uint32_t n_fields, cap_fields;
	uint32_t method_n, target, target_n;    /* in head; the method stands at method */
	uint32_t method;
	uint32_t line;                          /* where the current line begins */
	uint32_t head_n;                        /* the head's length once it is whole */
	uint32_t trailer_bytes, extension_bytes;
	uint64_t left;                          /* of the body, or of this chunk */
	uint8_t size_digits;
	uint8_t minor;                          /* HTTP/1.minor */
	bool close;                             /* the connection ends with this request */
	bool expect_continue;                   /* the client waits for "100 Continue" */
	bool has_host, has_length, chunked;
	bool response, to_head;                 /* to_head: of a response to HEAD */
	uint8_t interim;                        /* responses 1xx so far */
	uint16_t status;                        /* of a response */
	int fault_code;                         /* XB_HTTP1_FAULT: the status to answer with */
	const char *fault;                      /* and why; static text */
};

void xb_http1_init(struct xb_http1 *p, const struct xb_http1_limits *limits);
/*
 * For a response instead. Interim ones (1xx) are read over, but 101, which is complete with its head: what follows is no
 * HTTP. Whoever takes a body as it comes lets body_bytes be UINT64_MAX / 2 and empties body after each feed. fault_code is 502.
 */
void xb_http1_init_response(struct xb_http1 *p, const struct xb_http1_limits *limits, bool to_head);
void xb_http1_done(struct xb_http1 *p);
void xb_http1_clear(struct xb_http1 *p);        /* for the next request; gives the memory back */

/*
 * Takes bytes up to the end of one request; *ret_used says how many. 1: the request is complete; 0: more is needed;
 * -EBADMSG: state is XB_HTTP1_FAULT, for good; -ENOMEM.
 */
int xb_http1_feed(struct xb_http1 *p, const char *bytes, size_t n, size_t *ret_used);

/* The other side sends no more: 1 when that ends a response that is complete with it; -EBADMSG when something is missing. */
int xb_http1_end(struct xb_http1 *p);

static inline bool xb_http1_in_body(const struct xb_http1 *p)
{
	return p->state >= XB_HTTP1_COUNTED_BODY && p->state <= XB_HTTP1_TRAILERS;
}

/* Once the head is whole; borrowed until clear. The target is in origin form: an absolute one is cut to path and query. */
struct xb_sv xb_http1_method(const struct xb_http1 *p);
struct xb_sv xb_http1_target(const struct xb_http1 *p);
/* The next field of that name (any case) from *iter on; *iter starts at 0. */
bool xb_http1_next(const struct xb_http1 *p, const char *name, size_t *iter, struct xb_sv *ret);
/* The same of n fields in a head that need not be a parser's. */
bool xb_http1_find(const char *head, const struct xb_http1_field *fields, size_t n, const char *name, size_t *iter,
		   struct xb_sv *ret);

#endif
