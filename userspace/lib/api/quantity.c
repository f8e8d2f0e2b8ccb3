/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "xb/quantity.h"

#define NANO 1000000000
#define BINARY_MAX ((__int128)INT64_MAX * NANO)

static const __int128 decimal_max = (__int128)1000000000000000000 * 100000000000 * NANO; /* 10^29 */

static const struct suffix {
	const char *text;
	enum xb_quantity_form form;
	signed char exponent; /* of 2 for XB_BINARY_SI, else of 10 */
} suffixes[] = {
	{ "n", XB_DECIMAL_SI, -9 }, { "u", XB_DECIMAL_SI, -6 }, { "m", XB_DECIMAL_SI, -3 }, { "", XB_DECIMAL_SI, 0 },
	{ "k", XB_DECIMAL_SI, 3 }, { "M", XB_DECIMAL_SI, 6 }, { "G", XB_DECIMAL_SI, 9 }, { "T", XB_DECIMAL_SI, 12 },
	{ "P", XB_DECIMAL_SI, 15 }, { "E", XB_DECIMAL_SI, 18 },
	{ "Ki", XB_BINARY_SI, 10 }, { "Mi", XB_BINARY_SI, 20 }, { "Gi", XB_BINARY_SI, 30 }, { "Ti", XB_BINARY_SI, 40 },
	{ "Pi", XB_BINARY_SI, 50 }, { "Ei", XB_BINARY_SI, 60 },
};

static const char *suffix_text(enum xb_quantity_form form, int exponent)
{
	for (unsigned i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (suffixes[i].form == form && suffixes[i].exponent == exponent)
			return suffixes[i].text;
	return "";
}

static int suffix_parse(struct xb_sv s, enum xb_quantity_form *ret_form, int *ret_exponent)
{
	int64_t n;

	for (unsigned i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (xb_sv_is(s, suffixes[i].text)) {
			*ret_form = suffixes[i].form;
			*ret_exponent = suffixes[i].exponent;
			return 0;
		}
	if (s.n < 2 || (s.p[0] != 'e' && s.p[0] != 'E'))
		return -ENOENT;
	s = (struct xb_sv){ s.p + 1, s.n - 1 };
	if (s.n > 1 && s.p[0] == '+')
		s = (struct xb_sv){ s.p + 1, s.n - 1 };
	if (xb_sv_i64(s, &n) < 0)
		return -ENOENT;
	*ret_form = XB_DECIMAL_EXPONENT;
	*ret_exponent = MAX(MIN(n, 1000), -1000);
	return 0;
}

/* A magnitude on its way to nano-units: digits * 10^exponent, and whether anything other than zero was cut off. */
struct magnitude {
	unsigned __int128 digits;
	int exponent;
	bool cut;
};

static void magnitude_shrink(struct magnitude *m)
{
	m->cut |= m->digits % 10 != 0;
	m->digits /= 10;
	m->exponent++;
}

/* Takes "123.45" off the front of *s. */
static int magnitude_parse(struct xb_sv *s, struct magnitude *ret)
{
	struct magnitude m = {};
	bool point = false;
	size_t i;

	for (i = 0; i < s->n; i++) {
		char c = s->p[i];

		if (c == '.' && !point) {
			point = true;
		} else if (c < '0' || c > '9') {
			break;
		} else if (m.digits < (unsigned __int128)decimal_max / 10) {
			m.digits = m.digits * 10 + (unsigned)(c - '0');
			m.exponent -= point;
		} else {
			m.cut |= c != '0';
			m.exponent += !point;
		}
	}
	if (!i)
		return -EINVAL;
	*s = (struct xb_sv){ s->p + i, s->n - i };
	*ret = m;
	return 0;
}

static __int128 magnitude_nano(struct magnitude m, enum xb_quantity_form form, int exponent)
{
	const __int128 max = form == XB_BINARY_SI ? BINARY_MAX : decimal_max;

	if (form == XB_BINARY_SI) {
		while (m.digits >> 67)
			magnitude_shrink(&m);
		m.digits <<= exponent;
		exponent = 0;
	}
	m.exponent += exponent + 9;
	while (m.exponent < 0 && m.digits)
		magnitude_shrink(&m);
	if (m.cut)
		m.digits++;
	for (; m.exponent > 0 && m.digits; m.exponent--) {
		if (m.digits > (unsigned __int128)max / 10)
			return max;
		m.digits *= 10;
	}
	return m.digits > (unsigned __int128)max ? max : (__int128)m.digits;
}

int xb_quantity_parse(struct xb_sv text, struct xb_quantity *ret)
{
	enum xb_quantity_form form;
	struct magnitude m;
	bool negative = false;
	int exponent, r;
	size_t i = 0;

	if (text.n && (text.p[0] == '-' || text.p[0] == '+')) {
		negative = text.p[0] == '-';
		text = (struct xb_sv){ text.p + 1, text.n - 1 };
	}
	r = magnitude_parse(&text, &m);
	if (r < 0)
		return r;

	while (i < text.n && strchr("eEinumkKMGTP", text.p[i]) && text.p[i])
		i++;
	if (i < text.n && (text.p[i] == '-' || text.p[i] == '+'))
		i++;
	while (i < text.n && text.p[i] >= '0' && text.p[i] <= '9')
		i++;
	if (i < text.n)
		return -EINVAL;
	r = suffix_parse(text, &form, &exponent);
	if (r < 0)
		return r;

	ret->nano = magnitude_nano(m, form, exponent);
	/* as upstream: a fraction of one is never written with a binary suffix */
	ret->form = form == XB_BINARY_SI && ret->nano < NANO && ret->nano > 0 ? XB_DECIMAL_SI : form;
	if (negative)
		ret->nano = -ret->nano;
	return 0;
}

static void add_int128(struct xb_buf *out, __int128 n)
{
	char digits[48], *p = digits + sizeof(digits);
	unsigned __int128 left = n < 0 ? -(unsigned __int128)n : (unsigned __int128)n;

	do
		*--p = '0' + (char)(left % 10);
	while (left /= 10);
	if (n < 0)
		*--p = '-';
	xb_buf_add(out, p, (size_t)(digits + sizeof(digits) - p));
}

static bool binary_fits(const struct xb_quantity *q)
{
	const __int128 units = q->nano / NANO;

	return q->nano % NANO == 0 && (units <= -1024 || units >= 1024);
}

void xb_quantity_write(const struct xb_quantity *q, struct xb_buf *out)
{
	enum xb_quantity_form form = q->form;
	__int128 n = q->nano;
	int exponent = -9;

	if (!n) {
		xb_buf_addc(out, '0');
		return;
	}
	if (form == XB_BINARY_SI && binary_fits(q)) {
		for (n /= NANO, exponent = 0; n % 1024 == 0 && exponent < 60; exponent += 10)
			n /= 1024;
		add_int128(out, n);
		if (exponent)
			xb_buf_adds(out, suffix_text(XB_BINARY_SI, exponent));
		return;
	}
	for (; n % 1000 == 0 && (form == XB_DECIMAL_EXPONENT || exponent < 18); exponent += 3)
		n /= 1000;
	add_int128(out, n);
	if (form != XB_DECIMAL_EXPONENT)
		xb_buf_adds(out, suffix_text(XB_DECIMAL_SI, exponent));
	else if (exponent)
		xb_buf_addf(out, "e%d", exponent);
}

int xb_quantity_cmp(const struct xb_quantity *a, const struct xb_quantity *b)
{
	return (a->nano > b->nano) - (a->nano < b->nano);
}

static int64_t scaled(__int128 nano, int64_t unit)
{
	__int128 n = nano / unit;

	if (nano % unit)
		n += nano < 0 ? -1 : 1;
	return n > INT64_MAX ? INT64_MAX : n < INT64_MIN ? INT64_MIN : (int64_t)n;
}

int64_t xb_quantity_value(const struct xb_quantity *q)
{
	return scaled(q->nano, NANO);
}

int64_t xb_quantity_milli(const struct xb_quantity *q)
{
	return scaled(q->nano, NANO / 1000);
}
