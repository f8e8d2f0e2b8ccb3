/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_WHY_H
#define XB_WHY_H
/* The sentence for the operator that goes with an -errno, in functions with a last parameter reterr_why. */
#include <stdarg.h>
#include <stdio.h>
#include "xb/macro.h"

/* Puts a new string in *reterr_why (the caller's to free; NULL without memory; reterr_why itself may be NULL) and returns
 * code, to be returned on. */
static inline _printf_(3, 4) int xb_why(char **reterr_why, int code, const char *fmt, ...)
{
	va_list ap;

	if (!reterr_why)
		return code;
	va_start(ap, fmt);
	if (vasprintf(reterr_why, fmt, ap) < 0)
		*reterr_why = NULL;
	va_end(ap);
	return code;
}

#endif
