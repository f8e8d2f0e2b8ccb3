/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define PC(name, rest) "{'apiVersion':'scheduling.k8s.io/v1','kind':'PriorityClass','metadata':{'name':'" name "'}," rest "}"
#define RESERVED "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: "

static void bad_inputs_are_refused(void **state)
{
	static const struct example examples[] = {
		{ PC("p", "'value':1000000000"),
		  "" },
		{ PC("p", "'value':1000000001"),
		  "value: Forbidden: maximum allowed value of a user defined priority is 1000000000" },
		{ PC("p", "'value':1,'preemptionPolicy':'x'"),
		  "preemptionPolicy: Unsupported value: \"x\": supported values: \"Never\", \"PreemptLowerPriority\"" },
		{ PC("system-node-critical", "'value':2000001000"),
		  "" },
		{ PC("system-x", "'value':1"),
		  RESERVED "system-x is not a known system priority class" },
		{ PC("system-node-critical", "'value':1"),
		  RESERVED "value of system-node-critical PriorityClass must be 2000001000" },
		{ PC("system-node-critical", "'value':2000001000,'globalDefault':true"),
		  RESERVED "globalDefault of system-node-critical PriorityClass must be false" },
	};

	EACH_CREATE(examples);
}

static void the_value_stays(void **state)
{
	struct xb_tree *p = created(PC("p", "'value':1"));

	assert_string_equal(text_of(xb_tree_get(p, "preemptionPolicy")), "'PreemptLowerPriority'");
	assert_string_equal(fault_of_update(p, "{'value':2}"), "value: Forbidden: may not be changed in an update.");
	assert_string_equal(fault_of_update(p, "{'preemptionPolicy':'Never'}"), "preemptionPolicy: Invalid value: \"Never\": field is immutable");
	updated(p, "{'description':'d','globalDefault':true}");
}

static void the_systems_are_not_deleted(void **state)
{
	struct xb_tree *mine = created(PC("p", "'value':1")), *theirs = created(PC("system-node-critical", "'value':2000001000"));
	struct write w = write_of(mine), v = write_of(theirs);
	_cleanup_status_ struct xb_status s = {};

	priority_class_strategy.delete_(&w, mine, &(struct delete_request){}, &s);
	assert_int_equal(s.code, 0);
	priority_class_strategy.delete_(&v, theirs, &(struct delete_request){}, &s);
	assert_int_equal(s.code, 403);
}

static void tables(void **state)
{
	static const struct example examples[] = {
		{ PC("p", "'value':7,'globalDefault':true"),
		  "['p',7,true,'<unknown>']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_inputs_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(the_value_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(the_systems_are_not_deleted, setup, teardown),
		cmocka_unit_test_setup_teardown(tables, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
