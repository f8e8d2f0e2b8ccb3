/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define VA(spec) "{'apiVersion':'storage.k8s.io/v1','kind':'VolumeAttachment','metadata':{'name':'a'},'spec':{" spec "}}"
#define GOOD "'attacher':'d','nodeName':'n','source':{'persistentVolumeName':'v'}"

static void bad_inputs_are_refused(void **state)
{
	static const struct example examples[] = {
		{ VA(GOOD),
		  "" },
		{ VA("'attacher':'d','nodeName':'n'"),
		  "spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName" },
		{ VA("'attacher':'d','nodeName':'n','source':{'persistentVolumeName':'v','inlineVolumeSpec':{}}"),
		  "spec.source: Forbidden: must specify exactly one of inlineVolumeSpec and persistentVolumeName" },
		{ VA("'attacher':'d','nodeName':'n','source':{'persistentVolumeName':''}"),
		  "spec.source.persistentVolumeName: Required value: must specify non empty persistentVolumeName" },
	};

	EACH_CREATE(examples);
}

static void the_spec_stays(void **state)
{
	struct xb_tree *a = created(VA(GOOD));

	assert_string_equal(text_of(xb_tree_get(a, "status")), "{'attached':false}");
	assert_non_null(strstr(fault_of_update(a, "{'spec':{'nodeName':'m'}}"), "field is immutable"));
}

static void tables(void **state)
{
	static const struct example examples[] = {
		{ VA(GOOD),
		  "['a','d','v','n',false,'<unknown>']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_inputs_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(the_spec_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(tables, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
