/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../control/controllers/nodes/cidr_set.h"

static struct cidr cidr(const char *text)
{
	struct cidr c = {};

	assert_int_equal(cidr_parse(xb_sv(text), &c), 0);
	return c;
}

static struct cidr_set *set_of(const char *range, unsigned bits)
{
	struct cidr c = cidr(range);
	struct cidr_set *s = NULL;

	assert_int_equal(cidr_set_new(&c, bits, &s), 0);
	return s;
}

/* The next n, each with a space after it. */
static void assert_next(struct cidr_set *s, unsigned n, const char *expected)
{
	_cleanup_buf_ struct xb_buf got = {};
	struct cidr c;

	while (n-- && !cidr_set_next(s, &c)) {
		cidr_write(&c, &got);
		xb_buf_addc(&got, ' ');
	}
	assert_string_equal(got.p ? got.p : "", expected);
}

static void reads_and_writes(void **state)
{
	static const char *const good[][2] = {
		{ "10.244.0.0/16", "10.244.0.0/16" }, { "10.244.7.9/16", "10.244.0.0/16" }, { "0.0.0.0/0", "0.0.0.0/0" },
		{ "10.0.0.1/32", "10.0.0.1/32" }, { "fd00:1::/64", "fd00:1::/64" }, { "fd00:1::ffff/112", "fd00:1::/112" }, { "::1/128", "::1/128" },
	};
	static const char *const bad[] = { "", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0/8", "fd00::/129", "x/8", "10.0.0.0/8/8" };
	struct cidr c;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		_cleanup_buf_ struct xb_buf text = {};

		c = cidr(good[i][0]);
		cidr_write(&c, &text);
		assert_string_equal(text.p, good[i][1]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(cidr_parse(xb_sv(bad[i]), &c), -EINVAL);
}

static void overlaps(void **state)
{
	struct cidr a = cidr("10.244.0.0/16"), in = cidr("10.244.255.0/24"), out = cidr("10.245.0.0/24"), all = cidr("0.0.0.0/0"), v6 = cidr("::/0");

	assert_true(cidr_overlap(&a, &in));
	assert_true(cidr_overlap(&in, &a));
	assert_true(cidr_overlap(&all, &out));
	assert_false(cidr_overlap(&a, &out));
	assert_false(cidr_overlap(&all, &v6));
}

static void gives_in_turn_until_there_are_no_more(void **state)
{
	_cleanup_(cidr_set_freep) struct cidr_set *s = set_of("10.244.0.0/22", 24), *v6 = set_of("fd00:0:0:fffe::/63", 64);

	assert_next(s, 9, "10.244.0.0/24 10.244.1.0/24 10.244.2.0/24 10.244.3.0/24 ");
	assert_next(v6, 9, "fd00:0:0:fffe::/64 fd00:0:0:ffff::/64 ");
}

/* What was given back is not given again at once. */
static void goes_around(void **state)
{
	_cleanup_(cidr_set_freep) struct cidr_set *s = set_of("10.244.0.0/22", 24);
	struct cidr first = cidr("10.244.0.0/24");

	assert_next(s, 1, "10.244.0.0/24 ");
	cidr_set_give(s, &first);
	assert_next(s, 4, "10.244.1.0/24 10.244.2.0/24 10.244.3.0/24 10.244.0.0/24 ");
	assert_next(s, 1, "");
	cidr_set_give(s, &first);
	cidr_set_give(s, &first);
	assert_next(s, 2, "10.244.0.0/24 ");
}

static void what_is_taken_is_not_given(void **state)
{
	_cleanup_(cidr_set_freep) struct cidr_set *s = set_of("10.244.0.0/21", 24);
	struct cidr one = cidr("10.244.1.0/24"), part = cidr("10.244.2.64/26"), more = cidr("10.244.4.0/23"), far = cidr("10.0.0.0/24"),
		    v6 = cidr("fd00::/64");

	assert_int_equal(cidr_set_take(s, &one), 0);
	assert_int_equal(cidr_set_take(s, &part), 0);
	assert_int_equal(cidr_set_take(s, &more), 0);
	assert_int_equal(cidr_set_take(s, &far), -ERANGE);
	assert_int_equal(cidr_set_take(s, &v6), -ERANGE);
	assert_next(s, 9, "10.244.0.0/24 10.244.3.0/24 10.244.6.0/24 10.244.7.0/24 ");
	cidr_set_give(s, &more);
	assert_next(s, 9, "10.244.4.0/24 10.244.5.0/24 ");
}

/* Two nodes with the same range, or with parts of one: it is free when both are gone. */
static void taken_twice_is_given_back_twice(void **state)
{
	_cleanup_(cidr_set_freep) struct cidr_set *s = set_of("10.244.0.0/24", 24);
	struct cidr low = cidr("10.244.0.0/25"), high = cidr("10.244.0.128/25");

	cidr_set_take(s, &low);
	cidr_set_take(s, &high);
	cidr_set_give(s, &low);
	assert_next(s, 1, "");
	cidr_set_give(s, &high);
	assert_next(s, 1, "10.244.0.0/24 ");
}

static void all_of_it_can_be_taken(void **state)
{
	_cleanup_(cidr_set_freep) struct cidr_set *s = set_of("10.244.0.0/16", 24);
	struct cidr wide = cidr("10.0.0.0/8");

	assert_int_equal(cidr_set_take(s, &wide), 0);
	assert_next(s, 1, "");
}

static void has_limits(void **state)
{
	struct cidr v4 = cidr("10.0.0.0/8"), v6 = cidr("fd00::/48"), all = cidr("0.0.0.0/0");
	struct cidr_set *s = NULL;

	assert_int_equal(cidr_set_new(&v4, 7, &s), -EINVAL);
	assert_int_equal(cidr_set_new(&v4, 33, &s), -EINVAL);
	assert_int_equal(cidr_set_new(&all, 0, &s), -EINVAL);
	assert_int_equal(cidr_set_new(&v4, 31, &s), -E2BIG);
	assert_int_equal(cidr_set_new(&v6, 65, &s), -E2BIG);
	assert_null(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_writes),
		cmocka_unit_test(overlaps),
		cmocka_unit_test(gives_in_turn_until_there_are_no_more),
		cmocka_unit_test(goes_around),
		cmocka_unit_test(what_is_taken_is_not_given),
		cmocka_unit_test(taken_twice_is_given_back_twice),
		cmocka_unit_test(all_of_it_can_be_taken),
		cmocka_unit_test(has_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
