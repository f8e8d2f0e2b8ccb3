/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "admission_fixture.h"

static void claims_and_volumes_are_protected(void **state)
{
	struct xb_tree *object;

	assert_string_equal(admit(admission_storage_protection, "", "persistentvolumeclaims", "{'metadata':{'finalizers':['x']}}", &object), "");
	assert_string_equal(text_of(object), "{'metadata':{'finalizers':['x','kubernetes.io/pvc-protection']}}");
	assert_string_equal(admit(admission_storage_protection, "", "persistentvolumes", "{'metadata':{'finalizers':['kubernetes.io/pv-protection']}}",
				  &object), "");
	assert_string_equal(text_of(object), "{'metadata':{'finalizers':['kubernetes.io/pv-protection']}}");
	assert_string_equal(admit(admission_storage_protection, "", "pods", "{}", &object), "");
	assert_string_equal(text_of(object), "{}");
}

#define CLAIM(class, size, phase) "{'spec':{'storageClassName':'" class "','resources':{'requests':{'storage':'" size "'}}},'status':{'phase':'" phase "'}}"

static const char *resize(const char *old, const char *now)
{
	struct attempt t = {
		.request = request, .write = creation("", "persistentvolumeclaims"), .object = xb_tree_parse(request->arena, quoted(now)),
		.old = xb_tree_parse(request->arena, quoted(old)),
	};

	return said(admission_claim_resize(&t));
}

static void only_some_claims_grow(void **state)
{
	static const char cannot[] = "persistentvolumeclaims \"x\" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that"
				     " provisions the pvc must support resize";

	store("storage.k8s.io", "storageclasses", "", "grows", "{'metadata':{'name':'grows','resourceVersion':''},'allowVolumeExpansion':true}");
	store("storage.k8s.io", "storageclasses", "", "stays", "{'metadata':{'name':'stays','resourceVersion':''}}");
	assert_string_equal(resize(CLAIM("grows", "1Gi", "Bound"), CLAIM("grows", "2Gi", "Bound")), "");
	assert_string_equal(resize(CLAIM("grows", "2Gi", "Pending"), CLAIM("grows", "1Gi", "Pending")), "");
	assert_string_equal(resize(CLAIM("grows", "1Gi", "Pending"), CLAIM("grows", "2Gi", "Pending")),
			    "persistentvolumeclaims \"x\" is forbidden: Only bound persistent volume claims can be expanded");
	assert_string_equal(resize(CLAIM("stays", "1Gi", "Bound"), CLAIM("stays", "2Gi", "Bound")), cannot);
	assert_string_equal(resize(CLAIM("gone", "1Gi", "Bound"), CLAIM("gone", "2Gi", "Bound")), cannot);
	assert_string_equal(resize(CLAIM("", "1Gi", "Bound"), CLAIM("", "2Gi", "Bound")), cannot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(claims_and_volumes_are_protected, setup, teardown),
		cmocka_unit_test_setup_teardown(only_some_claims_grow, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
