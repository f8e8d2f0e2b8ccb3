/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "metrics.h"
#include "xb/prometheus.h"

static const double bounds[PODS_BOUNDS] = {
	0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96,
};
/* The calls of the runtime that are made for pods, by upstream's names of operations. */
static const struct {
	enum runtime_rpc rpc;
	const char *name;
} operations[] = {
	{ RPC_LIST_POD_SANDBOX, "list_podsandbox" }, { RPC_LIST_CONTAINERS, "list_containers" },
	{ RPC_POD_SANDBOX_STATUS, "podsandbox_status" }, { RPC_CONTAINER_STATUS, "container_status" },
	{ RPC_RUN_POD_SANDBOX, "run_podsandbox" }, { RPC_STOP_POD_SANDBOX, "stop_podsandbox" },
	{ RPC_REMOVE_POD_SANDBOX, "remove_podsandbox" }, { RPC_CREATE_CONTAINER, "create_container" },
	{ RPC_START_CONTAINER, "start_container" }, { RPC_STOP_CONTAINER, "stop_container" }, { RPC_REMOVE_CONTAINER, "remove_container" },
};

void pods_metrics_observe(struct pods_histogram *h, double seconds)
{
	xb_prom_observe(bounds, PODS_BOUNDS, h->counts, &h->sum, seconds);
}

static void write_histogram(const struct pods_histogram *h, const char *name, const char *help, const char *labels, struct xb_buf *out)
{
	xb_prom_head(out, name, "histogram", help);
	xb_prom_histogram(out, name, labels, bounds, PODS_BOUNDS, h->counts, h->sum);
}

static void write_operations(const struct pods_metrics *m, struct xb_buf *out)
{
	static const char total[] = "kubelet_runtime_operations_total", errors[] = "kubelet_runtime_operations_errors_total";
	static const char seconds[] = "kubelet_runtime_operations_duration_seconds";
	char labels[64];

	xb_prom_head(out, total, "counter", "Cumulative number of runtime operations by operation type.");
	for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
		snprintf(labels, sizeof(labels), "operation_type=\"%s\"", operations[i].name);
		xb_prom_sample(out, total, labels, (double)m->operations[operations[i].rpc].total);
	}
	xb_prom_head(out, errors, "counter", "Cumulative number of runtime operation errors by operation type.");
	for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
		snprintf(labels, sizeof(labels), "operation_type=\"%s\"", operations[i].name);
		xb_prom_sample(out, errors, labels, (double)m->operations[operations[i].rpc].errors);
	}
	xb_prom_head(out, seconds, "histogram", "Duration in seconds of runtime operations. Broken down by operation type.");
	for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
		const struct pods_histogram *h = &m->operations[operations[i].rpc].seconds;

		snprintf(labels, sizeof(labels), "operation_type=\"%s\"", operations[i].name);
		xb_prom_histogram(out, seconds, labels, bounds, PODS_BOUNDS, h->counts, h->sum);
	}
}

void pods_metrics_write(const struct pods_metrics *m, struct xb_buf *out)
{
	write_histogram(&m->pod_start, "kubelet_pod_start_duration_seconds",
			"Duration in seconds from kubelet seeing a pod for the first time to the pod starting to run.", "", out);
	write_histogram(&m->pod_worker, "kubelet_pod_worker_duration_seconds",
			"Duration in seconds to sync a single pod. Broken down by operation type: create, update, or sync.",
			"operation_type=\"sync\"", out);
	xb_prom_one(out, "kubelet_started_pods_total", "counter", "Cumulative number of pods started.", (double)m->started_pods);
	xb_prom_one(out, "kubelet_started_pods_errors_total", "counter", "Cumulative number of errors when starting pods.",
		    (double)m->started_pods_errors);
	xb_prom_one(out, "kubelet_started_containers_total", "counter", "Cumulative number of containers started.",
		    (double)m->started_containers);
	xb_prom_one(out, "kubelet_started_containers_errors_total", "counter", "Cumulative number of errors when starting containers.",
		    (double)m->started_containers_errors);
	write_operations(m, out);
}
