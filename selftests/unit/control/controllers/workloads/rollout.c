/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include "../../../../../control/controllers/workloads/rollout.h"

#define MAX_SETS 6
#define ROLLING(surge, unavailable) "\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"maxSurge\":" surge ",\"maxUnavailable\":" unavailable "}"
#define RECREATE "\"type\":\"Recreate\""

/* A set as a test gives it: of template number "template", older ones first. */
struct given {
	int template, replicas, actual, available;
	int desired, max, revision;
	bool unobserved;
};
#define OF(t, told, there, ready, ...) { .template = t, .replicas = told, .actual = there, .available = ready, __VA_ARGS__ }
#define IDLE(t, r) OF(t, 0, 0, 0, .revision = (r))
#define TEN .desired = 10, .max = 13
struct world {
	struct xb_json *deployment, *sets[MAX_SETS];
	struct rollout r;
};

static struct xb_json *parse(const char *text)
{
	struct xb_json *d = NULL;

	assert_int_equal(xb_json_parse(xb_sv(text), NULL, &d, NULL), 0);
	return d;
}

static struct xb_json *set_of(const struct given *g, int i)
{
	char text[1024], desired[256] = "";

	if (g->desired)
		snprintf(desired, sizeof(desired), "\"" ROLLOUT_DESIRED "\":\"%d\",\"" ROLLOUT_MAX "\":\"%d\",", g->desired, g->max);
	snprintf(text, sizeof(text), "{\"metadata\":{\"name\":\"s%d\",\"generation\":2,\"creationTimestamp\":\"2026-01-01T00:00:%02dZ\","
		 "\"annotations\":{%s\"" ROLLOUT_REVISION "\":\"%d\"}},\"spec\":{\"replicas\":%d,\"template\":{\"spec\":{\"t\":%d}}},"
		 "\"status\":{\"replicas\":%d,\"availableReplicas\":%d,\"observedGeneration\":%d}}",
		 i, i, desired, g->revision, g->replicas, g->template, g->actual, g->available, g->unobserved ? 1 : 2);
	return parse(text);
}

/* template: the Deployment's. more: of its spec. */
static struct world world(int replicas, const char *strategy, int template, const char *more, const struct given *sets, size_t n)
{
	struct world w = {};
	struct xb_jv views[MAX_SETS];
	char text[1024];

	snprintf(text, sizeof(text), "{\"metadata\":{\"generation\":1},\"spec\":{\"replicas\":%d,\"strategy\":{%s},%s\"template\":{\"spec\":{\"t\":%d}}},"
		 "\"status\":{\"replicas\":%d,\"updatedReplicas\":%d,\"availableReplicas\":%d,\"observedGeneration\":1}}",
		 replicas, strategy, more, template, replicas, replicas, replicas);
	w.deployment = parse(text);
	for (size_t i = 0; i < n; i++) {
		w.sets[i] = set_of(&sets[i], (int)i);
		views[n - 1 - i] = xb_json_root(w.sets[i]);
	}
	assert_int_equal(rollout_read(xb_json_root(w.deployment), views, n, &w.r), 0);
	return w;
}

static void world_done(struct world *w)
{
	rollout_done(&w->r);
	xb_json_unref(w->deployment);
	for (size_t i = 0; i < MAX_SETS; i++)
		xb_json_unref(w->sets[i]);
}

#define PLAN(replicas, strategy, template, more, ...) \
	plan(replicas, strategy, template, more, (struct given[]){ __VA_ARGS__ }, \
	     sizeof((struct given[]){ __VA_ARGS__ }) / sizeof(struct given))

/* The sizes that are planned, oldest first, "+N" for a set to be made, "-" after one that is removed. */
static const char *plan(int replicas, const char *strategy, int template, const char *more, const struct given *sets, size_t n)
{
	_cleanup_(world_done) struct world w = world(replicas, strategy, template, more, sets, n);
	static char out[256];
	size_t at = 0;

	rollout_plan(&w.r);
	*out = '\0';
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(out + at, sizeof(out) - at, "%s%d%s", i ? " " : "", (int)w.r.sets.v[i].size,
				       w.r.sets.v[i].remove ? "-" : "");
	if (w.r.make >= 0)
		snprintf(out + at, sizeof(out) - at, "%s+%d", n ? " " : "", (int)w.r.make);
	return out;
}

static void rolls(void **state)
{
	const char *const quarter = ROLLING("\"25%\"", "\"25%\""), *const zero = ROLLING("0", "0"), *const surge = ROLLING("1", "0");

	assert_string_equal(plan(4, quarter, 1, "", NULL, 0), "+4");
	assert_string_equal(PLAN(4, quarter, 2, "", OF(1, 4, 4, 4)), "4 +1");
	assert_string_equal(PLAN(4, quarter, 2, "", OF(1, 4, 4, 4), OF(2, 1, 1, 0)), "3 1");
	assert_string_equal(PLAN(4, quarter, 2, "", OF(1, 3, 3, 3), OF(2, 1, 1, 0)), "3 2");
	assert_string_equal(PLAN(4, quarter, 2, "", OF(1, 3, 3, 3), OF(2, 2, 2, 1)), "2 2");
	assert_string_equal(PLAN(4, quarter, 2, "", OF(1, 1, 1, 1), OF(2, 4, 4, 4)), "0 4");
	assert_string_equal(PLAN(4, quarter, 2, "", OF(1, 0, 0, 0), OF(2, 4, 4, 4)), "0 4");
	/* neither over nor under: one under, as nothing could move */
	assert_string_equal(PLAN(4, zero, 2, "", OF(1, 4, 4, 4)), "4 +0");
	assert_string_equal(PLAN(4, zero, 2, "", OF(1, 4, 4, 4), OF(2, 0, 0, 0)), "3 0");
	/* nothing goes before the new one is available */
	assert_string_equal(PLAN(4, surge, 2, "", OF(1, 4, 4, 4), OF(2, 1, 1, 0)), "4 1");
	assert_string_equal(PLAN(4, surge, 2, "", OF(1, 4, 4, 4), OF(2, 1, 1, 1)), "3 1");
	assert_string_equal(PLAN(4, surge, 2, "", OF(1, 4, 4, 3), OF(2, 1, 1, 0)), "4 1");
	/* what is not available goes first, from the oldest set on */
	assert_string_equal(PLAN(4, surge, 3, "", OF(1, 3, 3, 3), OF(2, 2, 2, 0), OF(3, 0, 0, 0)), "3 1 0");
	/* told too much */
	assert_string_equal(PLAN(4, quarter, 1, "", OF(1, 6, 6, 6)), "4");
}

static void pods_that_are_still_there_count(void **state)
{
	const char *const quarter = ROLLING("\"25%\"", "\"25%\"");

	assert_string_equal(PLAN(4, quarter, 2, "", OF(1, 3, 4, 4), OF(2, 1, 1, 1)), "2 1");
	/* that set may still be making some */
	assert_string_equal(PLAN(4, quarter, 2, "", OF(1, 3, 3, 3, .unobserved = true), OF(2, 1, 1, 0)), "3 1");
	assert_string_equal(PLAN(4, quarter, 3, "", OF(1, 3, 3, 3), OF(2, 1, 1, 0, .unobserved = true)), "3 1 +0");
	/* a status that is behind does not count for more than the set was told */
	assert_string_equal(PLAN(4, quarter, 2, "", OF(1, 2, 4, 4), OF(2, 2, 2, 2)), "1 2");
}

static void recreates(void **state)
{
	assert_string_equal(PLAN(4, RECREATE, 2, "", OF(1, 4, 4, 4)), "0");
	assert_string_equal(PLAN(4, RECREATE, 2, "", OF(1, 0, 1, 0)), "0");
	assert_string_equal(PLAN(4, RECREATE, 2, "", OF(1, 0, 0, 0)), "0 +4");
	assert_string_equal(PLAN(4, RECREATE, 2, "", OF(1, 0, 0, 0), OF(2, 0, 0, 0)), "0 4");
}

static void waits_for_old_pods(void **state)
{
	const struct given old = OF(1, 0, 0, 0);
	_cleanup_(world_done) struct world w = world(4, RECREATE, 2, "", &old, 1);

	w.r.old_pods_run = true;
	rollout_plan(&w.r);
	assert_int_equal(w.r.make, -1);
}

static void scales(void **state)
{
	const char *const three = ROLLING("3", "2");

	assert_string_equal(PLAN(6, three, 1, "", OF(1, 4, 4, 4, .desired = 4, .max = 7)), "6");
	assert_string_equal(PLAN(0, three, 1, "", OF(1, 4, 4, 4, .desired = 4, .max = 7)), "0");
	/* in proportion; the largest takes what is left */
	assert_string_equal(PLAN(15, three, 2, "", OF(1, 8, 8, 8, TEN), OF(2, 5, 5, 0, TEN)), "11 7");
	assert_string_equal(PLAN(5, three, 2, "", OF(1, 8, 8, 8, TEN), OF(2, 5, 5, 0, TEN)), "5 3");
	assert_string_equal(PLAN(0, three, 2, "", OF(1, 8, 8, 8, TEN), OF(2, 5, 5, 0, TEN)), "0 0");
	/* not while there are pods that are about to go */
	assert_string_equal(PLAN(15, three, 2, "", OF(1, 8, 9, 8, TEN), OF(2, 5, 5, 0, TEN)), "8 5");
	assert_string_equal(PLAN(15, three, 2, "", OF(1, 8, 8, 8, TEN), OF(2, 5, 5, 0, TEN, .unobserved = true)), "8 5");
	/* the new one is whole */
	assert_string_equal(PLAN(10, three, 2, "", OF(1, 3, 3, 3, .desired = 8, .max = 11), OF(2, 10, 10, 10, TEN)), "0 10");
}

static void paused_it_scales_only(void **state)
{
	const char *const one = ROLLING("1", "0"), *const paused = "\"paused\":true,";

	assert_string_equal(PLAN(4, one, 2, paused, OF(1, 4, 4, 4, .desired = 4, .max = 5)), "4");
	assert_string_equal(PLAN(6, one, 2, paused, OF(1, 4, 4, 4, .desired = 4, .max = 5)), "6");
	assert_string_equal(PLAN(4, one, 2, paused, OF(1, 4, 4, 4, .desired = 4, .max = 5), OF(2, 1, 1, 1, .desired = 4, .max = 5)), "4 1");
}

static void history_is_cut(void **state)
{
	const char *const one = ROLLING("1", "0"), *const two = "\"revisionHistoryLimit\":2,", *const none = "\"revisionHistoryLimit\":0,";

	assert_string_equal(PLAN(1, one, 4, two, IDLE(1, 1), IDLE(2, 2), IDLE(3, 3), OF(4, 1, 1, 1, .revision = 4)), "0- 0 0 1");
	/* by revision, not by age */
	assert_string_equal(PLAN(1, one, 4, two, IDLE(1, 5), IDLE(2, 2), IDLE(3, 3), OF(4, 1, 1, 1, .revision = 6)), "0 0- 0 1");
	/* one with pods stays, and the younger ones with it */
	assert_string_equal(PLAN(1, one, 4, two, OF(1, 0, 1, 0, .revision = 1), IDLE(2, 2), IDLE(3, 3), OF(4, 1, 1, 1, .revision = 4)),
			    "0 0 0 1");
	assert_string_equal(PLAN(1, one, 2, none, IDLE(1, 1), OF(2, 1, 1, 1, .revision = 2)), "0- 1");
}

static void revisions_follow(void **state)
{
	const struct given sets[] = { IDLE(1, 3), IDLE(2, 2) };
	_cleanup_(world_done) struct world w = world(1, ROLLING("1", "0"), 1, "", sets, 2);

	assert_ptr_equal(w.r.current, &w.r.sets.v[0]);
	assert_int_equal(rollout_next_revision(&w.r), 3);
}

/* --- a cluster in which everybody is late --- */
static uint32_t seed;
static unsigned draw(unsigned n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

/* What is, and what the Deployment's copy shows of it. */
struct cluster {
	struct given shown[MAX_SETS];
	int n, template, told[MAX_SETS], seen[MAX_SETS];        /* seen: what the ReplicaSet's loop works by */
	int pods[MAX_SETS], available[MAX_SETS];
	bool observed[MAX_SETS];
	bool blind;                     /* what is decided was decided when too few were shown as available: some may be by now */
};

static int sum(const int *v, int n)
{
	int s = 0;

	while (n--)
		s += v[n];
	return s;
}

static void show(struct cluster *c, int i)
{
	bool unobserved = !c->observed[i];
	int actual = c->shown[i].actual, available = c->shown[i].available;

	/* the status was written when the spec was seen, or before */
	c->shown[i] = (struct given)OF(i + 1, c->told[i], unobserved ? actual : c->pods[i], unobserved ? available : c->available[i],
				       .unobserved = unobserved);
}

/* A ReplicaSet's loop sees what it was told, makes or deletes one pod, or tells its status; a pod becomes ready. */
static void live(struct cluster *c)
{
	int i = (int)draw((unsigned)c->n);

	switch (draw(4)) {
	case 0:
		c->seen[i] = c->told[i];
		break;
	case 1:
		c->pods[i] += (c->pods[i] < c->seen[i]) - (c->pods[i] > c->seen[i]);
		c->available[i] = MIN(c->available[i], c->pods[i]);
		break;
	case 2:
		if (c->seen[i] == c->told[i] && c->pods[i] == c->told[i])
			c->observed[i] = true;
		show(c, i);
		break;
	default:
		if (c->available[i] < c->pods[i])
			c->available[i]++;
	}
}

static bool shown_available(const struct cluster *c, int64_t at_least)
{
	for (int i = 0; i < c->n; i++)
		at_least -= MIN(c->shown[i].available, c->told[i]);
	return at_least <= 0;
}

static bool all_observed(const struct cluster *c)
{
	for (int i = 0; i < c->n; i++)
		if (!c->observed[i])
			return false;
	return true;
}

static void decide(struct cluster *c, int replicas, const char *strategy)
{
	_cleanup_(world_done) struct world w = world(replicas, strategy, c->template, "", c->shown, (size_t)c->n);
	bool enough = shown_available(c, w.r.replicas - w.r.unavailable);

	rollout_plan(&w.r);
	if (enough && all_observed(c))
		c->blind = false;
	for (int i = 0; i < c->n; i++) {
		if (w.r.sets.v[i].size == c->told[i])
			continue;
		c->blind |= w.r.sets.v[i].size < c->told[i] && !enough;
		c->told[i] = (int)w.r.sets.v[i].size;
		c->observed[i] = false;
		show(c, i);
	}
	if (w.r.make < 0)
		return;
	c->told[c->n] = (int)w.r.make;
	show(c, c->n++);
}

static void promises_hold(void **state)
{
	for (uint32_t run = 0; run < 300; run++) {
		struct cluster c = { .template = 1 };
		int replicas = 3, surge, unavailable;
		char strategy[128];

		seed = run;
		replicas += (int)draw(10);
		surge = (int)draw(4);
		unavailable = (int)draw(4);
		snprintf(strategy, sizeof(strategy), ROLLING("%d", "%d"), surge, unavailable);
		unavailable = MIN(surge || unavailable ? unavailable : 1, replicas);
		for (int step = 0; step < 4000 && (c.n < MAX_SETS || c.available[c.n - 1] < replicas); step++) {
			int had = sum(c.available, MAX_SETS);

			if (!c.n || draw(3) == 0)
				decide(&c, replicas, strategy);
			else
				live(&c);
			assert_in_range(sum(c.pods, MAX_SETS), 0, replicas + surge);
			if (had >= replicas - unavailable && !c.blind)
				assert_in_range(sum(c.available, MAX_SETS), replicas - unavailable, replicas + surge);
			if (draw(60) == 0 && c.template == c.n && c.n < MAX_SETS)
				c.template++;
		}
		assert_int_equal(c.n, MAX_SETS);
		assert_int_equal(c.available[c.n - 1], replicas);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rolls), cmocka_unit_test(pods_that_are_still_there_count), cmocka_unit_test(recreates),
		cmocka_unit_test(waits_for_old_pods), cmocka_unit_test(scales), cmocka_unit_test(paused_it_scales_only),
		cmocka_unit_test(history_is_cut), cmocka_unit_test(revisions_follow), cmocka_unit_test(promises_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
