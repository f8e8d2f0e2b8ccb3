/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where to masquerade as what, by the rules of networks.h alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include "../../../../userspace/proxy/networks.h"

static void ports(void **state)
{
	static const struct {
		int first, last;            /* net.ipv4.ip_local_port_range */
		unsigned nat_first, nat_last;
		bool enough;
	} rows[] = {
		{ 32768, 60999, 1024, 29999, true },    /* Linux' own */
		{ 32768, 65535, 1024, 29999, true },
		{ 10240, 65535, 1024, 10239, true },
		{ 1024, 29999, 32768, 65535, true },
		{ 1024, 40000, 40001, 65535, true },
		{ 1024, 64000, 64001, 65535, true },
		{ 20000, 40000, 40001, 65535, true },
		{ 30000, 32767, 32768, 65535, true },
		{ 31000, 31000, 32768, 65535, true },
		{ 1, 2, 32768, 65535, true },
		{ 1024, 65535, 32768, 65535, false },
		{ 1024, 64512, 32768, 65535, false },   /* 1023 left */
		{ 1024, 64511, 64512, 65535, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		__u16 first = 0, count = 0;

		assert_int_equal(networks_ports(rows[i].first, rows[i].last, &first, &count), rows[i].enough);
		assert_int_equal(first, rows[i].nat_first);
		assert_int_equal(first + count - 1, rows[i].nat_last);
	}
}

static struct xb_addr addr(const char *text, uint32_t ifindex, unsigned char scope)
{
	struct xb_addr a = { .family = strchr(text, ':') ? AF_INET6 : AF_INET, .ifindex = ifindex, .scope = scope };

	assert_int_equal(inet_pton(a.family, text, a.b), 1);
	return a;
}

static void source_is(int family, const char *node, const struct xb_addr *addrs, size_t n, const char *want)
{
	struct xb_json *doc = NULL;
	struct xb_plan_addr got;
	char text[INET6_ADDRSTRLEN];

	assert_int_equal(xb_json_parse(xb_sv(node), NULL, &doc, NULL), 0);
	got = networks_source(family, xb_json_root(doc), addrs, n);
	assert_string_equal(inet_ntop(family, got.b, text, sizeof(text)), want);
	xb_json_unref(doc);
}

static void source(void **state)
{
	const struct xb_addr addrs[] = {
		addr("127.0.0.1", 1, RT_SCOPE_HOST), addr("198.51.100.1", 1, RT_SCOPE_UNIVERSE), addr("10.0.0.9", 3, RT_SCOPE_UNIVERSE),
		addr("192.0.2.8", 2, RT_SCOPE_UNIVERSE), addr("192.0.2.7", 2, RT_SCOPE_UNIVERSE), addr("169.254.0.1", 2, RT_SCOPE_UNIVERSE),
		addr("::1", 1, RT_SCOPE_HOST), addr("fe80::1", 2, RT_SCOPE_LINK), addr("fd00::5", 3, RT_SCOPE_UNIVERSE),
	};
	const size_t n = ARRAY_SIZE(addrs);
#define STATUS(addresses) "{\"status\":{\"addresses\":[" addresses "]}}"
#define OF(type, address) "{\"type\":\"" type "\",\"address\":\"" address "\"}"

	source_is(AF_INET, "{}", addrs, n, "192.0.2.7");
	source_is(AF_INET6, "{}", addrs, n, "fd00::5");
	source_is(AF_INET, STATUS(OF("InternalIP", "10.0.0.9")), addrs, n, "10.0.0.9");
	/* not on this machine (behind the cloud's NAT), of another type, none */
	source_is(AF_INET, STATUS(OF("InternalIP", "203.0.113.1")), addrs, n, "192.0.2.7");
	source_is(AF_INET, STATUS(OF("ExternalIP", "10.0.0.9")), addrs, n, "192.0.2.7");
	source_is(AF_INET, STATUS(OF("InternalIP", "x") "," OF("InternalIP", "fd00::5") "," OF("InternalIP", "192.0.2.8")), addrs, n, "192.0.2.8");
	source_is(AF_INET6, STATUS(OF("InternalIP", "x") "," OF("InternalIP", "fd00::5") "," OF("InternalIP", "192.0.2.8")), addrs, n, "fd00::5");
	/* loopback's comes last, but comes */
	source_is(AF_INET, "{}", addrs, 2, "198.51.100.1");
	source_is(AF_INET, "{}", addrs, 1, "0.0.0.0");
	source_is(AF_INET6, "{}", addrs, 8, "::");
}

static void lists(void **state)
{
	struct xb_plan_nets nets[2] = {};

	assert_int_equal(networks_add(XB_SV("10.244.1.7/16, fd00:10:244::9/56,0.0.0.0/0"), nets), 0);
	assert_int_equal(nets[0].n, 2);
	assert_int_equal(nets[1].n, 1);
	assert_memory_equal(nets[0].v[0].addr.b, "\x0a\xf4\x00\x00", 4);
	assert_int_equal(nets[0].v[0].bits, 16);
	assert_int_equal(nets[0].v[1].bits, 0);
	assert_int_equal(nets[1].v[0].bits, 56);
	assert_int_equal(nets[1].v[0].addr.b[15], 0);
	assert_int_equal(networks_add(XB_SV("10.0.0.0"), nets), -EINVAL);
	assert_int_equal(networks_add(XB_SV("10.0.0.0/8,"), nets), -EINVAL);
	assert_int_equal(networks_add(XB_SV("10.0.0.0/33"), nets), -EINVAL);
	for (size_t i = nets[0].n; i < XB_PLAN_NETS_MAX; i++)
		assert_int_equal(networks_add(XB_SV("10.0.0.0/8"), nets), 0);
	assert_int_equal(networks_add(XB_SV("10.0.0.0/8"), nets), -E2BIG);
	assert_int_equal(networks_add(XB_SV("fd00::/8"), nets), 0);
}

static void described(void **state)
{
	struct xb_plan_node node = { .nat_first = 1024, .nat_count = 28976 };
	struct xb_buf text = {};

	networks_describe(&node, &text);
	assert_string_equal(text.p, "pods are in no network that is known, cluster IPs are in no network that is known; masquerading as nothing by ports 1024 to 29999");
	xb_buf_clear(&text);
	assert_int_equal(networks_add(XB_SV("10.244.0.0/16,fd00::/48"), node.pods), 0);
	assert_int_equal(networks_add(XB_SV("10.96.0.0/12"), node.services), 0);
	assert_int_equal(inet_pton(AF_INET, "192.0.2.1", &node.addr[0]), 1);
	node.masquerade_all = true;
	networks_describe(&node, &text);
	assert_string_equal(text.p, "pods are in 10.244.0.0/16, fd00::/48, cluster IPs are in 10.96.0.0/12; masquerading as 192.0.2.1 "
				    "by ports 1024 to 29999, also what pods send");
	xb_buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports), cmocka_unit_test(source), cmocka_unit_test(lists), cmocka_unit_test(described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
