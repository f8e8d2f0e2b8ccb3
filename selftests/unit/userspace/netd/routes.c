/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Needs no privilege: a user namespace of its own gives it a network of its own. Skipped where that is not allowed. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include "../lib/client/fake_api.h"
#include "../../../../userspace/netd/masq.h"
#include "../../../../userspace/netd/routes.h"

#define NODES 600

static const unsigned char macs[2][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } };

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

/* Of number i; every third is behind a router. */
static struct peer peer(int i)
{
	struct peer p = {};
	char text[64];

	snprintf(text, sizeof(text), "10.%d.%d.0/24", 100 + i / 256, i % 256);
	p.cidrs[0] = net(text);
	snprintf(text, sizeof(text), "fd00:%x::/64", i + 1);
	p.cidrs[1] = net(text);
	snprintf(text, sizeof(text), i % 3 ? "192.0.%d.%d" : "198.51.%d.%d", 100 + i / 250, i % 250 + 2);
	p.ips[0] = ip(text);
	return p;
}

struct test {
	struct xb_netlink *n;
	struct routes *routes;
	struct masq *masq;
	struct peer self;
	struct target *targets[NODES];
};

static int count_route(void *arg, const struct xb_route *r)
{
	++*(int *)arg;
	return 0;
}

static int routes(const struct test *t, int family)
{
	int count = 0;

	assert_int_equal(xb_netlink_each_route(t->n, family, PATH_PROTOCOL, 0, count_route, &count), 0);
	return count;
}

static void machine(struct test *t)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct xb_veth v = { "lan", "other", macs[0], macs[1], fd, 1500 };
	struct xb_ifaddr a = { .net = net("192.0.0.1/16") };
	struct xb_route router = { .dst = net("0.0.0.0/0"), .gateway = ip("192.0.0.2") };
	struct xb_link l;

	assert_int_equal(xb_netlink_new(&t->n), 0);
	assert_int_equal(xb_netlink_add_veth(t->n, &v), 0);
	close(fd);
	assert_int_equal(xb_netlink_find_link(t->n, "other", &l), 0);
	assert_int_equal(xb_netlink_set_up(t->n, l.ifindex, true), 0);
	assert_int_equal(xb_netlink_find_link(t->n, "lan", &l), 0);
	assert_int_equal(xb_netlink_set_up(t->n, l.ifindex, true), 0);
	a.ifindex = router.ifindex = l.ifindex;
	assert_int_equal(xb_netlink_set_addr(t->n, &a), 0);
	assert_int_equal(xb_netlink_add_route(t->n, &router), 0);
}

static void reconcile_all(struct test *t, uint64_t repairs)
{
	struct routes_stats s;

	assert_int_equal(routes_reconcile(t->routes, t->targets, NODES, NULL), 0);
	for (int i = 0; i < NODES; i++)
		assert_null(t->targets[i]->why);
	routes_stats(t->routes, t->targets, NODES, &s);
	assert_int_equal(s.direct, NODES - NODES / 3);
	assert_int_equal(s.vxlan, NODES + NODES / 3);
	assert_int_equal(s.repairs, repairs);
	assert_int_equal(routes(t, AF_INET), NODES + 1);
	assert_int_equal(routes(t, AF_INET6), NODES + 1);
}

static void follows_nodes(struct test *t)
{
	struct xb_route somebodys = { .dst = net("10.100.5.0/24"), .gateway = ip("192.0.0.9"), .protocol = RTPROT_STATIC };
	struct target *target = t->targets[5];
	struct xb_route ours = target->path.routes[0];

	routes_change(t->routes, target, true);
	assert_int_equal(routes(t, AF_INET), NODES);
	assert_int_equal(routes(t, AF_INET6), NODES);
	/* somebody else's stays, and is told */
	assert_int_equal(xb_netlink_add_route(t->n, &somebodys), 0);
	routes_change(t->routes, target, false);
	assert_int_equal(target->fault, -EEXIST);
	assert_string_equal(target->why, "there is a route to 10.100.5.0/24 that is none of ours");
	assert_int_equal(routes(t, AF_INET), NODES);
	routes_change(t->routes, target, true);
	assert_int_equal(xb_netlink_del_route(t->n, &somebodys), 0);
	routes_change(t->routes, target, false);
	assert_int_equal(target->fault, 0);
	/* a node that moves behind the router */
	target->peer.ips[0] = ip("198.51.100.250");
	routes_change(t->routes, target, false);
	assert_int_equal(target->path.way[0], WAY_VXLAN);
	target->peer = peer(5);
	routes_change(t->routes, target, false);
	assert_true(path_same_route(&target->path.routes[0], &(struct xb_route){ .dst = ours.dst, .gateway = ours.gateway,
										 .ifindex = ours.ifindex, .type = RTN_UNICAST }));
	reconcile_all(t, 0);
}

static void repairs(struct test *t)
{
	struct xb_route stray = { .dst = net("10.222.0.0/16"), .gateway = ip("192.0.0.9"), .protocol = PATH_PROTOCOL };
	struct xb_route moved = t->targets[7]->path.routes[0];

	moved.gateway = ip("192.0.0.9");
	assert_int_equal(xb_netlink_add_route(t->n, &stray), 0);
	assert_int_equal(xb_netlink_replace_route(t->n, &moved), 0);
	assert_int_equal(xb_netlink_del_route(t->n, &t->targets[8]->path.routes[1]), 0);
	assert_int_equal(xb_netlink_del_neigh(t->n, &t->targets[9]->path.entry), 0);
	reconcile_all(t, 4);
	reconcile_all(t, 4);
}

/* Somebody's device with our number. */
static void without_vxlan(struct test *t)
{
	struct xb_vxlan v = { .vni = 7, .port = 8472, .local = ip("192.0.0.1") };
	struct routes_stats s;
	struct xb_link l;

	assert_int_equal(routes_cleanup(NULL), 0);
	assert_int_equal(xb_netlink_add_vxlan(t->n, "theirs", macs[0], 1450, &v), 0);
	assert_int_equal(routes_reconcile(t->routes, t->targets, NODES, NULL), 0);
	routes_stats(t->routes, t->targets, NODES, &s);
	assert_int_equal(s.direct, NODES - NODES / 3);
	assert_int_equal(s.vxlan, 0);
	assert_int_equal(routes(t, AF_INET), NODES - NODES / 3 + 1);
	assert_string_equal(t->targets[0]->why, "the device " VXLAN_DEVICE ": A VXLAN device with the specified VNI already exists");
	assert_int_equal(xb_netlink_find_link(t->n, "theirs", &l), 0);
	assert_int_equal(xb_netlink_del_link(t->n, l.ifindex), 0);
	t->routes = routes_free(t->routes);
	assert_int_equal(routes_new(&(struct routes_config){ .vni = 7, .port = 8472 }, &t->routes, NULL), 0);
	routes_set_self(t->routes, &t->self);
	reconcile_all(t, 0);
}

static void masquerade(struct test *t)
{
	const struct peer *peers[NODES + 1];
	struct masq_config c = {};
	struct peer another = peer(NODES + 3), overlapping = peer(NODES + 4);

	assert_int_equal(masq_new(&c, &t->masq, NULL), 0);
	for (int i = 0; i < NODES; i++)
		peers[i] = &t->targets[i]->peer;
	assert_int_equal(masq_set(t->masq, &t->self, peers, NODES, NULL), 0);
	assert_int_equal(masq_set(t->masq, &t->self, peers, NODES, NULL), 0);
	assert_int_equal(masq_change(t->masq, NULL, &another), 0);
	assert_int_equal(masq_change(t->masq, &another, &another), 0);
	assert_int_equal(masq_change(t->masq, &another, NULL), 0);
	/* a network within another is the cluster's mistake: what is done anew holds all the same */
	overlapping.cidrs[0] = net("10.100.0.0/16");
	peers[NODES] = &overlapping;
	assert_int_equal(masq_set(t->masq, &t->self, peers, NODES + 1, NULL), 0);
	assert_int_equal(masq_cleanup(NULL), 0);
	assert_int_equal(masq_cleanup(NULL), 0);
	/* and a change to what is no more is a fault */
	assert_int_equal(masq_change(t->masq, NULL, &another), -ENOENT);
	masq_free(t->masq);
}

static void all_of_it(void **state)
{
	struct test t = {};
	struct xb_link l;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 && unshare(CLONE_NEWNET) < 0)
		skip();
	machine(&t);
	t.self.cidrs[0] = net("10.99.0.0/24");
	t.self.cidrs[1] = net("fd00::/64");
	t.self.ips[0] = ip("192.0.0.1");
	for (int i = 0; i < NODES; i++) {
		t.targets[i] = calloc(1, sizeof(*t.targets[i]));
		t.targets[i]->peer = peer(i);
	}
	assert_int_equal(routes_new(&(struct routes_config){ .vni = 7, .port = 8472 }, &t.routes, NULL), 0);
	routes_set_self(t.routes, &t.self);
	reconcile_all(&t, 0);
	assert_int_equal(routes_pod_mtu(t.routes), 1450);
	follows_nodes(&t);
	repairs(&t);
	/* another run finds all of it as it should be */
	t.routes = routes_free(t.routes);
	assert_int_equal(routes_new(&(struct routes_config){ .vni = 7, .port = 8472 }, &t.routes, NULL), 0);
	routes_set_self(t.routes, &t.self);
	reconcile_all(&t, 0);
	without_vxlan(&t);
	masquerade(&t);
	assert_int_equal(routes_cleanup(NULL), 0);
	assert_int_equal(routes(&t, AF_INET) + routes(&t, AF_INET6), 0);
	assert_int_equal(xb_netlink_find_link(t.n, VXLAN_DEVICE, &l), -ENODEV);
	for (int i = 0; i < NODES; i++)
		free(t.targets[i]);
	routes_free(t.routes);
	xb_netlink_free(t.n);
}

static void networks_of_a_set_are_apart(void **state)
{
	struct xb_net nets[] = { net("10.1.0.0/24"), net("10.0.0.0/8"), net("10.1.0.0/24"), net("11.0.0.0/24"), net("11.0.0.0/16"), net("9.0.0.0/8") };

	assert_int_equal(masq_disjoint(nets, ARRAY_SIZE(nets)), 3);
	assert_string_equal(xb_net_format(&nets[0]).s, "9.0.0.0/8");
	assert_string_equal(xb_net_format(&nets[1]).s, "10.0.0.0/8");
	assert_string_equal(xb_net_format(&nets[2]).s, "11.0.0.0/16");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(networks_of_a_set_are_apart), cmocka_unit_test(all_of_it) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
