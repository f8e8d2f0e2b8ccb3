/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "networks.h"
#include "xb/file.h"
#include "xb/informer.h"
#include "xb/ip.h"
#include "xb/log.h"
#include "xb/why.h"

struct networks {
	struct networks_config c;
	struct xb_informer *service_cidrs;
	struct xb_plan_nets cluster[2];    /* of --cluster-cidr */
	struct xb_plan_nets services[2];
	bool node_cidr;                 /* pods are where the Node's podCIDRs say */
	bool told_too_many;
	int local_first, local_last;    /* net.ipv4.ip_local_port_range */
};

static int read_ports(struct networks *n, char **reterr_why)
{
	static const char path[] = "/proc/sys/net/ipv4/ip_local_port_range";
	_cleanup_buf_ struct xb_buf text = {};
	int r = xb_file_read(path, 64, &text);
	__u16 first, count;

	if (r == 0 && sscanf(text.p, "%d %d", &n->local_first, &n->local_last) != 2)
		r = -EINVAL;
	if (r < 0) {
		errno = -r;
		return xb_why(reterr_why, r, "%s: %m", path);
	}
	if (!xb_plan_nat_ports(n->local_first, n->local_last, &first, &count))
		log_warning("net.ipv4.ip_local_port_range (%d to %d) leaves fewer than 1024 ports to masquerading: it uses ports %d to %d, "
			    "in which sockets of this node may be as well", n->local_first, n->local_last, first, first + count - 1);
	return 0;
}

/* --- ServiceCIDRs --- */
static void add_service_cidr(void *arg, struct xb_jv object)
{
	struct networks *n = arg;

	if (xb_plan_nets_add_service_cidr(object, n->services) != -E2BIG || n->told_too_many)
		return;
	n->told_too_many = true;
	log_warning("more than %d networks of ServiceCIDRs: what no Service has in the others is let through, not refused", XB_PLAN_NETS_MAX);
}

/* Sorted: the copy is in no order. */
static void on_service_cidr(void *arg, struct xb_jv old, struct xb_jv object)
{
	struct networks *n = arg;

	memset(n->services, 0, sizeof(n->services));
	xb_informer_each(n->service_cidrs, add_service_cidr, n);
	xb_plan_nets_sort(n->services);
	n->c.changed(n->c.arg);
}

static void on_trouble(void *arg, const char *path, const char *why)
{
	struct networks *n = arg;

	n->c.trouble(n->c.arg, path, why);
}

/* --- the whole --- */
const char *networks_cluster_cidr(const struct networks *n)
{
	return n->node_cidr ? "" : n->c.cluster_cidr;
}

void networks_get(const struct networks *n, struct xb_plan_node *ret)
{
	struct xb_plan_node_facts f = {
		.node = node_object(n->c.node), .local_first = n->local_first, .local_last = n->local_last,
		.cluster = n->node_cidr ? NULL : n->cluster, .services = n->services, .masquerade_all = n->c.masquerade_all,
	};

	f.n_addrs = node_kernel_addrs(n->c.node, &f.addrs);
	xb_plan_node_make(&f, ret);
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
	int r = cidr ? xb_plan_nets_add(xb_sv(cidr), n->cluster) : 0;

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
