/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "admission_fixture.h"

#define CLASS(name, time, default_) \
	store("storage.k8s.io", "storageclasses", "", name, "{'metadata':{'name':'" name "','resourceVersion':'','creationTimestamp':'" time "'," \
	      "'annotations':{'storageclass.kubernetes.io/is-default-class':'" default_ "'}}}")

static const char *class_of(const char *json)
{
	struct xb_tree *object;

	assert_string_equal(admit(admission_default_storage_class, "", "persistentvolumeclaims", json, &object), "");
	return text_of(xb_tree_path(object, "spec", "storageClassName"));
}

static void the_newest_default_is_taken(void **state)
{
	assert_string_equal(class_of("{'spec':{}}"), "");
	CLASS("a", "2026-01-01T00:00:00Z", "true");
	CLASS("b", "2026-01-02T00:00:00Z", "true");
	CLASS("c", "2026-01-03T00:00:00Z", "false");
	CLASS("d", "2026-01-02T00:00:00Z", "true");
	assert_string_equal(class_of("{'spec':{}}"), "'b'");
}

static void what_is_said_stays(void **state)
{
	CLASS("a", "2026-01-01T00:00:00Z", "true");
	assert_string_equal(class_of("{'spec':{'storageClassName':''}}"), "''");
	assert_string_equal(class_of("{'metadata':{'annotations':{'volume.beta.kubernetes.io/storage-class':'x'}},'spec':{}}"), "");
}

static void an_ingress_gets_its_class(void **state)
{
	struct xb_tree *object;

	store("networking.k8s.io", "ingressclasses", "", "i", "{'metadata':{'name':'i','resourceVersion':'','creationTimestamp':'2026-01-01T00:00:00Z',"
	      "'annotations':{'ingressclass.kubernetes.io/is-default-class':'true'}}}");
	assert_string_equal(admit(admission_default_ingress_class, "networking.k8s.io", "ingresses", "{'spec':{}}", &object), "");
	assert_string_equal(text_of(object), "{'spec':{'ingressClassName':'i'}}");
	assert_string_equal(admit(admission_default_ingress_class, "networking.k8s.io", "ingresses",
				  "{'metadata':{'annotations':{'kubernetes.io/ingress.class':'x'}}}", &object), "");
	assert_string_equal(text_of(xb_tree_get(object, "spec")), "{}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_newest_default_is_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_said_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(an_ingress_gets_its_class, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
