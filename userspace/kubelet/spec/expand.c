/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "expand.h"
#include "spec.h"

int expand(struct xb_sv text, const char *(*lookup)(const void *arg, struct xb_sv name), const void *arg, bool strict,
	   struct xb_buf *out)
{
	const char *p = text.p, *end = text.p + text.n, *dollar, *close = text.p;
	size_t start = out->n;

	while (p < end && (dollar = memchr(p, '$', end - p))) {
		struct xb_sv name;
		const char *value;

		xb_buf_add(out, p, dollar - p);
		p = dollar + 1;
		/* once none is found there is none further on: a text of many "$(" is searched once */
		if (close && p < end && *p == '(')
			close = memchr(p, ')', end - p);
		if (!close || p == end || *p != '(') {
			xb_buf_addc(out, '$');
			if (p < end && *p != '$')
				xb_buf_addc(out, *p);
			p++;
			continue;
		}
		name = (struct xb_sv){ p + 1, close - p - 1 };
		value = lookup(arg, name);
		if (strict && (!value || !*value)) {
			out->n = start;
			xb_buf_addsv(out, name);
			return out->err ?: -EINVAL;
		}
		p = close + 1;
		if (value)
			xb_buf_adds(out, value);
		else
			xb_buf_add(out, dollar, p - dollar);
	}
	if (p < end)
		xb_buf_add(out, p, end - p);
	return out->err;
}

struct variables {
	Runtime__V1__KeyValue *const *v;
	size_t n;
};

static const char *find(const void *arg, struct xb_sv name)
{
	const struct variables *vars = arg;

	for (size_t i = 0; i < vars->n; i++)
		if (xb_sv_is(name, vars->v[i]->key))
			return vars->v[i]->value;
	return NULL;
}

int spec_expand(struct xb_sv text, Runtime__V1__KeyValue *const *env, size_t n, bool strict, struct xb_buf *out)
{
	return expand(text, find, &(struct variables){ env, n }, strict, out);
}
