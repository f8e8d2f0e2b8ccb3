/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_REASON_H
#define XB_REASON_H
/* The reasons of the data plane (xb/abi/event.h) in words: one row each, for tools, metrics and tests alike. */
#include "xb/abi/event.h"
#include "xb/str.h"

struct xb_reason_row {
	const char *name;       /* the enum's, as in "refused-no-backend" */
	const char *what;       /* what happened, a sentence */
	const char *advice;     /* what to look at or do; NULL: nothing is wrong */
};
/* Of any value: one that this program does not know is "unknown". */
const struct xb_reason_row *xb_reason_row(enum xb_reason reason);
int xb_reason_by_name(struct xb_sv name, enum xb_reason *ret);   /* -EINVAL */
bool xb_reason_is_refusal(enum xb_reason reason);                 /* refused or dropped: it is in xb_drop */

#endif
