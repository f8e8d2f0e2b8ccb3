/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The cases of the API's documentation of command, args and env.value. */
#include "fixture.h"

static Runtime__V1__KeyValue a = { .key = "A", .value = "one" }, b = { .key = "B", .value = "$(A)" }, empty = { .key = "E", .value = "" },
			     odd = { .key = "odd.name-1", .value = "x" };
static Runtime__V1__KeyValue *const env[] = { &a, &b, &empty, &odd };

static const struct {
	const char *text, *expanded;
} cases[] = {
	{ "", "" },
	{ "plain", "plain" },
	{ "$(A)", "one" },
	{ "-$(A)-$(A)-", "-one-one-" },
	{ "$(B)", "$(A)" },                    /* values are not expanded again */
	{ "$(E)", "" },
	{ "$(odd.name-1)", "x" },
	{ "$(NONE)", "$(NONE)" },
	{ "$()", "$()" },
	{ "$$(A)", "$(A)" },
	{ "$$$(A)", "$one" },
	{ "$$$$(A)", "$$(A)" },
	{ "$A", "$A" },
	{ "${A}", "${A}" },
	{ "$", "$" },
	{ "a$", "a$" },
	{ "$$", "$" },
	{ "$(A", "$(A" },
	{ "$(A$(A)", "$(A$(A)" },
	{ "$($(A)", "$($(A)" },
	{ ")$(A)(", ")one(" },
	{ "$(A) $(", "one $(" },
	{ "\xc3\xa9$(A)\xc3\xa9", "\xc3\xa9one\xc3\xa9" },
};

static void test_cases(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct xb_buf out = {};

		assert_int_equal(spec_expand(xb_sv(cases[i].text), env, ARRAY_SIZE(env), false, &out), 0);
		if (strcmp(out.p ?: "", cases[i].expanded))
			fail_msg("%s: %s, not %s", cases[i].text, out.p ?: "", cases[i].expanded);
	}
}

static void test_strict(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};

	xb_buf_adds(&out, "base/");
	assert_int_equal(spec_expand(XB_SV("$(A)/$$(A)"), env, ARRAY_SIZE(env), true, &out), 0);
	assert_string_equal(out.p, "base/one/$(A)");
	xb_buf_clear(&out);
	assert_int_equal(spec_expand(XB_SV("$(A)/$(NONE)"), env, ARRAY_SIZE(env), true, &out), -EINVAL);
	assert_string_equal(out.p, "NONE");
	xb_buf_clear(&out);
	assert_int_equal(spec_expand(XB_SV("$(E)"), env, ARRAY_SIZE(env), true, &out), -EINVAL);
	assert_string_equal(out.p, "E");
}

/* A text of many openings is searched for an end once: a quadratic search of this would take minutes. */
static void test_many_openings(void **state)
{
	_cleanup_buf_ struct xb_buf text = {}, out = {};

	for (int i = 0; i < 1 << 20; i++)
		xb_buf_adds(&text, "$(");
	assert_int_equal(spec_expand(xb_buf_sv(&text), env, ARRAY_SIZE(env), false, &out), 0);
	assert_true(xb_sv_eq(xb_buf_sv(&out), xb_buf_sv(&text)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases), cmocka_unit_test(test_strict), cmocka_unit_test(test_many_openings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
