/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include <sys/resource.h>
#include "metrics.h"
#include "server.h"

#define SLOTS 2048 /* of kind, subresource, verb and code: some hundred in use; what finds no slot is not counted */

struct metrics {
	struct slot {
		const struct xb_kind *kind;
		const struct xb_subresource *sub;
		unsigned short verb, code;
		uint64_t count;
	} slots[SLOTS];
};

struct metrics *metrics_new(void)
{
	return calloc(1, sizeof(struct metrics));
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

static void head(struct xb_buf *out, const char *name, const char *type, const char *help)
{
	xb_buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void gauge(struct xb_buf *out, const char *name, const char *type, const char *help, double value)
{
	head(out, name, type, help);
	xb_buf_addf(out, "%s %.15g\n", name, value);
}

static void write_requests(const struct metrics *m, struct xb_buf *out)
{
	head(out, "apiserver_request_total", "counter", "Requests answered, by what they were about and the answer's code.");
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

	head(out, "apiserver_storage_objects", "gauge", "Stored objects of a kind.");
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

static void write_size(const struct store_stats *st, struct xb_buf *out)
{
	head(out, "apiserver_storage_size_bytes", "gauge", "Size of the storage database file physically allocated in bytes.");
	xb_buf_addf(out, "apiserver_storage_size_bytes{storage_cluster_id=\"store\"} %" PRIu64 "\n", st->size.file);
	gauge(out, "xebec_store_used_bytes", "gauge", "Bytes of the database that hold something; the rest is used again.", st->size.used);
	gauge(out, "xebec_store_quota_bytes", "gauge", "Bytes in use at which objects can no longer be written; 0 for no limit.", st->quota);
	gauge(out, "xebec_store_write_error", "gauge", "The error number for which writes are refused now; 0 for none.", -st->write_error);
}

static void write_store(const struct server *s, struct xb_buf *out)
{
	struct store_stats st;

	store_stats(s->store, &st);
	gauge(out, "xebec_store_revision", "counter", "Newest committed revision.", store_revision(s->store));
	gauge(out, "xebec_store_bytes", "gauge", "Bytes of all objects.", st.bytes);
	gauge(out, "xebec_store_history_bytes", "gauge", "Bytes of the kept history.", st.history_bytes);
	gauge(out, "xebec_store_commits_total", "counter", "Batches made durable.", st.commits);
	gauge(out, "xebec_store_writes_total", "counter", "Writes made durable.", st.writes);
	write_size(&st, out);
	gauge(out, "xebec_store_commit_seconds", "gauge", "How long the last commit took.", st.commit_ns_last / 1e9);
}

static void write_process(struct xb_buf *out)
{
	struct rusage use;
	long pages = 0;
	FILE *f;

	getrusage(RUSAGE_SELF, &use);
	gauge(out, "process_cpu_seconds_total", "counter", "Time on the processor.",
	      use.ru_utime.tv_sec + use.ru_stime.tv_sec + (use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6);
	f = fopen("/proc/self/statm", "re");
	if (!f)
		return;
	if (fscanf(f, "%*d %ld", &pages) == 1)
		gauge(out, "process_resident_memory_bytes", "gauge", "Resident memory.", (double)pages * sysconf(_SC_PAGESIZE));
	fclose(f);
}

void metrics_write(const struct server *s, struct xb_buf *out)
{
	write_requests(s->metrics, out);
	head(out, "apiserver_longrunning_requests", "gauge", "Open watches.");
	xb_buf_addf(out, "apiserver_longrunning_requests{verb=\"WATCH\"} %u\n", s->n_watches);
	head(out, "apiserver_current_inflight_requests", "gauge", "Requests under way, without watches.");
	xb_buf_addf(out, "apiserver_current_inflight_requests %u\n", s->in_flight);
	write_objects(s, out);
	write_store(s, out);
	write_process(out);
}
