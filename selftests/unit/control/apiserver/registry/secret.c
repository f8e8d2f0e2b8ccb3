/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define SECRET(rest) "{'apiVersion':'v1','kind':'Secret','metadata':{'name':'s','namespace':'n'}," rest "}"

static void string_data_goes_into_data(void **state)
{
	struct xb_tree *s = created(SECRET("'stringData':{'user':'admin','empty':''},'data':{'pw':'c2VjcmV0','user':'eA=='}"));

	assert_string_equal(text_of(xb_tree_get(s, "data")), "{'pw':'c2VjcmV0','user':'YWRtaW4=','empty':''}");
	assert_null(xb_tree_get(s, "stringData"));
	assert_string_equal(text_of(xb_tree_get(s, "type")), "'Opaque'");
}

static void types_demand_keys(void **state)
{
	static const struct example examples[] = {
		{ SECRET("'type':'kubernetes.io/tls','data':{'tls.crt':'YQ=='}"), "data[tls.key]: Required value" },
		{ SECRET("'type':'kubernetes.io/tls'"), "data[tls.crt]: Required value\ndata[tls.key]: Required value" },
		{ SECRET("'type':'kubernetes.io/basic-auth'"), "data[username]: Required value\ndata[password]: Required value" },
		{ SECRET("'type':'kubernetes.io/basic-auth','data':{'password':'YQ=='}"), "" },
		{ SECRET("'type':'kubernetes.io/ssh-auth'"), "data[ssh-privatekey]: Required value" },
		{ SECRET("'type':'kubernetes.io/dockerconfigjson'"), "data[.dockerconfigjson]: Required value" },
		{ SECRET("'type':'kubernetes.io/dockerconfigjson','data':{'.dockerconfigjson':'e30='}"), "" },
		{ SECRET("'type':'kubernetes.io/dockercfg','data':{'.dockercfg':'eA=='}"),
		  "data[.dockercfg]: Invalid value: \"<secret contents redacted>\": invalid character 'x' looking for beginning of value" },
		{ SECRET("'type':'kubernetes.io/service-account-token'"), "metadata.annotations[kubernetes.io/service-account.name]: Required value" },
		{ SECRET("'data':{'a b':''}"),
		  "data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')" },
	};

	EACH_CREATE(examples);
}

static void type_stays(void **state)
{
	struct xb_tree *s = created(SECRET("'type':'a/b','immutable':true"));

	assert_string_equal(fault_of_update(s, "{'type':'x'}"), "type: Invalid value: \"x\": field is immutable");
	assert_string_equal(fault_of_update(s, "{'data':{'x':''}}"), "data: Forbidden: field is immutable when `immutable` is set");
}

static void rows(void **state)
{
	assert_string_equal(row_of(SECRET("'type':'Opaque','data':{'a':'','b':''}")), "['s','Opaque',2,'<unknown>']");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(string_data_goes_into_data, setup, teardown),
		cmocka_unit_test_setup_teardown(types_demand_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(type_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(rows, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
