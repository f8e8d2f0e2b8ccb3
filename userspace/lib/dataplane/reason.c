/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "xb/reason.h"

static const struct xb_reason_row unknown = {
	"unknown", "A reason that this program does not know.", "Use the xebec of the same version as the node's kube-proxy.",
};

static const struct xb_reason_row rows[XB_REASONS] = {
	[XB_REASON_NONE] = { "none", "Nothing was to be done.", NULL },
	[XB_FLOW_MADE] = { "flow-made", "A new flow was sent to a backend.", NULL },
	[XB_FLOW_RESELECTED] = { "flow-reselected", "The flow's backend was gone, and another one was chosen.", NULL },
	[XB_ECHO_ANSWERED] = { "echo-answered", "A ping to an address of services was answered.", NULL },
	[XB_ERROR_TRANSLATED] = { "error-translated", "An ICMP error about a flow was passed on to the one it concerns.", NULL },
	[XB_REFUSED_NO_BACKEND] = {
		"refused-no-backend", "The port has no ready backend, and the client was told so.",
		"kubectl get endpointslices -l kubernetes.io/service-name=NAME: are its pods ready, and does the Service select them?",
	},
	[XB_REFUSED_NO_PORT] = {
		"refused-no-port", "The address is a service's, the port is not.",
		"Compare the port with what xebec services shows for the address; a client may use the pods' port in place of the service's.",
	},
	[XB_REFUSED_NO_SERVICE] = {
		"refused-no-service", "The address is of the service network, but no service has it.",
		"The client uses the address of a Service that was deleted or made anew: DNS answers or environment variables may be old.",
	},
	[XB_DROPPED_NO_LOCAL_BACKEND] = {
		"dropped-no-local-backend", "The policy is Local, and the backends are on other nodes only.",
		"Send to nodes that have one (a load balancer asks healthCheckNodePort), or set the policy to Cluster.",
	},
	[XB_DROPPED_SOURCE_RANGE] = {
		"dropped-source-range", "The client is in none of the Service's loadBalancerSourceRanges.",
		"Add the client's network to spec.loadBalancerSourceRanges; CLIENT is the address that arrived, perhaps a NAT's before us.",
	},
	[XB_DROPPED_FLOWS_FULL] = {
		"dropped-flows-full", "The flow table had no place for another flow.",
		"xebec map shows how full it is, xebec top --flows who fills it; it grows by itself, but not faster than once in a while.",
	},
	[XB_DROPPED_FLOW_RATE] = {
		"dropped-flow-rate", "There were more new flows in this second than the table takes.",
		"A flood, or very many short connections: xebec drops --watch shows the clients. Flows that are open go on.",
	},
	[XB_DROPPED_NO_NAT_PORT] = {
		"dropped-no-nat-port", "Each source port that was tried for masquerading is in use towards this backend.",
		"Too many connections by this node to one backend: more backends, or externalTrafficPolicy Local, which does not masquerade.",
	},
	[XB_DROPPED_NO_NAT_ADDRESS] = {
		"dropped-no-nat-address", "The node has no address of this family to masquerade to.",
		"Give the node an address of the family, which its Node lists as InternalIP.",
	},
	[XB_DROPPED_FRAGMENT] = {
		"dropped-fragment", "A fragment came without the first one of its datagram, which names the ports.",
		"Fragments that take several paths or arrive out of order: send smaller datagrams.",
	},
	[XB_DROPPED_MALFORMED] = {
		"dropped-malformed", "The packet's headers contradict each other or its length.",
		"Look at the sender: tcpdump -ni any host CLIENT.",
	},
	[XB_DROPPED_NO_ROUTE] = {
		"dropped-no-route", "The node has no route to where the packet must go, or no room to write its headers.",
		"ip route get BACKEND on the node: do the routes to other nodes' pods exist?",
	},
	[XB_TABLE_ERROR] = {
		"table-error", "An entry of the tables led nowhere; the packet was let through as it was.",
		"xebec check says which entry; xebec check --fix has kube-proxy write it anew. Please report it.",
	},
};

const struct xb_reason_row *xb_reason_row(enum xb_reason reason)
{
	return reason < XB_REASONS && rows[reason].name ? &rows[reason] : &unknown;
}

int xb_reason_by_name(struct xb_sv name, enum xb_reason *ret)
{
	for (int i = 0; i < XB_REASONS; i++) {
		if (!rows[i].name || !xb_sv_is(name, rows[i].name))
			continue;
		*ret = i;
		return 0;
	}
	return -EINVAL;
}

bool xb_reason_is_refusal(enum xb_reason reason)
{
	return reason >= XB_REFUSED_NO_BACKEND && reason <= XB_DROPPED_NO_ROUTE;
}
