/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>

#include "metrics.h"
#include "xb/prometheus.h"
#include "xb/reason.h"
#include "xb/time.h"

/* Upstream's buckets: pkg/proxy/metrics/metrics.go. */
#define SYNC_BUCKETS 15
static double sync_bounds[SYNC_BUCKETS];                /* 1 ms doubled 14 times */
static const double event_bounds[] = {
	50e-6, 100e-6, 150e-6, 200e-6, 300e-6, 400e-6, 600e-6, 800e-6,
	0.001, 0.0015, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 1
};
static double programming_bounds[2 + 59 + 12 + 7];      /* 0.25, 0.5, 1 to 59 by 1, 60 to 115 by 5, 120 to 300 by 30 */

_Static_assert(ARRAY_SIZE(programming_bounds) <= METRICS_BUCKETS, "a histogram has room for them");

void proxy_metrics_init(struct metrics *m)
{
	size_t n = 0;

	*m = (struct metrics){ .start_us = xb_time_now() };
	for (size_t i = 0; i < SYNC_BUCKETS; i++)
		sync_bounds[i] = 0.001 * (1 << i);
	programming_bounds[n++] = 0.25;
	programming_bounds[n++] = 0.5;
	for (int s = 1; s < 60; s++)
		programming_bounds[n++] = s;
	for (int s = 60; s < 120; s += 5)
		programming_bounds[n++] = s;
	for (int s = 120; s <= 300; s += 30)
		programming_bounds[n++] = s;
	m->sync.bounds = sync_bounds;
	m->sync.n = SYNC_BUCKETS;
	m->event.bounds = event_bounds;
	m->event.n = ARRAY_SIZE(event_bounds);
	m->programming.bounds = programming_bounds;
	m->programming.n = n;
}

void histogram_observe(struct histogram *h, double value)
{
	xb_prom_observe(h->bounds, h->n, h->counts, &h->sum, value);
}

static void write_histogram(struct xb_buf *out, const char *name, const char *help, const struct histogram *h)
{
	xb_prom_head(out, name, "histogram", help);
	xb_prom_histogram(out, name, "", h->bounds, h->n, h->counts, h->sum);
}

static void write_upstream(const struct metrics *m, const struct metrics_now *now, struct xb_buf *out)
{
	write_histogram(out, "kubeproxy_sync_proxy_rules_duration_seconds", "Time to bring changes into the tables", &m->sync);
	write_histogram(out, "kubeproxy_network_programming_duration_seconds",
			"Time from an endpoint's change of state to the tables", &m->programming);
	xb_prom_one(out, "kubeproxy_sync_proxy_rules_endpoint_changes_total", "counter", "Changes of EndpointSlices", (double)m->endpoint_changes);
	xb_prom_one(out, "kubeproxy_sync_proxy_rules_service_changes_total", "counter", "Changes of Services", (double)m->service_changes);
	xb_prom_one(out, "kubeproxy_sync_proxy_rules_service_changes_pending", "gauge", "Services with changes not yet in the tables",
	    (double)now->pending);
	xb_prom_one(out, "kubeproxy_sync_proxy_rules_last_timestamp_seconds", "gauge", "When changes were last brought into the tables",
	    (double)m->last_sync_us / 1e6);
	xb_prom_one(out, "kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds", "gauge", "When a change was last seen",
	    (double)m->last_queued_us / 1e6);
	xb_prom_head(out, "kubeproxy_proxy_healthz_total", "counter", "Answers of /healthz by code");
	xb_buf_addf(out, "kubeproxy_proxy_healthz_total{code=\"200\"} %" PRIu64 "\n", m->healthz_ok);
	xb_buf_addf(out, "kubeproxy_proxy_healthz_total{code=\"503\"} %" PRIu64 "\n", m->healthz_unavailable);
	xb_prom_head(out, "kubeproxy_proxy_livez_total", "counter", "Answers of /livez by code");
	xb_buf_addf(out, "kubeproxy_proxy_livez_total{code=\"200\"} %" PRIu64 "\n", m->livez_ok);
	xb_buf_addf(out, "kubeproxy_proxy_livez_total{code=\"503\"} %" PRIu64 "\n", m->livez_unavailable);
}

static void write_table(struct xb_buf *out, const char *table, size_t used, size_t room)
{
	xb_buf_addf(out, "xebec_proxy_table_entries{table=\"%s\"} %zu\n", table, used);
	xb_buf_addf(out, "xebec_proxy_table_room{table=\"%s\"} %zu\n", table, room);
}

static void write_reasons(const struct metrics_now *now, struct xb_buf *out)
{
	xb_prom_head(out, "xebec_proxy_decisions_total", "counter", "Packets and calls by what became of them, and why");
	for (int i = XB_REASON_NONE + 1; i < XB_REASONS; i++)
		xb_buf_addf(out, "xebec_proxy_decisions_total{reason=\"%s\"} %llu\n", xb_reason_row(i)->name, now->reasons[i]);
}

static void write_informers(const struct metrics_now *now, struct xb_buf *out)
{
	const struct {
		const char *resource;
		const struct xb_informer_stats *s;
	} rows[] = { { "services", &now->services }, { "endpointslices", &now->slices }, { "pods", &now->pods } };
	int64_t ms = xb_time_ms();

	for (size_t i = 0; i < (now->host_ports ? 3 : 2); i++) {
		const struct xb_informer_stats *s = rows[i].s;
		const char *name = rows[i].resource;

		xb_buf_addf(out, "xebec_proxy_api_lists_total{resource=\"%s\"} %" PRIu64 "\n", name, s->lists);
		xb_buf_addf(out, "xebec_proxy_api_watches_total{resource=\"%s\"} %" PRIu64 "\n", name, s->watches);
		xb_buf_addf(out, "xebec_proxy_api_events_total{resource=\"%s\"} %" PRIu64 "\n", name, s->events);
		xb_buf_addf(out, "xebec_proxy_api_faults_total{resource=\"%s\"} %" PRIu64 "\n", name, s->faults);
		xb_buf_addf(out, "xebec_proxy_copy_bytes{resource=\"%s\"} %zu\n", name, s->bytes);
		if (s->last_contact_ms)
			xb_buf_addf(out, "xebec_proxy_api_silence_seconds{resource=\"%s\"} %.3f\n", name,
				    (double)(ms - (int64_t)s->last_contact_ms) / 1e3);
	}
}

/* For whoever compares: flags that were found to be networks, so nothing is to be escaped. */
static void write_settings(const struct metrics_now *now, struct xb_buf *out)
{
	xb_prom_head(out, "xebec_proxy_settings", "gauge", "What it was told of networks, in labels; always 1");
	xb_buf_addf(out, "xebec_proxy_settings{cluster_cidr=\"%s\",nodeport_addresses=\"", now->cluster_cidr);
	for (char *const *one = now->nodeport_addresses; one && *one; one++)
		xb_buf_addf(out, "%s%s", one == now->nodeport_addresses ? "" : ",", *one);
	xb_buf_addf(out, "\",masquerade_all=\"%s\"} 1\n", now->masquerade_all ? "true" : "false");
}

static void write_ours(const struct metrics *m, const struct metrics_now *now, struct xb_buf *out)
{
	double unsynced = now->synced ? 0 : (double)(xb_time_now() - m->start_us) / 1e6;

	write_histogram(out, "xebec_proxy_event_duration_seconds",
			"Time from an event of the API server being there to be read to what it changes being in the tables", &m->event);
	write_table(out, "ports", now->tables.ports, now->tables.ports_size);
	write_table(out, "frontends", now->tables.frontends, now->tables.frontends_size);
	write_table(out, "backends", now->tables.backends, now->tables.backends_size);
	write_table(out, "flows4", now->tables.flows[0].open, now->tables.flows[0].size);
	write_table(out, "flows6", now->tables.flows[1].open, now->tables.flows[1].size);
	xb_prom_one(out, "xebec_proxy_flow_growths_total", "counter", "Larger tables of flows that took the place of smaller ones",
		    (double)now->tables.flow_growths);
	xb_prom_one(out, "xebec_proxy_full_flow_tables", "gauge", "Tables of flows that should be larger and cannot",
		    now->tables.flows[0].full + now->tables.flows[1].full);
	xb_prom_one(out, "xebec_proxy_table_memory_bytes", "gauge", "Kernel memory of the tables", (double)now->tables.memory);
	xb_prom_one(out, "xebec_proxy_stale_sockets_destroyed_total", "counter", "UDP sockets that were connected to backends that are gone",
		    (double)now->tables.sockets_destroyed);
	xb_prom_one(out, "xebec_proxy_publishes_total", "counter", "Publish words stored", (double)now->tables.publishes);
	xb_prom_one(out, "xebec_proxy_netlink_bytes_total", "counter", "Bytes of changes that were sent to nftables", (double)now->tables.sent);
	xb_prom_one(out, "xebec_proxy_services", "gauge", "Services known", (double)now->services_known);
	xb_prom_one(out, "xebec_proxy_unprogrammed_services", "gauge", "Services with a port that could not be brought into the tables",
	    (double)now->unprogrammed);
	xb_prom_one(out, "xebec_proxy_faults_total", "counter", "Ports that could not be brought into the tables", (double)m->faults);
	xb_prom_one(out, "xebec_proxy_unsynced_seconds", "gauge", "Time without a complete list since the start; 0 once there was one", unsynced);
	if (now->host_ports)
		xb_prom_one(out, "xebec_proxy_host_ports_synced", "gauge", "Whether this node's pods are known, for their hostPorts",
			    now->host_ports_synced);
	xb_prom_one(out, "xebec_proxy_devices", "gauge", "Devices with programs of ours", (double)now->tables.devices.devices);
	xb_prom_one(out, "xebec_proxy_faulty_devices", "gauge", "Devices where a program could not be put in place",
		    (double)now->tables.devices.faulty);
	xb_prom_one(out, "xebec_proxy_foreign_programs", "gauge", "Programs of others found on those devices", (double)now->tables.devices.others);
	write_settings(now, out);
	if (now->counted)
		write_reasons(now, out);
	write_informers(now, out);
}

void proxy_metrics_write(const struct metrics *m, const struct metrics_now *now, struct xb_buf *out)
{
	write_upstream(m, now, out);
	write_ours(m, now, out);
	xb_prom_process(out, m->start_us);
}
