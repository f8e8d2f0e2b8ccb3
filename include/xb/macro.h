/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_MACRO_H
#define XB_MACRO_H
/* Language helpers: array sizes, ownership that leaves a scope, cleanup at the end of a scope. No dependencies. */
#include <stdlib.h>
#include <unistd.h>
#include <errno.h>
#include <sys/param.h> /* MIN, MAX; <uv.h> brings it as well */

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(p, type, member) ((type *)((char *)(p) - offsetof(type, member)))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _cleanup_(f) __attribute__((cleanup(f)))

/* Hand an owned value on: the variable is emptied, so its cleanup does nothing. */
#define TAKE_PTR(p) ({ __typeof__(p) *_pp = &(p); __typeof__(p) _v = *_pp; *_pp = NULL; _v; })
#define TAKE_FD(fd) ({ int *_pf = &(fd); int _f = *_pf; *_pf = -1; _f; })

/* Beside a type's destructor T *f(T *): gives fp(T **), for _cleanup_(fp). */
#define XB_DEFINE_CLEANUP(type, f) \
	static inline void f##p(type *p) { if (*p) *p = f(*p); }

static inline void xb_freep(void *p)
{
	free(*(void **)p);
}
static inline void xb_closep(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}
#define _cleanup_free_ _cleanup_(xb_freep)
#define _cleanup_close_ _cleanup_(xb_closep)

#endif
