/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"
#include "../../../../../control/apiserver/registry/pod.h"

static void pull_policy_follows_the_tag(void **state)
{
	static const struct { const char *image, *policy; } examples[] = {
		{ "nginx", "Always" }, { "nginx:latest", "Always" }, { "nginx:1.14.2", "IfNotPresent" }, { "r.example:5000/a/b", "Always" },
		{ "r.example:5000/a/b:1", "IfNotPresent" }, { "a@sha256:00", "IfNotPresent" }, { "a:latest@sha256:00", "Always" }, { "", "IfNotPresent" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		struct xb_tree *spec = xb_tree_parse(arena, quoted(xb_arena_printf(arena, "{'initContainers':[{'name':'c','image':'%s'}]}", examples[i].image)));
		struct write w = { .arena = arena };

		pod_spec_defaults(&w, spec);
		assert_string_equal(xb_tree_gettext(xb_tree_get(spec, "initContainers")->first, "imagePullPolicy").p, examples[i].policy);
	}
}

static void volumes_and_accounts(void **state)
{
	struct xb_tree *spec = xb_tree_parse(arena, quoted("{'serviceAccount':'a','volumes':[{'name':'v'},{'name':'w','hostPath':{}}]}"));
	struct write w = { .arena = arena };

	pod_spec_defaults(&w, spec);
	assert_string_equal(text_of(spec), "{'serviceAccount':'a','volumes':[{'name':'v','emptyDir':{}},{'name':'w','hostPath':{}}],'serviceAccountName':'a'}");
}

#define R(requests, limits) "{'resources':{'requests':{" requests "},'limits':{" limits "}}}"

static void classes_of_service(void **state)
{
	static const struct { const char *containers, *class; } examples[] = {
		{ "{}", "BestEffort" },
		{ R("'cpu':'0'", ""), "BestEffort" },
		{ R("'x.y/z':'1'", "'x.y/z':'1'"), "BestEffort" },
		{ R("'cpu':'1'", ""), "Burstable" },
		{ R("'cpu':'1','memory':'1Gi'", "'cpu':'1000m','memory':'1024Mi'"), "Guaranteed" },
		{ R("'cpu':'1','memory':'1Gi'", "'cpu':'2','memory':'1Gi'"), "Burstable" },
		{ R("'cpu':'1','memory':'1Gi'", "'cpu':'1','memory':'1Gi'") ",{}", "Burstable" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		struct xb_tree *spec = xb_tree_parse(arena, quoted(xb_arena_printf(arena, "{'containers':[%s]}", examples[i].containers)));

		assert_string_equal(pod_qos_class(spec), examples[i].class);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pull_policy_follows_the_tag, setup, teardown),
		cmocka_unit_test_setup_teardown(volumes_and_accounts, setup, teardown),
		cmocka_unit_test_setup_teardown(classes_of_service, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
