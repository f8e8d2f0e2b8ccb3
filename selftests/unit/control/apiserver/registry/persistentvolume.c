/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define OBJECT(spec) "{'apiVersion':'v1','kind':'PersistentVolume','metadata':{'name':'v'},'spec':{" spec "}}"
#define SIZE "'capacity':{'storage':'1Gi'},'accessModes':['ReadWriteOnce']"

static void bad_specs(void **state)
{
	static const struct example examples[] = {
		{ OBJECT("'hostPath':{'path':'/x'}"),
		  "spec.accessModes: Required value\nspec.capacity: Required value" },
		{ OBJECT(SIZE),
		  "spec: Required value: must specify a volume type" },
		{ OBJECT(SIZE ",'hostPath':{'path':'/x/../y'},'nfs':{'server':'s','path':'/'}"),
		  "spec.hostPath.path: Invalid value: \"/x/../y\": must not contain '..'\nspec.nfs: Forbidden: may not specify more than 1 volume type" },
		{ OBJECT(SIZE ",'nfs':{'path':'x'}"),
		  "spec.nfs.server: Required value\nspec.nfs.path: Invalid value: \"x\": must be an absolute path" },
		{ OBJECT("'capacity':{'storage':'0','cpu':'1'},'accessModes':['Odd'],'hostPath':{'path':'/x'},'volumeMode':'Tape','persistentVolumeReclaimPolicy':'Shred'"),
		  "spec.accessModes: Unsupported value: \"Odd\": supported values: \"ReadOnlyMany\", \"ReadWriteMany\", \"ReadWriteOnce\", \"ReadWriteOncePod\"\n"
		  "spec.volumeMode: Unsupported value: \"Tape\": supported values: \"Block\", \"Filesystem\"\n"
		  "spec.capacity: Unsupported value: \"cpu\": supported values: \"storage\"\n"
		  "spec.capacity[storage]: Invalid value: \"0\": must be greater than zero\n"
		  "spec.persistentVolumeReclaimPolicy: Unsupported value: \"Shred\": supported values: \"Delete\", \"Recycle\", \"Retain\"" },
		{ OBJECT(SIZE ",'local':{'path':'/x'}"),
		  "metadata.annotations: Required value: Local volume requires node affinity" },
	};

	EACH_CREATE(examples);
}

static void source_stays(void **state)
{
	struct xb_tree *v = created(OBJECT(SIZE ",'hostPath':{'path':'/x'}"));

	assert_string_equal(text_of(xb_tree_path(v, "status", "phase")), "'Pending'");
	assert_string_equal(fault_of_update(v, "{'spec':{'persistentVolumeReclaimPolicy':'Delete'}}"), "");
	assert_string_equal(fault_of_update(v, "{'spec':{'hostPath':{'path':'/y'}}}"),
		"spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation");
}

static void rows(void **state)
{
	static const struct example examples[] = {
		{ "{'apiVersion':'v1','kind':'PersistentVolume','metadata':{'name':'v'},'spec':{'capacity':{'storage':'1Gi'},'accessModes':['ReadWriteMany','ReadWriteOnce'],"
		  "'claimRef':{'namespace':'n','name':'c'},'volumeMode':'Block'},'status':{'phase':'Bound'}}",
		  "['v','1Gi','RWO,RWX','','Bound','n/c','','','<unknown>','Block']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_specs, setup, teardown),
		cmocka_unit_test_setup_teardown(source_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(rows, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
