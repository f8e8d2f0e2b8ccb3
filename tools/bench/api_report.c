/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include <sys/resource.h>
#include "api.h"
#include "command.h"

const char *const api_op_names[API_OPS] = { "create", "get", "update", "list", "delete" };

/* --- what processes used --- */
static bool add_process(const char *pid, struct usage *u)
{
	char path[64], line[512];
	unsigned long user = 0, system = 0, pages = 0;
	const char *after_name;
	bool ok;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	f = fopen(path, "re");
	ok = f && fgets(line, sizeof(line), f) && (after_name = strrchr(line, ')')) &&
	     sscanf(after_name + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) == 2;
	if (f)
		fclose(f);
	snprintf(path, sizeof(path), "/proc/%.20s/statm", pid);
	f = ok ? fopen(path, "re") : NULL;
	ok = f && fscanf(f, "%*u %lu", &pages) == 1;
	if (f)
		fclose(f);
	u->cpu_seconds += (user + system) / (double)sysconf(_SC_CLK_TCK);
	u->rss_bytes += pages * sysconf(_SC_PAGESIZE);
	return ok;
}

static double seconds_of(struct timeval t)
{
	return t.tv_sec + t.tv_usec / 1e6;
}

struct usage usage_now(char *const *pids)
{
	struct usage u = { .known = pids != NULL };
	struct rusage own;

	for (; pids && *pids; pids++)
		u.known &= add_process(*pids, &u);
	getrusage(RUSAGE_SELF, &own);
	u.own_cpu_seconds = seconds_of(own.ru_utime) + seconds_of(own.ru_stime);
	return u;
}

/* --- words --- */
#define MILLI(ns) ((ns) / 1e6)
#define MIB(bytes) ((bytes) / 1048576.0)

static void say_latency(const char *name, const struct latency *l)
{
	printf("  %-10s %8lu   ms: p50 %.2f  p90 %.2f  p99 %.2f  max %.2f\n", name, l->n, MILLI(latency_at(l, 0.5)), MILLI(latency_at(l, 0.9)),
	       MILLI(latency_at(l, 0.99)), MILLI(l->most));
}

static void say_watch(const struct api_report *r)
{
	printf("watch %s: %u watches opened in %.2f s, then %lu events, bodies of %.1f MiB received\n", r->options->kind, r->watches, r->open_seconds,
	       r->since_send->n, MIB(r->bytes_in));
	say_latency("from send", r->since_send);
	say_latency("from ack", r->since_ack);
	if (r->after.known && r->watches)
		printf("  server: RSS %.1f MiB before, %.1f idle (%.1f KiB a watch), %.1f after the events\n", MIB(r->before.rss_bytes), MIB(r->rss_idle),
		       ((double)r->rss_idle - r->before.rss_bytes) / 1024 / r->watches, MIB(r->after.rss_bytes));
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
		printf("  server: %.1f us of CPU a request; RSS %.1f MiB before, %.1f after\n", (r->after.cpu_seconds - r->before.cpu_seconds) * 1e6 / n,
		       MIB(r->before.rss_bytes), MIB(r->after.rss_bytes));
	printf("  client: %.1f us of CPU a request, %.0f%% of one core\n", (r->after.own_cpu_seconds - r->before.own_cpu_seconds) * 1e6 / n,
	       r->seconds > 0 ? (r->after.own_cpu_seconds - r->before.own_cpu_seconds) * 100 / r->seconds : 0);
}

/* --- JSON --- */
static void key_double(struct xb_jw *w, const char *key, double value)
{
	xb_jw_key(w, key);
	xb_jw_double(w, value);
}

static void write_latency(struct xb_jw *w, const char *name, const struct latency *l)
{
	xb_jw_key(w, name);
	xb_jw_object(w);
	xb_jw_kint(w, "count", l->n);
	key_double(w, "p50Milliseconds", MILLI(latency_at(l, 0.5)));
	key_double(w, "p90Milliseconds", MILLI(latency_at(l, 0.9)));
	key_double(w, "p99Milliseconds", MILLI(latency_at(l, 0.99)));
	key_double(w, "maxMilliseconds", MILLI(l->most));
	xb_jw_end(w);
}

static void write_usage(struct xb_jw *w, const struct api_report *r)
{
	key_double(w, "clientCpuSeconds", r->after.own_cpu_seconds - r->before.own_cpu_seconds);
	if (!r->after.known)
		return;
	xb_jw_key(w, "server");
	xb_jw_object(w);
	key_double(w, "cpuSeconds", r->after.cpu_seconds - r->before.cpu_seconds);
	xb_jw_kint(w, "rssBytesBefore", r->before.rss_bytes);
	if (r->watches) {
		xb_jw_kint(w, "rssBytesIdle", r->rss_idle);
		key_double(w, "bytesPerWatch", ((double)r->rss_idle - r->before.rss_bytes) / r->watches);
	}
	xb_jw_kint(w, "rssBytesAfter", r->after.rss_bytes);
	xb_jw_end(w);
}

static int print_json(const struct api_report *r)
{
	_cleanup_buf_ struct xb_buf out = {};
	struct xb_jw w = XB_JW(&out);
	int e;

	xb_jw_object(&w);
	xb_jw_kstr(&w, "verb", r->options->verb->name);
	xb_jw_kstr(&w, "kind", r->options->kind);
	xb_jw_kint(&w, "requests", r->requests);
	xb_jw_kint(&w, "failed", r->failed);
	if (r->first_error)
		xb_jw_kstr(&w, "firstError", r->first_error);
	key_double(&w, "seconds", r->seconds);
	xb_jw_kint(&w, "bytesReceived", r->bytes_in);
	if (r->since_send) {
		xb_jw_kint(&w, "watches", r->watches);
		key_double(&w, "openSeconds", r->open_seconds);
		write_latency(&w, "lastReceiptSinceSend", r->since_send);
		write_latency(&w, "lastReceiptSinceAck", r->since_ack);
	} else {
		xb_jw_kint(&w, "clients", r->options->clients);
		key_double(&w, "requestsPerSecond", r->seconds > 0 ? r->requests / r->seconds : 0);
	}
	xb_jw_key(&w, "operations");
	xb_jw_object(&w);
	for (int i = 0; i < API_OPS; i++)
		if (r->ops[i].n)
			write_latency(&w, api_op_names[i], &r->ops[i]);
	xb_jw_end(&w);
	write_usage(&w, r);
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
	if (r->since_send)
		say_watch(r);
	else
		say_load(r);
	if (r->failed)
		printf("  failed: %lu, the first: %s\n", r->failed, r->first_error ? r->first_error : "out of memory");
	return 0;
}
