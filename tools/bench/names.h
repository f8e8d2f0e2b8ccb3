/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BENCH_NAMES_H
#define BENCH_NAMES_H
/* Names that are a prefix and a decimal number, from first on, n of them. */
#include "xb/str.h"

struct names {
	const char *prefix;
	unsigned first, n;
};
bool names_find(struct names names, struct xb_sv name, unsigned *ret_index); /* false: not one of them. Index: number - first */
static inline void names_add(struct names names, unsigned index, struct xb_buf *out)
{
	xb_buf_addf(out, "%s%u", names.prefix, names.first + index);
}

#endif
