/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "percent.h"

int percent_of(struct xb_jv v, int64_t total, bool round_up, int64_t *ret)
{
	struct xb_sv text = xb_jv_text(v);
	int64_t n;

	if (!xb_jv_is(v)) {
		*ret = 0;
		return 0;
	}
	if (xb_jv_type(v) == XB_JSON_NUMBER)
		return xb_jv_i64(v, ret);
	if (!xb_sv_ends(text, "%") || xb_sv_i64((struct xb_sv){ text.p, text.n - 1 }, &n) || n > INT32_MAX)
		return -EINVAL;
	*ret = (n * total + (round_up ? 99 : 0)) / 100;
	return 0;
}
