/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define NP(spec) "{'apiVersion':'networking.k8s.io/v1','kind':'NetworkPolicy','metadata':{'name':'p','namespace':'n'},'spec':{" spec "}}"
#define PORT(p) NP("'ingress':[{'ports':[{" p "}]}]")
#define PEER(p) NP("'egress':[{'to':[{" p "}]}]")

static void bad_inputs_are_refused(void **state)
{
	static const struct example examples[] = {
		{ NP("'podSelector':{}"),
		  "" },
		{ PORT("'port':80,'endPort':90"),
		  "" },
		{ PORT("'port':80,'endPort':79"),
		  "spec.ingress[0].ports[0].endPort: Invalid value: 80: must be greater than or equal to `port`" },
		{ PORT("'endPort':79"),
		  "spec.ingress[0].ports[0].endPort: Invalid value: 79: may not be specified when `port` is not specified" },
		{ PORT("'port':'web','endPort':79"),
		  "spec.ingress[0].ports[0].endPort: Invalid value: 79: may not be specified when `port` is non-numeric" },
		{ PORT("'port':0"),
		  "spec.ingress[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive" },
		{ PORT("'protocol':'ICMP'"),
		  "spec.ingress[0].ports[0].protocol: Unsupported value: \"ICMP\": supported values: \"SCTP\", \"TCP\", \"UDP\"" },
		{ PEER(""),
		  "spec.egress[0].to[0]: Required value: must specify a peer" },
		{ PEER("'ipBlock':{'cidr':'10.0.0.0/8','except':['10.1.0.0/16']}"),
		  "" },
		{ PEER("'ipBlock':{'cidr':'10.0.0.0/8','except':['10.0.0.0/8','11.0.0.0/16','fd00::/64']}"),
		  "spec.egress[0].to[0].ipBlock.except[0]: Invalid value: \"10.0.0.0/8\": must be a strict subset of `cidr`\n"
		  "spec.egress[0].to[0].ipBlock.except[1]: Invalid value: \"11.0.0.0/16\": must be a strict subset of `cidr`\n"
		  "spec.egress[0].to[0].ipBlock.except[2]: Invalid value: \"fd00::/64\": must be a strict subset of `cidr`" },
		{ PEER("'ipBlock':{}"),
		  "spec.egress[0].to[0].ipBlock.cidr: Required value" },
		{ PEER("'podSelector':{},'ipBlock':{'cidr':'10.0.0.0/8'}"),
		  "spec.egress[0].to[0]: Forbidden: may not specify both ipBlock and another peer" },
		{ NP("'policyTypes':['Ingress','x']"),
		  "spec.policyTypes[1]: Unsupported value: \"x\": supported values: \"Egress\", \"Ingress\"" },
		{ NP("'podSelector':{'matchExpressions':[{'key':'a','operator':'In'}]}"),
		  "spec.podSelector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'" },
	};

	EACH_CREATE(examples);
}

static void types_follow_the_rules(void **state)
{
	assert_string_equal(text_of(xb_tree_path(created(NP("")), "spec", "policyTypes")), "['Ingress']");
	assert_string_equal(text_of(xb_tree_path(created(NP("'egress':[{}]")), "spec", "policyTypes")), "['Ingress','Egress']");
	assert_string_equal(text_of(xb_tree_path(created(PORT("'port':1")), "spec", "ingress")), "[{'ports':[{'port':1,'protocol':'TCP'}]}]");
}

static void tables(void **state)
{
	static const struct example examples[] = {
		{ NP(""),
		  "['p','<none>','<unknown>']" },
		{ NP("'podSelector':{'matchLabels':{'a':'b'}}"),
		  "['p','a=b','<unknown>']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_inputs_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(types_follow_the_rules, setup, teardown),
		cmocka_unit_test_setup_teardown(tables, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
