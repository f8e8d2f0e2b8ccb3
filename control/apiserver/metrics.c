/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include "metrics.h"
#include "server.h"
#include "xb/metrics.h"
#include "xb/time.h"

#define SLOTS 2048 /* of kind, subresource, verb and code: some hundred in use; what finds no slot is not counted */

struct metrics {
	int64_t start_us;
	struct slot {
		const struct xb_kind *kind;
		const struct xb_subresource *sub;
		unsigned short verb, code;
		uint64_t count;
	} slots[SLOTS];
};

struct metrics *metrics_new(void)
{
	struct metrics *m = calloc(1, sizeof(*m));

	if (m)
		m->start_us = xb_time_now();
	return m;
}

struct metrics *metrics_free(struct metrics *m)
{
	free(m);
	return NULL;
}

void metrics_note(struct metrics *m, const struct request *q, int code)
{
	const struct route *t = &q->route;
	uintptr_t h = (uintptr_t)t->kind / 8 * 31 + (uintptr_t)t->sub / 8 * 17 + t->verb * 7 + code;

	for (unsigned i = 0; i < 16; i++) {
		struct slot *s = &m->slots[(h + i) % SLOTS];

		if (!s->count)
			*s = (struct slot){ t->kind, t->sub, t->verb, code, 0 };
		if (s->kind == t->kind && s->sub == t->sub && s->verb == t->verb && s->code == code) {
			s->count++;
			return;
		}
	}
}

static void write_requests(const struct metrics *m, struct xb_buf *out)
{
	xb_metrics_head(out, "apiserver_request_total", "counter", "Requests answered, by what they were about and the answer's code.");
	for (unsigned i = 0; i < SLOTS; i++) {
		const struct slot *s = &m->slots[i];

		if (!s->count)
			continue;
		xb_buf_addf(out, "apiserver_request_total{verb=\"%s\",group=\"%s\",version=\"%s\",resource=\"%s\",subresource=\"%s\",code=\"%u\"} %" PRIu64 "\n",
			    s->verb ? xb_verb_name(s->verb) : "", s->kind ? s->kind->group : "", s->kind ? s->kind->version : "",
			    s->kind ? s->kind->plural : "", s->sub ? s->sub->name : "", s->code, s->count);
	}
}

static void write_objects(const struct server *s, struct xb_buf *out)
{
	_cleanup_buf_ struct xb_buf prefix = {};

	xb_metrics_head(out, "apiserver_storage_objects", "gauge", "Stored objects of a kind.");
	for (const struct xb_kind *const *k = xb_kinds; *k; k++) {
		if (!((*k)->verbs & XB_VERB_LIST))
			continue;
		xb_buf_clear(&prefix);
		xb_buf_addf(&prefix, "%s%s%s/", (*k)->plural, *(*k)->group ? "." : "", (*k)->group);
		if (prefix.err)
			return;
		xb_buf_addf(out, "apiserver_storage_objects{resource=\"%.*s\"} %zu\n", (int)prefix.n - 1, prefix.p, store_count(s->store, prefix.p));
	}
}

static void write_store(const struct server *s, struct xb_buf *out)
{
	struct store_stats st;

	store_stats(s->store, &st);
	xb_metrics_one(out, "xebec_store_revision", "counter", "Newest committed revision.", store_revision(s->store));
	xb_metrics_one(out, "xebec_store_bytes", "gauge", "Bytes of all objects.", st.bytes);
	xb_metrics_one(out, "xebec_store_history_bytes", "gauge", "Bytes of the kept history.", st.history_bytes);
	xb_metrics_one(out, "xebec_store_commits_total", "counter", "Batches made durable.", st.commits);
	xb_metrics_one(out, "xebec_store_writes_total", "counter", "Writes made durable.", st.writes);
	xb_metrics_one(out, "xebec_store_commit_seconds", "gauge", "How long the last commit took.", st.commit_ns_last / 1e9);
}

void metrics_write(const struct server *s, struct xb_buf *out)
{
	write_requests(s->metrics, out);
	xb_metrics_head(out, "apiserver_longrunning_requests", "gauge", "Open watches.");
	xb_buf_addf(out, "apiserver_longrunning_requests{verb=\"WATCH\"} %u\n", s->n_watches);
	xb_metrics_head(out, "apiserver_current_inflight_requests", "gauge", "Requests under way, without watches.");
	xb_buf_addf(out, "apiserver_current_inflight_requests %u\n", s->in_flight);
	write_objects(s, out);
	write_store(s, out);
	xb_metrics_process(out, s->metrics->start_us);
}
