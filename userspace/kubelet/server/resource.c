/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* /metrics/resource: what metrics-server and the autoscaler read (kubelet's collectors/resource_metrics.go). */
#include <inttypes.h>
#include "metric_writer.h"
#include "xb/prometheus.h"

void metric_sample_at(struct xb_buf *out, const char *name, struct xb_sv labels, double value, uint64_t at_ms)
{
	xb_buf_adds(out, name);
	if (labels.n)
		xb_buf_addf(out, "{%.*s}", XB_SV_ARG(labels));
	xb_buf_addf(out, " %.16g", value);
	if (at_ms)
		xb_buf_addf(out, " %" PRIu64, at_ms);
	xb_buf_addc(out, '\n');
}

static double cpu_of(const struct usage_one *o)
{
	return (double)o->u.cpu_ns / 1e9;
}

static double memory_of(const struct usage_one *o)
{
	return (double)o->u.memory_working_set;
}

enum family_of { OF_CONTAINERS, OF_NODE, OF_PODS };
static const struct family {
	const char *name, *type, *help;
	enum family_of of;
	double (*value)(const struct usage_one *o); /* NULL: when the container was started */
} families[] = {
	{ "container_cpu_usage_seconds_total", "counter", "[STABLE] Cumulative cpu time consumed by the container in core-seconds",
	  OF_CONTAINERS, cpu_of },
	{ "container_memory_working_set_bytes", "gauge", "[STABLE] Current working set of the container in bytes", OF_CONTAINERS, memory_of },
	{ "container_start_time_seconds", "gauge", "[STABLE] Start time of the container since unix epoch in seconds", OF_CONTAINERS, NULL },
	{ "node_cpu_usage_seconds_total", "counter", "[STABLE] Cumulative cpu time consumed by the node in core-seconds", OF_NODE, cpu_of },
	{ "node_memory_working_set_bytes", "gauge", "[STABLE] Current working set of the node in bytes", OF_NODE, memory_of },
	{ "pod_cpu_usage_seconds_total", "counter", "[STABLE] Cumulative cpu time consumed by the pod in core-seconds", OF_PODS, cpu_of },
	{ "pod_memory_working_set_bytes", "gauge", "[STABLE] Current working set of the pod in bytes", OF_PODS, memory_of },
};

static void write_one(const struct family *f, struct xb_sv labels, const struct usage_one *one, int64_t started_ns, struct xb_buf *out)
{
	if (!f->value && started_ns)
		metric_sample_at(out, f->name, labels, (double)started_ns / 1e9, 0);
	else if (f->value && one->known)
		metric_sample_at(out, f->name, labels, f->value(one), one->u.at_ms);
}

static void write_pod(const struct family *f, const struct usage_pod *p, struct xb_buf *out)
{
	_cleanup_buf_ struct xb_buf labels = {};

	if (f->of == OF_PODS) {
		xb_buf_addf(&labels, "namespace=\"%s\",pod=\"%s\"", p->namespace_, p->name);
		write_one(f, xb_buf_sv(&labels), &p->one, 0, out);
		return;
	}
	for (size_t i = 0; i < p->containers.n; i++) {
		const struct usage_container *c = &p->containers.v[i];

		xb_buf_clear(&labels);
		xb_buf_addf(&labels, "container=\"%s\",namespace=\"%s\",pod=\"%s\"", c->name, p->namespace_, p->name);
		write_one(f, xb_buf_sv(&labels), &c->one, c->started_ns, out);
	}
}

void resource_write(const struct usage *u, bool failed, struct xb_buf *out)
{
	for (size_t i = 0; !failed && i < ARRAY_SIZE(families); i++) {
		const struct family *f = &families[i];

		xb_prom_head(out, f->name, f->type, f->help);
		if (f->of == OF_NODE)
			write_one(f, (struct xb_sv){}, &u->node, 0, out);
		for (size_t k = 0; f->of != OF_NODE && k < u->pods.n; k++)
			write_pod(f, &u->pods.v[k], out);
	}
	xb_prom_one(out, "resource_scrape_error", "gauge", "[STABLE] 1 if there was an error while getting container metrics, 0 otherwise", failed);
	xb_prom_one(out, "scrape_error", "gauge", "[ALPHA] 1 if there was an error while getting container metrics, 0 otherwise", failed);
}
