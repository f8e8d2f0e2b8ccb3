/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "network.h"
#include "xb/netlink.h"
#include "xb/why.h"
#include "../xalloc.h"

#define NETNS_FOLDER "/run/netns"
#define NETWORKS     256
#define MTU          1500
#define BRIDGE       "br0"
#define HOST_PORT    "host"

/* --- namespaces, by name as ip-netns(8) keeps them --- */

static char *netns_path(const char *name)
{
	return xprintf(NETNS_FOLDER "/%s", name);
}

static bool is_namespace(const char *path)
{
	struct stat file, folder;

	return !stat(path, &file) && !stat(NETNS_FOLDER, &folder) && file.st_dev != folder.st_dev;
}

/* This thread is in another namespace for a while. */
struct visit {
	int home;
};

static void visit_done(struct visit *v)
{
	if (v->home < 0)
		return;
	if (setns(v->home, CLONE_NEWNET) < 0)
		abort(); /* it was ours a moment ago */
	close(v->home);
	v->home = -1;
}
#define _cleanup_visit_ _cleanup_(visit_done)

static int visit(const char *name, struct visit *ret, char **reterr_why)
{
	_cleanup_free_ char *path = netns_path(name);
	_cleanup_close_ int there = open(path, O_RDONLY | O_CLOEXEC), home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	if (there < 0 || home < 0 || setns(there, CLONE_NEWNET) < 0)
		return xb_why(reterr_why, -errno, "cannot enter network namespace '%s': %s", path, strerror(errno));
	ret->home = TAKE_FD(home);
	return 0;
}

/* 1: it is new. */
static int netns_make(const char *name, char **reterr_why)
{
	_cleanup_free_ char *path = netns_path(name);
	_cleanup_visit_ struct visit v = { -1 };
	_cleanup_close_ int file = -1;
	int r = make_folders(NETNS_FOLDER, 0755, reterr_why);

	if (r || is_namespace(path))
		return r;
	r = 1;
	file = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0444);
	v.home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (file < 0 || v.home < 0 || unshare(CLONE_NEWNET) < 0 || mount("/proc/thread-self/ns/net", path, NULL, MS_BIND, NULL) < 0)
		return xb_why(reterr_why, -errno, "cannot make network namespace '%s': %s", path, strerror(errno));
	return r;
}

static int netns_remove(const char *name, char **reterr_why)
{
	_cleanup_free_ char *path = netns_path(name);

	while (is_namespace(path))
		if (umount2(path, MNT_DETACH) < 0)
			return xb_why(reterr_why, -errno, "cannot unmount '%s': %s", path, strerror(errno));
	if (unlink(path) < 0 && errno != ENOENT)
		return xb_why(reterr_why, -errno, "cannot remove '%s': %s", path, strerror(errno));
	return 0;
}

/* --- links and addresses --- */

static int fault(struct xb_netlink *n, int r, const char *what, const char *name, char **reterr_why)
{
	return xb_why(reterr_why, r, "cannot %s '%s': %s", what, name, n ? xb_netlink_why(n, r) : strerror(-r));
}

/* text: an address; bits: of its network. */
static struct xb_net net_of(const char *text, unsigned bits)
{
	struct xb_net net = {};

	if (xb_ip_parse(xb_sv(text), &net.ip))
		abort(); /* of our own making */
	net.bits = bits;
	return net;
}

static int give_addresses(struct xb_netlink *n, const struct cluster *c, unsigned node, uint32_t ifindex)
{
	_cleanup_free_ char *ip4 = cluster_ip4(c, node), *ip6 = cluster_ip6(c, node);
	const struct xb_ifaddr a4 = { .ifindex = ifindex, .net = net_of(ip4, 24) }, a6 = { .ifindex = ifindex, .net = net_of(ip6, 64) };
	int r = xb_netlink_set_addr(n, &a4);

	return r ? r : xb_netlink_set_addr(n, &a6);
}

/* Up, on the bridge when that is not 0. */
static int bring_up(struct xb_netlink *n, const char *name, uint32_t bridge, uint32_t *ret_ifindex)
{
	struct xb_link link;
	int r = xb_netlink_find_link(n, name, &link);

	if (!r && bridge)
		r = xb_netlink_set_master(n, link.ifindex, bridge);
	if (!r)
		r = xb_netlink_set_up(n, link.ifindex, true);
	if (!r && ret_ifindex)
		*ret_ifindex = link.ifindex;
	return r;
}

/* From within the bridge's namespace: node's port (0: the host's) and its other end, in a namespace given by fd. */
static int make_port(struct xb_netlink *n, const struct cluster *c, unsigned node, const char *port, const char *far, int far_netns)
{
	/* locally administered, and no other cluster's */
	const unsigned char near_mac[] = { 0x02, 'x', 'b', c->network, node, 0 }, far_mac[] = { 0x02, 'x', 'b', c->network, node, 1 };
	const struct xb_veth v = {
		.name = port, .peer_name = far, .mac = near_mac, .peer_mac = far_mac, .peer_netns_fd = far_netns, .mtu = MTU,
	};
	struct xb_link bridge;
	int r = xb_netlink_find_link(n, BRIDGE, &bridge);

	if (!r)
		r = xb_netlink_add_veth(n, &v);
	if (r && r != -EEXIST)
		return r;
	return bring_up(n, port, bridge.ifindex, NULL);
}

/* The end of a veth whose other one is in a namespace that has gone: the kernel removes it in its own time. */
static int remove_stale(struct xb_netlink *n, const char *name)
{
	struct xb_link link;
	int r = xb_netlink_find_link(n, name, &link);

	if (!r)
		r = xb_netlink_del_link(n, link.ifindex);
	return r == -ENODEV ? 0 : r;
}

static int make_bridge(struct xb_netlink *n)
{
	int r = xb_netlink_add_bridge(n, BRIDGE);

	if (r && r != -EEXIST)
		return r;
	r = bring_up(n, "lo", 0, NULL);
	return r ? r : bring_up(n, BRIDGE, 0, NULL);
}

int network_make(const struct cluster *c, char **reterr_why)
{
	_cleanup_free_ char *net = cluster_netns(c, 0), *device = cluster_host_device(c);
	_cleanup_(xb_netlink_freep) struct xb_netlink *here = NULL, *there = NULL;
	uint32_t ifindex;
	int new = netns_make(net, reterr_why), r;

	if (new < 0)
		return new;
	r = xb_netlink_new(&here);
	if (r)
		return fault(NULL, r, "speak netlink for", net, reterr_why);
	r = new ? remove_stale(here, device) : 0;
	if (r)
		return fault(here, r, "remove", device, reterr_why);
	{
		_cleanup_visit_ struct visit v = { -1 };

		r = visit(net, &v, reterr_why);
		if (r)
			return r;
		r = xb_netlink_new(&there);
		if (!r)
			r = make_bridge(there);
		if (!r)
			r = make_port(there, c, 0, HOST_PORT, device, v.home);
	}
	if (r)
		return fault(there, r, "make the bridge in", net, reterr_why);
	r = bring_up(here, device, 0, &ifindex);
	if (!r)
		r = give_addresses(here, c, 0, ifindex);
	return r ? fault(here, r, "set up", device, reterr_why) : 0;
}

static int set_up_node(struct xb_netlink *n, const struct cluster *c, unsigned node)
{
	_cleanup_free_ char *host4 = cluster_ip4(c, 0), *host6 = cluster_ip6(c, 0);
	struct xb_route to_host4 = { .dst = net_of("0.0.0.0", 0) }, to_host6 = { .dst = net_of("::", 0) };
	uint32_t ifindex;
	int r = bring_up(n, "lo", 0, NULL);

	if (!r)
		r = bring_up(n, "eth0", 0, &ifindex);
	if (!r)
		r = give_addresses(n, c, node, ifindex);
	if (r)
		return r;
	to_host4.ifindex = to_host6.ifindex = ifindex;
	to_host4.gateway = net_of(host4, 32).ip;
	to_host6.gateway = net_of(host6, 128).ip;
	r = xb_netlink_replace_route(n, &to_host4);
	return r ? r : xb_netlink_replace_route(n, &to_host6);
}

int network_make_node(const struct cluster *c, unsigned node, char **reterr_why)
{
	_cleanup_free_ char *net = cluster_netns(c, 0), *name = cluster_netns(c, node), *path = netns_path(name);
	_cleanup_free_ char *port = cluster_node_name(node);
	_cleanup_(xb_netlink_freep) struct xb_netlink *bridge = NULL, *n = NULL;
	_cleanup_close_ int fd = -1;
	int new = netns_make(name, reterr_why), r;

	if (new < 0)
		return new;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return xb_why(reterr_why, -errno, "cannot open '%s': %s", path, strerror(errno));
	{
		_cleanup_visit_ struct visit v = { -1 };

		r = visit(net, &v, reterr_why);
		if (r)
			return r;
		r = xb_netlink_new(&bridge);
		if (!r && new)
			r = remove_stale(bridge, port);
		if (!r)
			r = make_port(bridge, c, node, port, "eth0", fd);
	}
	if (r)
		return fault(bridge, r, "make the bridge's port", port, reterr_why);
	{
		_cleanup_visit_ struct visit v = { -1 };

		r = visit(name, &v, reterr_why);
		if (r)
			return r;
		r = xb_netlink_new(&n);
		if (!r)
			r = set_up_node(n, c, node);
	}
	return r ? fault(n, r, "set up the network of", name, reterr_why) : 0;
}

/* --- the host's routes --- */

struct overlap {
	struct xb_net net;
	uint32_t except;                /* a device whose routes do not count */
};

static int overlaps(void *arg, const struct xb_route *r)
{
	const struct overlap *o = arg;

	return r->dst.bits && r->ifindex != o->except && (xb_net_contains(&o->net, &r->dst.ip) || xb_net_contains(&r->dst, &o->net.ip));
}

/* 1: a route of the host's leads there, or to a part of it. */
static int is_taken(struct xb_netlink *n, const struct xb_net *net, uint32_t except)
{
	struct overlap o = { *net, except };

	return xb_netlink_each_route(n, net->ip.family, 0, 0, overlaps, &o);
}

static int note_network(void *arg, const struct cluster *c)
{
	bool *used = arg;

	used[c->network] = true;
	return 0;
}

int network_choose(unsigned *ret, char **reterr_why)
{
	_cleanup_(xb_netlink_freep) struct xb_netlink *n = NULL;
	bool used[NETWORKS] = {};
	int r = xb_netlink_new(&n);

	if (r)
		return fault(NULL, r, "speak netlink of", "the host", reterr_why);
	cluster_each(note_network, used);
	for (unsigned k = 0; k < NETWORKS; k++) {
		const struct cluster c = { .network = k };
		_cleanup_free_ char *ip4 = cluster_ip4(&c, 0);
		const struct xb_net net = net_of(ip4, 24);

		r = used[k] ? 1 : is_taken(n, &net, 0);
		if (r < 0)
			return fault(n, r, "read routes of", "the host", reterr_why);
		if (r)
			continue;
		*ret = k;
		return 0;
	}
	return xb_why(reterr_why, -EADDRINUSE, "every network of 172.28.0.0/16 is in use by a route of this host");
}

int network_make_routes(const struct cluster *c, bool *ret_ours, char **reterr_why)
{
	static const struct { const char *ip; unsigned bits; } nets[] = {
		{ "10.96.0.0", 12 }, { "10.244.0.0", 16 }, { "fd00:10:96::", 108 }, { "fd00:10:244::", 56 },
	};
	_cleanup_free_ char *device = cluster_host_device(c), *ip4 = cluster_ip4(c, 1), *ip6 = cluster_ip6(c, 1);
	_cleanup_(xb_netlink_freep) struct xb_netlink *n = NULL;
	struct xb_link link;
	int r = xb_netlink_new(&n);

	if (!r)
		r = xb_netlink_find_link(n, device, &link);
	*ret_ours = true;
	for (size_t i = 0; !r && i < ARRAY_SIZE(nets); i++) {
		struct xb_route route = { .dst = net_of(nets[i].ip, nets[i].bits), .ifindex = link.ifindex };
		int taken = is_taken(n, &route.dst, link.ifindex);

		route.gateway = net_of(strchr(nets[i].ip, ':') ? ip6 : ip4, 0).ip;
		if (taken > 0)
			*ret_ours = false;
		else
			r = taken ? taken : xb_netlink_replace_route(n, &route);
	}
	return r ? fault(n, r, "set routes by", device, reterr_why) : 0;
}

/*
 * A namespace ends when nothing uses it, which the kernel does in its own time; the host should not see its device until then. It is
 * found by its other end: of a cluster whose state is lost, nobody knows which network it had, and the first one is another's.
 */
static int remove_host_device(const char *net, char **reterr_why)
{
	_cleanup_free_ char *path = netns_path(net);
	_cleanup_(xb_netlink_freep) struct xb_netlink *n = NULL;
	_cleanup_visit_ struct visit v = { -1 };
	struct xb_link link;
	int r;

	if (!is_namespace(path))
		return 0;
	r = visit(net, &v, reterr_why);
	if (r)
		return r;
	r = xb_netlink_new(&n);
	if (!r && !xb_netlink_find_link(n, HOST_PORT, &link))
		r = xb_netlink_del_link(n, link.ifindex);
	return r ? fault(n, r, "remove the host's device of", net, reterr_why) : 0;
}

int network_remove(const struct cluster *c, char **reterr_why)
{
	_cleanup_free_ char *net = cluster_netns(c, 0), *prefix = xprintf("xb-%s-node-", c->name);
	DIR *d = opendir(NETNS_FOLDER);
	struct dirent *e;
	int r = remove_host_device(net, reterr_why);

	while (d && !r && (e = readdir(d)))
		if (!strcmp(e->d_name, net) || !strncmp(e->d_name, prefix, strlen(prefix)))
			r = netns_remove(e->d_name, reterr_why);
	if (d)
		closedir(d);
	return r;
}
