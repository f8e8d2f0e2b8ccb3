/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define OBJECT(spec) "{'apiVersion':'v1','kind':'ResourceQuota','metadata':{'name':'q','namespace':'n'},'spec':{" spec "}}"

static void bad_specs(void **state)
{
	static const struct example examples[] = {
		{ OBJECT("'hard':{'pods':'-1','cpu':'500m','what':'1','a b':'1','pods.x/y':'1','services':'1500m'}"),
		  "spec.hard[a b]: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
		  "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')\n"
		  "spec.hard[what]: Invalid value: \"what\": must be a standard resource for quota\n"
		  "spec.hard[pods]: Invalid value: \"-1\": must be greater than or equal to 0\n"
		  "spec.hard[services]: Invalid value: \"1500m\": must be an integer" },
		{ OBJECT("'scopes':['BestEffort','NotBestEffort']"),
		  "spec.scopes: Invalid value: []string{\"BestEffort\", \"NotBestEffort\"}: conflicting scopes" },
		{ OBJECT("'scopes':['Odd']"),
		  "spec.scopes: Invalid value: []string{\"Odd\"}: unsupported scope" },
		{ OBJECT("'hard':{'pods':'1','requests.cpu':'1','configmaps':'1','count/x.y':'1'},'scopes':['BestEffort']"),
		  "spec.scopes: Invalid value: []string{\"BestEffort\"}: unsupported scope applied to resource\n"
		  "spec.scopes: Invalid value: []string{\"BestEffort\"}: unsupported scope applied to resource" },
		{ OBJECT("'hard':{'pods':'1','requests.cpu':'1','limits.memory':'1'},'scopes':['Terminating']"), "" },
		{ OBJECT("'hard':{'services':'1'},'scopeSelector':{'matchExpressions':[{'scopeName':'PriorityClass','operator':'Exists'}]}"),
		  "spec.scopeSelector: Invalid value: {\"matchExpressions\":[{\"operator\":\"Exists\",\"scopeName\":\"PriorityClass\"}]}: "
		  "unsupported scope applied to resource" },
		{ OBJECT("'scopeSelector':{'matchExpressions':[{'scopeName':'PriorityClass','operator':'In'}]}"),
		  "spec.scopeSelector.matchExpressions[0].values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector" },
	};

	EACH_CREATE(examples);
}

static void scopes_stay(void **state)
{
	struct xb_tree *q = created(OBJECT("'hard':{'pods':'2'},'scopes':['BestEffort']"));

	assert_string_equal(fault_of_update(q, "{'spec':{'hard':{'pods':'3'}}}"), "");
	assert_string_equal(fault_of_update(q, "{'spec':{'scopes':['Terminating']}}"), "spec.scopes: Invalid value: []string{\"Terminating\"}: field is immutable");
	assert_string_equal(fault_of_status(q, "{'used':{'pods':'-1'}}"), "status.used[pods]: Invalid value: \"-1\": must be greater than or equal to 0");
}

static void rows(void **state)
{
	static const struct example examples[] = {
		{ "{'apiVersion':'v1','kind':'ResourceQuota','metadata':{'name':'q'},'status':{'hard':{'limits.cpu':'4','pods':'2','requests.cpu':'1'},'used':{'pods':'1'}}}",
		  "['q','<unknown>','pods: 1/2, requests.cpu: 0/1','limits.cpu: 0/4']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_specs, setup, teardown),
		cmocka_unit_test_setup_teardown(scopes_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(rows, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
