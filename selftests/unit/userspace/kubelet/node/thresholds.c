/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../userspace/kubelet/node/node.h"
#include "../../../../../userspace/kubelet/node/thresholds.h"

static int parse(const char *json, struct node_thresholds **ret, char **why)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;

	assert_int_equal(xb_json_parse(xb_sv(json), NULL, &doc, NULL), 0);
	return node_thresholds_parse(xb_json_root(doc), ret, why);
}

static void defaults_are_upstreams(void **state)
{
	_cleanup_(node_thresholds_freep) struct node_thresholds *t = NULL;
	char *why = NULL;

	assert_int_equal(parse("{}", &t, &why), 0);
	assert_int_equal(t->all.n, 5);
	assert_int_equal(thresholds_kept(t, SIGNAL_MEMORY, UINT64_C(8) << 30), 100 << 20);
	assert_int_equal(thresholds_kept(t, SIGNAL_NODEFS, 1000), 100);
	assert_int_equal(thresholds_kept(t, SIGNAL_NODEFS_INODES, 1000), 50);
	assert_int_equal(thresholds_kept(t, SIGNAL_IMAGEFS, 1000), 150);
	assert_int_equal(thresholds_kept(t, SIGNAL_IMAGEFS_INODES, 1000), 50);
	assert_int_equal(thresholds_kept(t, SIGNAL_PID, 1000), 0);
	assert_int_equal(t->transition_ms, 300000);
}

static void given_ones_replace_them(void **state)
{
	_cleanup_(node_thresholds_freep) struct node_thresholds *t = NULL;
	char *why = NULL;

	assert_int_equal(parse("{\"evictionSoft\":{\"memory.available\":\"1Gi\"},\"evictionSoftGracePeriod\":{\"memory.available\":\"1m30s\"},"
			       "\"evictionHard\":{\"pid.available\":\"12.5%\",\"nodefs.available\":\"0%\",\"memory.available\":\"1G\"},"
			       "\"evictionMinimumReclaim\":{\"memory.available\":\"1Mi\"},\"evictionMaxPodGracePeriod\":30,"
			       "\"evictionPressureTransitionPeriod\":\"2s\"}", &t, &why), 0);
	assert_int_equal(t->all.n, 3);
	assert_int_equal(t->all.v[0].signal, SIGNAL_MEMORY);
	assert_true(t->all.v[0].hard);
	assert_int_equal(t->all.v[1].signal, SIGNAL_PID);
	assert_int_equal(amount_of(&t->all.v[1].amount, 1000), 125);
	assert_false(t->all.v[2].hard);
	assert_int_equal(t->all.v[2].grace_ms, 90000);
	assert_int_equal(amount_of(&t->reclaim[SIGNAL_MEMORY], 0), 1 << 20);
	assert_int_equal(t->max_pod_grace_s, 30);
	assert_int_equal(t->transition_ms, 2000);
}

static void faults_name_the_field(void **state)
{
	static const struct { const char *json, *why; } t[] = {
		{ "{\"evictionHard\":{\"disk\":\"1\"}}", "evictionHard: unsupported eviction signal disk" },
		{ "{\"evictionHard\":{\"memory.available\":\"x\"}}", "evictionHard[memory.available]: \"x\" is neither a quantity nor a percentage" },
		{ "{\"evictionHard\":{\"memory.available\":\"-1\"}}", "evictionHard[memory.available]: \"-1\" is neither a quantity nor a percentage" },
		{ "{\"evictionHard\":{\"memory.available\":\"101%\"}}",
		  "evictionHard[memory.available]: \"101%\" is not a percentage from 0% to 100%" },
		{ "{\"evictionHard\":{\"memory.available\":\"%\"}}", "evictionHard[memory.available]: \"%\" is not a percentage from 0% to 100%" },
		{ "{\"evictionSoft\":{\"memory.available\":\"1\"}}",
		  "evictionSoft[memory.available]: grace period must be specified in evictionSoftGracePeriod" },
		{ "{\"evictionPressureTransitionPeriod\":\"soon\"}", "evictionPressureTransitionPeriod: \"soon\" is not a duration" },
		{ "{\"evictionMaxPodGracePeriod\":-1}", "evictionMaxPodGracePeriod: must be a number of seconds" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		struct node_thresholds *none = NULL;
		char *why = NULL;

		assert_int_equal(parse(t[i].json, &none, &why), -EINVAL);
		assert_string_equal(why, t[i].why);
		assert_null(none);
		free(why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_upstreams), cmocka_unit_test(given_ones_replace_them),
		cmocka_unit_test(faults_name_the_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
