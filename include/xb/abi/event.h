/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_ABI_EVENT_H
#define XB_ABI_EVENT_H
/*
 * Why programs did what they did: one reason for each way out, a counter for each reason, and the latest of them in full.
 *
 * xb_reason: PERCPU_ARRAY of __u64, indexed by enum xb_reason, packets (on the socket path: calls) since the tables were made.
 * xb_drop, xb_new: mmap-able arrays of the latest refusals and drops, and of the latest new flows; 0 of xb_cursor is
 * how many there ever were of the first and 1 of the second. Event number n is in slot n & (size - 1) and its seq is n + 1; a slot
 * whose seq is another, before or after it is read, is being written. An event whose slot was being written all the while is
 * lost, so a reader passes over what does not come. Any number of readers, who take nothing away.
 */
#include "xb/abi/flow.h"

enum xb_reason {
	XB_REASON_NONE,
	XB_FLOW_MADE,                   /* a new flow to a backend */
	XB_FLOW_RESELECTED,             /* its backend was gone: another one chosen */
	XB_ECHO_ANSWERED,               /* a ping to an address of services */
	XB_ERROR_TRANSLATED,            /* an ICMP error about a flow */
	/* an answer that says no was sent */
	XB_REFUSED_NO_BACKEND,          /* the port has no ready backend */
	XB_REFUSED_NO_PORT,             /* no service has this port of the address */
	XB_REFUSED_NO_SERVICE,          /* no service has this address of the service network */
	/* nothing was sent */
	XB_DROPPED_NO_LOCAL_BACKEND,    /* policy Local, backends on other nodes only */
	XB_DROPPED_SOURCE_RANGE,        /* not in loadBalancerSourceRanges */
	XB_DROPPED_FLOWS_FULL,          /* no way left in the flow table */
	XB_DROPPED_FLOW_RATE,           /* more new flows than the table takes in a second */
	XB_DROPPED_NO_NAT_PORT,         /* each port that was tried was taken */
	XB_DROPPED_NO_NAT_ADDRESS,      /* the node has no address of the family to masquerade to */
	XB_DROPPED_FRAGMENT,            /* its first fragment did not come before it */
	XB_DROPPED_MALFORMED,
	XB_DROPPED_NO_ROUTE,            /* no route to where it must go, or no room to write its headers */
	XB_TABLE_ERROR,                 /* an index led nowhere; let through untouched */
	XB_REASONS,
} __attribute__((packed));

enum xb_path {
	XB_PATH_NONE,
	XB_PATH_SOCKET,
	XB_PATH_TC,
	XB_PATH_XDP,
} __attribute__((packed));

struct xb_event {
	__u64 seq;
	__u64 time;                     /* CLOCK_MONOTONIC, nanoseconds */
	struct xb_tuple was;            /* as it arrived; on the socket path there is no source yet */
	struct xb_tuple now;            /* as it went on; all zero if it did not */
	__u64 netns;                    /* cookie of the client's, on the socket path */
	__u32 svc;                      /* 0: none */
	__u32 ifindex;
	enum xb_reason reason;
	enum xb_path path;
	__u8 pad[14];
};

_Static_assert(sizeof(struct xb_event) == 128, "two cache lines");

#endif
