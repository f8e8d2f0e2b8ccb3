/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <math.h>
#include <stdio.h>

#include "yaml_scalar.h"

#define CORE "tag:yaml.org,2002:"

struct scalar {
	enum xb_json_type type;
	bool b, fraction;
	struct xb_sv text; /* of a number, as JSON */
	char digits[64];
};

static bool is_one_of(struct xb_sv s, const char *const words[])
{
	for (; *words; words++)
		if (xb_sv_is(s, *words))
			return true;
	return false;
}

static bool look_up(struct xb_sv s, struct scalar *ret)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
	static const char *const trues[] = { "true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", NULL };
	static const char *const falses[] = { "false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF", NULL };

	if (s.n > 5)
		return false;
	ret->b = is_one_of(s, trues);
	if (ret->b || is_one_of(s, falses))
		ret->type = XB_JSON_BOOL;
	else if (is_one_of(s, nulls))
		ret->type = XB_JSON_NULL;
	else
		return false;
	return true;
}

static bool is_infinite(struct xb_sv s)
{
	static const char *const words[] = { ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF",
					     ".nan", ".NaN", ".NAN", NULL };

	return is_one_of(s, words);
}

/* Go's strconv.ParseInt and ParseUint with base 0: a sign, 0x 0o 0b or a plain 0 for octal, digits; within 64 bits. */
static bool parse_int(const char *s, struct scalar *ret)
{
	bool minus = *s == '-';
	unsigned base = 10;
	uint64_t sum = 0;

	s += minus || *s == '+';
	if (!*s)
		return false;
	if (s[0] == '0' && s[1] && s[2] && strchr("xXoObB", s[1])) {
		base = strchr("xX", s[1]) ? 16 : strchr("oO", s[1]) ? 8 : 2;
		s += 2;
	} else if (s[0] == '0') {
		base = 8;
		s++;
	}
	for (; *s; s++) {
		unsigned digit = *s >= '0' && *s <= '9' ? *s - '0' : (*s | 0x20) >= 'a' ? (*s | 0x20) - 'a' + 10 : 99;

		if (digit >= base || __builtin_mul_overflow(sum, base, &sum) || __builtin_add_overflow(sum, digit, &sum))
			return false;
	}
	if (minus && sum > (uint64_t)INT64_MAX + 1)
		return false;
	ret->text = (struct xb_sv){ ret->digits, snprintf(ret->digits, sizeof(ret->digits), "%s%llu", minus && sum ? "-" : "",
							  (unsigned long long)sum) };
	return true;
}

static const char *skip_digits(const char *s)
{
	while (*s >= '0' && *s <= '9')
		s++;
	return s;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool looks_float(const char *s)
{
	const char *from, *to;

	s += *s == '-' || *s == '+';
	to = skip_digits(s);
	from = to;
	if (*to == '.')
		to = skip_digits(to + 1);
	if (to == s || (from == s && to == s + 1))
		return false;
	if (*to == 'e' || *to == 'E') {
		to++;
		to += *to == '-' || *to == '+';
		from = to;
		to = skip_digits(to);
		if (to == from)
			return false;
	}
	return !*to;
}

static bool parse_float(const char *s, struct scalar *ret)
{
	_cleanup_buf_ struct xb_buf json = {};
	struct xb_jw w = XB_JW(&json);
	double d;

	if (!looks_float(s))
		return false;
	d = strtod(s, NULL);
	if (!isfinite(d))
		return false;
	xb_jw_double(&w, d);
	if (xb_jw_finish(&w) < 0 || json.n > sizeof(ret->digits))
		return false;
	memcpy(ret->digits, json.p, json.n);
	ret->text = (struct xb_sv){ ret->digits, json.n };
	ret->fraction = true;
	return true;
}

static bool parse_number(struct xb_sv s, struct scalar *ret)
{
	char plain[512]; /* a longer run of digits stays a string */
	size_t n = 0;

	if (!s.n || s.n >= sizeof(plain) || !strchr("+-.0123456789", s.p[0]) || memchr(s.p, '\0', s.n))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '_' || s.p[0] == '.')
			plain[n++] = s.p[i];
	plain[n] = '\0';
	if (!(s.p[0] != '.' && parse_int(plain, ret)) && !parse_float(plain, ret))
		return false;
	ret->type = XB_JSON_NUMBER;
	return true;
}

static const char *short_tag(const struct scalar *s)
{
	switch (s->type) {
	case XB_JSON_NULL:
		return "!!null";
	case XB_JSON_BOOL:
		return "!!bool";
	case XB_JSON_NUMBER:
		return s->fraction ? "!!float" : "!!int";
	default:
		return "!!str";
	}
}

/* Whether a scalar that reads as s may carry the tag !!want. */
static bool tag_fits(const struct scalar *s, const char *want)
{
	return !strcmp(short_tag(s) + 2, want) || (!strcmp(want, "float") && s->type == XB_JSON_NUMBER);
}

static int resolve(struct xb_sv text, bool plain, const char *tag, struct scalar *ret, struct xb_buf *reterr)
{
	static const char *const checked[] = { CORE "null", CORE "bool", CORE "int", CORE "float", NULL };
	bool check = tag && is_one_of(xb_sv(tag), checked);

	ret->type = XB_JSON_STRING;
	if (tag && !strcmp(tag, CORE "binary")) {
		xb_buf_adds(reterr, "!!binary values are not supported");
		return -EBADMSG;
	}
	if (!check && (tag || !plain))
		return 0;
	if (is_infinite(text)) {
		xb_buf_addf(reterr, "JSON has no number for %.*s", XB_SV_ARG(text));
		return -EBADMSG;
	}
	if (!look_up(text, ret))
		(void)parse_number(text, ret);
	if (check && !tag_fits(ret, tag + strlen(CORE))) {
		xb_buf_addf(reterr, "cannot decode %s `%.*s` as a !!%s", short_tag(ret), XB_SV_ARG(text), tag + strlen(CORE));
		return -EBADMSG;
	}
	return 0;
}

int xb_yaml_scalar(struct xb_arena *a, struct xb_sv text, bool plain, const char *tag, struct xb_tree **ret,
		   struct xb_buf *reterr)
{
	struct scalar s = {};
	struct xb_tree *n;
	int r = resolve(text, plain, tag, &s, reterr);

	if (r < 0)
		return r;
	if (s.type == XB_JSON_STRING || s.type == XB_JSON_NUMBER) {
		text = xb_arena_sv(a, s.type == XB_JSON_STRING ? text : s.text);
		n = text.p ? xb_tree_str(a, text) : NULL;
	} else {
		n = xb_tree_bool(a, s.b);
	}
	if (!n)
		return -ENOMEM;
	n->type = s.type;
	*ret = n;
	return 0;
}
