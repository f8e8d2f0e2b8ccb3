/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include "metrics.h"
#include "xb/prometheus.h"

static const char *const results[SCHED_RESULTS] = { "scheduled", "unschedulable", "error" };

/* upstream's buckets: each twice the one before */
static const double *doubled(double first, size_t n)
{
	static double bounds[SCHED_LONG_BUCKETS];

	for (size_t i = 0; i < n; i++, first *= 2)
		bounds[i] = first;
	return bounds;
}

static void observe(struct sched_histogram *h, double first, size_t n, double seconds)
{
	xb_prom_observe(doubled(first, n), n, h->counts, &h->sum, seconds);
}

void sched_metrics_attempt(struct sched_metrics *m, unsigned profile, enum sched_result result, double seconds)
{
	observe(&m->attempts[profile][result], 0.001, SCHED_BUCKETS, seconds);
}

void sched_metrics_algorithm(struct sched_metrics *m, double seconds)
{
	observe(&m->algorithm, 0.001, SCHED_BUCKETS, seconds);
}

void sched_metrics_bound(struct sched_metrics *m, double seconds)
{
	observe(&m->sli, 0.01, SCHED_LONG_BUCKETS, seconds);
}

static uint64_t total(const struct sched_histogram *h)
{
	uint64_t sum = 0;

	for (size_t i = 0; i <= SCHED_LONG_BUCKETS; i++)
		sum += h->counts[i];
	return sum;
}

static void write_attempts(const struct sched_metrics *m, bool times, struct xb_buf *out)
{
	for (unsigned i = 0; i < m->n_profiles; i++)
		for (int k = 0; k < SCHED_RESULTS; k++) {
			const struct sched_histogram *h = &m->attempts[i][k];
			_cleanup_buf_ struct xb_buf labels = {};

			xb_buf_addf(&labels, "profile=\"%s\",result=\"%s\"", m->profiles[i], results[k]);
			if (labels.err)
				out->err = labels.err;
			else if (times)
				xb_prom_histogram(out, "scheduler_scheduling_attempt_duration_seconds", labels.p,
						  doubled(0.001, SCHED_BUCKETS), SCHED_BUCKETS, h->counts, h->sum);
			else
				xb_prom_sample(out, "scheduler_schedule_attempts_total", labels.p, total(h));
		}
}

static void write_times(const struct sched_metrics *m, struct xb_buf *out)
{
	xb_prom_head(out, "scheduler_schedule_attempts_total", "counter", "Attempts to find a node for a pod, by result.");
	write_attempts(m, false, out);
	xb_prom_head(out, "scheduler_scheduling_attempt_duration_seconds", "histogram", "Time of an attempt, the binding included.");
	write_attempts(m, true, out);
	xb_prom_head(out, "scheduler_scheduling_algorithm_duration_seconds", "histogram", "Time to find a node.");
	xb_prom_histogram(out, "scheduler_scheduling_algorithm_duration_seconds", "", doubled(0.001, SCHED_BUCKETS), SCHED_BUCKETS,
			  m->algorithm.counts, m->algorithm.sum);
	xb_prom_head(out, "scheduler_pod_scheduling_sli_duration_seconds", "histogram", "Time from a pod's first wish for a node to its binding.");
	xb_prom_histogram(out, "scheduler_pod_scheduling_sli_duration_seconds", "", doubled(0.01, SCHED_LONG_BUCKETS), SCHED_LONG_BUCKETS,
			  m->sli.counts, m->sli.sum);
}

void sched_metrics_write(const struct sched_metrics *m, const struct sched_gauges *g, struct xb_buf *out)
{
	write_times(m, out);
	xb_prom_head(out, "scheduler_pending_pods", "gauge", "Pods that want a node.");
	xb_prom_sample(out, "scheduler_pending_pods", "queue=\"active\"", g->active);
	xb_prom_sample(out, "scheduler_pending_pods", "queue=\"backoff\"", g->backoff);
	xb_prom_sample(out, "scheduler_pending_pods", "queue=\"unschedulable\"", g->unschedulable);
	xb_prom_sample(out, "scheduler_pending_pods", "queue=\"gated\"", g->gated);
	xb_prom_head(out, "scheduler_scheduler_cache_size", "gauge", "Nodes and pods that decisions are made by.");
	xb_prom_sample(out, "scheduler_scheduler_cache_size", "type=\"nodes\"", g->nodes);
	xb_prom_sample(out, "scheduler_scheduler_cache_size", "type=\"pods\"", g->pods);
	xb_prom_sample(out, "scheduler_scheduler_cache_size", "type=\"assumed_pods\"", g->assumed);
	xb_prom_one(out, "scheduler_preemption_attempts_total", "counter", "Searches for pods that could go.", m->preemption_attempts);
	xb_prom_one(out, "scheduler_preemption_victims_total", "counter", "Pods that had to go.", m->preemption_victims);
}
