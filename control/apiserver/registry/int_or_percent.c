/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "int_or_percent.h"

static bool is_percent(struct xb_sv s)
{
	if (s.n < 2 || s.p[s.n - 1] != '%')
		return false;
	for (size_t i = 0; i + 1 < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

int64_t int_or_percent_value(const struct xb_tree *n)
{
	struct xb_sv text = xb_tree_text(n);
	int64_t value = 0;

	if (!is_percent(text)) {
		(void)xb_tree_i64(n, &value);
		return value;
	}
	text.n--;
	return xb_sv_i64(text, &value) < 0 ? INT64_MAX : value;
}

void int_or_percent_invalid(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *n, const char *detail)
{
	bool text = n && n->type == XB_JSON_STRING;
	_cleanup_buf_ struct xb_buf b = {};
	int64_t value = 0;

	(void)xb_tree_i64(n, &value);
	xb_buf_addf(&b, "intstr.IntOrString{Type:%d, IntVal:%lld, StrVal:", text, (long long)value);
	xb_buf_addq(&b, xb_tree_text(n));
	xb_buf_addc(&b, '}');
	if (b.err)
		e->no_memory = true;
	else
		xb_err_invalid_go(e, at, b.p, "%s", detail);
}

void int_or_percent_validate(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *n)
{
	if (!n)
		return;
	if (n->type != XB_JSON_STRING)
		xb_validate_nonnegative(e, at, int_or_percent_value(n));
	else if (!is_percent(xb_tree_text(n)))
		int_or_percent_invalid(e, at, n, "a valid percent string must be a numeric string followed by an ending '%' "
				       "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')");
}

void int_or_percent_validate_100(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *n)
{
	if (is_percent(xb_tree_text(n)) && int_or_percent_value(n) > 100)
		int_or_percent_invalid(e, at, n, "must not be greater than 100%");
}
