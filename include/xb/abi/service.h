/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_ABI_SERVICE_H
#define XB_ABI_SERVICE_H
/*
 * xb_svc, xb_be4, xb_be6, xb_name: the ports of services and their backends. All frontends of a port share its record,
 * so one store of one word moves them all to another set of backends.
 */
#include "xb/abi/types.h"

enum xb_family {
	XB_FAMILY_NONE = 0,
	XB_IPV4 = 4,
	XB_IPV6 = 6,
} __attribute__((packed));

#define XB_SET_MAX 65535            /* backends of one port */

/*
 * A published set of backends: xb_be4 or xb_be6 [base, base + count), sorted by address (as big-endian number), then by
 * port. One aligned 64-bit word, stored at once. The block under it is immutable until a grace period after it was replaced.
 */
struct xb_set {
	__u32 base;
	__u16 count;
	__u16 gen;                  /* another with each change of the port, also across the slot's owners; wraps */
} __attribute__((aligned(8)));

/* Who asks, and by which kind of address: each has its set. */
enum xb_scope {
	XB_SCOPE_INTERNAL,          /* anybody, by a cluster IP */
	XB_SCOPE_EXTERNAL,          /* a client of the cluster, by a node port, an external or load balancer IP */
	XB_SCOPE_OUTSIDE,           /* a client from outside, by the same: externalTrafficPolicy Local narrows this one */
	XB_SCOPES,
} __attribute__((packed));

/* Behind the scopes' sets: every backend that serves, also one that terminates, or that topology prefers others to. No new flow is
 * made from it, but one that goes to any of these goes on. */
#define XB_SERVING XB_SCOPES
#define XB_SETS (XB_SCOPES + 1)

/* Elements of xb_mag. One aligned 64-bit word, stored at once; immutable under it as a set's block is. */
struct xb_slice {
	__u32 base;                 /* first line */
	__u32 size;                 /* elements, a prime; 0: none */
} __attribute__((aligned(8)));

/* Index 0 is never used. A free slot keeps only its sets' gen. */
struct xb_svc {
	struct xb_set set[XB_SETS];
	struct xb_slice maglev;     /* OUTSIDE: which backend by hash of the flow, the same on all nodes. None: as chance has it */
	__u32 affinity_seconds;     /* 0: none */
	__u8 drop[XB_SCOPES];       /* when the set is empty: silence, not a refusal, for there are backends elsewhere (KEP-3866) */
	enum xb_family family;
	enum xb_proto proto;
	__u8 dsr;                   /* to backends on other nodes: as it is, in an IP packet to that node, which answers itself */
	__u8 pad[2];
	__u32 source_ranges;        /* load balancer IPs: only clients in xb_src under this id. 0: all */
	__u8 pad2[8];
};

/* xb_src, LPM_TRIE: the networks of loadBalancerSourceRanges. prefix_bits counts id and address: 32 + 96 + bits for IPv4. */
struct xb_src_key {
	__u32 prefix_bits;
	__be32 id;
	union xb_ip6 addr;
};

/*
 * xb_mag, mmap-able array of lines: positions in a set, in slices (Maglev, NSDI 2016). Element i of a slice is
 * position[i % XB_MAG_LINE] of line base + i / XB_MAG_LINE. (An array of __u16 would take 8 bytes for each.)
 */
#define XB_MAG_LINE 32
struct xb_mag {
	__u16 position[XB_MAG_LINE];
};

struct xb_be4 {
	union xb_ip4 addr;
	__u16 port;                 /* host order */
	__u8 local;                 /* on this node */
	__u8 pad;
};

struct xb_be6 {
	union xb_ip6 addr;
	__u16 port;
	__u8 local;
	__u8 pad[5];
} __attribute__((aligned(8)));

/* xb_name[i] says what xb_svc[i] is: "namespace/name:port" or "namespace/name", each part at most 63 bytes. Empty: free. */
struct xb_name {
	char name[192];
};

_Static_assert(sizeof(struct xb_set) == 8 && sizeof(struct xb_slice) == 8, "each is one word");
_Static_assert(sizeof(struct xb_svc) == 64, "a cache line");
_Static_assert(sizeof(struct xb_be4) == 8 && sizeof(struct xb_be6) == 24, "no hidden padding");
_Static_assert(sizeof(struct xb_name) == 192, "63 + 1 + 63 + 1 + 63 and the end");

#endif
