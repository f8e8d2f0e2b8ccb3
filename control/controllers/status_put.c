/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "status_put.h"

static int on_put(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	return code == 404 || code == 409 ? -ESTALE : xb_calls_error(code, status);
}

void status_put(struct kcm_work *w, const struct xb_kind *kind, struct xb_jv object, const struct xb_buf *status,
		void (*then)(struct kcm_work *w, int error))
{
	if (status->err) {
		then(w, status->err);
		return;
	}
	kcm_work_round(w, then);
	kcm_work_ask_status(w, kind, object, xb_buf_sv(status), on_put, NULL);
	kcm_work_go(w);
}
