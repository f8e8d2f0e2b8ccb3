/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "frame.h"

#define SLOTS 512                     /* more than a batch of the store brings */
#define BYTES_MAX ((size_t)16 << 20)

struct frame_cache {
	size_t bytes;
	struct slot {
		uint64_t revision;
		unsigned form;
		const struct xb_kind *kind;  /* a version of the object's */
		struct xb_http_chunk *chunk; /* NULL: empty */
	} slots[SLOTS];
};

struct frame_cache *frame_cache_new(void)
{
	return calloc(1, sizeof(struct frame_cache));
}

static void drop(struct frame_cache *c, struct slot *s)
{
	if (!s->chunk)
		return;
	c->bytes -= s->chunk->n;
	s->chunk = xb_http_chunk_unref(s->chunk);
}

void frame_cache_clear(struct frame_cache *c)
{
	for (unsigned i = 0; i < SLOTS; i++)
		drop(c, &c->slots[i]);
}

struct frame_cache *frame_cache_free(struct frame_cache *c)
{
	if (c)
		frame_cache_clear(c);
	free(c);
	return NULL;
}

static unsigned form_of(const struct encoding *e, enum frame_type type, bool spliced)
{
	return type | spliced << 2 | e->accept.form << 3 | e->accept.beta << 6 | e->include << 7;
}

static struct xb_http_chunk *render(const struct encoding *e, enum frame_type type, const struct xb_json *doc, uint64_t revision)
{
	static const char *const names[] = { "ADDED", "MODIFIED", "DELETED" };
	_cleanup_buf_ struct xb_buf out = {};

	encode_event(e, names[type], doc, revision, false, &out);
	return out.err ? NULL : xb_http_chunk_new(xb_buf_sv(&out));
}

struct xb_http_chunk *frame_get(struct frame_cache *c, const struct encoding *e, enum frame_type type, const struct xb_json *doc,
				uint64_t revision, bool spliced)
{
	unsigned form = form_of(e, type, spliced);
	struct slot *s = &c->slots[(revision * 4 + form + (e->kind->stored != NULL)) % SLOTS];

	if (s->chunk && s->revision == revision && s->form == form && s->kind == e->kind)
		return s->chunk;
	drop(c, s);
	if (c->bytes > BYTES_MAX)
		frame_cache_clear(c);
	*s = (struct slot){ revision, form, e->kind, render(e, type, doc, spliced ? revision : 0) };
	if (s->chunk)
		c->bytes += s->chunk->n;
	return s->chunk;
}
