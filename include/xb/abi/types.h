/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_ABI_TYPES_H
#define XB_ABI_TYPES_H
/*
 * The words that every table between the BPF programs and the user side is written in. Named unions, packed enums and
 * host-order ports, so that `bpftool map dump` shows them as a person would write them. A change of any struct below
 * include/xb/abi is a new XB_ABI_VERSION: tables of another version are refused, not read.
 */
#include <linux/types.h>

#define XB_ABI_VERSION 3

/* IANA protocol numbers. A socket's zero-initialised protocol field is XB_PROTO_NONE. */
enum xb_proto {
	XB_PROTO_NONE   = 0,
	XB_PROTO_ICMP   = 1,
	XB_PROTO_TCP    = 6,
	XB_PROTO_UDP    = 17,
	XB_PROTO_ICMPV6 = 58,
	XB_PROTO_SCTP   = 132,
} __attribute__((packed));

/* What an entry of the frontend tables is. 0 is an empty slot. */
enum xb_frontend_kind {
	XB_FRONTEND_NONE,
	XB_FRONTEND_CLUSTER_IP,
	XB_FRONTEND_NODE_PORT,      /* address 0: holds at each node address */
	XB_FRONTEND_EXTERNAL_IP,
	XB_FRONTEND_LOAD_BALANCER,
	XB_FRONTEND_NODE_ADDR,      /* port 0, protocol 0: an address of this node */
	XB_FRONTEND_VIP,            /* likewise: an address of services only; its other ports are refused */
	XB_FRONTEND_SHARED,         /* likewise: an address that services have ports of, and others may have others */
} __attribute__((packed));

/* Addresses are in network byte order, as on the wire. */
union xb_ip4 {
	__be32 be32;
	__u8 b[4];
};
union xb_ip6 {
	__be32 be32[4];
	__u64 word[2];
	__u8 b[16];
};

_Static_assert(sizeof(enum xb_proto) == 1 && sizeof(enum xb_frontend_kind) == 1, "packed enums take one byte");
_Static_assert(sizeof(union xb_ip4) == 4 && sizeof(union xb_ip6) == 16, "addresses have no padding");

#endif
