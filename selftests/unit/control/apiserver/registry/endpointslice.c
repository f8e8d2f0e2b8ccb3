/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define SLICE(type, rest) "{'apiVersion':'discovery.k8s.io/v1','kind':'EndpointSlice','metadata':{'name':'e','namespace':'n'},'addressType':'" type "'," rest "}"

static void bad_slices(void **state)
{
	static const struct example examples[] = {
		{ SLICE("", "'endpoints':[]"), "addressType: Required value" },
		{ SLICE("x", "'endpoints':[]"), "addressType: Unsupported value: \"x\": supported values: \"FQDN\", \"IPv4\", \"IPv6\"" },
		{ SLICE("IPv4", "'endpoints':[{}]"), "endpoints[0].addresses: Required value: must contain at least 1 address" },
		{ SLICE("IPv4", "'endpoints':[{'addresses':['fd00::1','169.254.1.1','10.0.0.1']}]"),
		  "endpoints[0].addresses[0]: Invalid value: \"fd00::1\": must be a valid IPv4 address\n"
		  "endpoints[0].addresses[1]: Invalid value: \"169.254.1.1\": may not be in the link-local range (169.254.0.0/16, fe80::/10)" },
		{ SLICE("IPv6", "'endpoints':[{'addresses':['10.0.0.1','fd00::1']}]"), "endpoints[0].addresses[0]: Invalid value: \"10.0.0.1\": must be a valid IPv6 address" },
		{ SLICE("FQDN", "'endpoints':[{'addresses':['a','a.b.']}]"),
		  "endpoints[0].addresses[0]: Invalid value: \"a\": should be a domain with at least two segments separated by dots" },
		{ SLICE("IPv4", "'endpoints':[{'addresses':['10.0.0.1'],'hints':{'forZones':[{'name':'a'},{'name':'a'}]}}],'ports':[{'port':80},{'port':81}]"),
		  "endpoints[0].hints.forZones[1].name: Duplicate value: \"a\"\nports[1].name: Duplicate value: \"\"" },
		{ SLICE("IPv4", "'endpoints':[{'addresses':['10.0.0.1'],'nodeName':'n1','zone':'z','conditions':{'ready':true}}],'ports':[{'name':'a','port':80},{'name':'b'}]"), "" },
	};

	EACH_CREATE(examples);
}

static void many(void **state)
{
	_cleanup_buf_ struct xb_buf b = {};

	for (int i = 0; i < 1001; i++)
		xb_buf_addf(&b, "%s{'addresses':['10.1.%d.%d']}", i ? "," : "", i / 200, i % 200 + 1);
	assert_string_equal(fault_of(xb_arena_printf(arena, SLICE("IPv4", "'endpoints':[%s]"), b.p)), "endpoints: Too many: 1001: must have at most 1000 items");
}

static void type_stays(void **state)
{
	struct xb_tree *s = created(SLICE("IPv4", "'endpoints':[]"));

	assert_string_equal(fault_of_update(s, "{'addressType':'IPv6'}"), "addressType: Invalid value: \"IPv6\": field is immutable");
	updated(s, "{'endpoints':[{'addresses':['10.0.0.1']}]}");
}

static void rows(void **state)
{
	static const struct example examples[] = {
		{ SLICE("IPv4", "'endpoints':[]"), "['e','IPv4','<unset>','<unset>','<unknown>']" },
		{ SLICE("IPv4", "'endpoints':[{'addresses':['10.0.0.1','10.0.0.2']},{'addresses':['10.0.0.3']},{'addresses':['10.0.0.4']}],'ports':[{'name':'','port':80},{'name':'x'},{'name':''}]"),
		  "['e','IPv4','80,x,*','10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...','<unknown>']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_slices, setup, teardown),
		cmocka_unit_test_setup_teardown(many, setup, teardown),
		cmocka_unit_test_setup_teardown(type_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(rows, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
