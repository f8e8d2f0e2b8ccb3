/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "xb/describe.h"
#include "xb/kinds.h"

/* Every kind has its sentence, as have its own fields and those of metadata. */
static void every_kind_is_described(void **state)
{
	for (const struct xb_kind *const *k = xb_kinds; *k; k++) {
		const struct xb_type *t = (*k)->type;

		if (!xb_describe(t->name, ""))
			fail_msg("%s has no description", t->name);
		assert_non_null(xb_describe(t->name, "metadata"));
	}
	for (unsigned i = 0; i < xb_type_object_meta.n_fields; i++)
		assert_non_null(xb_describe("ObjectMeta", xb_type_object_meta.fields[i].name));
}

static void a_types_own_words_go_first(void **state)
{
	assert_string_equal(xb_describe("PodTemplateSpec", "spec"), "The pods' spec.");
	assert_string_equal(xb_describe("Pod", "spec"), xb_describe("Service", "spec"));
	assert_string_equal(xb_describe("PodCondition", "status"), "True, False or Unknown.");
}

static void what_is_not_described_has_none(void **state)
{
	assert_null(xb_describe("Pod", "nothing"));
	assert_null(xb_describe("Nothing", ""));
	assert_null(xb_describe("", ""));
}

/* One line each, a whole sentence, plain characters. */
static void descriptions_are_sentences(void **state)
{
	for (const struct xb_kind *const *k = xb_kinds; *k; k++) {
		const char *text = xb_describe((*k)->type->name, "");

		assert_non_null(text);
		assert_in_range(strlen(text), 10, 140);
		assert_int_equal(text[strlen(text) - 1], '.');
		assert_null(strchr(text, '\n'));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_described),
		cmocka_unit_test(a_types_own_words_go_first),
		cmocka_unit_test(what_is_not_described_has_none),
		cmocka_unit_test(descriptions_are_sentences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
