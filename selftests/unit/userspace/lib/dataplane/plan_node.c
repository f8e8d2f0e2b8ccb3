/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where pods and cluster IPs are, where node ports answer, and as what to masquerade. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include "xb/plan_node.h"

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

		assert_int_equal(xb_plan_nat_ports(rows[i].first, rows[i].last, &first, &count), rows[i].enough);
		assert_int_equal(first, rows[i].nat_first);
		assert_int_equal(first + count - 1, rows[i].nat_last);
	}
}

static struct xb_ifaddr addr(const char *text, uint32_t ifindex, unsigned char scope)
{
	struct xb_ifaddr a = { .ifindex = ifindex, .scope = scope };

	assert_int_equal(xb_ip_parse(xb_sv(text), &a.net.ip), 0);
	return a;
}

static void source_is(int family, const char *node, const struct xb_ifaddr *addrs, size_t n, const char *want)
{
	struct xb_json *doc = NULL;
	struct xb_plan_addr got;
	char text[INET6_ADDRSTRLEN];

	assert_int_equal(xb_json_parse(xb_sv(node), NULL, &doc, NULL), 0);
	got = xb_plan_source(family, xb_json_root(doc), addrs, n);
	assert_string_equal(inet_ntop(family, got.b, text, sizeof(text)), want);
	xb_json_unref(doc);
}

static void source(void **state)
{
	const struct xb_ifaddr addrs[] = {
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

	assert_int_equal(xb_plan_nets_add(XB_SV("10.244.1.7/16, fd00:10:244::9/56,0.0.0.0/0"), nets), 0);
	assert_int_equal(nets[0].n, 2);
	assert_int_equal(nets[1].n, 1);
	assert_memory_equal(nets[0].v[0].addr.b, "\x0a\xf4\x00\x00", 4);
	assert_int_equal(nets[0].v[0].bits, 16);
	assert_int_equal(nets[0].v[1].bits, 0);
	assert_int_equal(nets[1].v[0].bits, 56);
	assert_int_equal(nets[1].v[0].addr.b[15], 0);
	assert_int_equal(xb_plan_nets_add(XB_SV("10.0.0.0"), nets), -EINVAL);
	assert_int_equal(xb_plan_nets_add(XB_SV("10.0.0.0/8,"), nets), -EINVAL);
	assert_int_equal(xb_plan_nets_add(XB_SV("10.0.0.0/33"), nets), -EINVAL);
	for (size_t i = nets[0].n; i < XB_PLAN_NETS_MAX; i++)
		assert_int_equal(xb_plan_nets_add(XB_SV("10.0.0.0/8"), nets), 0);
	assert_int_equal(xb_plan_nets_add(XB_SV("10.0.0.0/8"), nets), -E2BIG);
	assert_int_equal(xb_plan_nets_add(XB_SV("fd00::/8"), nets), 0);
}

static void service_cidrs(void **state)
{
	static const char first[] = "{\"spec\":{\"cidrs\":[\"10.112.0.0/12\",\"fd00::/108\"]}}", second[] = "{\"spec\":{\"cidrs\":[\"10.96.0.0/12\",\"x\"]}}";
	struct xb_plan_nets nets[2] = {};
	struct xb_json *doc[2] = {};

	assert_int_equal(xb_json_parse(XB_SV(first), NULL, &doc[0], NULL), 0);
	assert_int_equal(xb_json_parse(XB_SV(second), NULL, &doc[1], NULL), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(xb_plan_nets_add_service_cidr(xb_json_root(doc[i]), nets), 0);
	xb_plan_nets_sort(nets);
	assert_int_equal(nets[0].n, 2);
	assert_int_equal(nets[0].v[0].addr.b[1], 96);
	assert_int_equal(nets[0].v[1].addr.b[1], 112);
	assert_int_equal(nets[1].n, 1);
	while (nets[0].n < XB_PLAN_NETS_MAX)
		nets[0].n++;
	assert_int_equal(xb_plan_nets_add_service_cidr(xb_json_root(doc[0]), nets), -E2BIG);
	assert_int_equal(nets[1].n, 2);
	xb_json_unref(doc[0]);
	xb_json_unref(doc[1]);
}

#define NODE "{\"spec\":{\"podCIDRs\":[\"10.244.1.0/24\",\"fd00:1::/64\"]}," \
	     "\"status\":{\"addresses\":[{\"type\":\"InternalIP\",\"address\":\"10.0.0.9\"},{\"type\":\"Hostname\",\"address\":\"n\"}]}}"

static void whole(void **state)
{
	const struct xb_ifaddr addrs[] = { addr("10.0.0.9", 2, RT_SCOPE_UNIVERSE), addr("fd00::5", 2, RT_SCOPE_UNIVERSE) };
	struct xb_plan_nets services[2] = {}, cluster[2] = {};
	struct xb_plan_node_facts f = {
		.addrs = addrs, .n_addrs = ARRAY_SIZE(addrs), .local_first = 32768, .local_last = 60999, .services = services,
		.masquerade_all = true,
	};
	struct xb_json *doc = NULL;
	struct xb_plan_node node;
	struct xb_node record;

	assert_int_equal(xb_json_parse(XB_SV(NODE), NULL, &doc, NULL), 0);
	assert_int_equal(xb_plan_nets_add(XB_SV("10.96.0.0/12"), services), 0);
	assert_int_equal(xb_plan_nets_add(XB_SV("10.244.0.0/15"), cluster), 0);
	f.node = xb_json_root(doc);
	xb_plan_node_make(&f, &node);
	xb_plan_node_record(&node, &record);
	assert_memory_equal(record.addr4.b, "\x0a\x00\x00\x09", 4);
	assert_int_equal(record.addr6.b[15], 5);
	assert_int_equal(record.nat_first, 1024);
	assert_int_equal(record.nat_count, 28976);
	assert_int_equal(record.masquerade_all, 1);
	assert_memory_equal(record.pods4[0].addr.b, "\x0a\xf4\x01\x00", 4);
	assert_memory_equal(record.pods4[0].mask.b, "\xff\xff\xff\x00", 4);
	assert_int_equal(record.pods4[1].mask.be32, 0);
	assert_int_equal(record.pods6[0].mask.b[7], 0xff);
	assert_int_equal(record.pods6[0].mask.b[8], 0);
	assert_memory_equal(record.services4[0].mask.b, "\xff\xf0\x00\x00", 4);
	f.cluster = cluster;
	xb_plan_node_make(&f, &node);
	xb_plan_node_record(&node, &record);
	assert_memory_equal(record.pods4[0].mask.b, "\xff\xfe\x00\x00", 4);
	assert_int_equal(record.pods6[0].mask.b[0], 0);
	xb_json_unref(doc);
}

/* As text, of one family, one after another. */
static void port_addrs_are(const char *object, const char *const *networks, int family, const char *want)
{
	const struct xb_ifaddr addrs[] = {
		addr("192.0.2.9", 3, RT_SCOPE_UNIVERSE), addr("127.0.0.1", 1, RT_SCOPE_HOST), addr("192.0.2.9", 2, RT_SCOPE_UNIVERSE),
		addr("10.0.0.9", 2, RT_SCOPE_UNIVERSE), addr("fd00::5", 2, RT_SCOPE_UNIVERSE),
	};
	struct xb_plan_port_networks p = {};
	struct xb_plan_addrs got[2];
	struct xb_json *doc = NULL;
	char all[256] = "", text[INET6_ADDRSTRLEN];
	int f = family == AF_INET6;

	assert_int_equal(xb_json_parse(xb_sv(object), NULL, &doc, NULL), 0);
	for (; *networks; networks++)
		assert_int_equal(xb_plan_port_networks_add(&p, *networks), 0);
	assert_int_equal(xb_plan_port_addrs(xb_json_root(doc), addrs, ARRAY_SIZE(addrs), &p, got), 0);
	for (size_t i = 0; i < got[f].n; i++)
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s ", inet_ntop(family, got[f].v[i].b, text, sizeof(text)));
	assert_string_equal(all, want);
	free(got[0].v);
	free(got[1].v);
	xb_plan_port_networks_done(&p);
	xb_json_unref(doc);
}

static void port_addrs(void **state)
{
	static const char *const every[] = { NULL }, *const some[] = { "192.0.2.0/24", "fd00::/8", NULL }, *const primary[] = { "primary", NULL };
	struct xb_plan_port_networks p = {};

	port_addrs_are(NODE, every, AF_INET, "10.0.0.9 127.0.0.1 192.0.2.9 ");
	port_addrs_are(NODE, some, AF_INET, "192.0.2.9 ");
	port_addrs_are(NODE, some, AF_INET6, "fd00::5 ");
	port_addrs_are(NODE, primary, AF_INET, "10.0.0.9 ");
	port_addrs_are(NODE, primary, AF_INET6, "");
	assert_int_equal(xb_plan_port_networks_add(&p, "10.0.0.0/33"), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports), cmocka_unit_test(source), cmocka_unit_test(lists), cmocka_unit_test(service_cidrs),
		cmocka_unit_test(whole), cmocka_unit_test(port_addrs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
