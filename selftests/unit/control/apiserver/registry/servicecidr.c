/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define SC(cidrs) "{'apiVersion':'networking.k8s.io/v1','kind':'ServiceCIDR','metadata':{'name':'c'},'spec':{'cidrs':[" cidrs "]}}"

static void bad_inputs_are_refused(void **state)
{
	static const struct example examples[] = {
		{ SC("'10.0.0.0/16','fd00::/108'"),
		  "" },
		{ SC(""),
		  "spec.cidrs: Required value: at least one CIDR required" },
		{ SC("'10.0.0.0/16','10.1.0.0/16'"),
		  "spec.cidrs: Invalid value: []string{\"10.0.0.0/16\", \"10.1.0.0/16\"}: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/96" },
		{ SC("'a','b','c'"),
		  "spec.cidrs: Invalid value: []string{\"a\", \"b\", \"c\"}: may only hold up to 2 values" },
	};

	EACH_CREATE(examples);
}

static void a_family_may_be_added(void **state)
{
	struct xb_tree *c = created(SC("'10.0.0.0/16'"));

	updated(c, "{'spec':{'cidrs':['10.0.0.0/16','fd00::/108']}}");
	assert_non_null(strstr(fault_of_update(c, "{'spec':{'cidrs':['10.1.0.0/16']}}"), "field is immutable"));
}

static void the_servers_own_is_ready(void **state)
{
	assert_string_equal(text_of(xb_tree_path(created(SC("'10.0.0.0/16'")), "status", "conditions")),
			    "[{'type':'Ready','status':'True','reason':'','message':'Kubernetes Service CIDR is ready','lastTransitionTime':'" NOW "'}]");
}

static void tables(void **state)
{
	static const struct example examples[] = {
		{ SC("'10.0.0.0/16','fd00::/108'"),
		  "['c','10.0.0.0/16,fd00::/108','<unknown>']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_inputs_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_family_may_be_added, setup, teardown),
		cmocka_unit_test_setup_teardown(the_servers_own_is_ready, setup, teardown),
		cmocka_unit_test_setup_teardown(tables, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
