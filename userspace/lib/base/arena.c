/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include <sys/mman.h>

#include "xb/arena.h"

/*
 * A small first chunk, from the heap, is all that a watch needs. The next ones are pages of their own, passed on from
 * arena to arena: in the heap they would leave holes between what lives long, and fault in anew for every request. 64 clients
 * that make pods of 5 KB have 20 MB of arenas; a quarter of a create went into pages while 4 MiB were kept.
 */
enum { FIRST_CHUNK = 2048 - 64, PAGES_CHUNK = 64 * 1024, LARGEST_CHUNK = 256 * 1024, SPARE_MAX = 512 /* 32 MiB */ };

struct chunk {
	struct chunk *older;
	size_t size, used;
	char bytes[] __attribute__((aligned(8)));
};

struct xb_arena {
	struct chunk *newest;
	size_t limit, held, used;
	bool full;
};

static _Thread_local struct chunk *spare;
static _Thread_local unsigned n_spare, n_idle; /* n_idle: of them, the fewest there were since the last trim */

static bool is_pages(size_t size)
{
#ifdef __SANITIZE_ADDRESS__
	return false; /* so that a use after free is seen */
#else
	return size == PAGES_CHUNK - sizeof(struct chunk);
#endif
}

static struct chunk *chunk_new(size_t size)
{
	struct chunk *c = is_pages(size) ? spare : NULL;

	if (c) {
		spare = c->older;
		n_spare--;
		n_idle = MIN(n_idle, n_spare);
	} else if (is_pages(size)) {
		c = mmap(NULL, PAGES_CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		c = c == MAP_FAILED ? NULL : c;
	} else {
		c = malloc(sizeof(*c) + size);
	}
	return c;
}

static void chunk_free(struct chunk *c)
{
	if (!is_pages(c->size)) {
		free(c);
	} else if (n_spare == SPARE_MAX) {
		munmap(c, PAGES_CHUNK);
	} else {
		c->older = spare;
		spare = c;
		n_spare++;
	}
}

bool xb_arena_trim(void)
{
	for (; n_idle; n_idle--) {
		struct chunk *c = spare;

		spare = c->older;
		n_spare--;
		munmap(c, PAGES_CHUNK);
	}
	n_idle = n_spare;
	return n_spare;
}

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
		chunk_free(c);
	}
	free(a);
	return NULL;
}

struct xb_arena_mark xb_arena_mark(const struct xb_arena *a)
{
	return (struct xb_arena_mark){ a->newest, a->newest ? a->newest->used : 0, a->used };
}

void xb_arena_release(struct xb_arena *a, struct xb_arena_mark m)
{
	while (a->newest != m.chunk) {
		struct chunk *c = a->newest;

		a->newest = c->older;
		a->held -= c->size;
		chunk_free(c);
	}
	if (a->newest)
		a->newest->used = m.in_chunk;
	a->used = m.used;
}

static struct chunk *chunk_add(struct xb_arena *a, size_t n)
{
	size_t size = a->newest ? PAGES_CHUNK - sizeof(struct chunk) : FIRST_CHUNK;
	struct chunk *c;

	if (n > size)
		size = MAX(n, MIN(a->held, (size_t)LARGEST_CHUNK));
	if (a->limit)
		size = MIN(size, a->limit - a->held);
	if (size < n) {
		a->full = true;
		return NULL;
	}
	c = chunk_new(size);
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

char *xb_arena_join(struct xb_arena *a, const struct xb_sv *texts, unsigned n)
{
	size_t size = 1, at = 0;
	char *p;

	for (unsigned i = 0; i < n; i++)
		size += texts[i].n;
	p = xb_arena_alloc(a, size);
	for (unsigned i = 0; p && i < n; at += texts[i++].n)
		if (texts[i].n)
			memcpy(p + at, texts[i].p, texts[i].n);
	return p;
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

bool xb_arena_full(const struct xb_arena *a)
{
	return a->full;
}

size_t xb_arena_used(const struct xb_arena *a)
{
	return a->used;
}
