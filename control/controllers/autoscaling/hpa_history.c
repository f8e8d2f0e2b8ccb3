/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <math.h>
#include <stdlib.h>
#include "hpa_history.h"

#define SECOND INT64_C(1000000)

void hpa_history_done(struct hpa_history *h)
{
	xb_vec_done(&h->proposed);
	xb_vec_done(&h->ups);
	xb_vec_done(&h->downs);
}

static int64_t number(struct xb_jv object, const char *field, int64_t otherwise)
{
	int64_t n = otherwise;

	xb_jv_i64(xb_jv_get(object, field), &n);
	return n;
}

/* What is older than since is needed no more; records are in the order of time. */
static int note(hpa_records *v, int64_t since, struct hpa_record r)
{
	size_t old = 0;

	while (old < v->n && v->v[old].at < since)
		old++;
	if (old)
		memmove(v->v, v->v + old, (v->n - old) * sizeof(*v->v));
	v->n -= old;
	return xb_vec_push(v, r);
}

int hpa_history_begin(struct hpa_history *h, int64_t current, int64_t now)
{
	return h->proposed.n ? 0 : xb_vec_push(&h->proposed, (struct hpa_record){ current, now });
}

/* --- stabilization --- */
static void tell_stabilized(int64_t desired, int64_t stabilized, bool up, struct hpa_verdict *ret)
{
	ret->replicas = stabilized;
	if (stabilized == desired) {
		ret->able = "ReadyForNewScale";
		ret->able_message = "recommended size matches current size";
	} else if (up) {
		ret->able = "ScaleUpStabilized";
		ret->able_message = "recent recommendations were lower than current one, applying the lowest recent recommendation";
	} else {
		ret->able = "ScaleDownStabilized";
		ret->able_message = "recent recommendations were higher than current one, applying the highest recent recommendation";
	}
}

static int stabilize(struct hpa_history *h, const struct hpa_bounds *b, int64_t desired, int64_t now, struct hpa_verdict *ret)
{
	struct xb_jv up = xb_jv_get(b->behavior, "scaleUp"), down = xb_jv_get(b->behavior, "scaleDown");
	int64_t up_window = number(up, "stabilizationWindowSeconds", 0) * SECOND;
	int64_t down_window = xb_jv_is(b->behavior) ? number(down, "stabilizationWindowSeconds", b->down_window / SECOND) * SECOND : b->down_window;
	int64_t lowest = desired, highest = desired, stabilized = b->current;

	for (size_t i = 0; i < h->proposed.n; i++) {
		const struct hpa_record *r = &h->proposed.v[i];

		if (r->at > now - up_window)
			lowest = MIN(lowest, r->replicas);
		if (r->at > now - down_window)
			highest = MAX(highest, r->replicas);
	}
	/* by the old rules a change upwards is taken at once */
	if (!xb_jv_is(b->behavior))
		stabilized = highest;
	else
		stabilized = MIN(MAX(stabilized, lowest), highest);
	tell_stabilized(desired, stabilized, xb_jv_is(b->behavior) && desired >= b->current, ret);
	return note(&h->proposed, now - MAX(up_window, down_window), (struct hpa_record){ desired, now });
}

/* --- rates --- */
static void limit(struct hpa_verdict *v, int64_t replicas, const char *reason, const char *message)
{
	v->replicas = replicas;
	v->limited = true;
	v->limit = reason;
	v->limit_message = message;
}

static void limit_above(struct hpa_verdict *v, int64_t rate, int64_t max)
{
	if (max > rate && v->replicas > rate)
		limit(v, rate, "ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate");
	else if (max <= rate && v->replicas > max)
		limit(v, max, "TooManyReplicas", "the desired replica count is more than the maximum replica count");
}

static void limit_below(struct hpa_verdict *v, int64_t rate, int64_t min)
{
	if (min < rate && v->replicas < rate)
		limit(v, rate, "ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate");
	else if (min >= rate && v->replicas < min)
		limit(v, min, "TooFewReplicas", "the desired replica count is less than the minimum replica count");
}

static int64_t changed_since(const hpa_records *v, int64_t since)
{
	int64_t n = 0;

	for (size_t i = 0; i < v->n; i++)
		n += v->v[i].at > since ? v->v[i].replicas : 0;
	return n;
}

/* How many there may be by one policy, after what was done in its period. */
static int64_t policy_limit(const struct hpa_history *h, struct xb_jv policy, bool up, int64_t current, int64_t now)
{
	int64_t since = now - number(policy, "periodSeconds", 0) * SECOND, value = number(policy, "value", 0);
	int64_t start = current - changed_since(&h->ups, since) + changed_since(&h->downs, since);
	double part = (double)value / 100;

	if (xb_jv_streq(xb_jv_get(policy, "type"), XB_SV("Pods")))
		return up ? start + value : start - value;
	return up ? (int64_t)ceil((double)start * (1 + part)) : (int64_t)((double)start * (1 - part));
}

/* The policy that changes most, or least, counts. */
static int64_t rate_limit(const struct hpa_history *h, struct xb_jv rules, bool up, int64_t current, int64_t now)
{
	struct xb_jv select = xb_jv_get(rules, "selectPolicy");
	bool least = xb_jv_streq(select, XB_SV("Min"));
	int64_t most = up != least ? INT32_MIN : INT32_MAX;

	if (xb_jv_streq(select, XB_SV("Disabled")))
		return current;
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(rules, "policies")); xb_jit_next(&it);) {
		int64_t n = policy_limit(h, it.value, up, current, now);

		most = up != least ? MAX(most, n) : MIN(most, n);
	}
	return up ? MAX(most, current) : MIN(most, current);
}

int hpa_history_normalize(struct hpa_history *h, const struct hpa_bounds *b, int64_t desired, int64_t now, struct hpa_verdict *ret)
{
	struct hpa_verdict v = { .limit = "DesiredWithinRange", .limit_message = "the desired count is within the acceptable range" };
	struct xb_jv up = xb_jv_get(b->behavior, "scaleUp"), down = xb_jv_get(b->behavior, "scaleDown");
	int r = stabilize(h, b, desired, now, &v);

	if (r)
		return r;
	if (!xb_jv_is(b->behavior)) {
		limit_below(&v, INT32_MIN, b->min);
		limit_above(&v, MAX(2 * b->current, 4), b->max);
	} else if (v.replicas > b->current) {
		limit_above(&v, rate_limit(h, up, true, b->current, now), b->max);
	} else if (v.replicas < b->current) {
		limit_below(&v, rate_limit(h, down, false, b->current, now), b->min);
	}
	*ret = v;
	return 0;
}

static int64_t longest_period(struct xb_jv rules)
{
	int64_t longest = 0;

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(rules, "policies")); xb_jit_next(&it);)
		longest = MAX(longest, number(it.value, "periodSeconds", 0));
	return longest * SECOND;
}

int hpa_history_scaled(struct hpa_history *h, struct xb_jv behavior, int64_t from, int64_t to, int64_t now)
{
	struct xb_jv rules = xb_jv_get(behavior, to > from ? "scaleUp" : "scaleDown");

	if (!xb_jv_is(behavior) || to == from)
		return 0;
	return note(to > from ? &h->ups : &h->downs, now - longest_period(rules), (struct hpa_record){ llabs(to - from), now });
}
