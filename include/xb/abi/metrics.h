/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_ABI_METRICS_H
#define XB_ABI_METRICS_H
/* xb_metrics, PERCPU_ARRAY of one record: connect() and sendmsg() to services since the tables were made. Refusals are in event.h. */
#include "xb/abi/types.h"

struct xb_metrics {
	__u64 tcp_connect;          /* sent to a backend */
	__u64 udp_connect;
	__u64 udp_flow;             /* first datagram of an unconnected socket to a service */
	__u64 udp_reselect;         /* a flow's backend was gone: another one chosen */
	__u64 reverse_lost;         /* an entry of a full xb_rev set was replaced, or could not be made */
};

#endif
