/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define LEASE(spec) "{'apiVersion':'coordination.k8s.io/v1','kind':'Lease','metadata':{'name':'l','namespace':'n'},'spec':{" spec "}}"

static void bad_leases(void **state)
{
	static const struct example examples[] = {
		{ LEASE(""), "" },
		{ LEASE("'leaseDurationSeconds':0,'leaseTransitions':-1,'holderIdentity':''"),
		  "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0\n"
		  "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0\n"
		  "spec.holderIdentity: Invalid value: \"\": must not be empty" },
		{ LEASE("'strategy':'x','preferredHolder':'p'"), "spec.strategy: Unsupported value: \"x\": supported values: \"OldestEmulationVersion\"" },
		{ LEASE("'preferredHolder':'p'"), "spec.preferredHolder: Forbidden: may only be specified when `strategy` is defined" },
	};

	EACH_CREATE(examples);
}

static void rows(void **state)
{
	assert_string_equal(row_of(LEASE("'holderIdentity':'n1'")), "['l','n1','<unknown>']");
	assert_string_equal(row_of(LEASE("")), "['l','','<unknown>']");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_leases, setup, teardown),
		cmocka_unit_test_setup_teardown(rows, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
