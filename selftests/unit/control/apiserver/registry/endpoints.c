/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define EP(subsets) "{'apiVersion':'v1','kind':'Endpoints','metadata':{'name':'e','namespace':'n'},'subsets':[" subsets "]}"

static void bad_endpoints(void **state)
{
	static const struct example examples[] = {
		{ EP("{'ports':[{'port':80}]}"), "subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`" },
		{ EP("{'addresses':[{'ip':'x'}],'ports':[{'port':80}]}"),
		  "subsets[0].addresses[0].ip: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)\n"
		  "subsets[0].addresses[0].ip: Invalid value: \"x\": must be a valid IP address" },
		{ EP("{'notReadyAddresses':[{'ip':'127.0.0.1'}]}"),
		  "subsets[0].notReadyAddresses[0].ip: Invalid value: \"127.0.0.1\": may not be in the loopback range (127.0.0.0/8, ::1/128)" },
		{ EP("{'addresses':[{'ip':'10.0.0.1'}],'ports':[{'port':0},{'port':81,'name':'b','protocol':'x'}]}"),
		  "subsets[0].ports[0].name: Required value\n"
		  "subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive\n"
		  "subsets[0].ports[1].protocol: Unsupported value: \"x\": supported values: \"SCTP\", \"TCP\", \"UDP\"" },
		{ EP("{'addresses':[{'ip':'10.0.0.1','nodeName':'n1','hostname':'h'}],'ports':[{'port':80}]}"), "" },
	};

	EACH_CREATE(examples);
}

static void rows(void **state)
{
	static const struct example examples[] = {
		{ EP(""), "['e','<none>','<unknown>']" },
		{ EP("{'addresses':[{'ip':'10.0.0.1'},{'ip':'fd00::1'}],'ports':[{'port':80}]}"), "['e','10.0.0.1:80,[fd00::1]:80','<unknown>']" },
		{ EP("{'addresses':[{'ip':'10.0.0.1'}]}"), "['e','10.0.0.1','<unknown>']" },
		{ EP("{'addresses':[{'ip':'10.0.0.1'},{'ip':'10.0.0.2'}],'ports':[{'port':80},{'port':81}]},{'addresses':[{'ip':'10.0.0.3'}],'ports':[{'port':80}]}"),
		  "['e','10.0.0.1:80,10.0.0.2:80,10.0.0.1:81 + 2 more...','<unknown>']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_endpoints, setup, teardown),
		cmocka_unit_test_setup_teardown(rows, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
