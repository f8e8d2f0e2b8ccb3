/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "xb/selector.h"
#include "xb/vec.h"

struct term {
	const char *path;   /* "spec.nodeName", of the label's row */
	const char *absent;
	bool unequal;
	char *value;
};
struct xb_field_selector {
	XB_VEC(struct term) terms;
};

static const struct xb_field_label everywhere[] = { { .name = "metadata.name" }, { .name = "metadata.namespace" }, {} };

struct xb_field_selector *xb_field_selector_free(struct xb_field_selector *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < s->terms.n; i++)
		free(s->terms.v[i].value);
	xb_vec_done(&s->terms);
	free(s);
	return NULL;
}

static const struct xb_field_label *find_label(const struct xb_field_label *labels, struct xb_sv name)
{
	for (; labels && labels->name; labels++)
		if (xb_sv_is(name, labels->name))
			return labels;
	return NULL;
}

/* The next term of *rest, up to a comma that no backslash precedes. */
static struct xb_sv take_term(struct xb_sv *rest)
{
	struct xb_sv term = { rest->p, 0 };

	while (term.n < rest->n && rest->p[term.n] != ',')
		term.n += rest->p[term.n] == '\\' && term.n + 1 < rest->n ? 2 : 1;
	*rest = (struct xb_sv){ rest->p + term.n, rest->n - term.n };
	if (rest->n)
		*rest = (struct xb_sv){ rest->p + 1, rest->n - 1 };
	return term;
}

static int unescape(struct xb_sv text, struct xb_buf *out, struct xb_status *reterr)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == ',' || text.p[i] == '=')
			return xb_status_bad_request(reterr, "invalid field selector: unescaped character in value: %d", text.p[i]);
		if (text.p[i] == '\\') {
			i++;
			if (i == text.n)
				return xb_status_bad_request(reterr, "invalid field selector: invalid escape sequence: \\");
			if (!strchr("\\,=", text.p[i]))
				return xb_status_bad_request(reterr, "invalid field selector: invalid escape sequence: \\%c", text.p[i]);
		}
		xb_buf_addc(out, text.p[i]);
	}
	return out->err;
}

static int add_term(struct xb_field_selector *s, const struct xb_field_label *allowed, struct xb_sv name, bool unequal, struct xb_sv value,
		    struct xb_status *reterr)
{
	const struct xb_field_label *label = find_label(everywhere, name);
	_cleanup_buf_ struct xb_buf plain = {};
	_cleanup_free_ char *text = NULL;
	int r;

	r = unescape(value, &plain, reterr);
	if (r < 0)
		return r;
	if (!label)
		label = find_label(allowed, name);
	if (!label && allowed)
		return xb_status_bad_request(reterr, "field label not supported: %.*s", XB_SV_ARG(name));
	if (!label)
		return xb_status_bad_request(reterr, "\"%.*s\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
					     XB_SV_ARG(name));
	text = xb_sv_dup(plain.p ? xb_buf_sv(&plain) : XB_SV(""));
	if (!text)
		return -ENOMEM;
	r = xb_vec_push(&s->terms, (struct term){
		.path = label->path ? label->path : label->name,
		.absent = label->absent ? label->absent : "",
		.unequal = unequal,
		.value = text,
	});
	if (r < 0)
		return r;
	TAKE_PTR(text);
	return 0;
}

int xb_field_selector_parse(struct xb_sv text, const struct xb_field_label *allowed, struct xb_field_selector **ret,
			    struct xb_status *reterr)
{
	_cleanup_(xb_field_selector_freep) struct xb_field_selector *s = calloc(1, sizeof(*s));
	struct xb_sv rest = text;
	int r;

	if (!s)
		return -ENOMEM;
	while (rest.n) {
		const struct xb_sv term = take_term(&rest);
		size_t at = 0, op;

		if (!term.n)
			continue;
		while (at < term.n && term.p[at] != '=' && !(term.p[at] == '!' && at + 1 < term.n && term.p[at + 1] == '='))
			at++;
		if (at == term.n)
			return xb_status_bad_request(reterr, "invalid selector: '%.*s'; can't understand '%.*s'", XB_SV_ARG(text), XB_SV_ARG(term));
		op = term.p[at] == '!' || (at + 1 < term.n && term.p[at + 1] == '=') ? 2 : 1;
		r = add_term(s, allowed, (struct xb_sv){ term.p, at }, term.p[at] == '!',
			     (struct xb_sv){ term.p + at + op, term.n - at - op }, reterr);
		if (r < 0)
			return r;
	}
	*ret = s->terms.n ? TAKE_PTR(s) : NULL;
	return 0;
}

static bool has_value(const struct term *t, struct xb_jv object)
{
	struct xb_sv path = xb_sv(t->path), name;
	struct xb_jv v = object;

	while (xb_sv_split(&path, '.', &name))
		v = xb_jv_getsv(v, name);
	switch (xb_jv_type(v)) {
	case XB_JSON_STRING:
		return xb_jv_streq(v, xb_sv(t->value));
	case XB_JSON_BOOL:
	case XB_JSON_NUMBER:
		return xb_sv_is(xb_jv_bytes(v), t->value);
	default:
		return !strcmp(t->absent, t->value);
	}
}

bool xb_field_selector_matches(const struct xb_field_selector *s, struct xb_jv object)
{
	for (size_t i = 0; s && i < s->terms.n; i++)
		if (has_value(&s->terms.v[i], object) == s->terms.v[i].unequal)
			return false;
	return true;
}

struct xb_sv xb_field_selector_name(const struct xb_field_selector *s)
{
	for (size_t i = 0; s && i < s->terms.n; i++)
		if (!s->terms.v[i].unequal && !strcmp(s->terms.v[i].path, "metadata.name"))
			return xb_sv(s->terms.v[i].value);
	return (struct xb_sv){};
}
