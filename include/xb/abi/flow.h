/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_ABI_FLOW_H
#define XB_ABI_FLOW_H
/*
 * xb_flow4, xb_flow6: the flows of packets that passed no socket hook of this node, in an mmap-able array of sets. Each
 * translated flow has two entries, one for what the client sends and one for what comes back; the key of either is the
 * packet as it arrives, so one lookup serves both.
 *
 * An entry lives in set hash & (sets - 1), or, when that has no way left, in set (hash ^ (hash >> 32 | 1)) & (sets - 1), and
 * then the first notes in spilled_until how long to look there. The 64 bytes at the head of a set tell all that a miss or an insertion
 * wants to know. Times are ticks: jiffies >> tick_shift, about a second, compared by their signed difference.
 *
 * Tag and expiry of a way are one 64-bit word, which changes by compare-and-swap only. Claiming a way (many writers): swap the word
 * of a free, expired or giving way for a busy one of the own tag, look through both sets for the key, or another busy way of its
 * tag, and in that case withdraw (word 0), else write the entry and swap in the word that is not busy. Who claims first is seen
 * by who looks later, so two never hold one key, nor show it. Reading: word, entry, tag again.
 */
#include "xb/abi/service.h"

#define XB_FLOW_WAYS 7
/* The tag of a way: upper bits of the key's hash, and these two. 0: free */
#define XB_FLOW_BUSY 1u             /* is being written, not to be read */
#define XB_FLOW_ASSURED 2u         /* it is XB_FLOW_OPEN: gives way to nobody. With XB_FLOW_BUSY: what is being copied was removed */
#define XB_FLOW_SLACK 2u            /* ticks after which an expired entry is not even refreshed by a program that ran slowly */

enum xb_flow_state {
	XB_FLOW_NEW,                /* one direction was seen only; TCP: the client has not answered the answer */
	XB_FLOW_REPLIED,            /* UDP, SCTP: likewise, and there was an answer */
	XB_FLOW_OPEN,
	XB_FLOW_FIN,                /* TCP: who sends these packets has closed */
	XB_FLOW_PEER_FIN,           /* TCP: who gets them has */
	XB_FLOW_CLOSED,             /* TCP, SCTP: both have, or a reset was seen */
} __attribute__((packed));

enum xb_flow_direction {
	XB_FLOW_FORWARD,            /* what the client sends, to a service */
	XB_FLOW_REPLY,
	XB_FLOW_TUNNEL,             /* forward, but as it is, in an IP packet to the backend, whose node answers by itself */
} __attribute__((packed));

/* What a packet is as it arrives. Both families; IPv4 as ::ffff:a.b.c.d. Ports in host order; of ICMP echo the identifier. */
struct xb_tuple {
	union xb_ip6 src, dst;
	__u16 sport, dport;
	enum xb_proto proto;
	enum xb_family family;
	__u8 pad[2];
};

/*
 * Tables grow while they are used. Then xb_flow4 is the new one, still empty, and xb_flow4_old the one that it takes the place of, of
 * whatever size; else the old one has one set, which nobody looks at. Nobody inserts a key that is in either. Each step is one word
 * of xb_hdr, and a wait until every program that has read the word before has returned.
 */
enum xb_flow_growth {
	XB_FLOW_TO_OLD,             /* all are in the old table, and new ones go there: programs that do not know the new one agree */
	XB_FLOW_TO_NEW,             /* they are in either; new ones go to the new table, where the agent copies the others */
	XB_FLOW_MOVED,              /* all are in the new one, and nobody looks at the old one: programs that do not know it agree */
};

struct xb_flow_way {
	__u32 tag;
	__u32 expires;              /* tick */
} __attribute__((aligned(8)));

struct xb_flow_head {
	struct xb_flow_way way[XB_FLOW_WAYS];
	__u32 spilled_until;        /* tick: the last expiry of an entry that lives in its second set, and XB_FLOW_SLACK */
	__u32 pad;
};

struct xb_flow4 {
	union xb_ip4 src, dst;          /* the key: as it arrives */
	__u16 sport, dport;
	enum xb_proto proto;
	enum xb_flow_direction direction;
	enum xb_flow_state state;
	__u8 copied;                    /* 1: it was in the table that this one took the place of */
	union xb_ip4 new_src, new_dst;  /* as it goes on */
	__u16 new_sport, new_dport;
	__u32 svc;                      /* index in xb_svc */
	struct xb_set set;              /* that the choice was made from: while the port has the same one, it holds */
	__u64 bytes, packets;
	__u32 made;                     /* tick */
	__u8 scope;                     /* enum xb_scope of the set */
	__u8 pad2[3];
};

struct xb_flow6 {
	union xb_ip6 src, dst;
	__u16 sport, dport;
	enum xb_proto proto;
	enum xb_flow_direction direction;
	enum xb_flow_state state;
	__u8 copied;                    /* 1: it was in the table that this one took the place of */
	union xb_ip6 new_src, new_dst;
	__u16 new_sport, new_dport;
	__u32 svc;
	struct xb_set set;
	__u64 bytes, packets;
	__u32 made;
	__u8 scope;
	__u8 pad2[19];
};

struct xb_flow4_set {
	struct xb_flow_head head;
	struct xb_flow4 way[XB_FLOW_WAYS];
};
struct xb_flow6_set {
	struct xb_flow_head head;
	struct xb_flow6 way[XB_FLOW_WAYS];
	__u8 pad[64];
};

/* xb_rate, PERCPU_ARRAY of one: how many flows the processor made in this tick. */
struct xb_rate {
	__u32 tick;
	__u32 made;
};

/* xb_frag, LRU_HASH: the ports of a fragmented datagram, from its first fragment for the others. */
struct xb_frag_key {
	union xb_ip6 src, dst;
	__u32 id;
	enum xb_proto proto;
	__u8 pad[3];
};
struct xb_frag {
	__u16 sport, dport;
};

_Static_assert(sizeof(struct xb_tuple) == 40 && sizeof(struct xb_frag_key) == 40, "no hidden padding");
_Static_assert(sizeof(struct xb_flow_head) == 64 && sizeof(struct xb_flow4) == 64 && sizeof(struct xb_flow6) == 128, "whole cache lines");
_Static_assert(sizeof(struct xb_flow4_set) == 512 && sizeof(struct xb_flow6_set) == 1024, "sets are powers of two");

#endif
