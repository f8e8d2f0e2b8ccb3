/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../userspace/kubelet/node/node.h"
#include "../../../../../userspace/kubelet/node/pressure.h"

static struct node_thresholds *thresholds;
static struct pressure_state *pressure;
static struct observation seen[SIGNALS];

static int setup(void **state)
{
	static const char json[] = "{\"evictionHard\":{\"memory.available\":\"100\",\"nodefs.available\":\"10%\"},"
		"\"evictionSoft\":{\"memory.available\":\"200\"},\"evictionSoftGracePeriod\":{\"memory.available\":\"30s\"},"
		"\"evictionMinimumReclaim\":{\"nodefs.available\":\"5%\"},\"evictionPressureTransitionPeriod\":\"60s\"}";
	struct xb_json *doc;
	char *why;

	memset(seen, 0, sizeof(seen));
	if (xb_json_parse(XB_SV(json), NULL, &doc, NULL) || node_thresholds_parse(xb_json_root(doc), &thresholds, &why))
		return -1;
	xb_json_unref(doc);
	return pressure_new(thresholds, &pressure);
}

static int teardown(void **state)
{
	pressure = pressure_free(pressure);
	thresholds = node_thresholds_free(thresholds);
	return 0;
}

static const struct threshold *at(uint64_t s, uint64_t memory, uint64_t nodefs)
{
	seen[SIGNAL_MEMORY] = (struct observation){ true, memory, 1000 };
	seen[SIGNAL_NODEFS] = (struct observation){ true, nodefs, 1000 };
	pressure_observe(pressure, seen, s * 1000);
	return pressure_worst(pressure, s * 1000);
}

static void hard_is_at_once(void **state)
{
	assert_null(at(1, 500, 500));
	assert_false(pressure->under[PRESSURE_MEMORY]);
	assert_int_equal(at(2, 99, 500)->signal, SIGNAL_MEMORY);
	assert_true(pressure->under[PRESSURE_MEMORY]);
	assert_false(pressure->under[PRESSURE_DISK]);
	/* memory goes before the disk */
	assert_int_equal(at(3, 99, 50)->signal, SIGNAL_MEMORY);
	assert_int_equal(at(4, 500, 50)->signal, SIGNAL_NODEFS);
	assert_true(pressure->under[PRESSURE_DISK]);
}

static void soft_waits_for_its_grace(void **state)
{
	assert_null(at(1, 150, 500));
	assert_true(pressure->under[PRESSURE_MEMORY]);
	assert_null(at(30, 150, 500));
	assert_false(at(31, 150, 500)->hard);
	assert_null(at(32, 250, 500));
	assert_null(at(33, 150, 500)); /* anew */
}

static void conditions_stay_for_a_while(void **state)
{
	at(1, 99, 500);
	at(2, 500, 500);
	assert_true(pressure->under[PRESSURE_MEMORY]);
	at(60, 500, 500);
	assert_true(pressure->under[PRESSURE_MEMORY]);
	at(61, 500, 500);
	assert_false(pressure->under[PRESSURE_MEMORY]);
}

static void enough_is_reclaimed(void **state)
{
	assert_non_null(at(1, 500, 99));
	assert_non_null(at(2, 500, 120)); /* 10 % and the 5 % that were to be reclaimed */
	assert_null(at(3, 500, 150));
	assert_null(at(4, 500, 120));
}

static void what_is_not_seen_does_not_count(void **state)
{
	assert_null(at(1, 500, 500));
	memset(seen, 0, sizeof(seen));
	pressure_observe(pressure, seen, 2000);
	assert_null(pressure_worst(pressure, 2000));
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		test(hard_is_at_once), test(soft_waits_for_its_grace), test(conditions_stay_for_a_while), test(enough_is_reclaimed),
		test(what_is_not_seen_does_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
