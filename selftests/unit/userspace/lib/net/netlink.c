/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Needs no privilege: a user namespace of its own gives it networks of its own. Skipped where that is not allowed. */
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <sched.h>
#include "../client/fake_api.h"
#include "xb/netlink.h"
#include "xb/vec.h"

static const unsigned char mac_a[6] = { 2, 0, 0, 0, 0, 1 }, mac_b[6] = { 2, 0, 0, 0, 0, 2 };

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

/* A namespace besides: here is where it is made from and returned to. */
static struct xb_netlink *another(int *ret_fd)
{
	_cleanup_close_ int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct xb_netlink *n = NULL;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	*ret_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_int_equal(xb_netlink_new(&n), 0);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	return n;
}

static int count_route(void *arg, const struct xb_route *r)
{
	++*(int *)arg;
	return 0;
}

static int routes(struct xb_netlink *n, int family, unsigned char protocol)
{
	int count = 0;

	assert_int_equal(xb_netlink_each_route(n, family, protocol, 0, count_route, &count), 0);
	return count;
}

static int count_addr(void *arg, const struct xb_ifaddr *a)
{
	++*(int *)arg;
	return 0;
}

static int count_neigh(void *arg, const struct xb_neigh *e)
{
	*(int *)arg += e->permanent && !memcmp(e->mac, mac_b, 6);
	return 0;
}

static int neighs(struct xb_netlink *n, uint32_t ifindex, bool forwarding)
{
	int count = 0;

	assert_int_equal(xb_netlink_each_neigh(n, ifindex, forwarding, count_neigh, &count), 0);
	return count;
}

static int stop_at_first(void *arg, const struct xb_link *l)
{
	return ++*(int *)arg + 40;
}

static void veth(struct xb_netlink *n, struct xb_netlink *far, int far_fd)
{
	struct xb_veth v = { "a0", "eth0", mac_a, mac_b, far_fd, 1400 };
	struct xb_link l, peer;
	int told = 0;

	assert_int_equal(xb_netlink_find_link(n, "a0", &l), -ENODEV);
	assert_int_equal(xb_netlink_add_veth(n, &v), 0);
	assert_int_equal(xb_netlink_add_veth(n, &v), -EEXIST);
	assert_int_equal(xb_netlink_find_link(n, "a0", &l), 0);
	assert_int_equal(xb_netlink_find_link(far, "eth0", &peer), 0);
	assert_string_equal(l.kind, "veth");
	assert_int_equal(l.mtu, 1400);
	assert_int_equal(peer.mtu, 1400);
	assert_memory_equal(l.mac, mac_a, 6);
	assert_memory_equal(peer.mac, mac_b, 6);
	assert_int_equal(l.peer, peer.ifindex);
	assert_int_equal(xb_netlink_rename(n, l.ifindex, "a1"), 0);
	assert_int_equal(xb_netlink_set_mtu(n, l.ifindex, 1300), 0);
	assert_int_equal(xb_netlink_set_up(n, l.ifindex, true), 0);
	assert_int_equal(xb_netlink_set_up(far, peer.ifindex, true), 0);
	assert_int_equal(xb_netlink_get_link(n, l.ifindex, &l), 0);
	assert_string_equal(l.name, "a1");
	assert_int_equal(l.mtu, 1300);
	assert_true(l.flags & IFF_UP);
	/* what each returns ends it, and the next request is answered all the same */
	assert_int_equal(xb_netlink_each_link(n, stop_at_first, &told), 41);
	assert_int_equal(told, 1);
	assert_int_equal(xb_netlink_get_link(n, 12345, &l), -ENODEV);
}

static void addrs_and_routes(struct xb_netlink *n, const char *name)
{
	struct xb_link l;
	struct xb_ifaddr a4 = { .net = net("192.0.2.1/24") }, a6 = { .net = net("2001:db8::1/64") };
	struct xb_route r4 = { .dst = net("10.1.0.0/16"), .gateway = ip("192.0.2.9"), .protocol = 88, .mtu = 1200 }, got;
	struct xb_route r6 = { .dst = net("fd00:1::/64"), .gateway = ip("2001:db8::9"), .protocol = 88 };
	struct xb_route far = { .dst = net("10.2.0.0/16"), .gateway = ip("203.0.113.1"), .protocol = 88 };
	struct xb_ip to = ip("10.1.2.3");
	int count = 0;

	assert_int_equal(xb_netlink_find_link(n, name, &l), 0);
	a4.ifindex = a6.ifindex = r4.ifindex = r6.ifindex = far.ifindex = l.ifindex;
	assert_int_equal(xb_netlink_set_addr(n, &a4), 0);
	assert_int_equal(xb_netlink_set_addr(n, &a4), 0);
	assert_int_equal(xb_netlink_set_addr(n, &a6), 0);
	assert_int_equal(xb_netlink_each_addr(n, l.ifindex, count_addr, &count), 0);
	assert_true(count >= 2);
	assert_int_equal(xb_netlink_add_route(n, &r4), 0);
	assert_int_equal(xb_netlink_add_route(n, &r4), -EEXIST);
	assert_int_equal(xb_netlink_add_route(n, &r6), 0);
	assert_int_equal(xb_netlink_replace_route(n, &r6), 0);
	assert_int_equal(routes(n, AF_INET, 88), 1);
	assert_int_equal(routes(n, AF_INET6, 88), 1);
	assert_int_equal(routes(n, AF_INET, 89), 0);
	assert_int_equal(xb_netlink_route_to(n, &to, &got), 0);
	assert_int_equal(got.ifindex, l.ifindex);
	assert_true(xb_ip_eq(&got.gateway, &r4.gateway));
	/* the kernel says what is wrong in words */
	assert_int_equal(xb_netlink_add_route(n, &far), -ENETUNREACH);
	assert_string_equal(xb_netlink_why(n, -ENETUNREACH), "Nexthop has invalid gateway");
	far.onlink = true;
	assert_int_equal(xb_netlink_add_route(n, &far), 0);
	assert_int_equal(xb_netlink_del_route(n, &far), 0);
	assert_int_equal(xb_netlink_del_route(n, &far), -ESRCH);
	assert_int_equal(xb_netlink_del_route(n, &r4), 0);
	assert_int_equal(xb_netlink_del_route(n, &r6), 0);
	assert_int_equal(routes(n, AF_INET, 88) + routes(n, AF_INET6, 88), 0);
	assert_int_equal(xb_netlink_del_addr(n, &a4), 0);
	assert_int_equal(xb_netlink_del_addr(n, &a4), -EADDRNOTAVAIL);
}

static void vxlan(struct xb_netlink *n)
{
	struct xb_vxlan v = { .vni = 7, .port = 8472, .local = ip("192.0.2.1") };
	struct xb_link l;
	struct xb_neigh entry = { .ip = ip("192.0.2.7"), .forwarding = true }, neigh = { .ip = ip("fe80::7") };

	assert_int_equal(xb_netlink_add_vxlan(n, "vx", mac_a, 1350, &v), 0);
	assert_int_equal(xb_netlink_find_link(n, "vx", &l), 0);
	assert_string_equal(l.kind, "vxlan");
	assert_int_equal(l.vxlan.vni, 7);
	assert_int_equal(l.vxlan.port, 8472);
	assert_false(l.vxlan.learning);
	assert_true(xb_ip_eq(&l.vxlan.local, &v.local));
	assert_int_equal(l.mtu, 1350);
	assert_int_equal(xb_netlink_set_up(n, l.ifindex, true), 0);
	entry.ifindex = neigh.ifindex = l.ifindex;
	memcpy(entry.mac, mac_b, 6);
	memcpy(neigh.mac, mac_b, 6);
	assert_int_equal(xb_netlink_set_neigh(n, &entry), 0);
	assert_int_equal(xb_netlink_set_neigh(n, &entry), 0);
	assert_int_equal(xb_netlink_set_neigh(n, &neigh), 0);
	assert_int_equal(neighs(n, l.ifindex, true), 1);
	assert_int_equal(neighs(n, l.ifindex, false), 1);
	assert_int_equal(xb_netlink_del_neigh(n, &entry), 0);
	assert_int_equal(xb_netlink_del_neigh(n, &entry), -ENOENT);
	assert_int_equal(xb_netlink_del_neigh(n, &neigh), 0);
	assert_int_equal(neighs(n, l.ifindex, true), 0);
	assert_int_equal(xb_netlink_del_link(n, l.ifindex), 0);
}

struct notices {
	int gone, routes;
	uint32_t portid;
};

static void on_notice(void *arg, const struct nlmsghdr *h)
{
	struct notices *t = arg;
	struct xb_link l;
	struct xb_route r;

	if (!xb_netlink_read_link(h, &l))
		t->gone += h->nlmsg_type == RTM_DELLINK && !strcmp(l.name, "a1");
	else if (!xb_netlink_read_route(h, &r))
		t->routes += r.protocol == 88 && h->nlmsg_pid == t->portid;
}

static void on_lost(void *arg)
{
	fail();
}

static void monitor(struct xb_netlink *n)
{
	static const unsigned groups[] = { RTNLGRP_LINK, RTNLGRP_IPV4_ROUTE, 0 };
	struct notices t = { .portid = xb_netlink_portid(n) };
	uv_loop_t loop;
	struct xb_netlink_monitor *m = NULL, *deaf = NULL;
	struct notices none = { .portid = t.portid };
	struct xb_netlink_monitor_config c = { &loop, NETLINK_ROUTE, groups, 0, on_notice, on_lost, &t }, ignoring = c;
	struct xb_route r = { .dst = net("10.9.0.0/16"), .scope = RT_SCOPE_LINK, .protocol = 88 };
	struct xb_link l;

	uv_loop_init(&loop);
	ignoring.ignore = t.portid;
	ignoring.arg = &none;
	assert_int_equal(xb_netlink_monitor_new(&c, &m), 0);
	assert_int_equal(xb_netlink_monitor_new(&ignoring, &deaf), 0);
	assert_int_equal(xb_netlink_find_link(n, "a1", &l), 0);
	r.ifindex = l.ifindex;
	assert_int_equal(xb_netlink_add_route(n, &r), 0);
	run_until(&loop, t.routes);
	assert_int_equal(xb_netlink_del_link(n, l.ifindex), 0);
	run_until(&loop, t.gone && none.gone);
	assert_int_equal(t.gone, 1);
	assert_int_equal(none.routes, 0);
	xb_netlink_monitor_free(m);
	xb_netlink_monitor_free(deaf);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void all_of_it(void **state)
{
	_cleanup_(xb_netlink_freep) struct xb_netlink *n = NULL, *far = NULL;
	_cleanup_close_ int far_fd = -1;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 && unshare(CLONE_NEWNET) < 0)
		skip();
	assert_int_equal(xb_netlink_new(&n), 0);
	far = another(&far_fd);
	veth(n, far, far_fd);
	addrs_and_routes(n, "a1");
	vxlan(n);
	monitor(n);
}

static void short_messages_are_refused(void **state)
{
	_Alignas(struct nlmsghdr) char bytes[64] = {};
	struct nlmsghdr *h = (void *)bytes;
	static const uint16_t types[] = { RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE, RTM_NEWNEIGH, RTM_NEWTFILTER };
	struct xb_link l;
	struct xb_ifaddr a;
	struct xb_route r;
	struct xb_neigh e;
	struct xb_filter f;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		h->nlmsg_type = types[i];
		h->nlmsg_len = sizeof(*h) + 4;
		assert_int_equal(xb_netlink_read_link(h, &l), -EBADMSG);
		assert_int_equal(xb_netlink_read_addr(h, &a), -EBADMSG);
		assert_int_equal(xb_netlink_read_route(h, &r), -EBADMSG);
		assert_int_equal(xb_netlink_read_neigh(h, &e), -EBADMSG);
		assert_int_equal(xb_netlink_read_filter(h, &f), -EBADMSG);
	}
}

/* A port that left its bridge: of the type of a link that went, though it stays. */
static void notices_of_bridges_are_not_of_links(void **state)
{
	_Alignas(struct nlmsghdr) char bytes[64] = {};
	struct nlmsghdr *h = (void *)bytes;
	struct ifinfomsg *m = (void *)(h + 1);
	struct xb_link l;

	h->nlmsg_type = RTM_DELLINK;
	h->nlmsg_len = sizeof(*h) + sizeof(*m);
	m->ifi_index = 7;
	assert_int_equal(xb_netlink_read_link(h, &l), 0);
	m->ifi_family = AF_BRIDGE;
	assert_int_equal(xb_netlink_read_link(h, &l), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it),
		cmocka_unit_test(short_messages_are_refused),
		cmocka_unit_test(notices_of_bridges_are_not_of_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
