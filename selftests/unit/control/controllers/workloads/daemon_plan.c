/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include "../../../../../control/controllers/workloads/daemon_plan.h"
#include "xb/time.h"

#define ROLLING(unavailable, surge) "\"updateStrategy\":{\"type\":\"RollingUpdate\",\"rollingUpdate\":{" \
				    "\"maxUnavailable\":" unavailable ",\"maxSurge\":" surge "}}"

/*
 * A cluster in words: "n1 n2! n3x" are nodes, of which a pod may only stay on n2 and not be on n3; "n1:old n2:new-" are pods, by
 * node and state: ready for ten minutes, with "~" for 10 s, with "-" not, with "?" not bound, with "x" being deleted, with "!"
 * failed, with "." succeeded. Pods are younger from left to right, and named by their place: p0, p1, ...
 */
struct cluster {
	struct xb_json *set, *docs[64];
	struct xb_jv nodes[32], pods[32];
	size_t n_docs, n_nodes, n_pods;
	struct daemon_facts facts;
	struct daemon_plan plan;
};
static struct cluster c;
static int64_t now_us;

static int teardown(void **state)
{
	daemon_plan_done(&c.plan);
	daemon_facts_done(&c.facts);
	xb_json_unref(c.set);
	while (c.n_docs)
		xb_json_unref(c.docs[--c.n_docs]);
	c = (struct cluster){};
	return 0;
}

static struct xb_jv doc(const char *fmt, ...) _printf_(1, 2);
static struct xb_jv doc(const char *fmt, ...)
{
	_cleanup_buf_ struct xb_buf text = {};
	va_list ap;

	va_start(ap, fmt);
	xb_buf_addv(&text, fmt, ap);
	va_end(ap);
	assert_int_equal(xb_json_parse(xb_buf_sv(&text), NULL, &c.docs[c.n_docs], NULL), 0);
	return xb_json_root(c.docs[c.n_docs++]);
}

static void add_node(const char *word)
{
	const char *effect = word[2] == '!' ? "NoSchedule" : word[2] == 'x' ? "NoExecute" : "PreferNoSchedule";

	c.nodes[c.n_nodes++] = doc("{\"metadata\":{\"name\":\"%.2s\"},\"spec\":{\"taints\":[{\"key\":\"k\",\"effect\":\"%s\"}]}}", word, effect);
}

#define BOUND "\"nodeName\":\"%.2s\""
#define MEANT "\"affinity\":{\"nodeAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":{\"nodeSelectorTerms\":[" \
	      "{\"matchFields\":[{\"key\":\"metadata.name\",\"operator\":\"In\",\"values\":[\"%.2s\"]}]}]}}}"

static void add_pod(const char *word)
{
	const char *state = strchr(word, ':') + 1;
	_cleanup_buf_ struct xb_buf spec = {};

	xb_buf_addf(&spec, strchr(state, '?') ? MEANT : BOUND, word);
	c.pods[c.n_pods] = doc("{\"metadata\":{\"name\":\"p%zu\",\"creationTimestamp\":\"2026-01-01T00:00:%02zuZ\","
			       "\"labels\":{\"controller-revision-hash\":\"%.3s\"}%s},\"spec\":{%s},\"status\":{\"phase\":\"%s\","
			       "\"conditions\":[{\"type\":\"Ready\",\"status\":\"%s\",\"lastTransitionTime\":\"2026-01-01T11:5%s:50Z\"}]}}",
			       c.n_pods, c.n_pods, state, strchr(state, 'x') ? ",\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"" : "", spec.p,
			       strchr(state, '!') ? "Failed" : strchr(state, '.') ? "Succeeded" : "Running",
			       strpbrk(state, "-!.?") ? "False" : "True", strchr(state, '~') ? "9" : "0");
	c.n_pods++;
}

/* set: of its spec; "" for one that rolls with a maxUnavailable of 1 */
static void given(const char *set, const char *nodes, const char *pods)
{
	char words[512], *at;

	teardown(NULL);
	snprintf(words, sizeof(words), "{\"metadata\":{\"uid\":\"u\"},\"spec\":{%s}}", *set ? set : ROLLING("1", "0"));
	assert_int_equal(xb_json_parse(xb_sv(words), NULL, &c.set, NULL), 0);
	snprintf(words, sizeof(words), "%s", nodes);
	for (char *word = strtok_r(words, " ", &at); word; word = strtok_r(NULL, " ", &at))
		add_node(word);
	snprintf(words, sizeof(words), "%s", pods);
	for (char *word = strtok_r(words, " ", &at); word; word = strtok_r(NULL, " ", &at))
		add_pod(word);
	assert_int_equal(daemon_facts_read(&(struct daemon_given){ .set = xb_json_root(c.set), .hash = XB_SV("new"), .nodes = c.nodes,
		.n_nodes = c.n_nodes, .pods = c.pods, .n_pods = c.n_pods, .now = now_us }, &c.facts), 0);
}

/* "+n1" for a pod that is made, "-p0" for one that is deleted, and why when that is for its end */
static void planned(const char *expected)
{
	_cleanup_buf_ struct xb_buf got = {};

	for (size_t i = 0; i < c.plan.create.n; i++)
		xb_buf_addf(&got, " +%.*s", XB_SV_ARG(c.plan.create.v[i]->name));
	for (size_t i = 0; i < c.plan.remove.n; i++)
		xb_buf_addf(&got, " -%.*s%s", XB_SV_ARG(c.plan.remove.v[i].pod->name),
			    c.plan.remove.v[i].why == DAEMON_FAILED ? "!" : c.plan.remove.v[i].why == DAEMON_SUCCEEDED ? "." : "");
	assert_string_equal(got.n ? got.p + 1 : "", expected);
}

static void nodes_need(const char *set, const char *nodes, const char *pods, const char *expected)
{
	given(set, nodes, pods);
	assert_int_equal(daemon_plan_nodes(&c.facts, &c.plan), 0);
	planned(expected);
}

static void rolls(const char *set, const char *nodes, const char *pods, const char *expected)
{
	nodes_need(set, nodes, pods, "");
	assert_int_equal(daemon_plan_update(&c.facts, &c.plan), 0);
	planned(expected);
}

static void each_node_that_fits_has_a_pod(void **state)
{
	nodes_need("", "n3 n1 n2! n4x", "", "+n1 +n3");
	nodes_need("", "n1 n2", "n1:new", "+n2");
	nodes_need("", "n1 n2", "n1:new? n2:old-", "");
	nodes_need("", "n1", "n1:newx", "");
	nodes_need("", "n1", "n1:new!x", "+n1");
}

static void pods_go_where_they_may_not_be(void **state)
{
	nodes_need("", "n1! n2x n3x", "n1:new n2:new n3:newx", "-p1");
	nodes_need("", "n1", "n1:new n8:new? n9:new n7:new?x", "-p1");
}

static void what_is_over_goes(void **state)
{
	nodes_need("", "n1 n2 n3!", "n1:new! n2:new. n3:new!", "-p0! -p1. -p2!");
	nodes_need("", "n1", "n1:new!x", "+n1");
}

/* The oldest stays, but for one that is not bound yet. */
static void one_stays(void **state)
{
	nodes_need("", "n1", "n1:new n1:new n1:new", "-p1 -p2");
	nodes_need("", "n1", "n1:new? n1:new", "-p0");
	nodes_need("", "n1", "n1:new! n1:new", "-p0!");
	nodes_need("", "n1", "n1:oldx n1:new", "");
}

static void with_surge_two_may_be_there(void **state)
{
	const char *set = ROLLING("0", "1");

	nodes_need(set, "n1", "n1:old n1:new-", "");
	nodes_need(set, "n1", "n1:old- n1:new-", "-p0");
	nodes_need(set, "n1", "n1:old n1:new", "-p0");
	nodes_need(set, "n1", "n1:old n1:new- n1:new- n1:old", "-p2 -p3");
	nodes_need(set, "n1", "n1:oldx", "+n1");
	nodes_need(set, "n1!", "n1:oldx", "");
	nodes_need(set, "n1", "n1:new!", "-p0!");
}

static void no_more_are_missing_than_may_be(void **state)
{
	const char *nodes = "n1 n2 n3 n4";

	rolls("", nodes, "n1:old n2:old n3:old n4:old", "-p0");
	rolls("", nodes, "n1:oldx n2:old n3:old n4:old", "");
	rolls("", nodes, "n1:new- n2:old n3:old n4:old", "");
	rolls("", nodes, "n1:new n2:old n3:old n4:old", "-p1");
	rolls("", nodes, "n1:new n2:new n3:new n4:new", "");
	rolls(ROLLING("\"50%\"", "0"), nodes, "n1:old n2:new- n3:old n4:old", "-p0");
	rolls(ROLLING("\"30%\"", "0"), nodes, "n1:old n2:old n3:old n4:old", "-p0 -p1");
	rolls(ROLLING("0", "0"), nodes, "n1:old n2:old n3:old n4:old", "-p0");
}

/* What is of no use goes, and counts as missing. */
static void an_old_one_that_is_not_available_goes(void **state)
{
	rolls("", "n1 n2 n3", "n1:old n2:old- n3:old-", "-p1 -p2");
	rolls(ROLLING("2", "0"), "n1 n2 n3", "n1:old n2:old- n3:old", "-p1 -p0");
	rolls("", "n1! n2", "n1:old- n2:old", "-p0 -p1");
}

static void no_more_are_made_than_may_be(void **state)
{
	const char *set = ROLLING("0", "1"), *nodes = "n1 n2 n3";

	rolls(set, nodes, "n1:old n2:old n3:old", "+n1");
	rolls(set, nodes, "n1:old n1:new- n2:old n3:old", "");
	rolls(set, nodes, "n1:new n2:old n3:old", "+n2");
	rolls(set, nodes, "n1:old n2:old- n3:old-", "+n1 +n2 +n3");
	rolls(ROLLING("0", "\"50%\""), nodes, "n1:old n2:old n3:old", "+n1 +n2");
}

/* A node that may keep its pod, and is to have none, keeps it until there are enough. */
static void with_surge_a_pod_out_of_place_waits(void **state)
{
	const char *set = ROLLING("0", "1");

	rolls(set, "n1! n2 n3", "n1:old n2:new n3:new-", "");
	rolls(set, "n1! n2 n3", "n1:old n2:new n3:new", "-p0");
	rolls(set, "n1! n2 n3", "n1:old- n2:new n3:new-", "-p0");
}

static void available_is_ready_for_long_enough(void **state)
{
	const char *set = "\"minReadySeconds\":30," ROLLING("1", "0");

	given(set, "n1 n2 n3", "n1:new n2:new~ n3:new-");
	assert_true(c.facts.pods.v[0].available && c.facts.pods.v[1].ready && !c.facts.pods.v[1].available);
	assert_int_equal(c.facts.next_available_us - now_us, 20 * 1000000);
	rolls(set, "n1 n2", "n1:old n2:new~", "");
	given("", "n1", "n1:new~");
	assert_int_equal(c.facts.next_available_us, 0);
}

static void only_when_told_it_rolls(void **state)
{
	given("\"updateStrategy\":{\"type\":\"OnDelete\"}", "n1", "n1:old");
	assert_false(c.facts.rolling);
	given("", "n1", "n1:old");
	assert_true(c.facts.rolling);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, teardown)
	const struct CMUnitTest tests[] = {
		TEST(each_node_that_fits_has_a_pod), TEST(pods_go_where_they_may_not_be), TEST(what_is_over_goes), TEST(one_stays),
		TEST(with_surge_two_may_be_there), TEST(no_more_are_missing_than_may_be), TEST(an_old_one_that_is_not_available_goes),
		TEST(no_more_are_made_than_may_be), TEST(with_surge_a_pod_out_of_place_waits), TEST(available_is_ready_for_long_enough),
		TEST(only_when_told_it_rolls),
	};

	xb_time_parse(XB_SV("2026-01-01T12:00:00Z"), &now_us);
	return cmocka_run_group_tests_name("control/controllers/daemon_plan", tests, NULL, NULL);
}
