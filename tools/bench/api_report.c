/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include "api.h"
#include "command.h"

const char *const api_op_names[API_OPS] = { "create", "get", "update", "list", "delete" };

/* --- words --- */
#define MILLI(ns) ((ns) / 1e6)
#define MIB(bytes) ((bytes) / 1048576.0)

static void say_latency(const char *name, const struct latency *l)
{
	printf("  %-10s %8lu   ms: p50 %.2f  p90 %.2f  p99 %.2f  max %.2f\n", name, l->n, MILLI(latency_at(l, 0.5)), MILLI(latency_at(l, 0.9)),
	       MILLI(latency_at(l, 0.99)), MILLI(l->most));
}

/* Bytes that came with a watch. */
static double per_watch(const struct api_watched *w, uint64_t idle, uint64_t before)
{
	return w->watches ? ((double)idle - before) / w->watches : 0;
}

/* Microseconds of CPU for one watch to have one event, of the server (own: of this process). */
static double per_receipt(const struct api_report *r, bool own)
{
	const struct usage *from = &r->watched->idle;
	double seconds = own ? r->after.own_cpu_seconds - from->own_cpu_seconds : r->after.cpu_seconds - from->cpu_seconds;

	return r->watched->receipt.n ? seconds * 1e6 / r->watched->receipt.n : 0;
}

static void say_watch(const struct api_report *r)
{
	const struct api_watched *w = r->watched;

	printf("watch %s: %u watches on %u connections of %s opened in %.2f s, then %lu events, bodies of %.1f MiB received\n", r->options->kind, w->watches,
	       w->connections, r->options->http2 ? "HTTP/2" : "HTTP/1.1", w->open_seconds, w->since_send.n, MIB(r->bytes_in));
	say_latency("each, ack", &w->receipt);
	say_latency("last, ack", &w->since_ack);
	say_latency("last, send", &w->since_send);
	if (r->after.known)
		printf("  server: RSS %.1f MiB before, %.1f idle (%.1f KiB a watch), %.1f after the events; %.1f us of CPU a receipt\n",
		       MIB(r->before.rss_bytes), MIB(w->idle.rss_bytes), per_watch(w, w->idle.rss_bytes, r->before.rss_bytes) / 1024,
		       MIB(r->after.rss_bytes), per_receipt(r, false));
	printf("  client: %.1f KiB a watch; %.1f us of CPU a receipt\n",
	       per_watch(w, w->idle.own_rss_bytes, r->before.own_rss_bytes) / 1024, per_receipt(r, true));
}

static void say_start(const struct api_report *r)
{
	if (r->failed) {
		printf("start: not ready after %.0f ms\n", r->started->ready_milliseconds);
		return;
	}
	printf("start: process %d ready after %.1f ms and %.0f ms of CPU; RSS %.1f MiB\n", r->started->pid, r->started->ready_milliseconds,
	       r->after.cpu_seconds * 1e3, MIB(r->after.rss_bytes));
}

static void say_load(const struct api_report *r)
{
	uint64_t n = MAX(r->requests, (uint64_t)1);

	printf("%s %s: %lu answers to %d clients in %.2f s: %.0f/s; %.0f bytes an answer, %.1f MiB/s\n", r->options->verb->name, r->options->kind, r->requests,
	       r->options->clients, r->seconds, r->seconds > 0 ? r->requests / r->seconds : 0, (double)r->bytes_in / n,
	       r->seconds > 0 ? MIB(r->bytes_in / r->seconds) : 0);
	for (int i = 0; i < API_OPS; i++)
		if (r->ops[i].n)
			say_latency(api_op_names[i], &r->ops[i]);
	if (r->after.known)
		printf("  server: %.1f us of CPU a request; RSS %.1f MiB before, %.1f at most, %.1f after\n", (r->after.cpu_seconds - r->before.cpu_seconds) * 1e6 / n,
		       MIB(r->before.rss_bytes), MIB(r->rss_most), MIB(r->after.rss_bytes));
	printf("  client: %.1f us of CPU a request, %.0f%% of one core\n", (r->after.own_cpu_seconds - r->before.own_cpu_seconds) * 1e6 / n,
	       r->seconds > 0 ? (r->after.own_cpu_seconds - r->before.own_cpu_seconds) * 100 / r->seconds : 0);
}

/* --- JSON --- */
void report_double(struct xb_jw *w, const char *key, double value)
{
	xb_jw_key(w, key);
	xb_jw_double(w, value);
}

void report_latency(struct xb_jw *w, const char *name, const struct latency *l)
{
	xb_jw_key(w, name);
	xb_jw_object(w);
	xb_jw_kint(w, "count", l->n);
	report_double(w, "p50Milliseconds", MILLI(latency_at(l, 0.5)));
	report_double(w, "p90Milliseconds", MILLI(latency_at(l, 0.9)));
	report_double(w, "p99Milliseconds", MILLI(latency_at(l, 0.99)));
	report_double(w, "maxMilliseconds", MILLI(l->most));
	xb_jw_end(w);
}

static void write_watched(struct xb_jw *w, const struct api_report *r)
{
	const struct api_watched *d = r->watched;

	xb_jw_kint(w, "watches", d->watches);
	xb_jw_kint(w, "connections", d->connections);
	report_double(w, "openSeconds", d->open_seconds);
	report_latency(w, "receiptSinceAck", &d->receipt);
	report_latency(w, "lastReceiptSinceAck", &d->since_ack);
	report_latency(w, "lastReceiptSinceSend", &d->since_send);
	if (r->after.known) {
		report_double(w, "serverBytesPerWatch", per_watch(d, d->idle.rss_bytes, r->before.rss_bytes));
		report_double(w, "serverCpuMicrosecondsPerReceipt", per_receipt(r, false));
	}
	report_double(w, "clientBytesPerWatch", per_watch(d, d->idle.own_rss_bytes, r->before.own_rss_bytes));
	report_double(w, "clientCpuMicrosecondsPerReceipt", per_receipt(r, true));
}

static void write_load(struct xb_jw *w, const struct api_report *r)
{
	xb_jw_kint(w, "clients", r->options->clients);
	xb_jw_kint(w, "unfinished", r->unfinished);
	report_double(w, "requestsPerSecond", r->seconds > 0 ? r->requests / r->seconds : 0);
}

static void write_started(struct xb_jw *w, const struct api_report *r)
{
	xb_jw_kint(w, "pid", r->started->pid);
	report_double(w, "readyMilliseconds", r->started->ready_milliseconds);
}

static void write_operations(struct xb_jw *w, const struct latency *ops)
{
	xb_jw_key(w, "operations");
	xb_jw_object(w);
	for (int i = 0; ops && i < API_OPS; i++)
		if (ops[i].n)
			report_latency(w, api_op_names[i], &ops[i]);
	xb_jw_end(w);
}

void report_usage(struct xb_jw *w, const char *name, const struct usage *before, const struct usage *after, uint64_t rss_most)
{
	if (!after->known)
		return;
	xb_jw_key(w, name);
	xb_jw_object(w);
	report_double(w, "cpuSeconds", after->cpu_seconds - before->cpu_seconds);
	xb_jw_kint(w, "rssBytesBefore", before->rss_bytes);
	if (rss_most)
		xb_jw_kint(w, "rssBytesMost", rss_most);
	xb_jw_kint(w, "rssBytesAfter", after->rss_bytes);
	xb_jw_end(w);
}

static void say_members(const char *of, struct xb_jv object)
{
	for (struct xb_jit it = xb_jv_iter(object); xb_jit_next(&it);) {
		_cleanup_buf_ struct xb_buf name = {};

		xb_buf_addf(&name, "%s%s%.*s", of, *of ? " " : "", XB_SV_ARG(it.key));
		if (xb_jv_type(it.value) == XB_JSON_OBJECT)
			say_members(name.p ? name.p : "", it.value);
		else
			printf("%-40s %.*s\n", name.p ? name.p : "", XB_SV_ARG(xb_jv_bytes(it.value)));
	}
}

int report_print_json(const char *output, struct xb_sv json)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	int r = xb_json_parse(json, NULL, &doc, NULL);

	if (r)
		return r;
	if (!strcmp(output, "json"))
		printf("%.*s\n", XB_SV_ARG(json));
	else
		say_members("", xb_json_root(doc));
	return fflush(stdout) ? -errno : 0;
}

static int print_json(const struct api_report *r)
{
	_cleanup_buf_ struct xb_buf out = {};
	struct xb_jw w = XB_JW(&out);
	int e;

	xb_jw_object(&w);
	xb_jw_kstr(&w, "verb", r->options->verb->name);
	xb_jw_kstr(&w, "kind", r->options->kind);
	xb_jw_kstr(&w, "protocol", r->options->http2 ? "HTTP/2" : "HTTP/1.1");
	xb_jw_kint(&w, "requests", r->requests);
	xb_jw_kint(&w, "failed", r->failed);
	if (r->first_error)
		xb_jw_kstr(&w, "firstError", r->first_error);
	report_double(&w, "seconds", r->seconds);
	xb_jw_kint(&w, "bytesReceived", r->bytes_in);
	(r->watched ? write_watched : r->started ? write_started : write_load)(&w, r);
	write_operations(&w, r->ops);
	report_double(&w, "clientCpuSeconds", r->after.own_cpu_seconds - r->before.own_cpu_seconds);
	report_usage(&w, "server", &r->before, &r->after, r->rss_most);
	xb_jw_end(&w);
	e = xb_jw_finish(&w);
	if (!e)
		puts(out.p);
	return e;
}

int report_print(const struct api_report *r)
{
	if (!strcmp(r->options->output, "json"))
		return print_json(r);
	(r->watched ? say_watch : r->started ? say_start : say_load)(r);
	if (r->failed)
		printf("  failed: %lu, the first: %s\n", r->failed, r->first_error ? r->first_error : "out of memory");
	return 0;
}
