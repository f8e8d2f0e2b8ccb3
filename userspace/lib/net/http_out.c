/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "http_out.h"

#define FIRST_BYTES 1000                /* of room in a segment */
#define SEGMENT_BYTES (16 << 10) /* of copies: one TLS record */

struct segment {
	struct segment *next;
	struct xb_http_chunk *chunk;    /* NULL: the bytes are in buf */
	struct xb_buf buf;
	size_t at;                      /* sent so far */
};

static struct xb_sv segment_bytes(const struct segment *s)
{
	struct xb_sv all = s->chunk ? (struct xb_sv){ s->chunk->bytes, s->chunk->n } : xb_buf_sv(&s->buf);

	return (struct xb_sv){ all.p + s->at, all.n - s->at };
}

static struct segment *append(struct http_out *o)
{
	struct segment *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	if (o->first)
		o->last->next = s;
	else
		o->first = s;
	o->last = s;
	return s;
}

static void drop_first(struct http_out *o)
{
	struct segment *s = o->first;

	o->first = s->next;
	if (!o->first)
		o->last = NULL;
	xb_buf_done(&s->buf);
	xb_http_chunk_unref(s->chunk);
	free(s);
}

int http_out_add(struct http_out *o, struct xb_sv bytes)
{
	while (bytes.n) {
		struct segment *s = o->last;
		bool goes_on = s && !s->chunk;  /* beyond what one segment holds: so will this one be full */
		size_t part;

		if (!s || s->chunk || s->buf.n >= SEGMENT_BYTES)
			s = append(o);
		if (!s)
			return -ENOMEM;
		if (!s->buf.p)
			xb_buf_reserve(&s->buf, goes_on ? SEGMENT_BYTES : FIRST_BYTES);
		part = MIN(bytes.n, SEGMENT_BYTES - s->buf.n);
		xb_buf_add(&s->buf, bytes.p, part);
		if (s->buf.err)
			return s->buf.err;
		o->pending += part;
		bytes = (struct xb_sv){ bytes.p + part, bytes.n - part };
	}
	return 0;
}

int http_out_add_buf(struct http_out *o, struct xb_buf *bytes)
{
	_cleanup_buf_ struct xb_buf taken = *bytes;
	struct segment *s;

	*bytes = (struct xb_buf){};
	if (taken.n <= SEGMENT_BYTES / 2)
		return http_out_add(o, xb_buf_sv(&taken));
	s = append(o);
	if (!s)
		return -ENOMEM;
	o->pending += taken.n;
	s->buf = taken;
	taken = (struct xb_buf){};
	return 0;
}

int http_out_add_chunk(struct http_out *o, struct xb_http_chunk *chunk)
{
	struct segment *s = append(o);

	if (!s)
		return -ENOMEM;
	atomic_fetch_add_explicit(&chunk->refs, 1, memory_order_relaxed);
	s->chunk = chunk;
	o->pending += chunk->n;
	return 0;
}

void http_out_splice(struct http_out *o, struct http_out *from)
{
	if (!from->first)
		return;
	if (o->first)
		o->last->next = from->first;
	else
		o->first = from->first;
	o->last = from->last;
	o->pending += from->pending;
	*from = (struct http_out){};
}

int http_out_move(struct http_out *from, size_t n, struct http_out *to)
{
	int r = 0;

	while (n && !r) {
		struct xb_sv bytes = segment_bytes(from->first);

		bytes.n = MIN(bytes.n, n);
		r = http_out_add(to, bytes);
		n -= bytes.n;
		http_out_sent(from, bytes.n);
	}
	return r;
}

int http_out_view(const struct http_out *o, struct iovec *iov, int max)
{
	int n = 0;

	for (const struct segment *s = o->first; s && n < max; s = s->next, n++)
		iov[n] = (struct iovec){ (char *)segment_bytes(s).p, segment_bytes(s).n };
	return n;
}

void http_out_sent(struct http_out *o, size_t n)
{
	o->pending -= n;
	while (n) {
		struct segment *s = o->first;
		size_t part = MIN(n, segment_bytes(s).n);

		s->at += part;
		n -= part;
		if (!segment_bytes(s).n)
			drop_first(o);
	}
}

void http_out_drop(struct http_out *o)
{
	while (o->first)
		drop_first(o);
	o->pending = 0;
}
