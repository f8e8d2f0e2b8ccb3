/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_METRICS_H
#define PROXY_METRICS_H
/* What kube-proxy counts, and its text for Prometheus (exposition format 0.0.4): upstream's names, and ours as xebec_proxy_*. */
#include "apply.h"
#include "xb/informer.h"

#define METRICS_BUCKETS 80

struct histogram {
	const double *bounds;          /* upper, rising; +Inf is not among them */
	size_t n;
	uint64_t counts[METRICS_BUCKETS + 1];
	double sum;
};
void histogram_observe(struct histogram *h, double value);

struct metrics {
	struct histogram sync, programming, event; /* seconds */
	uint64_t service_changes, endpoint_changes, faults;
	uint64_t healthz_ok, healthz_unavailable, livez_ok, livez_unavailable;
	int64_t last_sync_us, last_queued_us; /* wall clock; 0: never */
	int64_t start_us;
};
void proxy_metrics_init(struct metrics *m);

/* What stands elsewhere at the moment of asking. */
struct metrics_now {
	struct apply_stats tables;
	struct xb_informer_stats services, slices, pods;
	bool synced;
	bool host_ports, host_ports_synced; /* are they served; are the node's pods known */
	size_t services_known, unprogrammed, pending;
	const char *cluster_cidr;       /* what it was told of networks */
	char *const *nodeport_addresses; /* NULL: nothing */
	bool masquerade_all;
	bool counted;                   /* reasons hold */
	__u64 reasons[XB_REASONS];
};
void proxy_metrics_write(const struct metrics *m, const struct metrics_now *now, struct xb_buf *out);

#endif
