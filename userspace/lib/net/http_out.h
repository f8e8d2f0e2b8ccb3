/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef HTTP_OUT_H
#define HTTP_OUT_H
/* Bytes that wait to be sent, in pieces: copies, buffers taken over, and chunks shared with other streams. {} is empty. */
#include <sys/uio.h>
#include "xb/http_server.h"

struct segment;
struct http_out {
	struct segment *first, *last;
	size_t pending;                 /* bytes */
};

/* All append; 0 or -ENOMEM. */
int http_out_add(struct http_out *o, struct xb_sv bytes);               /* copies */
int http_out_add_buf(struct http_out *o, struct xb_buf *bytes);         /* takes the bytes, on failure too */
int http_out_add_chunk(struct http_out *o, struct xb_http_chunk *chunk); /* takes a reference of its own */
void http_out_splice(struct http_out *o, struct http_out *from);         /* all of it; from is empty then */
int http_out_move(struct http_out *from, size_t n, struct http_out *to); /* n bytes off the front; from has them */

int http_out_view(const struct http_out *o, struct iovec *iov, int max); /* of the front; how many were filled */
void http_out_sent(struct http_out *o, size_t n);                       /* drops n bytes off the front */
void http_out_drop(struct http_out *o);

#endif
