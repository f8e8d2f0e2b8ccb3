/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "admission_fixture.h"

static const char *run(const char *spec, struct xb_tree **ret)
{
	return admit(admission_runtime_class, "", "pods", xb_arena_printf(request->arena, "{'spec':{%s}}", spec), ret);
}

static int with_classes(void **state)
{
	int r = setup(state);

	store("node.k8s.io", "runtimeclasses", "", "vm", "{'metadata':{'name':'vm','resourceVersion':''},'handler':'h','overhead':{'podFixed':{'cpu':'250m'}},"
	      "'scheduling':{'nodeSelector':{'vm':'yes'},'tolerations':[{'key':'vm','operator':'Exists'}]}}");
	store("node.k8s.io", "runtimeclasses", "", "plain", "{'metadata':{'name':'plain','resourceVersion':''},'handler':'h'}");
	return r;
}

static void a_class_says_what_it_costs_and_where_it_is(void **state)
{
	struct xb_tree *pod;

	assert_string_equal(run("'runtimeClassName':'vm','nodeSelector':{'a':'b'},'tolerations':[{'key':'x'}]", &pod), "");
	assert_string_equal(text_of(xb_tree_get(pod, "spec")),
		"{'runtimeClassName':'vm','nodeSelector':{'a':'b','vm':'yes'},'tolerations':[{'key':'x'},{'key':'vm','operator':'Exists'}],"
		"'overhead':{'cpu':'250m'}}");
	assert_string_equal(run("'runtimeClassName':'vm','overhead':{'cpu':'250m'},'tolerations':[{'key':'vm','operator':'Exists'}]", &pod), "");
	assert_string_equal(text_of(xb_tree_path(pod, "spec", "tolerations")), "[{'key':'vm','operator':'Exists'}]");
	assert_string_equal(run("'runtimeClassName':'plain'", &pod), "");
	assert_string_equal(text_of(pod), "{'spec':{'runtimeClassName':'plain'}}");
	assert_string_equal(run("", &pod), "");
}

static void what_contradicts_it_is_refused(void **state)
{
	struct xb_tree *pod;

	assert_string_equal(run("'runtimeClassName':'none'", &pod), "pods \"x\" is forbidden: pod rejected: RuntimeClass \"none\" not found");
	assert_string_equal(run("'runtimeClassName':'vm','overhead':{'cpu':'1'}", &pod),
			    "pods \"x\" is forbidden: pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
	assert_string_equal(run("'overhead':{'cpu':'1'}", &pod),
			    "pods \"x\" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
	assert_string_equal(run("'runtimeClassName':'vm','nodeSelector':{'vm':'no'}", &pod),
		"pods \"x\" is forbidden: conflict: runtimeClass.scheduling.nodeSelector[vm] = yes; pod.spec.nodeSelector[vm] = no");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_class_says_what_it_costs_and_where_it_is, with_classes, teardown),
		cmocka_unit_test_setup_teardown(what_contradicts_it_is_refused, with_classes, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
