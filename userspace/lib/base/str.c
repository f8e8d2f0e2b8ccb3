/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>

#include "xb/str.h"

int xb_sv_cmp(struct xb_sv a, struct xb_sv b)
{
	size_t n = MIN(a.n, b.n);
	int r = n ? memcmp(a.p, b.p, n) : 0;

	return r ? r : (a.n > b.n) - (a.n < b.n);
}

bool xb_sv_starts(struct xb_sv s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.n >= n && (!n || !memcmp(s.p, prefix, n));
}

bool xb_sv_ends(struct xb_sv s, const char *suffix)
{
	size_t n = strlen(suffix);

	return s.n >= n && (!n || !memcmp(s.p + s.n - n, suffix, n));
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct xb_sv xb_sv_trim(struct xb_sv s)
{
	for (; s.n && is_space(s.p[0]); s.p++)
		s.n--;
	while (s.n && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool xb_sv_split(struct xb_sv *rest, char sep, struct xb_sv *ret_part)
{
	const char *cut;

	if (!rest->p)
		return false;
	cut = memchr(rest->p, sep, rest->n);
	if (!cut) {
		*ret_part = *rest;
		*rest = (struct xb_sv){};
		return true;
	}
	*ret_part = (struct xb_sv){ rest->p, cut - rest->p };
	*rest = (struct xb_sv){ cut + 1, rest->n - ret_part->n - 1 };
	return true;
}

size_t xb_sv_utf8(struct xb_sv s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	unsigned char low = 0x80, high = 0xbf;
	size_t n;

	if (!s.n)
		return 0;
	if (p[0] < 0x80)
		return 1;
	n = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
	if (!n || s.n < n)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

char *xb_sv_dup(struct xb_sv s)
{
	char *copy = malloc(s.n + 1);

	if (!copy)
		return NULL;
	if (s.n)
		memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	return copy;
}

int xb_sv_u64(struct xb_sv s, uint64_t *ret)
{
	uint64_t sum = 0;

	if (!s.n)
		return -EINVAL;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return -EINVAL;
	for (size_t i = 0; i < s.n; i++)
		if (__builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, s.p[i] - '0', &sum))
			return -ERANGE;
	*ret = sum;
	return 0;
}

int xb_sv_i64(struct xb_sv s, int64_t *ret)
{
	bool minus = s.n && s.p[0] == '-';
	uint64_t sum;
	int r;

	if (minus || (s.n && s.p[0] == '+'))
		s = (struct xb_sv){ s.p + 1, s.n - 1 };
	r = xb_sv_u64(s, &sum);
	if (r < 0)
		return r;
	if (sum > (uint64_t)INT64_MAX + minus)
		return -ERANGE;
	*ret = minus ? (int64_t)(0 - sum) : (int64_t)sum;
	return 0;
}

static int grow(struct xb_buf *b, size_t more)
{
	size_t need, cap;
	char *p;

	if (b->err)
		return b->err;
	if (__builtin_add_overflow(b->n, more, &need) || need > SIZE_MAX / 4)
		return b->err = -ENOMEM;
	cap = MAX(need + 1, b->cap < 4096 ? b->cap * 2 : b->cap + b->cap / 2);
	cap = MAX(cap, (size_t)64);
	p = realloc(b->p, cap);
	if (!p)
		return b->err = -ENOMEM;
	p[b->n] = '\0';
	b->p = p;
	b->cap = cap;
	return 0;
}

int xb_buf_reserve(struct xb_buf *b, size_t more)
{
	return !b->err && more < b->cap - b->n ? 0 : grow(b, more);
}

void xb_buf_add(struct xb_buf *b, const void *bytes, size_t n)
{
	if (!n || xb_buf_reserve(b, n))
		return;
	memcpy(b->p + b->n, bytes, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void xb_buf_adds(struct xb_buf *b, const char *cstr)
{
	xb_buf_add(b, cstr, strlen(cstr));
}

struct xb_sv xb_sv_decimal(uint64_t n, char digits[XB_DIGITS_MAX])
{
	char *p = digits + XB_DIGITS_MAX;

	do
		*--p = '0' + n % 10;
	while (n /= 10);
	return (struct xb_sv){ p, digits + XB_DIGITS_MAX - p };
}

void xb_buf_addu(struct xb_buf *b, uint64_t n)
{
	char digits[XB_DIGITS_MAX];

	xb_buf_addsv(b, xb_sv_decimal(n, digits));
}

void xb_buf_addsv(struct xb_buf *b, struct xb_sv s)
{
	xb_buf_add(b, s.p, s.n);
}

void xb_buf_addf(struct xb_buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	xb_buf_addv(b, fmt, ap);
	va_end(ap);
}

void xb_buf_addv(struct xb_buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	if (xb_buf_reserve(b, 64))
		return;
	va_copy(again, ap);
	n = vsnprintf(b->p + b->n, b->cap - b->n, fmt, ap);
	if (n >= 0 && (size_t)n >= b->cap - b->n && !xb_buf_reserve(b, n))
		n = vsnprintf(b->p + b->n, b->cap - b->n, fmt, again);
	va_end(again);
	if (n < 0)
		b->err = -ENOMEM;
	else if (!b->err)
		b->n += n;
	b->p[b->n] = '\0';
}

void xb_buf_addq(struct xb_buf *b, struct xb_sv s)
{
	static const char escapes[32] = { ['\a'] = 'a', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n',
					  ['\r'] = 'r', ['\t'] = 't', ['\v'] = 'v' };

	xb_buf_addc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = s.p[i];

		if (c == '"' || c == '\\')
			xb_buf_addf(b, "\\%c", c);
		else if (c < 0x20 && escapes[c])
			xb_buf_addf(b, "\\%c", escapes[c]);
		else if (c < 0x20 || c == 0x7f)
			xb_buf_addf(b, "\\x%02x", c);
		else
			xb_buf_addc(b, c);
	}
	xb_buf_addc(b, '"');
}

void xb_buf_clear(struct xb_buf *b)
{
	b->n = 0;
	b->err = 0;
	if (b->p)
		b->p[0] = '\0';
}

void xb_buf_done(struct xb_buf *b)
{
	free(b->p);
	*b = (struct xb_buf){};
}

char *xb_buf_steal(struct xb_buf *b)
{
	char *p = NULL;

	if (!b->err && !xb_buf_reserve(b, 0))
		p = TAKE_PTR(b->p);
	xb_buf_done(b);
	return p;
}
