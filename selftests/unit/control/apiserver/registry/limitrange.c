/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define OBJECT(item) "{'apiVersion':'v1','kind':'LimitRange','metadata':{'name':'l','namespace':'n'},'spec':{'limits':[" item "]}}"

static void defaults(void **state)
{
	struct xb_tree *l = created(OBJECT("{'type':'Container','max':{'cpu':'2'},'min':{'memory':'1Mi'},'default':{'memory':'4Mi'}}"));
	struct xb_tree *item = xb_tree_path(l, "spec", "limits")->first;

	assert_string_equal(text_of(xb_tree_get(item, "default")), "{'memory':'4Mi','cpu':'2'}");
	assert_string_equal(text_of(xb_tree_get(item, "defaultRequest")), "{'memory':'4Mi','cpu':'2'}");
}

static void bad_specs(void **state)
{
	static const struct example examples[] = {
		{ OBJECT("{'type':'Container','min':{'cpu':'2'},'max':{'cpu':'1'}}"),
		  "spec.limits[0].min[cpu]: Invalid value: \"2\": min value 2 is greater than max value 1\n"
		  "spec.limits[0].defaultRequest[cpu]: Invalid value: \"2\": min value 2 is greater than default request value 1\n"
		  "spec.limits[0].defaultRequest[cpu]: Invalid value: \"2\": min value 2 is greater than default value 1" },
		{ OBJECT("{'type':'Pod','default':{'cpu':'2'}}"),
		  "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'" },
		{ OBJECT("{'type':'PersistentVolumeClaim'}"),
		  "spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided" },
		{ OBJECT("{'type':'Moon'},{'type':'Pod','maxLimitRequestRatio':{'cpu':'500m'}},{'type':'Pod'}"),
		  "spec.limits[0].type: Invalid value: \"Moon\": must be a standard limit type or fully qualified\n"
		  "spec.limits[1].maxLimitRequestRatio[cpu]: Invalid value: \"500m\": ratio 500m is less than 1\n"
		  "spec.limits[2].type: Duplicate value: \"Pod\"" },
	};

	EACH_CREATE(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(defaults, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_specs, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
