/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "xb/ip.h"

static struct xb_ip ip(const char *text)
{
	struct xb_ip ip = {};

	assert_int_equal(xb_ip_parse(xb_sv(text), &ip), 0);
	return ip;
}

static struct xb_net net(const char *text)
{
	struct xb_net n = {};

	assert_int_equal(xb_net_parse(xb_sv(text), &n), 0);
	return n;
}

static void text(void **state)
{
	static const char *const bad[] = { "", "10.0.0", "10.0.0.256", "fd00::g", "1:2", "10.0.0.1 ", "0x10.0.0.1" };
	static const char *const bad_net[] = { "", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "fd00::/129", "/8", "10.0.0.0/-1", "10.0.0.0/8/8" };
	struct xb_ip a;
	struct xb_net n;

	assert_string_equal(xb_ip_format(&(struct xb_ip){ AF_INET, { 10, 1, 2, 3 } }).s, "10.1.2.3");
	a = ip("fd00:0::1");
	assert_string_equal(xb_ip_format(&a).s, "fd00::1");
	n = net("fd00::1/64");
	assert_string_equal(xb_net_format(&n).s, "fd00::1/64");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(xb_ip_parse(xb_sv(bad[i]), &a), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(bad_net); i++)
		assert_int_equal(xb_net_parse(xb_sv(bad_net[i]), &n), -EINVAL);
	assert_int_equal(xb_ip_parse(XB_SV("1.1.1.1\0"), &a), -EINVAL);
}

static void networks(void **state)
{
	struct xb_net n = net("10.244.17.9/20"), all = net("0.0.0.0/0"), v6 = net("fd00:10:244::/57");
	struct xb_net low = xb_net_of(&n.ip, n.bits);
	struct xb_ip last = xb_net_last(&n), last6 = xb_net_last(&v6), in = ip("10.244.31.255"), out = ip("10.244.32.0"), other = ip("::");

	assert_string_equal(xb_net_format(&low).s, "10.244.16.0/20");
	assert_string_equal(xb_ip_format(&last).s, "10.244.31.255");
	assert_string_equal(xb_ip_format(&last6).s, "fd00:10:244:7f:ffff:ffff:ffff:ffff");
	assert_true(xb_net_contains(&n, &in));
	assert_false(xb_net_contains(&n, &out));
	assert_true(xb_net_contains(&all, &out));
	assert_false(xb_net_contains(&all, &other));
	low = xb_net_host(&in);
	assert_true(xb_net_contains(&low, &in));
	assert_false(xb_net_contains(&low, &out));
}

static void counting(void **state)
{
	struct xb_ip a = ip("10.0.255.250"), b = ip("fd00::ffff:ffff:ffff:ffff"), sum;

	sum = xb_ip_add(&a, 10);
	assert_string_equal(xb_ip_format(&sum).s, "10.1.0.4");
	assert_true(xb_ip_cmp(&a, &sum) < 0);
	sum = xb_ip_add(&b, 1);
	assert_string_equal(xb_ip_format(&sum).s, "fd00:0:0:1::");
	sum = xb_ip_add(&b, UINT64_MAX);
	assert_string_equal(xb_ip_format(&sum).s, "fd00::1:ffff:ffff:ffff:fffe");
	assert_true(xb_ip_cmp(&a, &b) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(text), cmocka_unit_test(networks), cmocka_unit_test(counting) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
