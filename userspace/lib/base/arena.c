/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>

#include "xb/arena.h"

enum { FIRST_CHUNK = 4096 - 64, LARGEST_CHUNK = 256 * 1024 };

struct chunk {
	struct chunk *older;
	size_t size, used;
	char bytes[] __attribute__((aligned(8)));
};

struct xb_arena {
	struct chunk *newest;
	size_t limit, held, used;
};

struct xb_arena *xb_arena_new(size_t limit)
{
	struct xb_arena *a = calloc(1, sizeof(*a));

	if (a)
		a->limit = limit;
	return a;
}

struct xb_arena *xb_arena_free(struct xb_arena *a)
{
	struct chunk *older;

	if (!a)
		return NULL;
	for (struct chunk *c = a->newest; c; c = older) {
		older = c->older;
		free(c);
	}
	free(a);
	return NULL;
}

static struct chunk *chunk_add(struct xb_arena *a, size_t n)
{
	size_t size = a->newest ? MIN(a->held, (size_t)LARGEST_CHUNK) : FIRST_CHUNK;
	struct chunk *c;

	size = MAX(size, n);
	if (a->limit)
		size = MIN(size, a->limit - a->held);
	if (size < n)
		return NULL;
	c = malloc(sizeof(*c) + size);
	if (!c)
		return NULL;
	*c = (struct chunk){ .older = a->newest, .size = size };
	a->newest = c;
	a->held += size;
	return c;
}

void *xb_arena_alloc(struct xb_arena *a, size_t n)
{
	struct chunk *c = a->newest;
	void *p;

	if (n > SIZE_MAX / 2)
		return NULL;
	n = (n + 7) & ~(size_t)7;
	if (!c || c->size - c->used < n)
		c = chunk_add(a, n);
	if (!c)
		return NULL;
	p = memset(c->bytes + c->used, 0, n);
	c->used += n;
	a->used += n;
	return p;
}

char *xb_arena_strn(struct xb_arena *a, struct xb_sv s)
{
	char *copy = xb_arena_alloc(a, s.n + 1);

	if (copy && s.n)
		memcpy(copy, s.p, s.n);
	return copy;
}

struct xb_sv xb_arena_sv(struct xb_arena *a, struct xb_sv s)
{
	char *copy = xb_arena_strn(a, s);

	return (struct xb_sv){ copy, copy ? s.n : 0 };
}

char *xb_arena_printf(struct xb_arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	p = n < 0 ? NULL : xb_arena_alloc(a, (size_t)n + 1);
	if (!p)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

size_t xb_arena_used(const struct xb_arena *a)
{
	return a->used;
}
