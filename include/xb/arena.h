/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_ARENA_H
#define XB_ARENA_H
/* Bump allocation for one request: everything is freed at once. Single-threaded. */
#include "xb/str.h"

struct xb_arena;
/* limit: the most bytes it may ever hold, 0 for none; beyond it allocations return NULL. */
struct xb_arena *xb_arena_new(size_t limit);
struct xb_arena *xb_arena_free(struct xb_arena *a);
XB_DEFINE_CLEANUP(struct xb_arena *, xb_arena_free)

void *xb_arena_alloc(struct xb_arena *a, size_t n);     /* zeroed, 8-byte aligned; NULL without memory */
char *xb_arena_strn(struct xb_arena *a, struct xb_sv s);/* zero-terminated copy */
struct xb_sv xb_arena_sv(struct xb_arena *a, struct xb_sv s);
char *xb_arena_join(struct xb_arena *a, const struct xb_sv *texts, unsigned n); /* one after the other, zero-terminated */
char *xb_arena_printf(struct xb_arena *a, const char *fmt, ...) _printf_(2, 3);
/* Lets go of all that was allocated since the mark. Marks are released the newest first. */
struct xb_arena_mark {
	void *chunk;            /* private */
	size_t in_chunk, used;
};
struct xb_arena_mark xb_arena_mark(const struct xb_arena *a);
void xb_arena_release(struct xb_arena *a, struct xb_arena_mark m);
size_t xb_arena_used(const struct xb_arena *a);
/*
 * This thread keeps up to 32 MiB of what its arenas let go of for those to come. Gives back to the system what was not used since the
 * call before; to be called every so often. Is there something left?
 */
bool xb_arena_trim(void);
bool xb_arena_full(const struct xb_arena *a);           /* has an allocation failed for the limit */

#endif
