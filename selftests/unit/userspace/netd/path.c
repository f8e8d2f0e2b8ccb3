/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../userspace/netd/path.h"

static struct peer read_node(const char *text)
{
	struct xb_json *doc = NULL;
	struct peer p;

	assert_int_equal(xb_json_parse(xb_sv(text), NULL, &doc, NULL), 0);
	peer_read(xb_json_root(doc), &p);
	xb_json_unref(doc);
	return p;
}

#define NODE(cidrs, addresses) "{\"spec\":{\"podCIDRs\":[" cidrs "]},\"status\":{\"addresses\":[" addresses "]}}"
#define IP(text) "{\"type\":\"InternalIP\",\"address\":\"" text "\"}"
#define DUAL "\"10.244.7.0/24\",\"fd00:7::/64\""

static void nodes_are_read(void **state)
{
	struct peer p = read_node(NODE(DUAL, "{\"type\":\"Hostname\",\"address\":\"n\"},{\"type\":\"ExternalIP\",\"address\":\"1.2.3.4\"},"
				  IP("fd00::7") "," IP("10.0.0.7") "," IP("10.0.0.8"))), old, same;

	assert_string_equal(xb_net_format(&p.cidrs[0]).s, "10.244.7.0/24");
	assert_string_equal(xb_net_format(&p.cidrs[1]).s, "fd00:7::/64");
	assert_string_equal(xb_ip_format(&p.ips[0]).s, "10.0.0.7");
	assert_string_equal(xb_ip_format(&p.ips[1]).s, "fd00::7");
	assert_int_equal(p.primary, 1);
	old = read_node("{\"spec\":{\"podCIDR\":\"10.244.7.9/24\"}}");
	assert_string_equal(xb_net_format(&old.cidrs[0]).s, "10.244.7.0/24");
	assert_int_equal(old.ips[0].family, AF_UNSPEC);
	assert_false(peer_eq(&p, &old));
	same = read_node(NODE(DUAL, IP("fd00::7") "," IP("10.0.0.7")));
	assert_true(peer_eq(&p, &same));
	p = read_node(NODE("\"what\",7", IP("what")));
	assert_int_equal(p.cidrs[0].ip.family, AF_UNSPEC);
}

struct links {
	bool v4, v6;
};

static int on_link(void *arg, const struct xb_ip *ip, bool *ret, uint32_t *ret_ifindex)
{
	const struct links *l = arg;

	*ret = ip->family == AF_INET ? l->v4 : l->v6;
	*ret_ifindex = 3;
	return 0;
}

static int plan(enum mode mode, struct links links, const char *self, const char *peer, struct path *ret, char **why)
{
	struct peer me = read_node(self), other = read_node(peer);
	struct path_from from = { .mode = mode, .self = &me, .vxlan = 9, .on_link = on_link, .arg = &links };

	return path_plan(&from, &other, ret, why);
}

#define SELF NODE("\"10.244.1.0/24\",\"fd00:1::/64\"", IP("10.0.0.1") "," IP("fd00::1"))
#define PEER NODE(DUAL, IP("10.0.0.7") "," IP("fd00::7"))

static void on_a_shared_link_directly(void **state)
{
	struct path p;

	assert_int_equal(plan(MODE_AUTO, (struct links){ true, true }, SELF, PEER, &p, NULL), 0);
	assert_int_equal(p.way[0], WAY_DIRECT);
	assert_int_equal(p.way[1], WAY_DIRECT);
	assert_string_equal(xb_net_format(&p.routes[1].dst).s, "fd00:7::/64");
	assert_string_equal(xb_ip_format(&p.routes[1].gateway).s, "fd00::7");
	assert_int_equal(p.routes[0].ifindex, 3);
	assert_int_equal(p.routes[0].protocol, PATH_PROTOCOL);
	assert_false(p.routes[0].onlink);
	assert_false(path_uses_vxlan(&p));
}

static void elsewhere_by_vxlan(void **state)
{
	static const unsigned char mac[6] = { 0x0a, 0x58, 10, 0, 0, 7 };
	struct path p;

	assert_int_equal(plan(MODE_AUTO, (struct links){ false, true }, SELF, PEER, &p, NULL), 0);
	assert_int_equal(p.way[0], WAY_VXLAN);
	assert_int_equal(p.way[1], WAY_DIRECT);
	assert_true(path_uses_vxlan(&p));
	assert_memory_equal(p.entry.mac, mac, 6);
	assert_memory_equal(p.neighs[0].mac, mac, 6);
	assert_string_equal(xb_ip_format(&p.entry.ip).s, "10.0.0.7");
	assert_string_equal(xb_ip_format(&p.routes[0].gateway).s, "10.244.7.0");
	assert_int_equal(p.routes[0].ifindex, 9);
	assert_true(p.routes[0].onlink);
	/* both families go by the primary one's */
	assert_int_equal(plan(MODE_VXLAN, (struct links){ true, true }, SELF, PEER, &p, NULL), 0);
	assert_int_equal(p.way[1], WAY_VXLAN);
	assert_memory_equal(p.neighs[1].mac, mac, 6);
	assert_string_equal(xb_ip_format(&p.routes[1].gateway).s, "fd00:7::");
	/* pods of two families on machines of one */
	assert_int_equal(plan(MODE_AUTO, (struct links){ true, true }, SELF, NODE(DUAL, IP("10.0.0.7")), &p, NULL), 0);
	assert_int_equal(p.way[0], WAY_DIRECT);
	assert_int_equal(p.way[1], WAY_VXLAN);
}

static void what_cannot_be_is_said(void **state)
{
	char *why = NULL;
	struct path p;

	assert_int_equal(plan(MODE_DIRECT, (struct links){ false, true }, SELF, PEER, &p, &why), -EHOSTUNREACH);
	assert_string_equal(why, "its InternalIP 10.0.0.7 is on no link of this node");
	/* the other family has its way all the same */
	assert_int_equal(p.way[0], WAY_NONE);
	assert_int_equal(p.way[1], WAY_DIRECT);
	free(why);
	assert_int_equal(plan(MODE_AUTO, (struct links){}, SELF, NODE(DUAL, ""), &p, &why), -EADDRNOTAVAIL);
	assert_string_equal(why, "it has no InternalIP of IPv4 for a VXLAN to go to");
	free(why);
	assert_int_equal(plan(MODE_AUTO, (struct links){}, NODE(DUAL, ""), PEER, &p, &why), -EADDRNOTAVAIL);
	assert_string_equal(why, "this node has no InternalIP for a VXLAN to go from");
	free(why);
	/* a family that this node's pods do not have */
	assert_int_equal(plan(MODE_DIRECT, (struct links){ true, true }, NODE("\"10.244.1.0/24\"", IP("10.0.0.1")), PEER, &p, NULL), 0);
	assert_int_equal(p.way[1], WAY_NONE);
}

static void hardware_addresses(void **state)
{
	unsigned char a[6], b[6];
	struct xb_ip ip = { AF_INET6, { 0xfd, [15] = 1 } };

	path_mac(&ip, a);
	ip.b[15] = 2;
	path_mac(&ip, b);
	assert_memory_not_equal(a, b, 6);
	assert_int_equal(a[0] & 3, 2);
	assert_int_equal(path_overhead(AF_INET), 50);
	assert_int_equal(path_overhead(AF_INET6), 70);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nodes_are_read), cmocka_unit_test(on_a_shared_link_directly), cmocka_unit_test(elsewhere_by_vxlan),
		cmocka_unit_test(what_cannot_be_is_said), cmocka_unit_test(hardware_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
