/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_BASE64_H
#define XB_BASE64_H
/* base64 (RFC 4648 section 4, with padding), as the API carries bytes, and base64url (section 5, without), as tokens do. */
#include "xb/str.h"

/* Appends the bytes that text stands for. -EINVAL: it is not base64; out may hold a part then. -ENOMEM. */
int xb_base64_decode(struct xb_sv text, struct xb_buf *out);
int xb_base64_digit(char c); /* what it stands for; -1: nothing */

void xb_base64url_encode(struct xb_sv bytes, struct xb_buf *out); /* appends */
/* As xb_base64_decode(). 1: it is, but there are bits left over that are not zero, so that it is not what encode would write. */
int xb_base64url_decode(struct xb_sv text, struct xb_buf *out);

#endif
