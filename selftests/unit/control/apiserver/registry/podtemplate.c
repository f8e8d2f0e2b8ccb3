/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define OBJECT(template) "{'apiVersion':'v1','kind':'PodTemplate','metadata':{'name':'t','namespace':'n'},'template':{" template "}}"

static void template_is_a_pods(void **state)
{
	static const struct example examples[] = {
		{ OBJECT("'spec':{'containers':[{'name':'c'}]}"), "template.spec.containers[0].image: Required value" },
		{ OBJECT("'metadata':{'labels':{'a b':'c'}},'spec':{'containers':[{'name':'c','image':'i'}],'ephemeralContainers':[{'name':'e','image':'i'}]}"),
		  "template.labels: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
		  "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')\n"
		  "template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template" },
	};
	struct xb_tree *t = created(OBJECT("'spec':{'containers':[{'name':'c','image':'nginx:1'}]}"));

	assert_string_equal(text_of(xb_tree_get(xb_tree_path(t, "template", "spec", "containers")->first, "imagePullPolicy")), "'IfNotPresent'");
	EACH_CREATE(examples);
}

static void rows(void **state)
{
	static const struct example examples[] = {
		{ "{'apiVersion':'v1','kind':'PodTemplate','metadata':{'name':'t'},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}",
		  "['t','c','i','a=b']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(template_is_a_pods, setup, teardown),
		cmocka_unit_test_setup_teardown(rows, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
