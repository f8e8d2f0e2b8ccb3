/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "scalar.h"
#include "xb/base64.h"
#include "xb/quantity.h"
#include "xb/time.h"

const char *xb_scalar_json_type(const struct xb_tree *n)
{
	static const char *const names[] = {
		[XB_JSON_NONE] = "nothing", [XB_JSON_NULL] = "null", [XB_JSON_BOOL] = "bool", [XB_JSON_NUMBER] = "number",
		[XB_JSON_STRING] = "string", [XB_JSON_ARRAY] = "array", [XB_JSON_OBJECT] = "object",
	};

	return names[n->type];
}

static int become_text(struct xb_arena *a, struct xb_tree *n, struct xb_sv text)
{
	n->type = XB_JSON_STRING;
	if (n->text.p && xb_sv_eq(n->text, text))
		return 0;
	n->text = xb_arena_sv(a, text);
	return n->text.p ? 0 : -ENOMEM;
}

static int decode_integer(struct xb_tree *n, int64_t min, int64_t max)
{
	int64_t value;

	if (n->type != XB_JSON_NUMBER || xb_sv_i64(n->text, &value) < 0 || value < min || value > max)
		return -EDOM;
	if (!value)
		n->text = XB_SV("0"); /* was perhaps "-0" */
	return 0;
}

static int decode_quantity(struct xb_arena *a, struct xb_tree *n, struct xb_status *reterr)
{
	_cleanup_buf_ struct xb_buf canonical = {};
	struct xb_quantity q;
	int r = -EINVAL;

	if (n->type == XB_JSON_STRING || n->type == XB_JSON_NUMBER)
		r = xb_quantity_parse(xb_sv_trim(n->text), &q);
	if (r == -ENOENT)
		return xb_status_bad_request(reterr, "unable to parse quantity's suffix");
	if (r < 0)
		return xb_status_bad_request(reterr, "quantities must match the regular expression '%s'",
					     "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$");
	xb_quantity_write(&q, &canonical);
	return canonical.err ? canonical.err : become_text(a, n, xb_buf_sv(&canonical));
}

/* Says where s stops being a time, in the words of Go's time.Parse. */
static int time_fault(struct xb_sv s, bool micro, struct xb_status *reterr)
{
	static const char *const elements[] = { "2006", "-", "01", "-", "02", "T", "15", ":", "04", ":", "05", ".000000", "Z07:00" };
	const char *layout = micro ? "2006-01-02T15:04:05.000000Z07:00" : "2006-01-02T15:04:05Z07:00";
	const char *element = "2006";
	struct xb_sv left = s;

	for (unsigned i = 0; i < ARRAY_SIZE(elements); i++) {
		const size_t n = strlen(elements[i]);
		size_t fit = 0;

		if (i == 11 && !micro)
			continue;
		element = elements[i];
		if (i == 12 || left.n < n)
			break;
		while (fit < n && (element[fit] >= '0' && element[fit] <= '9' ? left.p[fit] >= '0' && left.p[fit] <= '9'
									      : left.p[fit] == element[fit]))
			fit++;
		if (fit < n)
			break;
		left = (struct xb_sv){ left.p + n, left.n - n };
	}
	if (!strcmp(element, "Z07:00") && xb_sv_is(left, "Z"))
		return xb_status_bad_request(reterr, "parsing time \"%.*s\": out of range", XB_SV_ARG(s));
	return xb_status_bad_request(reterr, "parsing time \"%.*s\" as \"%s\": cannot parse \"%.*s\" as \"%s\"", XB_SV_ARG(s), layout,
				     XB_SV_ARG(left), element);
}

static int decode_time(struct xb_arena *a, struct xb_tree *n, bool micro, struct xb_status *reterr)
{
	struct xb_time_text text;
	int64_t us;

	if (n->type != XB_JSON_STRING)
		return xb_status_bad_request(reterr, "json: cannot unmarshal %s into Go value of type string", xb_scalar_json_type(n));
	if (xb_time_parse(n->text, &us) < 0)
		return time_fault(n->text, micro, reterr);
	text = micro ? xb_time_format_micro(us) : xb_time_format(us);
	return become_text(a, n, xb_sv(text.s));
}

static int decode_int_or_string(struct xb_tree *n, struct xb_status *reterr)
{
	if (n->type == XB_JSON_STRING)
		return 0;
	if (decode_integer(n, INT32_MIN, INT32_MAX) == 0)
		return 0;
	if (n->type == XB_JSON_NUMBER)
		return xb_status_bad_request(reterr, "json: cannot unmarshal number %.*s into Go value of type int32", XB_SV_ARG(n->text));
	return xb_status_bad_request(reterr, "json: cannot unmarshal %s into Go value of type int32", xb_scalar_json_type(n));
}

/*
 * RFC 4648 with padding; line ends are allowed and dropped, unused bits of the last digit are cleared. Writes the
 * canonical text to out unless that is NULL. -EINVAL with the offset of the fault as Go counts it.
 */
static int base64_canonical(struct xb_sv text, char *out, size_t *ret_n, size_t *ret_fault)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = 0, i;
	bool changed = false;
	int digit, last = 0, pad = 0;

	for (i = 0; i < text.n; i++) {
		const char c = text.p[i];

		if (c == '\n' || c == '\r') {
			changed = true;
			continue;
		}
		digit = xb_base64_digit(c);
		if (pad ? c != '=' || n % 4 == 0 : c == '=' ? n % 4 < 2 : digit < 0) {
			*ret_fault = i;
			return -EINVAL;
		}
		if (c == '=' && !pad++) {
			const int used = n % 4 == 2 ? 0x30 : 0x3c;

			changed |= (last & ~used) != 0;
			if (out)
				out[n - 1] = alphabet[last & used];
		}
		if (out)
			out[n] = c;
		n++;
		last = digit;
	}
	if (n % 4) {
		*ret_fault = pad ? i : i - n % 4;
		return -EINVAL;
	}
	*ret_n = n;
	return changed;
}

static int decode_bytes(struct xb_arena *a, struct xb_tree *n, struct xb_status *reterr)
{
	size_t fault = 0, length;
	char *canonical;
	int r;

	if (n->type != XB_JSON_STRING)
		return -EDOM;
	r = base64_canonical(n->text, NULL, &length, &fault);
	if (r < 0)
		return xb_status_bad_request(reterr, "illegal base64 data at input byte %zu", fault);
	if (!r)
		return 0;
	canonical = xb_arena_strn(a, n->text);
	if (!canonical)
		return -ENOMEM;
	base64_canonical(n->text, canonical, &length, &fault);
	n->text = (struct xb_sv){ canonical, length };
	return 0;
}

static int decode_strings(struct xb_tree *n)
{
	if (n->type != XB_JSON_ARRAY)
		return -EDOM;
	xb_tree_each(s, n)
		if (s->type != XB_JSON_STRING)
			return -EDOM;
	return 0;
}

int xb_scalar_decode(struct xb_arena *a, enum xb_field_type kind, struct xb_tree *n, struct xb_status *reterr)
{
	switch (kind) {
	case XB_T_STRING:
		return n->type == XB_JSON_STRING ? 0 : -EDOM;
	case XB_T_BOOL:
		return n->type == XB_JSON_BOOL ? 0 : -EDOM;
	case XB_T_INT32:
		return decode_integer(n, INT32_MIN, INT32_MAX);
	case XB_T_INT64:
		return decode_integer(n, INT64_MIN, INT64_MAX);
	case XB_T_DOUBLE:
		return n->type == XB_JSON_NUMBER ? 0 : -EDOM;
	case XB_T_BYTES:
		return decode_bytes(a, n, reterr);
	case XB_T_TIME:
	case XB_T_MICRO_TIME:
		return decode_time(a, n, kind == XB_T_MICRO_TIME, reterr);
	case XB_T_QUANTITY:
		return decode_quantity(a, n, reterr);
	case XB_T_INT_OR_STRING:
		return decode_int_or_string(n, reterr);
	case XB_T_STRINGS:
		return decode_strings(n);
	case XB_T_OBJECT:
	case XB_T_ANY:
		break;
	}
	return 0;
}

bool xb_scalar_is_zero(enum xb_field_type kind, const struct xb_tree *n)
{
	switch (kind) {
	case XB_T_STRING:
	case XB_T_BYTES:
		return !n->text.n;
	case XB_T_BOOL:
		return !n->b;
	case XB_T_INT32:
	case XB_T_INT64:
	case XB_T_DOUBLE:
		return xb_sv_is(n->text, "0");
	default: /* the others are structs in Go, which omitempty never leaves out */
		return false;
	}
}

struct xb_tree *xb_scalar_zero(struct xb_arena *a, enum xb_field_type kind)
{
	switch (kind) {
	case XB_T_STRING:
	case XB_T_BYTES:
		return xb_tree_str(a, XB_SV(""));
	case XB_T_STRINGS:
		return xb_tree_array(a);
	case XB_T_QUANTITY:
		return xb_tree_str(a, XB_SV("0"));
	case XB_T_BOOL:
		return xb_tree_bool(a, false);
	case XB_T_INT32:
	case XB_T_INT64:
	case XB_T_DOUBLE:
	case XB_T_INT_OR_STRING:
		return xb_tree_int(a, 0);
	default:
		return NULL;
	}
}
