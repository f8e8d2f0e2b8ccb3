/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_ABI_SOCKET_H
#define XB_ABI_SOCKET_H
/* What the programs remember of clients and sockets: xb_aff, xb_rev, xb_sku. Addresses of both families are kept as IPv6,
 * IPv4 as ::ffff:a.b.c.d, as the kernel itself does in a socket of both. What they remember of packets is in flow.h. */
#include "xb/abi/service.h"

struct xb_peer {
	union xb_ip6 addr;
	__u16 port;                 /* host order */
	__u8 local;                 /* of a backend: it is on this node */
	__u8 pad[5];
};

/* xb_aff, LRU_HASH: which backend a client of a port with session affinity got. A client that connects here is a network
 * namespace, as there is no source address at connect(): ::<its cookie>. One whose packets come in is its address. */
struct xb_aff_key {
	union xb_ip6 client;
	__u32 svc;
	__u32 scope;                /* 0: the choice for every scope; else enum xb_scope + 1, of one whose set lacks that backend */
};
struct xb_aff {
	struct xb_peer backend;
	__u64 used;                 /* jiffies of the last new connection */
};

/*
 * xb_rev, array of sets: what a TCP socket's application connected to, for getpeername(). The set is chosen by the socket
 * cookie; when it is full the older entry goes.
 */
#define XB_REV_WAYS 2
#define XB_REV_BUSY (~0ull)         /* cookie of an entry that is being written */
struct xb_rev {
	__u64 cookie;               /* 0: free */
	union xb_ip6 addr;
	__u16 port;
	__u16 made;                 /* jiffies, the low bits: the age of what is older than they last is as good as random */
	__u32 peer;                 /* hash of the true peer: an entry of the socket's earlier life does not match */
};
struct xb_rev_set {
	struct xb_rev way[XB_REV_WAYS];
};

/* xb_sku, SK_STORAGE of UDP sockets: the last destinations that were services. Goes with the socket. */
#define XB_SKU_WAYS 4
struct xb_sku_flow {
	struct xb_peer service;     /* port 0: free */
	struct xb_peer backend;
	struct xb_set set;          /* that the choice was made from: while the port has the same one, it holds */
	__u32 svc;
	enum xb_scope scope;        /* of the set */
	__u8 pad[3];
};
struct xb_sku {
	struct xb_sku_flow flow[XB_SKU_WAYS];
	__u32 last;                 /* the flow sent to last */
	__u32 connected;            /* 1 + the flow that the socket is connected by; 0: by none */
};

/* What udpwalk.bpf.c writes for each socket that is connected to a backend that does not serve any more. */
struct xb_stale {
	__u64 cookie;
	union xb_ip6 src, dst;      /* dst: the backend */
	__u16 sport, dport;         /* host order */
	__u32 netns;                /* number of its inode */
	__u32 ifindex;              /* of the device that the socket is bound to; 0: none */
	__u32 svc;
};

_Static_assert(sizeof(struct xb_peer) == 24 && sizeof(struct xb_aff_key) == 24, "no hidden padding");
_Static_assert(sizeof(struct xb_rev_set) == 64, "a set is a cache line");
_Static_assert(sizeof(struct xb_stale) == 56, "no hidden padding");
_Static_assert(sizeof(struct xb_sku) == XB_SKU_WAYS * 64 + 8, "no hidden padding");

#endif
