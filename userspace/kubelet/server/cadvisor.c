/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* /metrics/cadvisor: cAdvisor's names and labels for the node's cgroup, each pod's, each container's, and each pod's network. */
#include "metric_writer.h"
#include "xb/prometheus.h"

enum figure_of { OF_CGROUP, OF_LAYER, OF_NETWORK };
static const struct figure {
	const char *name, *type, *help;
	enum figure_of of;
	size_t offset;                  /* of a uint64_t in struct cgroups_usage, usage_container, usage_net */
	double scale;
	const char *label;              /* a further one */
} figures[] = {
#define CGROUP(member) OF_CGROUP, offsetof(struct cgroups_usage, member)
#define LAYER(member) OF_LAYER, offsetof(struct usage_container, member)
#define NET(member) OF_NETWORK, offsetof(struct usage_net, member)
	{ "container_cpu_cfs_periods_total", "counter", "Number of elapsed enforcement period intervals.", CGROUP(cfs_periods), 1, "" },
	{ "container_cpu_cfs_throttled_periods_total", "counter", "Number of throttled period intervals.", CGROUP(cfs_throttled_periods), 1, "" },
	{ "container_cpu_cfs_throttled_seconds_total", "counter", "Total time duration the container has been throttled.",
	  CGROUP(cfs_throttled_ns), 1e-9, "" },
	{ "container_cpu_usage_seconds_total", "counter", "Cumulative cpu time consumed in seconds.", CGROUP(cpu_ns), 1e-9, "cpu=\"total\"," },
	{ "container_fs_inodes_used", "gauge", "Number of inodes that are consumed by the container on this filesystem.", LAYER(layer_inodes), 1,
	  "device=\"\"," },
	{ "container_fs_usage_bytes", "gauge", "Number of bytes that are consumed by the container on this filesystem.", LAYER(layer_bytes), 1,
	  "device=\"\"," },
	{ "container_memory_failures_total", "counter", "Cumulative count of memory allocation failures.", CGROUP(page_faults), 1,
	  "failure_type=\"pgfault\",scope=\"hierarchy\"," },
	{ "container_memory_failures_total", NULL, NULL, CGROUP(major_faults), 1, "failure_type=\"pgmajfault\",scope=\"hierarchy\"," },
	{ "container_memory_rss", "gauge", "Size of RSS in bytes.", CGROUP(memory_rss), 1, "" },
	{ "container_memory_usage_bytes", "gauge", "Current memory usage in bytes, including all memory regardless of when it was accessed",
	  CGROUP(memory_bytes), 1, "" },
	{ "container_memory_working_set_bytes", "gauge", "Current working set in bytes.", CGROUP(memory_working_set), 1, "" },
	{ "container_network_receive_bytes_total", "counter", "Cumulative count of bytes received", NET(rx_bytes), 1, "" },
	{ "container_network_receive_errors_total", "counter", "Cumulative count of errors encountered while receiving", NET(rx_errors), 1, "" },
	{ "container_network_receive_packets_dropped_total", "counter", "Cumulative count of packets dropped while receiving", NET(rx_dropped),
	  1, "" },
	{ "container_network_receive_packets_total", "counter", "Cumulative count of packets received", NET(rx_packets), 1, "" },
	{ "container_network_transmit_bytes_total", "counter", "Cumulative count of bytes transmitted", NET(tx_bytes), 1, "" },
	{ "container_network_transmit_errors_total", "counter", "Cumulative count of errors encountered while transmitting", NET(tx_errors), 1,
	  "" },
	{ "container_network_transmit_packets_dropped_total", "counter", "Cumulative count of packets dropped while transmitting",
	  NET(tx_dropped), 1, "" },
	{ "container_network_transmit_packets_total", "counter", "Cumulative count of packets transmitted", NET(tx_packets), 1, "" },
	{ "container_spec_memory_limit_bytes", "gauge", "Memory limit for the container.", CGROUP(memory_limit), 1, "" },
	{ "container_threads", "gauge", "Number of threads running inside the container", CGROUP(pids), 1, "" },
};

static double number(const void *of, const struct figure *f)
{
	return (double)*(const uint64_t *)((const char *)of + f->offset) * f->scale;
}

/* Labels in the order of their names; those of a figure's own are such that they go in before "id" or behind "pod". */
static void sample(const struct figure *f, const struct usage_pod *p, const struct usage_container *c, const char *interface, double value,
		   uint64_t at_ms, struct xb_buf *out)
{
	_cleanup_buf_ struct xb_buf labels = {};
	const char *cgroup = c ? c->cgroup : p ? p->cgroup : "/";

	xb_buf_addf(&labels, "container=\"%s\",%sid=\"%s", c ? c->name : "", f->label, cgroup ? cgroup : "");
	if (interface && p)
		xb_buf_addf(&labels, "/%s\",image=\"\",interface=\"%s\",name=\"%s\"", p->sandbox_id, interface, p->sandbox_id);
	else if (interface)
		xb_buf_addf(&labels, "\",image=\"\",interface=\"%s\",name=\"\"", interface);
	else
		xb_buf_addf(&labels, "\",image=\"%s\",name=\"%s\"", c && c->image ? c->image : "", c ? c->id : "");
	xb_buf_addf(&labels, ",namespace=\"%s\",pod=\"%s\"", p ? p->namespace_ : "", p ? p->name : "");
	metric_sample_at(out, f->name, xb_buf_sv(&labels), value, at_ms);
}

static void write_nets(const struct figure *f, const struct usage_nets *nets, const struct usage_pod *p, uint64_t at_ms, struct xb_buf *out)
{
	for (size_t i = 0; i < nets->n; i++)
		sample(f, p, NULL, nets->v[i].name, number(&nets->v[i], f), at_ms, out);
}

static void write_pod(const struct figure *f, const struct usage_pod *p, uint64_t at_ms, struct xb_buf *out)
{
	if (f->of == OF_NETWORK)
		write_nets(f, &p->nets, p, at_ms, out);
	if (f->of == OF_CGROUP && p->one.known)
		sample(f, p, NULL, NULL, number(&p->one.u, f), p->one.u.at_ms, out);
	for (size_t i = 0; f->of != OF_NETWORK && i < p->containers.n; i++) {
		const struct usage_container *c = &p->containers.v[i];

		if (f->of == OF_CGROUP && c->one.known)
			sample(f, p, c, NULL, number(&c->one.u, f), c->one.u.at_ms, out);
		else if (f->of == OF_LAYER && c->has_layer)
			sample(f, p, c, NULL, number(c, f), at_ms, out);
	}
}

static void write_starts(const struct usage *u, struct xb_buf *out)
{
	static const struct figure start = { .name = "container_start_time_seconds", .label = "" };

	xb_prom_head(out, start.name, "gauge", "Start time of the container since unix epoch in seconds.");
	for (size_t i = 0; i < u->pods.n; i++)
		for (size_t k = 0; k < u->pods.v[i].containers.n; k++) {
			const struct usage_container *c = &u->pods.v[i].containers.v[k];

			sample(&start, &u->pods.v[i], c, NULL, (double)(c->started_ns / 1000000000), (uint64_t)u->at_us / 1000, out);
		}
}

void cadvisor_write(const struct usage_whole *w, struct xb_buf *out)
{
	const struct usage *u = w->u;
	uint64_t at_ms = (uint64_t)u->at_us / 1000;

	for (size_t i = 0; i < ARRAY_SIZE(figures); i++) {
		const struct figure *f = &figures[i];

		if (f->type)
			xb_prom_head(out, f->name, f->type, f->help);
		if (f->of == OF_CGROUP && u->node.known)
			sample(f, NULL, NULL, NULL, number(&u->node.u, f), u->node.u.at_ms, out);
		if (f->of == OF_NETWORK)
			write_nets(f, &u->nets, NULL, at_ms, out);
		for (size_t k = 0; k < u->pods.n; k++)
			write_pod(f, &u->pods.v[k], at_ms, out);
	}
	write_starts(u, out);
	xb_prom_one(out, "machine_cpu_cores", "gauge", "Number of logical CPU cores.", w->cores);
	xb_prom_one(out, "machine_memory_bytes", "gauge", "Amount of memory installed on the machine.", w->memory);
}
