/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "status_put.h"

/* Members of a list's items do not tell their kind. */
static int write_body(const struct xb_kind *kind, struct xb_jv object, struct xb_sv status, struct xb_buf *out)
{
	struct xb_jv spec = xb_jv_get(object, "spec");
	_cleanup_buf_ struct xb_buf version = {};
	struct xb_jw w = XB_JW(out);

	xb_kind_api_version(kind, &version);
	xb_jw_object(&w);
	xb_jw_ksv(&w, "apiVersion", xb_buf_sv(&version));
	xb_jw_kstr(&w, "kind", kind->kind);
	xb_jw_key(&w, "metadata");
	xb_jw_raw(&w, xb_jv_bytes(xb_jv_get(object, "metadata")));
	if (xb_jv_is(spec)) {
		xb_jw_key(&w, "spec");
		xb_jw_raw(&w, xb_jv_bytes(spec));
	}
	xb_jw_key(&w, "status");
	xb_jw_raw(&w, status);
	xb_jw_end(&w);
	return xb_jw_finish(&w);
}

static int on_put(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	return code == 404 || code == 409 ? -ESTALE : xb_calls_error(code, status);
}

static void on_done(struct kcm_work *w, int error)
{
	kcm_work_done(w, error);
}

void status_put(struct kcm_work *w, const struct xb_kind *kind, struct xb_jv object, const struct xb_buf *status,
		void (*then)(struct kcm_work *w, int error))
{
	struct kcm_request q = { .method = "PUT", .kind = kind, .name = w->name, .sub = "status", .type = KCM_JSON };
	_cleanup_buf_ struct xb_buf body = {};
	int r = status->err ? status->err : write_body(kind, object, xb_buf_sv(status), &body);

	if (!then)
		then = on_done;
	if (r) {
		then(w, r);
		return;
	}
	q.body = xb_buf_sv(&body);
	kcm_work_round(w, then);
	kcm_work_ask(w, &q, on_put, NULL);
	kcm_work_go(w);
}
