/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "xb/validate.h"

static int set_up(void **state)
{
	*state = xb_arena_new(0);
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	xb_arena_free(*state);
	return 0;
}

static const struct xb_path *const metadata = &(const struct xb_path){ .name = "metadata", .index = -1 };

/* What validation says of that metadata, behind 'Pod "x" is invalid: '; "" when nothing. */
static const char *said(struct xb_arena *a, struct xb_field_errors *e)
{
	static const char before[] = "Pod \"x\" is invalid: ";
	_cleanup_status_ struct xb_status status = {};

	if (xb_field_errors_status(e, "", "Pod", XB_SV("x"), &status) == 0)
		return "";
	assert_memory_equal(status.message, before, sizeof(before) - 1);
	return xb_arena_strn(a, xb_sv(status.message + sizeof(before) - 1));
}

static const char *created(struct xb_arena *a, const char *meta, bool namespaced, xb_check_fn *name)
{
	struct xb_field_errors e = { .arena = a };

	xb_validate_object_meta(&e, metadata, xb_tree_parse(a, meta), namespaced, name);
	return said(a, &e);
}

static const char *updated(struct xb_arena *a, const char *now, const char *old)
{
	struct xb_field_errors e = { .arena = a };

	xb_validate_object_meta_update(&e, metadata, xb_tree_parse(a, now), xb_tree_parse(a, old));
	return said(a, &e);
}

static void metadata_at_creation(void **state)
{
	xb_check_fn *const label = xb_check_dns1123_label;

	assert_string_equal(created(*state, "{\"name\":\"a\",\"namespace\":\"n\",\"generateName\":\"a-\",\"labels\":{\"a\":\"b\"},"
				    "\"annotations\":{\"Example.com/A\":\" \"},\"finalizers\":[\"orphan\",\"a.b/c\"]}", true, label), "");
	assert_string_equal(created(*state, "{}", false, label), "metadata.name: Required value: name or generateName is required");
	assert_string_equal(created(*state, "{\"name\":\"a\"}", true, label), "metadata.namespace: Required value");
	assert_string_equal(created(*state, "{\"name\":\"a\",\"namespace\":\"n\"}", false, label), "metadata.namespace: Forbidden: not allowed on this type");
	assert_string_equal(created(*state, "{\"name\":\"a.b\"}", false, label), "metadata.name: Invalid value: \"a.b\": must not contain dots");
	assert_string_equal(created(*state, "{\"name\":\"a\",\"generateName\":\"a.\"}", false, label),
			    "metadata.generateName: Invalid value: \"a.\": a lowercase RFC 1123 label must consist of lower case alphanumeric "
			    "characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
			    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')");
	assert_string_equal(created(*state, "{\"name\":\"a\",\"generation\":-1}", false, label),
			    "metadata.generation: Invalid value: -1: must be greater than or equal to 0");
	assert_non_null(strstr(created(*state, "{\"name\":\"a\",\"labels\":{\"a/b/c\":\"-\"}}", false, label), "[metadata.labels: Invalid value: \"a/b/c\""));
	assert_non_null(strstr(created(*state, "{\"name\":\"a\",\"annotations\":{\"a b\":\"\"}}", false, label), "metadata.annotations: Invalid value: \"a b\""));
}

static void finalizers_and_owners(void **state)
{
	xb_check_fn *const label = xb_check_dns1123_label;

	assert_string_equal(created(*state, "{\"name\":\"a\",\"finalizers\":[\"x\"]}", false, label),
			    "metadata.finalizers[0]: Invalid value: \"x\": name is neither a standard finalizer name nor is it fully qualified");
	assert_string_equal(created(*state, "{\"name\":\"a\",\"finalizers\":[\"orphan\",\"foregroundDeletion\"]}", false, label),
			    "metadata.finalizers: Invalid value: []string{\"orphan\", \"foregroundDeletion\"}: finalizer orphan and "
			    "foregroundDeletion cannot be both set");
	assert_string_equal(created(*state, "{\"name\":\"a\",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"name\":\"p\"}]}", false, label),
			    "metadata.ownerReferences.uid: Invalid value: \"\": uid must not be empty");
	assert_non_null(strstr(created(*state, "{\"name\":\"a\",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Event\",\"name\":\"p\",\"uid\":\"u\"}]}",
				       false, label), "/v1, Kind=Event is disallowed from being an owner"));
	assert_non_null(strstr(created(*state, "{\"name\":\"a\",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"K\",\"name\":\"p\",\"uid\":\"u\",\"controller\":true},"
				       "{\"apiVersion\":\"v1\",\"kind\":\"K\",\"name\":\"q\",\"uid\":\"v\",\"controller\":true}]}", false, label),
			       "Only one reference can have Controller set to true. Found \"true\" in references for K/p and K/q"));
}

static void annotations_have_a_limit(void **state)
{
	struct xb_arena *a = *state;
	const size_t n = 256 << 10;
	char *value = xb_arena_alloc(a, n);

	for (unsigned over = 0; over < 2; over++) {
		struct xb_field_errors e = { .arena = a };
		struct xb_tree *annotations = xb_tree_object(a);

		memset(value, 'x', n);
		xb_tree_setc(annotations, "k", xb_tree_str(a, (struct xb_sv){ value, n - 1 + over }));
		xb_validate_annotations(&e, XB_PATH(metadata, "annotations"), annotations);
		assert_string_equal(said(a, &e), over ? "metadata.annotations: Too long: may not be more than 262144 bytes" : "");
	}
}

static void metadata_at_update(void **state)
{
	static const char old[] = "{\"name\":\"a\",\"uid\":\"u\",\"generation\":2,\"creationTimestamp\":\"2024-01-01T00:00:00Z\"}";
	static const char dying[] = "{\"name\":\"a\",\"deletionTimestamp\":\"2024-01-01T00:00:00Z\",\"finalizers\":[\"a/b\"]}";

	assert_string_equal(updated(*state, old, old), "");
	assert_string_equal(updated(*state, "{\"name\":\"a\",\"uid\":\"v\",\"generation\":2,\"creationTimestamp\":\"2024-01-01T00:00:00Z\"}", old),
			    "metadata.uid: Invalid value: \"v\": field is immutable");
	assert_string_equal(updated(*state, "{\"name\":\"a\",\"uid\":\"u\",\"generation\":1,\"creationTimestamp\":\"2024-01-01T00:00:00Z\"}", old),
			    "metadata.generation: Invalid value: 1: must not be decremented");
	assert_string_equal(updated(*state, "{\"name\":\"a\",\"deletionTimestamp\":\"2024-01-01T00:00:00Z\"}", dying), "");
	assert_string_equal(updated(*state, "{\"name\":\"a\",\"deletionTimestamp\":\"2024-01-01T00:00:00Z\",\"finalizers\":[\"a/b\",\"c/d\"]}", dying),
			    "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers "
			    "[]string{\"c/d\"}");
}

static void ports_and_choices(void **state)
{
	static const char *const choices[] = { "Always", "Never", NULL };
	struct xb_arena *a = *state;
	struct xb_field_errors e = { .arena = a };

	assert_true(xb_validate_port(&e, metadata, 1));
	assert_true(xb_validate_port(&e, metadata, 65535));
	assert_true(xb_validate_port_or_name(&e, metadata, xb_tree_parse(a, "\"http\"")));
	assert_true(xb_validate_port_or_name(&e, metadata, xb_tree_parse(a, "80")));
	assert_true(xb_validate_one_of(&e, metadata, XB_SV("Never"), choices));
	assert_int_equal(e.n, 0);
	assert_false(xb_validate_port(&e, metadata, 70000));
	assert_string_equal(said(a, &e), "metadata: Invalid value: 70000: must be between 1 and 65535, inclusive");
	e = (struct xb_field_errors){ .arena = a };
	assert_false(xb_validate_port_or_name(&e, metadata, NULL));
	assert_string_equal(said(a, &e), "metadata: Invalid value: 0: must be between 1 and 65535, inclusive");
	e = (struct xb_field_errors){ .arena = a };
	assert_false(xb_validate_one_of(&e, metadata, XB_SV("Sometimes"), choices));
	assert_string_equal(said(a, &e), "metadata: Unsupported value: \"Sometimes\": supported values: \"Always\", \"Never\"");
	e = (struct xb_field_errors){ .arena = a };
	assert_false(xb_validate_one_of(&e, metadata, (struct xb_sv){}, choices));
	assert_string_equal(said(a, &e), "metadata: Required value");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(metadata_at_creation, set_up, tear_down),
		cmocka_unit_test_setup_teardown(finalizers_and_owners, set_up, tear_down),
		cmocka_unit_test_setup_teardown(annotations_have_a_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(metadata_at_update, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ports_and_choices, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
