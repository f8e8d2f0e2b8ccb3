/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_OWNER_H
#define XB_OWNER_H
/* Which object controls another one: metadata.ownerReferences (apimachinery meta/v1 controller_ref.go). */
#include "xb/kinds.h"

struct xb_jv xb_owner_controller(struct xb_jv object); /* the reference with "controller": true; {} for an orphan */
struct xb_sv xb_owner_uid(struct xb_jv object);         /* the controller's uid; {} for an orphan */
/* A reference to owner as the controller, which blocks its foreground deletion; as one value. */
void xb_owner_write(struct xb_jw *w, const struct xb_kind *kind, struct xb_jv owner);
void xb_kind_api_version(const struct xb_kind *kind, struct xb_buf *out); /* "v1", "apps/v1"; appended */

#endif
