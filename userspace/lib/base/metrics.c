/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include "xb/file.h"
#include "xb/metrics.h"

void xb_metrics_head(struct xb_buf *out, const char *name, const char *type, const char *help)
{
	xb_buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void xb_metrics_one(struct xb_buf *out, const char *name, const char *type, const char *help, double value)
{
	xb_metrics_head(out, name, type, help);
	xb_buf_addf(out, "%s %.17g\n", name, value);
}

void xb_histogram_observe(struct xb_histogram *h, double value)
{
	size_t i = 0;

	while (i < h->n && value > h->bounds[i])
		i++;
	h->counts[i]++;
	h->count++;
	h->sum += value;
}

void xb_metrics_histogram(struct xb_buf *out, const char *name, const char *labels, const struct xb_histogram *h)
{
	const char *l = labels ? labels : "", *comma = labels ? "," : "", *open = labels ? "{" : "", *close = labels ? "}" : "";
	uint64_t below = 0;

	for (size_t i = 0; i < h->n; i++) {
		below += h->counts[i];
		xb_buf_addf(out, "%s_bucket{%s%sle=\"%g\"} %" PRIu64 "\n", name, l, comma, h->bounds[i], below);
	}
	xb_buf_addf(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, l, comma, h->count);
	xb_buf_addf(out, "%s_sum%s%s%s %.9g\n", name, open, l, close, h->sum);
	xb_buf_addf(out, "%s_count%s%s%s %" PRIu64 "\n", name, open, l, close, h->count);
}

static size_t open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n > 3 ? n - 3 : 0; /* without ".", ".." and d's own */
}

void xb_metrics_process(struct xb_buf *out, int64_t start_us)
{
	_cleanup_buf_ struct xb_buf statm = {};
	struct rlimit files = {};
	struct rusage u = {};
	unsigned long size = 0, resident = 0;
	double page = (double)sysconf(_SC_PAGESIZE);

	getrusage(RUSAGE_SELF, &u);
	getrlimit(RLIMIT_NOFILE, &files);
	if (!xb_file_read("/proc/self/statm", 256, &statm))
		sscanf(statm.p, "%lu %lu", &size, &resident);
	xb_metrics_one(out, "process_cpu_seconds_total", "counter", "CPU time",
		       (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
	xb_metrics_one(out, "process_resident_memory_bytes", "gauge", "Resident memory", (double)resident * page);
	xb_metrics_one(out, "process_virtual_memory_bytes", "gauge", "Virtual memory", (double)size * page);
	xb_metrics_one(out, "process_open_fds", "gauge", "Open file descriptors", (double)open_files());
	xb_metrics_one(out, "process_max_fds", "gauge", "The most open file descriptors allowed", (double)files.rlim_cur);
	xb_metrics_one(out, "process_start_time_seconds", "gauge", "When the process started", (double)start_us / 1e6);
}
