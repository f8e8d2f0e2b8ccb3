/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../control/apiserver/registry/alloc.h"

static struct ip_range *range(const char *cidr)
{
	struct ip_range *r = NULL;

	assert_int_equal(ip_range_new(xb_sv(cidr), &r, NULL), 0);
	return r;
}

static void ranges_are_checked(void **state)
{
	static const char *const bad[] = { "", "10.96.0.0", "10.96.0.0/", "10.96.0.0/33", "10.96.0.0/11", "10.96.0.0/30", "x/12", "fd00::/107", "fd00::/129", "10.96.0.0/-1" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_free_ char *why = NULL;
		struct ip_range *r;

		assert_int_equal(ip_range_new(xb_sv(bad[i]), &r, &why), -EINVAL);
		assert_non_null(why);
	}
}

static void text_is_canonical(void **state)
{
	_cleanup_(ip_range_freep) struct ip_range *four = range("10.96.7.9/12"), *six = range("FD00:10:96::1:1/108");

	assert_string_equal(ip_range_text(four), "10.96.0.0/12");
	assert_string_equal(ip_range_first(four), "10.96.0.1");
	assert_string_equal(ip_range_text(six), "fd00:10:96::/108");
	assert_string_equal(ip_range_first(six), "fd00:10:96::1");
	assert_true(ip_range_is_v6(six));
}

static void every_address_once(void **state)
{
	static const struct { const char *cidr; unsigned n; } ranges[] = { { "10.0.0.8/29", 6 }, { "fd00::8/125", 7 }, { "10.0.0.0/24", 254 } };

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		_cleanup_(ip_range_freep) struct ip_range *r = range(ranges[i].cidr);
		char ip[INET6_ADDRSTRLEN];

		for (unsigned n = 0; n < ranges[i].n; n++) {
			assert_int_equal(ip_range_take_any(r, ip), 0);
			assert_int_equal(ip_range_take(r, xb_sv(ip)), -EEXIST);
		}
		assert_int_equal(ip_range_take_any(r, ip), -ENOSPC);
		ip_range_give(r, xb_sv(ip));
		assert_int_equal(ip_range_take_any(r, ip), 0);
	}
}

static void ends_are_nobodys(void **state)
{
	static const char *const outside[] = { "10.0.0.8", "10.0.0.15", "10.0.0.7", "10.0.0.16", "::ffff:10.0.0.9", "fd00::9", "", "10.0.0.09", "10.0.0.9 " };
	_cleanup_(ip_range_freep) struct ip_range *r = range("10.0.0.8/29");

	for (size_t i = 0; i < ARRAY_SIZE(outside); i++)
		assert_int_equal(ip_range_take(r, xb_sv(outside[i])), -ERANGE);
	assert_int_equal(ip_range_take(r, XB_SV("10.0.0.9")), 0);
	assert_int_equal(ip_range_take(r, XB_SV("10.0.0.9")), -EEXIST);
	ip_range_give(r, XB_SV("10.0.0.9"));
	ip_range_give(r, XB_SV("10.0.0.9"));
	ip_range_give(r, XB_SV("1.2.3.4"));
	assert_int_equal(ip_range_take(r, XB_SV("10.0.0.9")), 0);
}

static void node_ports(void **state)
{
	_cleanup_(port_range_freep) struct port_range *r = NULL;
	int port, first, last;

	assert_int_equal(port_range_new(0, 10, &r), -EINVAL);
	assert_int_equal(port_range_new(10, 9, &r), -EINVAL);
	assert_int_equal(port_range_new(65000, 65536, &r), -EINVAL);
	assert_int_equal(port_range_new(30000, 30099, &r), 0);
	port_range_bounds(r, &first, &last);
	assert_int_equal(first, 30000);
	assert_int_equal(last, 30099);
	assert_int_equal(port_range_take(r, 29999), -ERANGE);
	assert_int_equal(port_range_take(r, 30100), -ERANGE);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(port_range_take_any(r, &port), 0);
		assert_in_range(port, 30000, 30099);
		assert_int_equal(port_range_take(r, port), -EEXIST);
	}
	assert_int_equal(port_range_take_any(r, &port), -ENOSPC);
	port_range_give(r, 30050);
	port_range_give(r, 1);
	assert_int_equal(port_range_take(r, 30050), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_checked),
		cmocka_unit_test(text_is_canonical),
		cmocka_unit_test(every_address_once),
		cmocka_unit_test(ends_are_nobodys),
		cmocka_unit_test(node_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
