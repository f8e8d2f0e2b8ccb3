/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define RES(requests, limits) "'resources':{'requests':{" requests "},'limits':{" limits "}}"
static const struct {
	const char *what, *pod, *class;
} cases[] = {
	{ "nothing asked", "{'spec':{'containers':[{'name':'a'}]}}", "BestEffort" },
	{ "asked for nothing", "{'spec':{'containers':[{" RES("'cpu':'0'", "'memory':'0'") "}]}}", "BestEffort" },
	{ "other resources do not count", "{'spec':{'containers':[{" RES("'ephemeral-storage':'1Gi'", "'nvidia.com/gpu':'1'") "}]}}", "BestEffort" },
	{ "requests are limits", "{'spec':{'containers':[{" RES("'cpu':'1','memory':'1Gi'", "'cpu':'1000m','memory':'1024Mi'") "}]}}", "Guaranteed" },
	{ "limits alone are requests", "{'spec':{'containers':[{" RES("", "'cpu':'1','memory':'1Gi'") "}]}}", "Guaranteed" },
	{ "one limit alone", "{'spec':{'containers':[{" RES("", "'cpu':'1'") "}]}}", "Burstable" },
	{ "less requested", "{'spec':{'containers':[{" RES("'cpu':'500m','memory':'1Gi'", "'cpu':'1','memory':'1Gi'") "}]}}", "Burstable" },
	{ "one container of two", "{'spec':{'containers':[{" RES("", "'cpu':'1','memory':'1Gi'") "},{'name':'b'}]}}", "Burstable" },
	{ "init containers count", "{'spec':{'containers':[{" RES("", "'cpu':'1','memory':'1Gi'") "}],'initContainers':[{'name':'i'}]}}", "Burstable" },
	{ "ephemeral ones do not", "{'spec':{'containers':[{" RES("", "'cpu':'1','memory':'1Gi'") "}],'ephemeralContainers':[{'name':'e'}]}}", "Guaranteed" },
	{ "the API server has said it", "{'spec':{'containers':[{'name':'a'}]},'status':{'qosClass':'Burstable'}}", "Burstable" },
	{ "a class that is none", "{'spec':{'containers':[{'name':'a'}]},'status':{'qosClass':'Best'}}", "BestEffort" },
};

static void test_cases(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(xb_json_unrefp) struct xb_json *doc = parse(cases[i].pod);
		const char *class = spec_qos_name(spec_qos(xb_json_root(doc)));

		if (strcmp(class, cases[i].class))
			fail_msg("%s: %s, not %s", cases[i].what, class, cases[i].class);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
