/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "xb/selector.h"
#include "xb/validate.h"
#include "xb/vec.h"

enum operator { OP_EXISTS, OP_NOT_EXISTS, OP_EQUALS, OP_DOUBLE_EQUALS, OP_NOT_EQUALS, OP_IN, OP_NOT_IN, OP_GREATER, OP_LESS };

struct requirement {
	char *key;
	enum operator op;
	XB_VEC(char *) values; /* sorted, each once */
};
struct xb_selector {
	XB_VEC(struct requirement) all; /* sorted by key */
};

struct xb_selector *xb_selector_free(struct xb_selector *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < s->all.n; i++) {
		for (size_t j = 0; j < s->all.v[i].values.n; j++)
			free(s->all.v[i].values.v[j]);
		xb_vec_done(&s->all.v[i].values);
		free(s->all.v[i].key);
	}
	xb_vec_done(&s->all);
	free(s);
	return NULL;
}

/* --- building */

static int add_key(struct xb_selector *s, struct xb_sv key, enum operator op)
{
	_cleanup_free_ char *copy = xb_sv_dup(key);
	int r;

	if (!copy)
		return -ENOMEM;
	r = xb_vec_push(&s->all, (struct requirement){ .key = copy, .op = op });
	if (r < 0)
		return r;
	TAKE_PTR(copy);
	return 0;
}

/* To the requirement added last. */
static int add_value(struct xb_selector *s, struct xb_sv value)
{
	_cleanup_free_ char *copy = xb_sv_dup(value);
	int r;

	if (!copy)
		return -ENOMEM;
	r = xb_vec_push(&s->all.v[s->all.n - 1].values, copy);
	if (r < 0)
		return r;
	TAKE_PTR(copy);
	return 0;
}

/* The first thing wrong with s, NULL when nothing is. */
static const char *fault_of(struct xb_sv s, xb_check_fn *check)
{
	const char *faults[XB_CHECK_MAX];

	return check(s, faults) ? faults[0] : NULL;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int check_values(const struct requirement *q, const char *prefix, struct xb_status *reterr)
{
	int64_t n;

	if ((q->op == OP_IN || q->op == OP_NOT_IN) && !q->values.n)
		return xb_status_bad_request(reterr, "%svalues: Invalid value: []string{}: for 'in', 'notin' operators, values set can't be empty",
					     prefix);
	if ((q->op == OP_EXISTS || q->op == OP_NOT_EXISTS) && q->values.n)
		return xb_status_bad_request(reterr, "%svalues: Invalid value: values set must be empty for exists and does not exist", prefix);
	for (size_t i = 0; i < q->values.n; i++) {
		const struct xb_sv value = xb_sv(q->values.v[i]);
		const char *fault = fault_of(value, xb_check_label_value);

		if ((q->op == OP_GREATER || q->op == OP_LESS) && xb_sv_i64(value, &n) < 0)
			return xb_status_bad_request(reterr, "%svalues[%zu]: Invalid value: \"%s\": for 'Gt', 'Lt' operators, the value must be an integer",
						     prefix, i, value.p);
		if (fault)
			return xb_status_bad_request(reterr, "%svalues[%zu][%s]: Invalid value: \"%s\": %s", prefix, i, q->key, value.p, fault);
	}
	return 0;
}

/* Checks the requirement added last and puts its values in order. */
static int finish_requirement(struct xb_selector *s, const char *prefix, struct xb_status *reterr)
{
	struct requirement *q = &s->all.v[s->all.n - 1];
	const char *fault = fault_of(xb_sv(q->key), xb_check_qualified_name);
	size_t kept = 0;

	if (fault)
		return xb_status_bad_request(reterr, "%skey: Invalid value: \"%s\": %s", prefix, q->key, fault);
	if (q->values.n)
		qsort(q->values.v, q->values.n, sizeof(*q->values.v), by_text);
	for (size_t i = 0; i < q->values.n; i++) {
		if (kept && !strcmp(q->values.v[kept - 1], q->values.v[i]))
			free(q->values.v[i]);
		else
			q->values.v[kept++] = q->values.v[i];
	}
	q->values.n = kept;
	return check_values(q, prefix, reterr);
}

static int by_requirement_key(const void *a, const void *b)
{
	return strcmp(((const struct requirement *)a)->key, ((const struct requirement *)b)->key);
}

/* An empty selector becomes NULL, which matches everything. */
static void finish(struct xb_selector **s, struct xb_selector **ret)
{
	if (!(*s)->all.n) {
		*ret = NULL;
		return;
	}
	qsort((*s)->all.v, (*s)->all.n, sizeof(*(*s)->all.v), by_requirement_key);
	*ret = TAKE_PTR(*s);
}

/* --- the text form: a requirement is read with one token of look-ahead */

enum token { T_END, T_NAME, T_NOT, T_OPEN, T_CLOSE, T_COMMA, T_EQUALS, T_DOUBLE_EQUALS, T_NOT_EQUALS, T_GREATER, T_LESS, T_IN, T_NOT_IN };

struct parser {
	struct xb_sv rest;
	enum token token;  /* the next one */
	struct xb_sv text; /* and how it is written */
	struct xb_selector *s;
	struct xb_status *reterr;
};

static enum token symbol_token(struct xb_sv s, size_t *ret_length)
{
	static const struct {
		const char *text;
		enum token token;
	} symbols[] = { /* longer ones first */
		{ "!=", T_NOT_EQUALS }, { "==", T_DOUBLE_EQUALS }, { "!", T_NOT }, { "=", T_EQUALS }, { "(", T_OPEN }, { ")", T_CLOSE },
		{ ",", T_COMMA }, { ">", T_GREATER }, { "<", T_LESS },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(symbols); i++)
		if (xb_sv_starts(s, symbols[i].text)) {
			*ret_length = strlen(symbols[i].text);
			return symbols[i].token;
		}
	return T_NAME;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void advance(struct parser *p)
{
	struct xb_sv s = p->rest;
	size_t n = 0;

	while (s.n && is_space(s.p[0]))
		s = (struct xb_sv){ s.p + 1, s.n - 1 };
	p->text = p->rest = (struct xb_sv){};
	p->token = T_END;
	if (!s.n)
		return;
	p->token = symbol_token(s, &n);
	if (p->token == T_NAME)
		while (n < s.n && !is_space(s.p[n]) && !strchr("=!(),><", s.p[n]))
			n++;
	p->text = (struct xb_sv){ s.p, n };
	p->rest = (struct xb_sv){ s.p + n, s.n - n };
	if (p->token == T_NAME && xb_sv_is(p->text, "in"))
		p->token = T_IN;
	else if (p->token == T_NAME && xb_sv_is(p->text, "notin"))
		p->token = T_NOT_IN;
}

/* "in" and "notin" are operators only where an operator is expected. */
static bool at_name(const struct parser *p)
{
	return p->token == T_NAME || p->token == T_IN || p->token == T_NOT_IN;
}

static int unexpected(const struct parser *p, const char *expected)
{
	return xb_status_bad_request(p->reterr, "unable to parse requirement: found '%.*s', expected: %s", XB_SV_ARG(p->text), expected);
}

static int parse_operator(struct parser *p, enum operator *ret)
{
	switch (p->token) {
	case T_IN:
		*ret = OP_IN;
		break;
	case T_NOT_IN:
		*ret = OP_NOT_IN;
		break;
	case T_EQUALS:
		*ret = OP_EQUALS;
		break;
	case T_DOUBLE_EQUALS:
		*ret = OP_DOUBLE_EQUALS;
		break;
	case T_NOT_EQUALS:
		*ret = OP_NOT_EQUALS;
		break;
	case T_GREATER:
		*ret = OP_GREATER;
		break;
	case T_LESS:
		*ret = OP_LESS;
		break;
	default:
		return unexpected(p, "in, notin, =, ==, !=, gt, lt");
	}
	advance(p);
	return 0;
}

/* "(a,b)": a place left empty is the empty value. */
static int parse_values(struct parser *p)
{
	int r;

	if (p->token != T_OPEN)
		return xb_status_bad_request(p->reterr, "unable to parse requirement: found '%.*s' expected: '('", XB_SV_ARG(p->text));
	do {
		advance(p);
		r = add_value(p->s, at_name(p) ? p->text : XB_SV(""));
		if (r < 0)
			return r;
		if (at_name(p))
			advance(p);
	} while (p->token == T_COMMA);
	if (p->token != T_CLOSE)
		return unexpected(p, "',' or ')'");
	advance(p);
	return 0;
}

static int parse_value(struct parser *p)
{
	int r;

	if (p->token == T_END || p->token == T_COMMA)
		return add_value(p->s, XB_SV(""));
	if (!at_name(p))
		return unexpected(p, "identifier");
	r = add_value(p->s, p->text);
	advance(p);
	return r;
}

static int parse_requirement(struct parser *p)
{
	const bool negated = p->token == T_NOT;
	enum operator op = negated ? OP_NOT_EXISTS : OP_EXISTS;
	struct xb_sv key;
	const char *fault;
	int r;

	if (negated)
		advance(p);
	if (!at_name(p))
		return unexpected(p, "identifier");
	key = p->text;
	fault = fault_of(key, xb_check_qualified_name);
	if (fault) /* upstream has no path here, which Go prints so */
		return xb_status_bad_request(p->reterr, "unable to parse requirement: <nil>: Invalid value: \"%.*s\": %s", XB_SV_ARG(key), fault);
	advance(p);
	if (!negated && p->token != T_END && p->token != T_COMMA) {
		r = parse_operator(p, &op);
		if (r < 0)
			return r;
	}
	r = add_key(p->s, key, op);
	if (r == 0 && (op == OP_IN || op == OP_NOT_IN))
		r = parse_values(p);
	else if (r == 0 && op != OP_EXISTS && op != OP_NOT_EXISTS)
		r = parse_value(p);
	return r < 0 ? r : finish_requirement(p->s, "unable to parse requirement: ", p->reterr);
}

int xb_selector_parse(struct xb_sv text, struct xb_selector **ret, struct xb_status *reterr)
{
	_cleanup_(xb_selector_freep) struct xb_selector *s = calloc(1, sizeof(*s));
	struct parser p = { .rest = text, .s = s, .reterr = reterr };
	int r;

	if (!s)
		return -ENOMEM;
	for (advance(&p); p.token != T_END;) {
		if (!at_name(&p) && p.token != T_NOT)
			return xb_status_bad_request(reterr, "found '%.*s', expected: !, identifier, or 'end of string'", XB_SV_ARG(p.text));
		r = parse_requirement(&p);
		if (r < 0)
			return r;
		if (p.token == T_END)
			break;
		if (p.token != T_COMMA)
			return xb_status_bad_request(reterr, "found '%.*s', expected: ',' or 'end of string'", XB_SV_ARG(p.text));
		advance(&p);
		if (!at_name(&p) && p.token != T_NOT)
			return xb_status_bad_request(reterr, "found '%.*s', expected: identifier after ','", XB_SV_ARG(p.text));
	}
	finish(&s, ret);
	return 0;
}

/* --- from objects */

static int add_decoded(struct xb_selector *s, struct xb_sv text, bool escaped, int (*add)(struct xb_selector *s, struct xb_sv text))
{
	_cleanup_buf_ struct xb_buf plain = {};

	if (!escaped)
		return add(s, text);
	xb_json_unescape(text, &plain);
	return plain.err ? plain.err : add(s, xb_buf_sv(&plain));
}

static int add_equals_key(struct xb_selector *s, struct xb_sv key)
{
	return add_key(s, key, OP_EQUALS);
}

static int add_map(struct xb_selector *s, struct xb_jv labels)
{
	int r;

	for (struct xb_jit it = xb_jv_iter(labels); xb_jit_next(&it);) {
		r = add_decoded(s, it.key, it.key_escaped, add_equals_key);
		if (r == 0)
			r = add_decoded(s, xb_jv_text(it.value), xb_jv_escaped(it.value), add_value);
		if (r < 0)
			return r;
	}
	return 0;
}

int xb_selector_from_map(struct xb_jv labels, struct xb_selector **ret)
{
	_cleanup_(xb_selector_freep) struct xb_selector *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	r = add_map(s, labels);
	if (r < 0)
		return r;
	finish(&s, ret);
	return 0;
}

static int add_expression(struct xb_selector *s, struct xb_jv expression, struct xb_status *reterr)
{
	static const struct {
		const char *name;
		enum operator op;
	} operators[] = { { "In", OP_IN }, { "NotIn", OP_NOT_IN }, { "Exists", OP_EXISTS }, { "DoesNotExist", OP_NOT_EXISTS } };
	const struct xb_jv key = xb_jv_get(expression, "key"), operator = xb_jv_get(expression, "operator");
	unsigned i = 0;
	int r;

	while (i < ARRAY_SIZE(operators) && !xb_jv_streq(operator, xb_sv(operators[i].name)))
		i++;
	if (i == ARRAY_SIZE(operators))
		return xb_status_bad_request(reterr, "\"%.*s\" is not a valid label selector operator", XB_SV_ARG(xb_jv_text(operator)));
	r = add_decoded(s, xb_jv_text(key), xb_jv_escaped(key), add_equals_key);
	if (r < 0)
		return r;
	s->all.v[s->all.n - 1].op = operators[i].op;
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(expression, "values")); xb_jit_next(&it);) {
		r = add_decoded(s, xb_jv_text(it.value), xb_jv_escaped(it.value), add_value);
		if (r < 0)
			return r;
	}
	return finish_requirement(s, "", reterr);
}

int xb_selector_from_label_selector(struct xb_jv selector, struct xb_selector **ret, struct xb_status *reterr)
{
	_cleanup_(xb_selector_freep) struct xb_selector *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	r = add_map(s, xb_jv_get(selector, "matchLabels"));
	if (r < 0)
		return r;
	for (size_t i = 0; i < s->all.n; i++) {
		const char *fault = fault_of(xb_sv(s->all.v[i].key), xb_check_qualified_name);

		if (fault)
			return xb_status_bad_request(reterr, "key: Invalid value: \"%s\": %s", s->all.v[i].key, fault);
		r = check_values(&s->all.v[i], "", reterr);
		if (r < 0)
			return r;
	}
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(selector, "matchExpressions")); xb_jit_next(&it);) {
		r = add_expression(s, it.value, reterr);
		if (r < 0)
			return r;
	}
	finish(&s, ret);
	return 0;
}

/* --- use */

static bool compares(const struct requirement *q, struct xb_jv label)
{
	int64_t wanted, found;

	if (xb_sv_i64(xb_sv(q->values.v[0]), &wanted) < 0 || xb_sv_i64(xb_jv_text(label), &found) < 0)
		return false;
	return q->op == OP_GREATER ? found > wanted : found < wanted;
}

static bool matches(const struct requirement *q, struct xb_jv labels)
{
	const struct xb_jv label = xb_jv_getsv(labels, xb_sv(q->key));
	bool among = false;

	if (!xb_jv_is(label))
		return q->op == OP_NOT_EXISTS || q->op == OP_NOT_EQUALS || q->op == OP_NOT_IN;
	if (q->op == OP_EXISTS || q->op == OP_NOT_EXISTS)
		return q->op == OP_EXISTS;
	if (q->op == OP_GREATER || q->op == OP_LESS)
		return compares(q, label);
	for (size_t i = 0; i < q->values.n && !among; i++)
		among = xb_jv_streq(label, xb_sv(q->values.v[i]));
	return among == !(q->op == OP_NOT_EQUALS || q->op == OP_NOT_IN);
}

bool xb_selector_matches(const struct xb_selector *s, struct xb_jv labels)
{
	for (size_t i = 0; s && i < s->all.n; i++)
		if (!matches(&s->all.v[i], labels))
			return false;
	return true;
}

static bool is_pair(const struct requirement *q)
{
	return q->values.n == 1 && (q->op == OP_EQUALS || q->op == OP_DOUBLE_EQUALS || q->op == OP_IN);
}

bool xb_selector_pair(const struct xb_selector *s, size_t i, struct xb_sv *ret_key, struct xb_sv *ret_value)
{
	for (size_t at = 0; s && at < s->all.n; at++) {
		if (!is_pair(&s->all.v[at]) || i--)
			continue;
		*ret_key = xb_sv(s->all.v[at].key);
		*ret_value = xb_sv(s->all.v[at].values.v[0]);
		return true;
	}
	return false;
}

void xb_selector_write(const struct xb_selector *s, struct xb_buf *out)
{
	static const char *const between[] = {
		[OP_EXISTS] = "", [OP_NOT_EXISTS] = "", [OP_EQUALS] = "=", [OP_DOUBLE_EQUALS] = "==", [OP_NOT_EQUALS] = "!=",
		[OP_IN] = " in (", [OP_NOT_IN] = " notin (", [OP_GREATER] = ">", [OP_LESS] = "<",
	};

	for (size_t i = 0; s && i < s->all.n; i++) {
		const struct requirement *q = &s->all.v[i];

		xb_buf_addf(out, "%s%s%s%s", i ? "," : "", q->op == OP_NOT_EXISTS ? "!" : "", q->key, between[q->op]);
		for (size_t j = 0; j < q->values.n; j++)
			xb_buf_addf(out, "%s%s", j ? "," : "", q->values.v[j]);
		if (q->op == OP_IN || q->op == OP_NOT_IN)
			xb_buf_addc(out, ')');
	}
}
