/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <linux/rtnetlink.h>

#include "networks.h"
#include "xb/file.h"
#include "xb/informer.h"
#include "xb/ip.h"
#include "xb/log.h"
#include "xb/why.h"

#define LOOPBACK_INDEX 1            /* in each network namespace */
#define NODE_PORT_FIRST 30000       /* kube-apiserver's --service-node-port-range by default; nobody tells another */
#define NODE_PORT_LAST  32767
#define PORTS_FIRST     1024
#define PORTS_ENOUGH    1024

struct networks {
	struct networks_config c;
	struct xb_informer *service_cidrs;
	struct xb_plan_nets cluster[2];    /* of --cluster-cidr */
	struct xb_plan_nets services[2];
	bool node_cidr;                 /* pods are where the Node's podCIDRs say */
	bool told_too_many;
	__u16 nat_first, nat_count;
};

/* --- networks --- */
static int add_net(const struct xb_net *net, struct xb_plan_nets *nets)
{
	struct xb_net whole = xb_net_of(&net->ip, net->bits);
	struct xb_plan_net *at = &nets->v[nets->n];

	if (nets->n == ARRAY_SIZE(nets->v))
		return -E2BIG;
	at->bits = whole.bits;
	memcpy(at->addr.b, whole.ip.b, sizeof(at->addr.b));
	nets->n++;
	return 0;
}

int networks_add(struct xb_sv list, struct xb_plan_nets by_family[2])
{
	struct xb_sv one;
	int r = 0;

	while (!r && xb_sv_split(&list, ',', &one)) {
		struct xb_net net;

		r = xb_net_parse(xb_sv_trim(one), &net);
		if (!r)
			r = add_net(&net, &by_family[net.ip.family == AF_INET6]);
	}
	return r;
}

static void add_pod_cidrs(struct xb_jv node, struct xb_plan_nets pods[2])
{
	struct xb_jv spec = xb_jv_get(node, "spec"), cidrs = xb_jv_get(spec, "podCIDRs");

	if (!xb_jv_count(cidrs))
		networks_add(xb_jv_text(xb_jv_get(spec, "podCIDR")), pods);
	for (struct xb_jit it = xb_jv_iter(cidrs); xb_jit_next(&it);)
		networks_add(xb_jv_text(it.value), pods);
}

/* --- masquerading --- */
static const struct xb_addr *find_addr(const struct xb_ip *ip, const struct xb_addr *addrs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (addrs[i].family == ip->family && !memcmp(addrs[i].b, ip->b, xb_ip_bytes(ip->family)))
			return &addrs[i];
	return NULL;
}

static const struct xb_addr *internal_ip(int family, struct xb_jv node, const struct xb_addr *addrs, size_t n)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(node, "status", "addresses")); xb_jit_next(&it);) {
		const struct xb_addr *found;
		struct xb_ip ip;

		if (!xb_jv_streq(xb_jv_get(it.value, "type"), XB_SV("InternalIP")) ||
		    xb_ip_parse(xb_jv_text(xb_jv_get(it.value, "address")), &ip) < 0 || ip.family != family)
			continue;
		found = find_addr(&ip, addrs, n);
		if (found)
			return found;
	}
	return NULL;
}

/* 169.254.0.0/16 is link-local by RFC 3927, whatever scope it was given. */
static bool is_global(const struct xb_addr *a)
{
	return a->scope == RT_SCOPE_UNIVERSE && !(a->family == AF_INET && a->b[0] == 169 && a->b[1] == 254);
}

static bool goes_before(const struct xb_addr *a, const struct xb_addr *b)
{
	if ((a->ifindex == LOOPBACK_INDEX) != (b->ifindex == LOOPBACK_INDEX))
		return b->ifindex == LOOPBACK_INDEX;
	return a->ifindex != b->ifindex ? a->ifindex < b->ifindex : memcmp(a->b, b->b, sizeof(a->b)) < 0;
}

struct xb_plan_addr networks_source(int family, struct xb_jv node, const struct xb_addr *addrs, size_t n_addrs)
{
	const struct xb_addr *best = internal_ip(family, node, addrs, n_addrs), *first = NULL;
	struct xb_plan_addr source = {};

	for (size_t i = 0; i < n_addrs; i++)
		if (addrs[i].family == family && is_global(&addrs[i]) && (!first || goes_before(&addrs[i], first)))
			first = &addrs[i];
	if (!best)
		best = first;
	if (best)
		memcpy(source.b, best->b, xb_ip_bytes(family));
	return source;
}

struct ports {
	int first, last;
};

/* The longest range from PORTS_FIRST on that has nothing of these, which are in order. Of equal ones the higher. */
static struct ports longest_gap(const struct ports *taken, size_t n)
{
	struct ports best = { 0, -1 };
	int from = PORTS_FIRST;

	for (size_t i = 0; i <= n; i++) {
		int last = i < n ? taken[i].first - 1 : UINT16_MAX;

		if (last - from >= best.last - best.first)
			best = (struct ports){ from, last };
		if (i < n)
			from = MAX(from, taken[i].last + 1);
	}
	return best;
}

bool networks_ports(int local_first, int local_last, __u16 *ret_first, __u16 *ret_count)
{
	const struct ports node_ports = { NODE_PORT_FIRST, NODE_PORT_LAST }, local = { local_first, local_last };
	bool local_is_lower = local_first < NODE_PORT_FIRST;
	const struct ports taken[] = { local_is_lower ? local : node_ports, local_is_lower ? node_ports : local };
	struct ports gap = longest_gap(taken, ARRAY_SIZE(taken));
	bool enough = gap.last - gap.first + 1 >= PORTS_ENOUGH;

	if (!enough)
		gap = longest_gap(&node_ports, 1);
	*ret_first = (__u16)gap.first;
	*ret_count = (__u16)(gap.last - gap.first + 1);
	return enough;
}

static int read_ports(struct networks *n, char **reterr_why)
{
	static const char path[] = "/proc/sys/net/ipv4/ip_local_port_range";
	_cleanup_buf_ struct xb_buf text = {};
	int first, last, r = xb_file_read(path, 64, &text);

	if (r == 0 && sscanf(text.p, "%d %d", &first, &last) != 2)
		r = -EINVAL;
	if (r < 0) {
		errno = -r;
		return xb_why(reterr_why, r, "%s: %m", path);
	}
	if (!networks_ports(first, last, &n->nat_first, &n->nat_count))
		log_warning("net.ipv4.ip_local_port_range (%d to %d) leaves fewer than %d ports to masquerading: it uses ports %d to %d, "
			    "in which sockets of this node may be as well", first, last, PORTS_ENOUGH, n->nat_first,
			    n->nat_first + n->nat_count - 1);
	return 0;
}

/* --- ServiceCIDRs --- */
static void add_service_cidr(void *arg, struct xb_jv object)
{
	struct networks *n = arg;

	for (struct xb_jit it = xb_jv_iter(xb_jv_path(object, "spec", "cidrs")); xb_jit_next(&it);) {
		if (networks_add(xb_jv_text(it.value), n->services) != -E2BIG || n->told_too_many)
			continue;
		n->told_too_many = true;
		log_warning("more than %d networks of ServiceCIDRs: what no Service has in the others is let through, not refused", XB_PLAN_NETS_MAX);
	}
}

/* Sorted: the copy is in no order. */
static void on_service_cidr(void *arg, struct xb_jv old, struct xb_jv object)
{
	struct networks *n = arg;

	memset(n->services, 0, sizeof(n->services));
	xb_informer_each(n->service_cidrs, add_service_cidr, n);
	for (int f = 0; f < 2; f++)
		qsort(n->services[f].v, n->services[f].n, sizeof(n->services[f].v[0]), xb_plan_net_compare);
	n->c.changed(n->c.arg);
}

static void on_trouble(void *arg, const char *path, const char *why)
{
	struct networks *n = arg;

	n->c.trouble(n->c.arg, path, why);
}

/* --- the whole --- */
void networks_get(const struct networks *n, struct xb_plan_node *ret)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct xb_plan_node node = { .nat_first = n->nat_first, .nat_count = n->nat_count, .masquerade_all = n->c.masquerade_all };
	struct xb_jv object = node_object(n->c.node);
	const struct xb_addr *addrs;
	size_t count = node_kernel_addrs(n->c.node, &addrs);

	for (int f = 0; f < 2; f++) {
		node.addr[f] = networks_source(families[f], object, addrs, count);
		node.services[f] = n->services[f];
		node.pods[f] = n->cluster[f];
	}
	if (n->node_cidr)
		add_pod_cidrs(object, node.pods);
	*ret = node;
}

static struct xb_ip ip_of(const struct xb_plan_addr *a, int f)
{
	struct xb_ip ip = { .family = f ? AF_INET6 : AF_INET };

	memcpy(ip.b, a->b, sizeof(ip.b));
	return ip;
}

static void describe_nets(const struct xb_plan_nets by_family[2], struct xb_buf *out)
{
	int any = 0;

	if (!by_family[0].n && !by_family[1].n)
		xb_buf_adds(out, " in no network that is known");
	for (int f = 0; f < 2; f++)
		for (size_t i = 0; i < by_family[f].n; i++) {
			struct xb_net net = { ip_of(&by_family[f].v[i].addr, f), by_family[f].v[i].bits };

			xb_buf_addf(out, "%s %s", any++ ? "," : " in", xb_net_format(&net).s);
		}
}

void networks_describe(const struct xb_plan_node *node, struct xb_buf *out)
{
	static const struct xb_plan_addr none;
	bool any = false;

	xb_buf_adds(out, "pods are");
	describe_nets(node->pods, out);
	xb_buf_adds(out, ", cluster IPs are");
	describe_nets(node->services, out);
	xb_buf_adds(out, "; masquerading as");
	for (int f = 0; f < 2; f++) {
		struct xb_ip ip = ip_of(&node->addr[f], f);

		if (memcmp(&node->addr[f], &none, sizeof(none))) {
			xb_buf_addf(out, "%s %s", any ? "," : "", xb_ip_format(&ip).s);
			any = true;
		}
	}
	xb_buf_addf(out, "%s by ports %u to %u%s", any ? "" : " nothing", node->nat_first,
		    node->nat_first + node->nat_count - 1, node->masquerade_all ? ", also what pods send" : "");
}

bool networks_synced(const struct networks *n)
{
	return node_synced(n->c.node) && xb_informer_synced(n->service_cidrs);
}

static int read_flags(struct networks *n, char **reterr_why)
{
	const char *mode = n->c.detect_local_mode, *cidr = n->c.cluster_cidr;
	int r = cidr ? networks_add(xb_sv(cidr), n->cluster) : 0;

	if (r == -E2BIG)
		return xb_why(reterr_why, r, "--cluster-cidr: more than %d networks of a family", XB_PLAN_NETS_MAX);
	if (r < 0)
		return xb_why(reterr_why, r, "--cluster-cidr: \"%s\" is no list of networks (10.244.0.0/16,fd00:10:244::/56)", cidr);
	if (mode && !strcmp(mode, "NodeCIDR")) {
		memset(n->cluster, 0, sizeof(n->cluster));
		cidr = NULL;
	} else if (mode && strcmp(mode, "ClusterCIDR")) {
		return xb_why(reterr_why, -EINVAL, "--detect-local-mode: %s tells pods by their devices, these programs tell them by their "
			      "addresses: give ClusterCIDR with --cluster-cidr, or NodeCIDR", mode);
	} else if (mode && !cidr) {
		log_warning("--detect-local-mode=ClusterCIDR without --cluster-cidr: pods are known by the Node's podCIDRs");
	}
	n->node_cidr = !cidr;
	return 0;
}

static int watch_service_cidrs(struct networks *n)
{
	static const char *const leave_out[] = { "metadata.managedFields", "metadata.annotations", "status", NULL };
	struct xb_informer_config c = {
		.rest = n->c.rest, .path = "/apis/networking.k8s.io/v1/servicecidrs", .leave_out = leave_out, .changed = on_service_cidr,
		.trouble = on_trouble, .arg = n, .may_lack = true,
	};

	return xb_informer_new(&c, &n->service_cidrs);
}

struct networks *networks_free(struct networks *n)
{
	if (!n)
		return NULL;
	xb_informer_free(n->service_cidrs);
	free(n);
	return NULL;
}

int networks_new(const struct networks_config *c, struct networks **ret, char **reterr_why)
{
	_cleanup_(networks_freep) struct networks *n = calloc(1, sizeof(*n));
	int r;

	if (!n)
		return -ENOMEM;
	n->c = *c;
	r = read_flags(n, reterr_why);
	if (!r)
		r = read_ports(n, reterr_why);
	if (!r)
		r = watch_service_cidrs(n);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(n);
	return 0;
}
