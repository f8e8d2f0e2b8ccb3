/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "admission_fixture.h"

#define CLASS(name, rest) store("scheduling.k8s.io", "priorityclasses", "", name, "{" META(name) "," rest "}")
#define POD(spec) "{" META("x") ",'spec':{" spec "}}"

static struct xb_tree *object;

static const char *pod(const char *json)
{
	return admit(admission_priority, "", "pods", json, &object);
}

static void the_class_gives_the_priority(void **state)
{
	CLASS("high", "'value':7,'preemptionPolicy':'Never'");
	assert_string_equal(pod(POD("'priorityClassName':'high'")), "");
	assert_string_equal(text_of(xb_tree_get(object, "spec")), "{'priorityClassName':'high','priority':7,'preemptionPolicy':'Never'}");
	assert_string_equal(pod(POD("'priorityClassName':'none'")), "pods \"x\" is forbidden: no PriorityClass with name none was found");
	assert_string_equal(pod(POD("'priorityClassName':'high','priority':8")),
			    "pods \"x\" is forbidden: the integer value of priority (8) must not be provided in pod spec; priority admission controller computed 7 from the given PriorityClass name");
	assert_string_equal(pod(POD("'priorityClassName':'high','preemptionPolicy':'PreemptLowerPriority'")),
			    "pods \"x\" is forbidden: the string value of PreemptionPolicy (PreemptLowerPriority) must not be provided in pod spec; priority admission controller computed Never from the given PriorityClass name");
}

static void a_pod_without_class_gets_the_default(void **state)
{
	assert_string_equal(pod(POD("")), "");
	assert_string_equal(text_of(xb_tree_get(object, "spec")), "{'priority':0,'preemptionPolicy':'PreemptLowerPriority'}");
	CLASS("usual", "'value':5,'globalDefault':true");
	CLASS("lower", "'value':3,'globalDefault':true");
	assert_string_equal(pod(POD("")), "");
	assert_string_equal(text_of(xb_tree_get(object, "spec")), "{'priorityClassName':'lower','priority':3,'preemptionPolicy':'PreemptLowerPriority'}");
}

static void there_is_one_default(void **state)
{
	CLASS("usual", "'value':5,'globalDefault':true");
	assert_string_equal(admit(admission_priority, "scheduling.k8s.io", "priorityclasses", "{'globalDefault':true}", &object),
			    "priorityclasses.scheduling.k8s.io \"x\" is forbidden: PriorityClass usual is already marked as default. Only one default can exist");
	assert_string_equal(admit(admission_priority, "scheduling.k8s.io", "priorityclasses", "{'value':1}", &object), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_class_gives_the_priority, setup, teardown),
		cmocka_unit_test_setup_teardown(a_pod_without_class_gets_the_default, setup, teardown),
		cmocka_unit_test_setup_teardown(there_is_one_default, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
