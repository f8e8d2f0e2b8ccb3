/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <ctype.h>
#include <strings.h>
#include "api.h"

/* A line without its end. One that lies whole in the input is not copied. False: more bytes are needed. */
static bool take_line(struct reply *r, struct xb_sv *in, struct xb_sv *ret)
{
	const char *newline = memchr(in->p, '\n', in->n);
	size_t n = newline ? (size_t)(newline - in->p) : in->n, kept = MIN(n, sizeof(r->line) - r->line_n);
	struct xb_sv line = { in->p, n };

	if (!newline || r->line_n) {
		memcpy(r->line + r->line_n, in->p, kept);
		r->line_n += kept;
		line = (struct xb_sv){ r->line, r->line_n };
	}
	in->p += n + (newline != NULL);
	in->n -= n + (newline != NULL);
	if (!newline)
		return false;
	r->line_n = 0;
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	*ret = line;
	return true;
}

static int status_line(struct reply *r, struct xb_sv line)
{
	if (!xb_sv_starts(line, "HTTP/1.") || line.n < 12 || line.p[8] != ' ' || !isdigit(line.p[9]) || !isdigit(line.p[10]) ||
	    !isdigit(line.p[11]) || (line.n > 12 && line.p[12] != ' '))
		return -EBADMSG;
	*r = (struct reply){ .state = REPLY_FIELDS, .code = (line.p[9] - '0') * 100 + (line.p[10] - '0') * 10 + line.p[11] - '0' };
	r->close = line.p[7] == '0';
	return 0;
}

static int end_of_head(struct reply *r)
{
	if (r->code < 200)
		*r = (struct reply){}; /* an interim reply: the real one follows */
	else if (r->code == 204 || r->code == 304)
		r->state = REPLY_COMPLETE;
	else if (r->chunked)
		r->state = REPLY_CHUNK_SIZE;
	else if (r->has_length)
		r->state = r->left ? REPLY_COUNTED : REPLY_COMPLETE;
	else
		return -EBADMSG;
	return 0;
}

static int field(struct reply *r, struct xb_sv line)
{
	const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
	struct xb_sv name, value;

	if (!line.n)
		return end_of_head(r);
	if (!colon)
		return -EBADMSG;
	name = (struct xb_sv){ line.p, colon - line.p };
	value = xb_sv_trim((struct xb_sv){ colon + 1, line.p + line.n - colon - 1 });
	if (name.n == 14 && !strncasecmp(name.p, "Content-Length", 14)) {
		r->has_length = true;
		return xb_sv_u64(value, &r->left) ? -EBADMSG : 0;
	}
	if (name.n == 17 && !strncasecmp(name.p, "Transfer-Encoding", 17))
		r->chunked = value.n == 7 && !strncasecmp(value.p, "chunked", 7);
	if (name.n == 10 && !strncasecmp(name.p, "Connection", 10) && value.n == 5 && !strncasecmp(value.p, "close", 5))
		r->close = true;
	return 0;
}

static int chunk_size(struct reply *r, struct xb_sv line)
{
	size_t i = 0;

	for (r->left = 0; i < line.n && isxdigit(line.p[i]); i++) {
		if (i == 15)
			return -EBADMSG;
		r->left = r->left * 16 + (isdigit(line.p[i]) ? line.p[i] - '0' : (line.p[i] | 32) - 'a' + 10);
	}
	if (!i || (i < line.n && line.p[i] != ';' && line.p[i] != ' '))
		return -EBADMSG;
	r->state = r->left ? REPLY_CHUNK : REPLY_TRAILERS;
	return 0;
}

static int take(struct reply *r, struct xb_sv line)
{
	switch (r->state) {
	case REPLY_STATUS_LINE:
		return status_line(r, line);
	case REPLY_FIELDS:
		return field(r, line);
	case REPLY_CHUNK_SIZE:
		return chunk_size(r, line);
	case REPLY_CHUNK_END:
		r->state = REPLY_CHUNK_SIZE;
		return line.n ? -EBADMSG : 0;
	default: /* REPLY_TRAILERS */
		if (!line.n)
			r->state = REPLY_COMPLETE;
		return 0;
	}
}

static void take_piece(struct reply *r, struct xb_sv *in, struct xb_sv *ret)
{
	*ret = (struct xb_sv){ in->p, MIN(in->n, r->left) };
	in->p += ret->n;
	in->n -= ret->n;
	r->left -= ret->n;
	if (!r->left)
		r->state = r->state == REPLY_CHUNK ? REPLY_CHUNK_END : REPLY_COMPLETE;
}

int reply_feed(struct reply *r, struct xb_sv *in, struct xb_sv *ret_piece)
{
	struct xb_sv line;
	int e;

	*ret_piece = (struct xb_sv){};
	while (in->n && r->state != REPLY_COMPLETE && !ret_piece->n) {
		if (r->state == REPLY_COUNTED || r->state == REPLY_CHUNK) {
			take_piece(r, in, ret_piece);
			continue;
		}
		if (!take_line(r, in, &line))
			return 0;
		e = take(r, line);
		if (e)
			return e;
	}
	return r->state == REPLY_COMPLETE;
}
