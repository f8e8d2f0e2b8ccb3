/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <stdio.h>

#include "text.h"

static bool is_ip4(const union xb_ip6 *addr)
{
	return !addr->be32[0] && !addr->be32[1] && addr->be32[2] == htonl(0xffff);
}

struct xb_ip ip_of(const union xb_ip6 *addr)
{
	struct xb_ip ip = { .family = is_ip4(addr) ? AF_INET : AF_INET6 };

	if (ip.family == AF_INET)
		memcpy(ip.b, addr->b + 12, 4);
	else
		memcpy(ip.b, addr->b, 16);
	return ip;
}

struct endpoint_text addr_text(const union xb_ip6 *addr)
{
	struct xb_ip ip = ip_of(addr);
	struct endpoint_text text;

	snprintf(text.s, sizeof(text.s), "%s", xb_ip_format(&ip).s);
	return text;
}

struct endpoint_text endpoint_text(const union xb_ip6 *addr, __u16 port)
{
	struct endpoint_text text, ip = addr_text(addr);

	snprintf(text.s, sizeof(text.s), is_ip4(addr) ? "%.46s:%u" : "[%.46s]:%u", ip.s, port);
	return text;
}

struct endpoint_text frontend_text(const union xb_ip6 *addr, __u16 port)
{
	bool any = is_ip4(addr) ? !addr->be32[3] : !addr->word[0] && !addr->word[1];
	struct endpoint_text text;

	if (!any)
		return endpoint_text(addr, port);
	snprintf(text.s, sizeof(text.s), "*:%u", port);
	return text;
}

union xb_ip6 addr_of4(union xb_ip4 addr)
{
	return (union xb_ip6){ .be32 = { 0, 0, htonl(0xffff), addr.be32 } };
}

union xb_ip6 addr_of(const struct xb_ip *ip)
{
	union xb_ip6 addr;

	if (ip->family == AF_INET) {
		addr = (union xb_ip6){ .be32 = { 0, 0, htonl(0xffff), 0 } };
		memcpy(addr.b + 12, ip->b, 4);
	} else {
		memcpy(addr.b, ip->b, 16);
	}
	return addr;
}

/* The word of a table, for values that may be anything: they come out of memory that others write. */
#define WORD(words, i) ((size_t)(i) < ARRAY_SIZE(words) && (words)[i] ? (words)[i] : "?")

const char *proto_text(enum xb_proto proto)
{
	static const char *const words[] = {
		[XB_PROTO_ICMP] = "ICMP", [XB_PROTO_TCP] = "TCP", [XB_PROTO_UDP] = "UDP", [XB_PROTO_ICMPV6] = "ICMPv6", [XB_PROTO_SCTP] = "SCTP",
	};

	return WORD(words, proto);
}

const char *kind_text(enum xb_frontend_kind kind)
{
	static const char *const words[] = {
		[XB_FRONTEND_CLUSTER_IP] = "ClusterIP", [XB_FRONTEND_NODE_PORT] = "NodePort", [XB_FRONTEND_EXTERNAL_IP] = "ExternalIP",
		[XB_FRONTEND_LOAD_BALANCER] = "LoadBalancer", [XB_FRONTEND_NODE_ADDR] = "address of the node",
		[XB_FRONTEND_VIP] = "address of services", [XB_FRONTEND_SHARED] = "address with services",
	};

	return WORD(words, kind);
}

const char *set_text(unsigned set)
{
	static const char *const words[] = {
		[XB_SCOPE_INTERNAL] = "internal", [XB_SCOPE_EXTERNAL] = "external", [XB_SCOPE_OUTSIDE] = "outside",
		[XB_SERVING] = "serving",
	};

	return WORD(words, set);
}

const char *family_text(enum xb_family family)
{
	static const char *const words[] = { [XB_IPV4] = "IPv4", [XB_IPV6] = "IPv6" };

	return WORD(words, family);
}

const char *path_text(enum xb_path path)
{
	static const char *const words[] = { [XB_PATH_SOCKET] = "socket", [XB_PATH_TC] = "tc", [XB_PATH_XDP] = "xdp" };

	return WORD(words, path);
}

const char *flow_state_text(enum xb_flow_state state)
{
	static const char *const words[] = {
		[XB_FLOW_NEW] = "new", [XB_FLOW_REPLIED] = "replied", [XB_FLOW_OPEN] = "open", [XB_FLOW_FIN] = "closing", [XB_FLOW_PEER_FIN] = "closing",
		[XB_FLOW_CLOSED] = "closed",
	};

	return WORD(words, state);
}
