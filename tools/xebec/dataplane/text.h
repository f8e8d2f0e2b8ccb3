/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_TEXT_H
#define XEBEC_TEXT_H
/* What is in the tables as people write it. */
#include "xb/abi/event.h"
#include "xb/ip.h"

struct endpoint_text {
	char s[INET6_ADDRSTRLEN + 9];           /* "[fd00::1]:65535" */
};
/* IPv4 as ::ffff:a.b.c.d is written as IPv4. */
struct xb_ip ip_of(const union xb_ip6 *addr);
struct endpoint_text addr_text(const union xb_ip6 *addr);                       /* "10.0.0.1", "fd00::1" */
struct endpoint_text endpoint_text(const union xb_ip6 *addr, __u16 port);       /* "10.0.0.1:80", "[fd00::1]:80" */
/* As endpoint_text; where each address of the node counts, "*:30080". */
struct endpoint_text frontend_text(const union xb_ip6 *addr, __u16 port);
union xb_ip6 addr_of4(union xb_ip4 addr);
union xb_ip6 addr_of(const struct xb_ip *ip);

const char *proto_text(enum xb_proto proto);            /* "TCP" */
const char *kind_text(enum xb_frontend_kind kind);      /* "ClusterIP" */
const char *set_text(unsigned set);                     /* "internal"; by place in struct xb_svc */
const char *family_text(enum xb_family family);         /* "IPv4" */
const char *path_text(enum xb_path path);               /* "socket" */
const char *flow_state_text(enum xb_flow_state state);  /* "open" */

#endif
