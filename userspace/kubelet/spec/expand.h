/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_SPEC_EXPAND_H
#define KUBELET_SPEC_EXPAND_H
/* $(VAR) in commands, values and paths (upstream's third_party/forked/golang/expansion). */
#include "xb/str.h"

/* Appends text to out with each $(NAME) replaced by lookup's value; "$$" is a "$". What lookup answers with NULL, and a "$(" that
 * is not closed, stay as they are written; values are not expanded again. With strict, NULL and "" are -EINVAL, and the
 * variable's name is what was appended instead of the text. */
int expand(struct xb_sv text, const char *(*lookup)(const void *arg, struct xb_sv name), const void *arg, bool strict,
	   struct xb_buf *out);

#endif
