/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_PLAN_NODE_H
#define XB_PLAN_NODE_H
/*
 * What the data plane should know of the node and of the cluster's networks: where node ports answer, where pods and cluster IPs are,
 * and as what to masquerade. One rule for kube-proxy, which writes it, and for whoever compares; no kernel and no API here.
 */
#include "xb/abi/node.h"
#include "xb/addrs.h"
#include "xb/ip.h"
#include "xb/plan.h"

struct xb_plan_node_facts {
	struct xb_jv node;                  /* the Node object; {}: not known */
	const struct xb_ifaddr *addrs;      /* the kernel's */
	size_t n_addrs;
	int local_first, local_last;        /* net.ipv4.ip_local_port_range */
	const struct xb_plan_nets *cluster; /* by family, of --cluster-cidr; NULL: pods are where the Node's podCIDRs say */
	const struct xb_plan_nets *services; /* by family: of ServiceCIDRs, sorted */
	bool masquerade_all;
};
void xb_plan_node_make(const struct xb_plan_node_facts *f, struct xb_plan_node *ret);
void xb_plan_node_record(const struct xb_plan_node *node, struct xb_node *ret); /* as it is in xb_node */

/* The first that the Node object calls InternalIP and this machine has, else of the machine's global ones that on the first
 * device, loopback last. All zero: none. */
struct xb_plan_addr xb_plan_source(int family, struct xb_jv node, const struct xb_ifaddr *addrs, size_t n_addrs);
/* The longest range of unprivileged ports that neither sockets without a port of their own nor node ports are in. Where fewer
 * than 1024 are left of them, sockets' are used as well (false). */
bool xb_plan_nat_ports(int local_first, int local_last, __u16 *ret_first, __u16 *ret_count);
/* Adds comma-separated networks. -EINVAL: one is none; -E2BIG: more than XB_PLAN_NETS_MAX of a family. */
int xb_plan_nets_add(struct xb_sv list, struct xb_plan_nets by_family[2]);
/* Those of all ServiceCIDRs: an object's, and once all are added. -E2BIG: some of them do not fit, and are left out. */
int xb_plan_nets_add_service_cidr(struct xb_jv service_cidr, struct xb_plan_nets by_family[2]);
void xb_plan_nets_sort(struct xb_plan_nets by_family[2]);

/* --nodeport-addresses. */
struct xb_plan_port_networks {
	struct xb_net *v;           /* none: every address */
	size_t n, cap;
	bool primary;               /* the Node object's InternalIPs; every address while it is not known */
};
/* A network, or "primary". -EINVAL: it is neither; -ENOMEM. */
int xb_plan_port_networks_add(struct xb_plan_port_networks *p, const char *text);
void xb_plan_port_networks_done(struct xb_plan_port_networks *p);
/* Where node ports answer, by family: sorted, no duplicates; the caller frees v. -ENOMEM. */
struct xb_plan_addrs {
	struct xb_plan_addr *v;
	size_t n, cap;
};
int xb_plan_port_addrs(struct xb_jv node, const struct xb_ifaddr *addrs, size_t n, const struct xb_plan_port_networks *networks,
		       struct xb_plan_addrs ret[2]);

#endif
