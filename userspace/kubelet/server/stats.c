/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is measured for an answer: /metrics/resource, /metrics/cadvisor, /stats/summary. */
#include "inner.h"
#include "metric_writer.h"
#include "usage.h"
#include "xb/prometheus.h"

static void measure_for(struct exchange *x, unsigned parts, usage_done *done)
{
	if (usage_measure(x->server, parts, done, x, &x->usage))
		exchange_no_memory(x);
}

static void on_resource(void *arg, const struct usage *u)
{
	_cleanup_buf_ struct xb_buf text = {};
	struct exchange *x = arg;

	x->usage = NULL;
	resource_write(u, !u, &text);
	exchange_answer_buf(x, 200, XB_PROM_CONTENT_TYPE, &text);
}

void serve_metrics_resource(struct exchange *x)
{
	measure_for(x, 0, on_resource);
}

static void on_cadvisor(void *arg, const struct usage *u)
{
	struct exchange *x = arg;
	const struct facts *f = x->server->c.facts;
	struct usage_whole w = { u, (double)f->cpu_milli / 1000, (double)f->memory_bytes };
	_cleanup_buf_ struct xb_buf text = {};

	x->usage = NULL;
	if (!u) {
		exchange_no_memory(x);
		return;
	}
	cadvisor_write(&w, &text);
	exchange_answer_buf(x, 200, XB_PROM_CONTENT_TYPE, &text);
}

void serve_metrics_cadvisor(struct exchange *x)
{
	measure_for(x, USAGE_LAYERS | USAGE_NETS, on_cadvisor);
}

static bool is_short(const struct exchange *x)
{
	_cleanup_free_ char *text = NULL;

	return !query_text(xb_http_query(x->r), "only_cpu_and_memory", &text) && text && !strcmp(text, "true");
}

static void on_summary(void *arg, const struct usage *u)
{
	struct exchange *x = arg;
	const struct server *s = x->server;
	_cleanup_buf_ struct xb_buf text = {};

	x->usage = NULL;
	if (!u) {
		exchange_no_memory(x);
		return;
	}
	summary_write(u, s->c.facts->node_name, s->start_us, (double)s->c.facts->memory_bytes, is_short(x), &text);
	exchange_answer_buf(x, 200, JSON, &text);
}

void serve_summary(struct exchange *x)
{
	measure_for(x, USAGE_RATES | (is_short(x) ? 0 : USAGE_LAYERS | USAGE_NETS | USAGE_DISKS), on_summary);
}
