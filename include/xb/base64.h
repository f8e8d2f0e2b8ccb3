/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_BASE64_H
#define XB_BASE64_H
/* base64 (RFC 4648 section 4, with padding), as the API carries bytes. */
#include "xb/str.h"

/* Appends the bytes that text stands for. -EINVAL: it is not base64; out may hold a part then. -ENOMEM. */
int xb_base64_decode(struct xb_sv text, struct xb_buf *out);

#endif
