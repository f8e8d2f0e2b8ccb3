/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../percent.h"
#include "../pods.h"
#include "budget.h"
#include "xb/time.h"

#define CONDITION "DisruptionAllowed"

struct condition {
	bool status;
	const char *reason, *message;
	int64_t generation;
};

void budget_status_done(struct budget_status *s)
{
	xb_vec_done(&s->disrupted);
	xb_vec_done(&s->stayed);
}

static int64_t number(struct xb_jv object, const char *group, const char *field)
{
	int64_t n = 0;

	xb_jv_i64(xb_jv_path(object, group, field), &n);
	return n;
}

static struct xb_sv name_of(struct xb_jv pod)
{
	return xb_jv_text(xb_jv_path(pod, "metadata", "name"));
}

/* --- counting --- */
bool budget_needs_scale(struct xb_jv budget)
{
	return xb_jv_is(xb_jv_path(budget, "spec", "maxUnavailable")) ||
	       xb_jv_type(xb_jv_path(budget, "spec", "minAvailable")) == XB_JSON_STRING;
}

static int count_desired(struct xb_jv budget, size_t n_pods, int64_t scale, struct budget_status *s)
{
	struct xb_jv least = xb_jv_path(budget, "spec", "minAvailable"), most = xb_jv_path(budget, "spec", "maxUnavailable");
	int64_t unavailable;
	int r;

	if (!xb_jv_is(most) && !xb_jv_is(least))
		return 0;
	s->expected = budget_needs_scale(budget) ? scale : (int64_t)n_pods;
	if (!xb_jv_is(most))
		return percent_of(least, s->expected, true, &s->desired);
	r = percent_of(most, s->expected, true, &unavailable);
	if (!r)
		s->desired = MAX(s->expected - unavailable, 0);
	return r;
}

/* Sets *ret_awaited: it was evicted, and may yet go. */
static int count_disrupted(struct xb_jv disrupted, struct xb_jv pod, int64_t now, struct budget_status *s, bool *ret_awaited)
{
	struct xb_jv since = xb_jv_getsv(disrupted, name_of(pod));
	int64_t due = pods_time(since) + BUDGET_PATIENCE_US;

	*ret_awaited = xb_jv_is(since) && due > now;
	if (xb_jv_is(since) && due < now)
		return xb_vec_push(&s->stayed, pod);
	if (!xb_jv_is(since))
		return 0;
	if (!s->recheck_us || due < s->recheck_us)
		s->recheck_us = due;
	return xb_vec_push(&s->disrupted, (struct budget_disrupted){ name_of(pod), xb_jv_text(since) });
}

int budget_count(struct xb_jv budget, const struct xb_jv *pods, size_t n, int64_t scale, int64_t now, struct budget_status *ret)
{
	struct xb_jv disrupted = xb_jv_path(budget, "status", "disruptedPods");
	struct budget_status s = {};
	int r = count_desired(budget, n, scale, &s);
	bool awaited;

	for (size_t i = 0; !r && i < n; i++) {
		if (pods_deleting(pods[i]))
			continue;
		r = count_disrupted(disrupted, pods[i], now, &s, &awaited);
		s.healthy += !awaited && pods_ready(pods[i], NULL);
	}
	if (r) {
		budget_status_done(&s);
		return r;
	}
	/* one that selects nothing yet allows nothing: its first pods may come before they are counted */
	if (s.expected > 0)
		s.allowed = MAX(s.healthy - s.desired, 0);
	*ret = s;
	return 0;
}

/* --- writing --- */
static struct xb_jv find_condition(struct xb_jv budget)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(budget, "status", "conditions")); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "type"), XB_SV(CONDITION)))
			return it.value;
	return (struct xb_jv){};
}

static bool has_status(struct xb_jv condition, bool status)
{
	return xb_jv_streq(xb_jv_get(condition, "status"), status ? XB_SV("True") : XB_SV("False"));
}

static bool tells(struct xb_jv old, const struct condition *c)
{
	int64_t generation = 0;

	xb_jv_i64(xb_jv_get(old, "observedGeneration"), &generation);
	return xb_jv_is(old) && has_status(old, c->status) && xb_jv_streq(xb_jv_get(old, "reason"), xb_sv(c->reason)) &&
	       xb_jv_streq(xb_jv_get(old, "message"), xb_sv(c->message)) && generation == c->generation;
}

static void write_condition(struct xb_jw *w, struct xb_jv old, const struct condition *c, int64_t now)
{
	xb_jw_object(w);
	xb_jw_kstr(w, "type", CONDITION);
	xb_jw_kstr(w, "status", c->status ? "True" : "False");
	if (c->generation)
		xb_jw_kint(w, "observedGeneration", c->generation);
	if (xb_jv_is(old) && has_status(old, c->status))
		xb_jw_ksv(w, "lastTransitionTime", xb_jv_text(xb_jv_get(old, "lastTransitionTime")));
	else
		xb_jw_kstr(w, "lastTransitionTime", xb_time_format(now).s);
	xb_jw_kstr(w, "reason", c->reason);
	xb_jw_kstr(w, "message", c->message);
	xb_jw_end(w);
}

static void write_conditions(struct xb_jw *w, struct xb_jv budget, const struct condition *c, int64_t now)
{
	struct xb_jv old = find_condition(budget);

	xb_jw_key(w, "conditions");
	xb_jw_array(w);
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(budget, "status", "conditions")); xb_jit_next(&it);)
		if (it.value.at != old.at)
			xb_jw_raw(w, xb_jv_bytes(it.value));
	write_condition(w, old, c, now);
	xb_jw_end(w);
}

static bool says_disrupted(struct xb_jv budget, const struct budget_status *s)
{
	/* those that stay are some of those that are there */
	return xb_jv_count(xb_jv_path(budget, "status", "disruptedPods")) == s->disrupted.n;
}

static bool says(struct xb_jv budget, const struct budget_status *s, const struct condition *c)
{
	return number(budget, "status", "currentHealthy") == s->healthy && number(budget, "status", "desiredHealthy") == s->desired &&
	       number(budget, "status", "expectedPods") == s->expected && number(budget, "status", "disruptionsAllowed") == s->allowed &&
	       number(budget, "status", "observedGeneration") == c->generation && says_disrupted(budget, s) &&
	       tells(find_condition(budget), c);
}

static void write_disrupted(struct xb_jw *w, const struct budget_status *s)
{
	if (!s->disrupted.n)
		return;
	xb_jw_key(w, "disruptedPods");
	xb_jw_object(w);
	for (size_t i = 0; i < s->disrupted.n; i++) {
		xb_jw_keysv(w, s->disrupted.v[i].name);
		xb_jw_sv(w, s->disrupted.v[i].since);
	}
	xb_jw_end(w);
}

void budget_status_write(struct xb_jv budget, const struct budget_status *s, int64_t now, struct xb_buf *out)
{
	struct condition c = {
		.status = s->allowed > 0, .reason = s->allowed > 0 ? "SufficientPods" : "InsufficientPods", .message = "",
		.generation = number(budget, "metadata", "generation"),
	};
	struct xb_jw w = XB_JW(out);

	if (says(budget, s, &c))
		return;
	xb_jw_object(&w);
	if (c.generation)
		xb_jw_kint(&w, "observedGeneration", c.generation);
	write_disrupted(&w, s);
	xb_jw_kint(&w, "disruptionsAllowed", s->allowed);
	xb_jw_kint(&w, "currentHealthy", s->healthy);
	xb_jw_kint(&w, "desiredHealthy", s->desired);
	xb_jw_kint(&w, "expectedPods", s->expected);
	write_conditions(&w, budget, &c, now);
	xb_jw_end(&w);
	if (xb_jw_finish(&w) < 0)
		out->err = -ENOMEM;
}

void budget_failure_write(struct xb_jv budget, const char *why, int64_t now, struct xb_buf *out)
{
	struct condition c = {
		.reason = "SyncFailed", .message = why, .generation = number(budget, "status", "observedGeneration"),
	};
	struct xb_jw w = XB_JW(out);

	if (!number(budget, "status", "disruptionsAllowed") && tells(find_condition(budget), &c))
		return;
	xb_jw_object(&w);
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(budget, "status")); xb_jit_next(&it);) {
		if (xb_sv_is(it.key, "conditions") || xb_sv_is(it.key, "disruptionsAllowed"))
			continue;
		xb_jw_keysv(&w, it.key);
		xb_jw_raw(&w, xb_jv_bytes(it.value));
	}
	xb_jw_kint(&w, "disruptionsAllowed", 0);
	write_conditions(&w, budget, &c, now);
	xb_jw_end(&w);
	if (xb_jw_finish(&w) < 0)
		out->err = -ENOMEM;
}
