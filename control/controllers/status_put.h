/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_STATUS_PUT_H
#define CONTROLLERS_STATUS_PUT_H
/*
 * An object's status written as a whole, for loops whose role allows "update" of it alone. The version that it was decided on
 * goes along: what somebody changed meanwhile is not overwritten.
 */
#include "work.h"

/* One round that ends the work: by then, which may be kcm_work_done. Its error is -ESTALE when the object is gone or was changed. */
void status_put(struct kcm_work *w, const struct xb_kind *kind, struct xb_jv object, const struct xb_buf *status,
		void (*then)(struct kcm_work *w, int error));

#endif
