/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "placement.h"

static struct xb_sv text(struct xb_jv object, const char *field)
{
	return xb_jv_text(xb_jv_get(object, field));
}

static bool same(struct xb_jv a, struct xb_jv b, const char *field)
{
	return xb_sv_eq(text(a, field), text(b, field));
}

/* --- taints --- */
static bool tolerates(struct xb_jv toleration, struct xb_jv taint)
{
	struct xb_sv operator = text(toleration, "operator");

	if (text(toleration, "effect").n && !same(toleration, taint, "effect"))
		return false;
	if (text(toleration, "key").n && !same(toleration, taint, "key"))
		return false;
	if (!operator.n || xb_sv_is(operator, "Equal"))
		return same(toleration, taint, "value");
	return xb_sv_is(operator, "Exists");
}

struct xb_jv placement_toleration(struct xb_jv tolerations, struct xb_jv taint)
{
	for (struct xb_jit it = xb_jv_iter(tolerations); xb_jit_next(&it);)
		if (tolerates(it.value, taint))
			return it.value;
	return (struct xb_jv){};
}

bool placement_toleration_ends(struct xb_jv toleration, int64_t *ret_seconds)
{
	int64_t seconds;

	if (xb_jv_i64(xb_jv_get(toleration, "tolerationSeconds"), &seconds))
		return false;
	*ret_seconds = MAX(seconds, 0);
	return true;
}

/* --- labels and names --- */
static bool is_among(struct xb_jv values, struct xb_jv value)
{
	for (struct xb_jit it = xb_jv_iter(values); xb_jv_is(value) && xb_jit_next(&it);)
		if (xb_jv_streq(it.value, xb_jv_text(value)))
			return true;
	return false;
}

static bool holds(struct xb_jv requirement, struct xb_jv value)
{
	struct xb_sv operator = text(requirement, "operator");
	struct xb_jv values = xb_jv_get(requirement, "values");
	int64_t number, bound;

	if (xb_sv_is(operator, "In"))
		return is_among(values, value);
	if (xb_sv_is(operator, "NotIn"))
		return !is_among(values, value);
	if (xb_sv_is(operator, "Exists"))
		return xb_jv_is(value);
	if (xb_sv_is(operator, "DoesNotExist"))
		return !xb_jv_is(value);
	if (xb_sv_i64(xb_jv_text(value), &number) || xb_sv_i64(xb_jv_text(xb_jv_at(values, 0)), &bound))
		return false;
	return xb_sv_is(operator, "Gt") ? number > bound : xb_sv_is(operator, "Lt") && number < bound;
}

/* The one field that a term may name is metadata.name. A term that requires nothing matches nothing. */
static bool term_matches(struct xb_jv term, struct xb_jv node)
{
	struct xb_jv meta = xb_jv_get(node, "metadata"), labels = xb_jv_get(meta, "labels");
	struct xb_jv expressions = xb_jv_get(term, "matchExpressions"), fields = xb_jv_get(term, "matchFields");

	for (struct xb_jit it = xb_jv_iter(fields); xb_jit_next(&it);)
		if (!xb_sv_is(text(it.value, "key"), "metadata.name") || !holds(it.value, xb_jv_get(meta, "name")))
			return false;
	for (struct xb_jit it = xb_jv_iter(expressions); xb_jit_next(&it);)
		if (!holds(it.value, xb_jv_getsv(labels, text(it.value, "key"))))
			return false;
	return xb_jv_count(expressions) || xb_jv_count(fields);
}

bool placement_matches(struct xb_jv pod_spec, struct xb_jv node)
{
	struct xb_jv labels = xb_jv_path(node, "metadata", "labels");
	struct xb_jv required = xb_jv_path(pod_spec, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution");

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(pod_spec, "nodeSelector")); xb_jit_next(&it);) {
		struct xb_jv value = xb_jv_getsv(labels, it.key);

		if (!xb_jv_is(value) || !xb_sv_eq(xb_jv_text(value), xb_jv_text(it.value)))
			return false;
	}
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(required, "nodeSelectorTerms")); xb_jit_next(&it);)
		if (term_matches(it.value, node))
			return true;
	return !xb_jv_is(required);
}
