/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_VEC_H
#define XB_VEC_H
/*
 * A growable array of any type: XB_VEC(struct route) routes = {}; then routes.v[i] for i < routes.n. Elements move when
 * it grows. Elements that own something are the caller's to release before xb_vec_done.
 */
#include <stdint.h>
#include <string.h>
#include "xb/macro.h"

#define XB_VEC(type) struct { type *v; size_t n, cap; }

/* Appends a copy of value (the last argument, commas and all): 0 or -ENOMEM. */
#define xb_vec_push(vec, ...) \
	({ int _r = xb_vec_room((vec), 1); if (!_r) (vec)->v[(vec)->n++] = (__VA_ARGS__); _r; })
/* Makes room for more elements: 0 or -ENOMEM. */
#define xb_vec_room(vec, more) \
	({ void *_v = (vec)->v; int _e = xb_vec_grow_(&_v, (vec)->n, (more), &(vec)->cap, sizeof(*(vec)->v)); (vec)->v = _v; _e; })
/* Takes element i out; the order of the rest stays. */
#define xb_vec_remove(vec, i) \
	({ size_t _i = (i); memmove(&(vec)->v[_i], &(vec)->v[_i + 1], (--(vec)->n - _i) * sizeof(*(vec)->v)); })
#define xb_vec_done(vec) ({ free((vec)->v); (vec)->v = NULL; (vec)->n = (vec)->cap = 0; })

static inline int xb_vec_grow_(void **v, size_t n, size_t more, size_t *cap, size_t size)
{
	size_t want = MAX(n + more, (size_t)4);
	void *bigger;

	if (n + more <= *cap)
		return 0;
	want = MAX(want, *cap + *cap / 2);
	if (want > SIZE_MAX / 2 / size)
		return -ENOMEM;
	bigger = realloc(*v, want * size);
	if (!bigger)
		return -ENOMEM;
	*v = bigger;
	*cap = want;
	return 0;
}

#endif
