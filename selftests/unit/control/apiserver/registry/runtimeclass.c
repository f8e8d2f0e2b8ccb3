/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define RC(rest) "{'apiVersion':'node.k8s.io/v1','kind':'RuntimeClass','metadata':{'name':'r'}," rest "}"

static void bad_inputs_are_refused(void **state)
{
	static const struct example examples[] = {
		{ RC("'handler':'runc'"),
		  "" },
		{ RC("'handler':'runc','overhead':{'podFixed':{'cpu':'-1'}}"),
		  "overhead.podFixed[cpu]: Invalid value: \"-1\": must be greater than or equal to 0" },
		{ RC("'handler':'runc','scheduling':{'tolerations':[{'key':'a','operator':'Exists'},{'key':'a','operator':'Exists'}]}"),
		  "scheduling.tolerations[1]: Duplicate value: \"a\"" },
	};

	EACH_CREATE(examples);
}

static void the_handler_stays(void **state)
{
	struct xb_tree *r = created(RC("'handler':'runc'"));

	assert_non_null(strstr(fault_of(RC("'handler':'A'")), "handler: Invalid value: \"A\": a lowercase RFC 1123 label"));
	assert_string_equal(fault_of_update(r, "{'handler':'kata'}"), "handler: Invalid value: \"kata\": field is immutable");
}

static void tables(void **state)
{
	static const struct example examples[] = {
		{ RC("'handler':'runc'"),
		  "['r','runc','<unknown>']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_inputs_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(the_handler_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(tables, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
