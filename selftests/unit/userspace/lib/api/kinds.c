/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "xb/kinds.h"

static void finds_by_resource_and_by_kind(void **state)
{
	unsigned n = 0;

	for (const struct xb_kind *const *k = xb_kinds; *k; k++, n++) {
		const struct xb_sv group = xb_sv((*k)->group), version = xb_sv((*k)->version);

		assert_ptr_equal(xb_kind_by_resource(group, version, xb_sv((*k)->plural)), *k);
		assert_ptr_equal(xb_kind_by_name(group, version, xb_sv((*k)->kind)), *k);
	}
	assert_in_range(n, 55, 200);
	assert_null(xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("Pod")));
	assert_null(xb_kind_by_resource(XB_SV(""), XB_SV("v2"), XB_SV("pods")));
	assert_null(xb_kind_by_resource(XB_SV("apps"), XB_SV("v1"), XB_SV("pods")));
	assert_null(xb_kind_by_name(XB_SV(""), XB_SV("v1"), (struct xb_sv){}));
}

static void subresources(void **state)
{
	const struct xb_kind *rc = xb_kind_by_name(XB_SV(""), XB_SV("v1"), XB_SV("ReplicationController"));
	const struct xb_subresource *scale = xb_kind_subresource(rc, XB_SV("scale"));

	assert_non_null(scale);
	assert_string_equal(scale->kind, "Scale");
	assert_string_equal(scale->group, "autoscaling");
	assert_int_equal(scale->verbs, XB_VERB_GET | XB_VERB_PATCH | XB_VERB_UPDATE);
	assert_ptr_equal(xb_kind_subresource(rc, XB_SV("status"))->type, rc->type);
	assert_null(xb_kind_subresource(rc, XB_SV("log")));
	assert_null(xb_kind_subresource(xb_kind_by_name(XB_SV(""), XB_SV("v1"), XB_SV("Pod")), XB_SV("exec"))->type);
}

static void rows_are_whole(void **state)
{
	for (const struct xb_kind *const *k = xb_kinds; *k; k++) {
		assert_string_equal((*k)->type->name, (*k)->kind);
		assert_int_not_equal((*k)->verbs, 0);
		assert_int_equal((*k)->list_kind != NULL, ((*k)->verbs & XB_VERB_LIST) != 0);
		for (unsigned i = 0; i < (*k)->n_subresources; i++)
			assert_true((*k)->subresources[i].type || (*k)->subresources[i].kind || !strcmp((*k)->subresources[i].name, "log"));
	}
}

static void verbs_have_names(void **state)
{
	assert_string_equal(xb_verb_name(XB_VERB_CREATE), "create");
	assert_string_equal(xb_verb_name(XB_VERB_DELETECOLLECTION), "deletecollection");
	assert_string_equal(xb_verb_name(XB_VERB_WATCH), "watch");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_by_resource_and_by_kind),
		cmocka_unit_test(subresources),
		cmocka_unit_test(rows_are_whole),
		cmocka_unit_test(verbs_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
