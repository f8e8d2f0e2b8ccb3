/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define OBJECT(spec) "{'apiVersion':'v1','kind':'PersistentVolumeClaim','metadata':{'name':'c','namespace':'n'},'spec':{" spec "}}"
#define SIZE "'resources':{'requests':{'storage':'2Gi'}}"

static void bad_specs(void **state)
{
	static const struct example examples[] = {
		{ OBJECT(SIZE),
		  "spec.accessModes: Required value: at least 1 access mode is required" },
		{ OBJECT("'accessModes':['ReadWriteOnce']"),
		  "spec.resources[storage]: Required value" },
		{ OBJECT("'accessModes':['ReadWriteOncePod','ReadOnlyMany']," SIZE),
		  "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes" },
		{ OBJECT("'accessModes':['ReadWriteOnce'],'resources':{'requests':{'storage':'-1'}}"),
		  "spec.resources.requests[storage]: Invalid value: \"-1\": must be greater than zero" },
	};

	EACH_CREATE(examples);
}

static void what_may_change(void **state)
{
	static const char refused[] = "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
	struct xb_tree *c = created(OBJECT("'accessModes':['ReadWriteOnce']," SIZE));

	assert_string_equal(fault_of_update(c, "{'spec':{'volumeName':'v'}}"), "");
	assert_string_equal(fault_of_update(c, "{'spec':{'resources':{'requests':{'storage':'3Gi'}}}}"), refused);
	xb_tree_setc(xb_tree_get(c, "status"), "phase", xb_tree_str(arena, XB_SV("Bound")));
	assert_string_equal(fault_of_update(c, "{'spec':{'resources':{'requests':{'storage':'3Gi'}}}}"), "");
	assert_string_equal(fault_of_update(c, "{'spec':{'resources':{'requests':{'storage':'1Gi'}}}}"),
		"spec.resources.requests.storage: Forbidden: field can not be less than status.capacity");
	assert_string_equal(fault_of_update(c, "{'spec':{'accessModes':['ReadOnlyMany']}}"), refused);
}

static void rows(void **state)
{
	static const struct example examples[] = {
		{ "{'apiVersion':'v1','kind':'PersistentVolumeClaim','metadata':{'name':'c','deletionTimestamp':'2026-01-01T00:00:00Z'},'spec':{'volumeName':'v','volumeMode':'Block'},'status':{'phase':'Bound','capacity':{'storage':'1Gi'},'accessModes':['ReadOnlyMany']}}",
		  "['c','Terminating','v','1Gi','ROX','','<unknown>','Block']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_specs, setup, teardown),
		cmocka_unit_test_setup_teardown(what_may_change, setup, teardown),
		cmocka_unit_test_setup_teardown(rows, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
