/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define IC(spec) "{'apiVersion':'networking.k8s.io/v1','kind':'IngressClass','metadata':{'name':'c'},'spec':{" spec "}}"
#define PARAMETERS(p) IC("'controller':'acme.io/foo','parameters':{'kind':'K','name':'n'" p "}")

static void bad_inputs_are_refused(void **state)
{
	static const struct example examples[] = {
		{ IC("'controller':'acme.io/foo'"),
		  "" },
		{ IC(""),
		  "spec.controller: Required value" },
		{ IC("'controller':'foo'"),
		  "spec.controller: Invalid value: \"foo\": must be a domain-prefixed path (such as \"acme.io/foo\")" },
		{ IC("'controller':'acme.io/a b'"),
		  "spec.controller: Invalid value: \"a b\": Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')" },
		{ PARAMETERS(""),
		  "" },
		{ PARAMETERS(",'scope':'Namespace'"),
		  "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'" },
		{ PARAMETERS(",'namespace':'n'"),
		  "spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'" },
		{ PARAMETERS(",'scope':'x'"),
		  "spec.parameters.scope: Unsupported value: \"x\": supported values: \"Cluster\", \"Namespace\"" },
	};

	EACH_CREATE(examples);
}

static void controller_stays(void **state)
{
	struct xb_tree *c = created(IC("'controller':'acme.io/foo'"));

	assert_string_equal(fault_of_update(c, "{'spec':{'controller':'acme.io/bar'}}"),
			    "spec.controller: Invalid value: \"acme.io/bar\": field is immutable");
}

static void tables(void **state)
{
	static const struct example examples[] = {
		{ IC("'controller':'acme.io/foo'"),
		  "['c','acme.io/foo','<none>','<unknown>']" },
		{ PARAMETERS(",'apiGroup':'g'"),
		  "['c','acme.io/foo','K.g/n','<unknown>']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_inputs_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(controller_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(tables, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
