/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "xb/field_error.h"

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

static const struct xb_path *const spec = &(const struct xb_path){ .name = "spec", .index = -1 };

static void paths(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};

	xb_path_write(XB_PATH(XB_PATH_AT(XB_PATH(spec, "containers"), 2), "name"), &out);
	assert_string_equal(out.p, "spec.containers[2].name");
	xb_buf_clear(&out);
	xb_path_write(XB_PATH_KEY(XB_PATH(NULL, "data"), XB_SV("a b")), &out);
	assert_string_equal(out.p, "data[a b]");
	xb_buf_clear(&out);
	xb_path_write(XB_PATH(NULL, ""), &out);
	assert_string_equal(out.p, "[]");
}

static void none_is_fine(void **state)
{
	const struct xb_field_errors e = { .arena = *state };
	struct xb_status status = {};

	assert_int_equal(xb_field_errors_status(&e, "", "Pod", XB_SV("x"), &status), 0);
	assert_int_equal(status.code, 0);
}

static void one_has_no_brackets(void **state)
{
	struct xb_field_errors e = { .arena = *state };
	_cleanup_status_ struct xb_status status = {};

	xb_err_required(&e, XB_PATH(spec, "containers"), "");
	assert_int_equal(xb_field_errors_status(&e, "", "Pod", XB_SV("x"), &status), -EINVAL);
	assert_int_equal(status.code, 422);
	assert_string_equal(status.reason, "Invalid");
	assert_string_equal(status.message, "Pod \"x\" is invalid: spec.containers: Required value");
	assert_string_equal(status.kind, "Pod");
	assert_string_equal(status.name, "x");
	assert_int_equal(status.n_causes, 1);
	assert_string_equal(status.causes[0].reason, "FieldValueRequired");
	assert_string_equal(status.causes[0].message, "Required value");
	assert_string_equal(status.causes[0].field, "spec.containers");
}

static void each_kind_of_fault(void **state)
{
	static const char *const protocols[] = { "SCTP", "TCP", NULL };
	struct xb_field_errors e = { .arena = *state };
	_cleanup_status_ struct xb_status status = {};
	struct xb_arena *a = *state;

	xb_err_required(&e, XB_PATH(spec, "a"), "why");
	xb_err_invalid_sv(&e, XB_PATH(spec, "b"), XB_SV("q\"\n\x01é"), "detail %d", 1);
	xb_err_invalid_go(&e, XB_PATH(spec, "c"), "-2", "must be greater than or equal to 0");
	xb_err_invalid(&e, XB_PATH(spec, "d"), xb_tree_parse(a, "{\"app\":\"x\",\"b\":\"y\"}"), "no");
	xb_err_invalid(&e, XB_PATH(spec, "e"), xb_tree_parse(a, "[\"10.0.0.1\"]"), "no");
	xb_err_invalid(&e, XB_PATH(spec, "f"), NULL, "no");
	xb_err_unsupported(&e, XB_PATH(spec, "g"), XB_SV("HTTP"), protocols);
	xb_err_duplicate(&e, XB_PATH(spec, "h"), XB_SV("c"));
	xb_err_not_found(&e, XB_PATH(spec, "i"), XB_SV("v"));
	xb_err_forbidden(&e, XB_PATH(spec, "j"), "field is immutable");
	xb_err_too_long(&e, XB_PATH(spec, "k"), 10);
	xb_err_too_many(&e, XB_PATH(spec, "l"), 3, 2);
	assert_int_equal(xb_field_errors_status(&e, "apps", "Deployment", XB_SV("x"), &status), -EINVAL);
	assert_string_equal(status.message,
			    "Deployment.apps \"x\" is invalid: [spec.a: Required value: why, spec.b: Invalid value: \"q\\\"\\n\\x01é\": detail 1, "
			    "spec.c: Invalid value: -2: must be greater than or equal to 0, "
			    "spec.d: Invalid value: map[string]string{\"app\":\"x\", \"b\":\"y\"}: no, "
			    "spec.e: Invalid value: []string{\"10.0.0.1\"}: no, spec.f: Invalid value: null: no, "
			    "spec.g: Unsupported value: \"HTTP\": supported values: \"SCTP\", \"TCP\", spec.h: Duplicate value: \"c\", "
			    "spec.i: Not found: \"v\", spec.j: Forbidden: field is immutable, spec.k: Too long: may not be more than 10 bytes, "
			    "spec.l: Too many: 3: must have at most 2 items]");
	assert_int_equal(status.n_causes, 12);
	assert_string_equal(status.causes[11].reason, "FieldValueTooMany");
}

static void what_was_said_is_not_said_again(void **state)
{
	struct xb_field_errors e = { .arena = *state };
	_cleanup_status_ struct xb_status status = {};

	xb_err_required(&e, spec, "");
	xb_err_required(&e, spec, "");
	xb_field_errors_status(&e, "", "Pod", XB_SV("x"), &status);
	assert_string_equal(status.message, "Pod \"x\" is invalid: spec: Required value");
	assert_int_equal(status.n_causes, 2);
}

static void there_is_a_limit(void **state)
{
	struct xb_field_errors e = { .arena = *state };

	for (int i = 0; i < 5000; i++)
		xb_err_required(&e, XB_PATH_AT(spec, i), "");
	assert_int_equal(e.n, XB_FIELD_ERRORS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(paths, set_up, tear_down),
		cmocka_unit_test_setup_teardown(none_is_fine, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_has_no_brackets, set_up, tear_down),
		cmocka_unit_test_setup_teardown(each_kind_of_fault, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_said_is_not_said_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(there_is_a_limit, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
