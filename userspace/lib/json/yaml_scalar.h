/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_YAML_SCALAR_H
#define XB_YAML_SCALAR_H
/* What a YAML scalar means, by go-yaml v2's rules. */
#include "xb/tree.h"

/*
 * text is copied into the arena. plain: neither quoted nor a block; tag: as written, in its long form, or NULL. A node of
 * scalar type. -EBADMSG with a text in reterr, -ENOMEM.
 */
int xb_yaml_scalar(struct xb_arena *a, struct xb_sv text, bool plain, const char *tag, struct xb_tree **ret,
		   struct xb_buf *reterr);

#endif
