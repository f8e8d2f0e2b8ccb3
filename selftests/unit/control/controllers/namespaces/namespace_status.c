/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../../../../control/controllers/namespaces/namespace_status.h"

#define NOW INT64_C(1767225600000000) /* 2026-01-01 */

static struct xb_arena *arena;
static struct xb_json *object, *patch;

static int setup(void **state)
{
	arena = xb_arena_new(0);
	return arena ? 0 : -1;
}

static int teardown(void **state)
{
	arena = xb_arena_free(arena);
	object = xb_json_unref(object);
	patch = xb_json_unref(patch);
	return 0;
}

static void patch_of(const char *text, struct namespace_findings *f, struct xb_buf *out)
{
	object = xb_json_unref(object);
	patch = xb_json_unref(patch);
	assert_int_equal(xb_json_parse(xb_sv(text), NULL, &object, NULL), 0);
	namespace_status_patch(xb_json_root(object), f, NOW, out);
	assert_int_equal(out->err, 0);
	if (out->n)
		assert_int_equal(xb_json_parse(xb_buf_sv(out), NULL, &patch, NULL), 0);
}

static struct xb_jv condition(size_t i)
{
	return xb_jv_at(xb_jv_path(xb_json_root(patch), "status", "conditions"), i);
}

static void is(size_t i, const char *type, const char *status, const char *reason, const char *message)
{
	assert_true(xb_jv_streq(xb_jv_get(condition(i), "type"), xb_sv(type)));
	assert_true(xb_jv_streq(xb_jv_get(condition(i), "status"), xb_sv(status)));
	assert_true(xb_jv_streq(xb_jv_get(condition(i), "reason"), xb_sv(reason)));
	assert_true(xb_jv_streq(xb_jv_get(condition(i), "message"), xb_sv(message)));
}

static void tells_all_that_is_well(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};
	struct namespace_findings f = {};

	patch_of("{\"metadata\":{\"resourceVersion\":\"7\"},\"status\":{\"phase\":\"Terminating\"}}", &f, &out);
	assert_true(xb_jv_streq(xb_jv_path(xb_json_root(patch), "metadata", "resourceVersion"), XB_SV("7")));
	is(0, "NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered", "All resources successfully discovered");
	is(1, "NamespaceDeletionGroupVersionParsingFailure", "False", "ParsedGroupVersions", "All legacy kube types successfully parsed");
	is(2, "NamespaceDeletionContentFailure", "False", "ContentDeleted",
	   "All content successfully deleted, may be waiting on finalization");
	is(3, "NamespaceContentRemaining", "False", "ContentRemoved", "All content successfully removed");
	is(4, "NamespaceFinalizersRemaining", "False", "ContentHasNoFinalizers", "All content-preserving finalizers finished");
	assert_true(xb_jv_streq(xb_jv_get(condition(0), "lastTransitionTime"), XB_SV("2026-01-01T00:00:00Z")));
}

static void tells_what_is_wrong_sorted(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};
	struct namespace_findings f = { .n_undiscovered = 1, .undiscovered = "a/v1: stale GroupVersion discovery: a/v1", .unparsed = "x" };

	namespace_texts_add(&f.failures, arena, "b");
	namespace_texts_add(&f.failures, arena, "a");
	namespace_texts_add(&f.remaining, arena, "pods. has 2 resource instances");
	namespace_texts_add(&f.remaining, arena, "configmaps. has 1 resource instances");
	namespace_texts_add(&f.finalizers, arena, "example.com/x in 1 resource instances");
	patch_of("{}", &f, &out);
	is(0, "NamespaceDeletionDiscoveryFailure", "True", "DiscoveryFailed",
	   "Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: a/v1: stale GroupVersion discovery: a/v1");
	is(1, "NamespaceDeletionGroupVersionParsingFailure", "True", "GroupVersionParsingFailed", "x");
	is(2, "NamespaceDeletionContentFailure", "True", "ContentDeletionFailed", "Failed to delete all resource types, 2 remaining: a, b");
	is(3, "NamespaceContentRemaining", "True", "SomeResourcesRemain",
	   "Some resources are remaining: configmaps. has 1 resource instances, pods. has 2 resource instances");
	is(4, "NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain",
	   "Some content in the namespace has finalizers remaining: example.com/x in 1 resource instances");
}

static void writes_only_what_changes(void **state)
{
	_cleanup_buf_ struct xb_buf first = {}, status = {}, again = {};
	struct namespace_findings f = {};

	patch_of("{\"status\":{\"phase\":\"Terminating\",\"conditions\":[{\"type\":\"Mine\",\"status\":\"True\"}]}}", &f, &first);
	assert_true(xb_jv_streq(xb_jv_get(condition(0), "type"), XB_SV("Mine")));
	patch_of(first.p, &f, &again);
	assert_int_equal(again.n, 0);
	namespace_texts_add(&f.failures, arena, "a");
	patch_of(first.p, &f, &status);
	is(3, "NamespaceDeletionContentFailure", "True", "ContentDeletionFailed", "Failed to delete all resource types, 1 remaining: a");
	assert_int_equal(xb_jv_count(xb_jv_path(xb_json_root(patch), "status", "conditions")), 6);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = { T(tells_all_that_is_well), T(tells_what_is_wrong_sorted), T(writes_only_what_changes) };

	return cmocka_run_group_tests_name("control/controllers/namespace_status", tests, NULL, NULL);
}
