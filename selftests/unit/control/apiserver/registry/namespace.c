/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define NS(meta, rest) "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'" meta "'}" rest "}"

static enum deletion delete(struct xb_tree *object, struct xb_status *reterr)
{
	struct write w = write_of(object);
	struct delete_request q = { .grace_seconds = -1 };

	return namespace_strategy.delete_(&w, object, &q, reterr);
}

static void starts_active(void **state)
{
	struct xb_tree *ns = created(NS("dev", ",'spec':{'finalizers':['a.b/c']},'status':{'phase':'Terminating'}"));

	assert_string_equal(text_of(xb_tree_get(ns, "spec")), "{'finalizers':['a.b/c','kubernetes']}");
	assert_string_equal(text_of(xb_tree_get(ns, "status")), "{'phase':'Active'}");
	assert_string_equal(text_of(xb_tree_path(ns, "metadata", "labels")), "{'kubernetes.io/metadata.name':'dev'}");
}

static void a_generated_name_is_labelled_too(void **state)
{
	struct xb_tree *ns = xb_tree_parse(arena, quoted("{'apiVersion':'v1','kind':'Namespace','metadata':{'generateName':'g-'}}"));
	struct write w = write_of(decoded(ns));

	namespace_strategy.prepare_create(&w, ns);
	assert_null(xb_tree_path(ns, "metadata", "labels"));
	xb_tree_setc(xb_tree_get(ns, "metadata"), "name", xb_tree_str(arena, XB_SV("g-xyz12")));
	assert_string_equal(settle(&w, ns, NULL), "");
	assert_string_equal(text_of(xb_tree_path(ns, "metadata", "labels")), "{'kubernetes.io/metadata.name':'g-xyz12'}");
}

static void finalizers_have_their_own_path(void **state)
{
	static const struct xb_subresource finalize = { .name = "finalize" };
	struct xb_tree *ns = created(NS("dev", "")), *next = updated(ns, "{'spec':{'finalizers':[]}}");
	struct write w = write_of(ns);

	assert_string_equal(text_of(xb_tree_path(next, "spec", "finalizers")), "['kubernetes']");
	assert_true(namespace_strategy.held(next));
	next = xb_tree_copy(arena, ns);
	xb_tree_del(next, "spec");
	w.sub = &finalize;
	namespace_strategy.prepare_update(&w, next, ns);
	assert_false(namespace_strategy.held(next));
}

static void finalizers_are_checked(void **state)
{
	assert_string_equal(fault_of(NS("dev", ",'spec':{'finalizers':['bad']}")),
		"spec.finalizers: Invalid value: \"bad\": name is neither a standard finalizer name nor is it fully qualified");
}

static void deletion_goes_by_phase(void **state)
{
	struct xb_tree *ns = created(NS("dev", ""));
	_cleanup_status_ struct xb_status s = {};

	assert_int_equal(delete(ns, &s), DELETE_LATER);
	assert_string_equal(text_of(xb_tree_get(ns, "status")), "{'phase':'Terminating'}");
	assert_string_equal(text_of(xb_tree_path(ns, "metadata", "deletionTimestamp")), "'" NOW "'");
	assert_null(xb_tree_path(ns, "metadata", "deletionGracePeriodSeconds"));
	assert_int_equal(delete(ns, &s), DELETE_LATER);
	xb_tree_del(ns, "spec");
	assert_int_equal(delete(ns, &s), DELETE_NOW);
	assert_int_equal(s.code, 0);
}

static void some_stay(void **state)
{
	_cleanup_status_ struct xb_status s = {};

	(void)delete(created(NS("default", "")), &s);
	assert_int_equal(s.code, 403);
	assert_string_equal(s.message, "namespaces \"default\" is forbidden: this namespace may not be deleted");
}

static void phase_says_what_is(void **state)
{
	struct xb_tree *ns = created(NS("dev", ""));
	_cleanup_status_ struct xb_status s = {};

	assert_string_equal(fault_of_status(ns, "{'phase':'Terminating'}"),
		"status.Phase: Invalid value: \"Terminating\": may only be 'Active' if `deletionTimestamp` is empty");
	(void)delete(ns, &s);
	assert_string_equal(fault_of_status(ns, "{'phase':'Active'}"),
		"status.Phase: Invalid value: \"Active\": may only be 'Terminating' if `deletionTimestamp` is not empty");
}

static void rows(void **state)
{
	assert_string_equal(row_of(NS("dev", ",'status':{'phase':'Active'}")), "['dev','Active','<unknown>']");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(starts_active, setup, teardown),
		cmocka_unit_test_setup_teardown(a_generated_name_is_labelled_too, setup, teardown),
		cmocka_unit_test_setup_teardown(finalizers_have_their_own_path, setup, teardown),
		cmocka_unit_test_setup_teardown(finalizers_are_checked, setup, teardown),
		cmocka_unit_test_setup_teardown(deletion_goes_by_phase, setup, teardown),
		cmocka_unit_test_setup_teardown(some_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(phase_says_what_is, setup, teardown),
		cmocka_unit_test_setup_teardown(rows, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
