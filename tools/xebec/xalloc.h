/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_XALLOC_H
#define XEBEC_XALLOC_H
/* Memory for a program that a person started and that can only end without it. */
#include <stdarg.h>
#include <stdio.h>
#include "xb/macro.h"

static inline void *xalloc(void *p)
{
	if (!p) {
		fputs("xebec: out of memory\n", stderr);
		_exit(EXIT_FAILURE);
	}
	return p;
}
/* A new string. */
static inline _printf_(1, 2) char *xprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return xalloc(s);
}

#endif
