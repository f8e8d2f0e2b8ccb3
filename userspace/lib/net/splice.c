/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "xb/stream.h"

#define ENDED_MS 30000

struct splice;
struct side {
	struct splice *splice;
	struct xb_stream *stream;
	struct side *other;
	bool ended;                     /* it has sent its end */
};
struct splice {
	struct side a, b;
	void (*done)(void *arg);
	void *arg;
};

static void received(struct xb_stream *s, const char *bytes, size_t n)
{
	struct side *from = xb_stream_arg(s), *to = from->other;

	if (!n) {
		from->ended = true;
		xb_stream_end(to->stream);
		if (!to->ended)
			xb_stream_deadline(to->stream, ENDED_MS);
		return;
	}
	xb_stream_write(to->stream, (struct xb_sv){ bytes, n });
	if (to->ended)
		xb_stream_deadline(s, ENDED_MS);
	if (xb_stream_pending(to->stream) >= XB_STREAM_PENDING_MAX)
		xb_stream_pause(s, true);
}

static void drained(struct xb_stream *s)
{
	struct side *to = xb_stream_arg(s);

	xb_stream_pause(to->other->stream, false);
}

static void closed(struct xb_stream *s, int error)
{
	struct side *side = xb_stream_arg(s);
	struct splice *p = side->splice;

	xb_stream_free(s);
	xb_stream_leave(side->other->stream);
	if (p->done)
		p->done(p->arg);
	free(p);
}

static const struct xb_stream_ops ops = { .received = received, .drained = drained, .closed = closed };

int xb_splice(struct xb_stream *a, struct xb_stream *b, void (*done)(void *arg), void *arg)
{
	struct splice *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->done = done;
	p->arg = arg;
	p->a = (struct side){ .splice = p, .stream = a, .other = &p->b };
	p->b = (struct side){ .splice = p, .stream = b, .other = &p->a };
	xb_stream_hand_over(a, &ops, &p->a);
	xb_stream_hand_over(b, &ops, &p->b);
	return 0;
}
