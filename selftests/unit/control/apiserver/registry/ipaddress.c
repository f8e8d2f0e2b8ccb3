/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define IP(name, spec) "{'apiVersion':'networking.k8s.io/v1','kind':'IPAddress','metadata':{'name':'" name "'},'spec':{" spec "}}"
#define PARENT "'parentRef':{'resource':'services','namespace':'n','name':'s'}"

static void bad_inputs_are_refused(void **state)
{
	static const struct example examples[] = {
		{ IP("10.0.0.1", PARENT),
		  "" },
		{ IP("10.0.0.1", ""),
		  "spec.parentRef: Required value" },
		{ IP("10.0.0.1", "'parentRef':{'name':'a/b'}"),
		  "spec.parentRef.resource: Required value\nspec.parentRef.name: Invalid value: \"a/b\": may not contain '/'" },
	};

	EACH_CREATE(examples);
}

static void names_are_canonical_addresses(void **state)
{
	const char *faults[XB_CHECK_MAX];

	assert_int_equal(ip_address_strategy.name(XB_SV("10.0.0.1"), faults), 0);
	assert_int_equal(ip_address_strategy.name(XB_SV("2001:db8::1"), faults), 0);
	assert_int_equal(ip_address_strategy.name(XB_SV("2001:db8:0::1"), faults), 1);
	assert_int_equal(ip_address_strategy.name(XB_SV("10.0.0"), faults), 1);
	assert_int_equal(ip_address_strategy.name(XB_SV(""), faults), 1);
}

static void parent_stays(void **state)
{
	assert_non_null(strstr(fault_of_update(created(IP("10.0.0.1", PARENT)), "{'spec':{'parentRef':{'name':'t'}}}"), "field is immutable"));
}

static void tables(void **state)
{
	static const struct example examples[] = {
		{ IP("10.0.0.1", PARENT),
		  "['10.0.0.1','services/n/s','<unknown>']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_inputs_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(names_are_canonical_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(parent_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(tables, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
