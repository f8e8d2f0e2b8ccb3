/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "memory.h"
#include "../../../../../tools/xebec/dataplane/flow_list.c"
#include "../../../../../tools/xebec/dataplane/rates.c"

static void add(struct flow_list *l, __u32 svc, __u16 sport, __u32 made, __u64 packets, __u64 bytes)
{
	struct flow_row f = { .svc = svc, .made = made, .packets = { packets, packets * 2 }, .bytes = { bytes, bytes * 2 } };

	f.was.sport = sport;
	assert_int_equal(xb_vec_push(&l->rows, f), 0);
}

static void flows_that_went_on_began_and_ended(void **state)
{
	_cleanup_flow_list_ struct flow_list before = {}, after = {};
	_cleanup_rates_ struct rates r = {};

	add(&before, 1, 1, 5, 10, 1000);
	add(&before, 1, 2, 5, 10, 9000);        /* ends */
	add(&before, 2, 3, 5, 10, 5000);        /* ends, and another one has its tuple */
	add(&after, 1, 1, 5, 30, 4000);
	add(&after, 2, 3, 9, 1, 40);
	add(&after, 2, 4, 9, 2, 100);           /* begins */
	rates_make(&before, &after, false, &r);
	assert_int_equal(r.v.n, 3);
	assert_int_equal(r.v.v[0].flow->was.sport, 1);
	assert_int_equal(r.v.v[0].packets[XB_FLOW_FORWARD], 20);
	assert_int_equal(r.v.v[0].bytes[XB_FLOW_REPLY], 6000);
	assert_int_equal(r.v.v[1].flow->was.sport, 4);
	assert_int_equal(r.v.v[1].bytes[XB_FLOW_FORWARD], 100);
	assert_int_equal(r.v.v[2].packets[XB_FLOW_FORWARD], 1);
}

static void services_add_up(void **state)
{
	_cleanup_flow_list_ struct flow_list before = {}, after = {};
	_cleanup_rates_ struct rates r = {};

	add(&after, 3, 1, 5, 1, 10);
	add(&after, 7, 2, 5, 1, 100);
	add(&after, 3, 3, 5, 1, 1000);
	rates_make(&before, &after, true, &r);
	assert_int_equal(r.v.n, 2);
	assert_int_equal(r.v.v[0].svc, 3);
	assert_int_equal(r.v.v[0].flows, 2);
	assert_int_equal(r.v.v[0].bytes[XB_FLOW_FORWARD], 1010);
	assert_null(r.v.v[0].flow);
	assert_int_equal(r.v.v[1].svc, 7);
}

static void counters_that_lost_are_no_flood(void **state)
{
	_cleanup_flow_list_ struct flow_list before = {}, after = {};
	_cleanup_rates_ struct rates r = {};

	add(&before, 1, 1, 5, 10, 1000);
	add(&after, 1, 1, 5, 9, 900);
	rates_make(&before, &after, false, &r);
	assert_int_equal(r.v.v[0].packets[XB_FLOW_FORWARD], 0);
	assert_int_equal(r.v.v[0].bytes[XB_FLOW_FORWARD], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_that_went_on_began_and_ended), cmocka_unit_test(services_add_up),
		cmocka_unit_test(counters_that_lost_are_no_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
