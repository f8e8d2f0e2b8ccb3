/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <math.h>
#include <stdio.h>

#include "index.h"

enum { DEEPEST = 63 };

static int fail(struct xb_jw *w)
{
	if (!w->err)
		w->err = -EINVAL;
	return w->err;
}

/* What must stand before a value at this place. */
static int before_value(struct xb_jw *w)
{
	uint64_t level = UINT64_C(1) << w->depth;

	if (w->err)
		return w->err;
	if (w->after_key) {
		w->after_key = false;
		return 0;
	}
	if ((w->object & level) || (!w->depth && (w->comma & 1)))
		return fail(w);
	if (w->comma & level)
		xb_buf_addc(w->out, ',');
	w->comma |= level;
	return 0;
}

static void open_level(struct xb_jw *w, bool object)
{
	uint64_t level;

	if (before_value(w))
		return;
	if (w->depth == DEEPEST) {
		fail(w);
		return;
	}
	level = UINT64_C(1) << ++w->depth;
	w->comma &= ~level;
	w->object = object ? w->object | level : w->object & ~level;
	xb_buf_addc(w->out, object ? '{' : '[');
}

void xb_jw_object(struct xb_jw *w)
{
	open_level(w, true);
}

void xb_jw_array(struct xb_jw *w)
{
	open_level(w, false);
}

void xb_jw_end(struct xb_jw *w)
{
	if (w->err)
		return;
	if (!w->depth || w->after_key) {
		fail(w);
		return;
	}
	xb_buf_addc(w->out, w->object >> w->depth & 1 ? '}' : ']');
	w->depth--;
}

void xb_jw_key(struct xb_jw *w, const char *key)
{
	xb_jw_keysv(w, xb_sv(key));
}

void xb_jw_keysv(struct xb_jw *w, struct xb_sv key)
{
	uint64_t level = UINT64_C(1) << w->depth;

	if (w->err)
		return;
	if (w->after_key || !(w->object & level)) {
		fail(w);
		return;
	}
	if (w->comma & level)
		xb_buf_addc(w->out, ',');
	w->comma |= level;
	xb_json_quote(key, w->out);
	xb_buf_addc(w->out, ':');
	w->after_key = true;
}

static void add_escape(struct xb_buf *out, unsigned char c)
{
	static const char escapes[128] = { ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't',
					   ['"'] = '"', ['\\'] = '\\' };
	char text[7] = { '\\', escapes[c & 0x7f] };

	if (c >= 0x80)
		xb_buf_adds(out, "\xef\xbf\xbd");
	else if (escapes[c])
		xb_buf_add(out, text, 2);
	else
		xb_buf_addf(out, "\\u%04x", c);
}

/* The rest of a string and its closing quote. */
static void quote_escaped(struct xb_sv s, struct xb_buf *out)
{
	size_t run = 0, at = 0, n;

	while (at < s.n) {
		unsigned char c = s.p[at];

		n = s.n - at < 8 ? 0 : xb_json_plain8(s.p + at);
		if (n) {
			at += n;
			continue;
		}
		n = c >= 0x80 ? xb_sv_utf8((struct xb_sv){ s.p + at, s.n - at }) : c >= 0x20 && c != '"' && c != '\\';
		if (n) {
			at += n;
			continue;
		}
		xb_buf_add(out, s.p + run, at - run);
		add_escape(out, c);
		run = ++at;
	}
	if (at > run)
		xb_buf_add(out, s.p + run, at - run);
	xb_buf_addc(out, '"');
}

/* Hardly any string needs an escape: it is copied first; then the copy is searched, which its closing quote ends. */
void xb_json_quote(struct xb_sv s, struct xb_buf *out)
{
	static const char quote[8] = "\""; /* with the zeroes that a search reads behind it */
	char *copy, *end;
	const char *at;
	size_t n = 1;

	if (xb_buf_reserve(out, s.n + 1 + sizeof(quote)))
		return;
	copy = out->p + out->n;
	*copy++ = '"';
	if (s.n)
		memcpy(copy, s.p, s.n);
	end = copy + s.n;
	memcpy(end, quote, sizeof(quote));
	for (at = copy; n; at += n) {
		at = xb_json_skip_plain(at);
		if (at == end) {
			out->n += s.n + 2;
			return;
		}
		n = (unsigned char)*at < 0x80 ? 0 : xb_sv_utf8((struct xb_sv){ at, end - at });
	}
	out->n = at - out->p;
	out->p[out->n] = '\0';
	quote_escaped((struct xb_sv){ s.p + (at - copy), end - at }, out);
}

void xb_jw_str(struct xb_jw *w, const char *cstr)
{
	xb_jw_sv(w, xb_sv(cstr));
}

void xb_jw_sv(struct xb_jw *w, struct xb_sv s)
{
	if (!before_value(w))
		xb_json_quote(s, w->out);
}

void xb_jw_int(struct xb_jw *w, int64_t n)
{
	char digits[24];

	if (!before_value(w))
		xb_buf_add(w->out, digits, snprintf(digits, sizeof(digits), "%lld", (long long)n));
}

void xb_jw_bool(struct xb_jw *w, bool b)
{
	xb_jw_raw(w, b ? XB_SV("true") : XB_SV("false"));
}

void xb_jw_null(struct xb_jw *w)
{
	xb_jw_raw(w, XB_SV("null"));
}

/* The shortest digits that read back as d, with an exponent only below 1e-6 and from 1e21 on, as Go writes it. */
void xb_jw_double(struct xb_jw *w, double d)
{
	int precision = 0, exponent, n;
	char text[64];

	if (!isfinite(d)) {
		fail(w);
		return;
	}
	do
		n = snprintf(text, sizeof(text), "%.*e", precision, d);
	while (strtod(text, NULL) != d && ++precision < 17);
	exponent = atoi(strchr(text, 'e') + 1);
	if (exponent >= 21 || exponent < -6) {
		if (text[n - 2] == '0' && text[n - 3] < '0') /* a sign: of two digits the first is 0 */
			memmove(text + n - 2, text + n - 1, 2);
	} else if (exponent <= precision) {
		snprintf(text, sizeof(text), "%.*f", precision - exponent, d);
	} else {
		char *e = strchr(text, 'e'), *dot = strchr(text, '.');

		memset(e, '0', exponent - precision);
		e[exponent - precision] = '\0';
		if (dot)
			memmove(dot, dot + 1, strlen(dot));
	}
	xb_jw_raw(w, xb_sv(text));
}

void xb_jw_raw(struct xb_jw *w, struct xb_sv json)
{
	if (!before_value(w))
		xb_buf_addsv(w->out, json);
}

void xb_jw_kstr(struct xb_jw *w, const char *key, const char *cstr)
{
	xb_jw_key(w, key);
	xb_jw_str(w, cstr);
}

void xb_jw_ksv(struct xb_jw *w, const char *key, struct xb_sv s)
{
	xb_jw_key(w, key);
	xb_jw_sv(w, s);
}

void xb_jw_kint(struct xb_jw *w, const char *key, int64_t n)
{
	xb_jw_key(w, key);
	xb_jw_int(w, n);
}

void xb_jw_kbool(struct xb_jw *w, const char *key, bool b)
{
	xb_jw_key(w, key);
	xb_jw_bool(w, b);
}

int xb_jw_finish(struct xb_jw *w)
{
	if (!w->err && (w->depth || !(w->comma & 1)))
		fail(w);
	return w->err ? w->err : w->out->err;
}
