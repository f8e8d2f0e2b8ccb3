/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "claim.h"

static bool among(struct xb_jv values, struct xb_jv value)
{
	for (struct xb_jit it = xb_jv_iter(values); xb_jit_next(&it);)
		if (xb_jv_streq(it.value, xb_jv_text(value)))
			return true;
	return false;
}

/* Gt, Lt: both sides are integers; below 0, 0 or above 0. */
static bool compare(struct xb_jv value, struct xb_jv values, int sign)
{
	int64_t a, b;

	if (xb_sv_i64(xb_jv_text(value), &a) || xb_sv_i64(xb_jv_text(xb_jv_at(values, 0)), &b))
		return false;
	return sign > 0 ? a > b : a < b;
}

/* value: what the node has for the key; {}: nothing. */
static bool meets(struct xb_jv requirement, struct xb_jv value)
{
	struct xb_jv values = xb_jv_get(requirement, "values");
	struct xb_sv op = xb_jv_text(xb_jv_get(requirement, "operator"));
	bool there = xb_jv_is(value);

	if (xb_sv_is(op, "In"))
		return there && among(values, value);
	if (xb_sv_is(op, "NotIn"))
		return !there || !among(values, value);
	if (xb_sv_is(op, "Exists"))
		return there;
	if (xb_sv_is(op, "DoesNotExist"))
		return !there;
	return there && ((xb_sv_is(op, "Gt") && compare(value, values, 1)) || (xb_sv_is(op, "Lt") && compare(value, values, -1)));
}

static bool term_matches(struct xb_jv term, struct xb_jv meta)
{
	struct xb_jv labels = xb_jv_get(term, "matchExpressions"), fields = xb_jv_get(term, "matchFields");

	if (!xb_jv_count(labels) && !xb_jv_count(fields))
		return false;
	for (struct xb_jit it = xb_jv_iter(labels); xb_jit_next(&it);)
		if (!meets(it.value, xb_jv_getsv(xb_jv_get(meta, "labels"), xb_jv_text(xb_jv_get(it.value, "key")))))
			return false;
	for (struct xb_jit it = xb_jv_iter(fields); xb_jit_next(&it);)
		if (!meets(it.value, xb_jv_get(meta, "name")))
			return false;
	return true;
}

bool claim_node_matches(struct xb_jv selector, struct xb_jv node)
{
	if (!xb_jv_is(selector) || !xb_jv_is(node))
		return true;
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(selector, "nodeSelectorTerms")); xb_jit_next(&it);)
		if (term_matches(it.value, xb_jv_get(node, "metadata")))
			return true;
	return false;
}
