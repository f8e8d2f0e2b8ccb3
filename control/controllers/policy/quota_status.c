/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "quota_status.h"

static bool same(struct xb_jv a, struct xb_jv b)
{
	return xb_sv_eq(xb_jv_bytes(a), xb_jv_bytes(b));
}

static bool says(const struct xb_quota_usage *u, struct xb_jv quota)
{
	struct xb_jv used = xb_jv_path(quota, "status", "used");
	struct xb_quantity there;
	size_t n = 0;

	if (!xb_jv_is(used) || !same(xb_jv_path(quota, "spec", "hard"), xb_jv_path(quota, "status", "hard")))
		return false;
	for (size_t i = 0; i < u->sums.n; i++) {
		const struct xb_quota_sum *s = &u->sums.v[i];

		if (!s->measured)
			continue;
		if (xb_quantity_parse(xb_jv_text(xb_jv_getsv(used, s->resource)), &there) || there.nano != s->used.nano)
			return false;
		n++;
	}
	return n == xb_jv_count(used);
}

static void write_used(struct xb_jw *w, const struct xb_quota_sum *s)
{
	_cleanup_buf_ struct xb_buf text = {};

	xb_quantity_write(&s->used, &text);
	if (text.err)
		w->err = text.err;
	xb_jw_keysv(w, s->resource);
	xb_jw_sv(w, xb_buf_sv(&text));
}

void quota_status_write(const struct xb_quota_usage *u, struct xb_jv quota, struct xb_buf *out)
{
	struct xb_jv hard = xb_jv_path(quota, "spec", "hard");
	struct xb_jw w = XB_JW(out);

	if (says(u, quota))
		return;
	xb_jw_object(&w);
	xb_jw_key(&w, "hard");
	xb_jw_raw(&w, xb_jv_is(hard) ? xb_jv_bytes(hard) : XB_SV("{}"));
	xb_jw_key(&w, "used");
	xb_jw_object(&w);
	for (size_t i = 0; i < u->sums.n; i++)
		if (u->sums.v[i].measured)
			write_used(&w, &u->sums.v[i]);
	xb_jw_end(&w);
	xb_jw_end(&w);
	if (xb_jw_finish(&w) < 0)
		out->err = -ENOMEM;
}
