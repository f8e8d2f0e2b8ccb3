/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

#include "xb/file.h"
#include "xb/prometheus.h"

void xb_prom_head(struct xb_buf *out, const char *name, const char *type, const char *help)
{
	xb_buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void xb_prom_sample(struct xb_buf *out, const char *name, const char *labels, double value)
{
	if (*labels)
		xb_buf_addf(out, "%s{%s} %.15g\n", name, labels, value);
	else
		xb_buf_addf(out, "%s %.15g\n", name, value);
}

void xb_prom_one(struct xb_buf *out, const char *name, const char *type, const char *help, double value)
{
	xb_prom_head(out, name, type, help);
	xb_prom_sample(out, name, "", value);
}

void xb_prom_observe(const double *bounds, size_t n, uint64_t *counts, double *sum, double value)
{
	size_t i = 0;

	while (i < n && value > bounds[i])
		i++;
	counts[i]++;
	*sum += value;
}

void xb_prom_histogram(struct xb_buf *out, const char *name, const char *labels, const double *bounds, size_t n,
		       const uint64_t *counts, double sum)
{
	const char *comma = *labels ? "," : "", *open = *labels ? "{" : "", *close = *labels ? "}" : "";
	uint64_t below = 0;

	for (size_t i = 0; i < n; i++) {
		below += counts[i];
		xb_buf_addf(out, "%s_bucket{%s%sle=\"%g\"} %" PRIu64 "\n", name, labels, comma, bounds[i], below);
	}
	below += counts[n];
	xb_buf_addf(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, labels, comma, below);
	xb_buf_addf(out, "%s_sum%s%s%s %.9g\n", name, open, labels, close, sum);
	xb_buf_addf(out, "%s_count%s%s%s %" PRIu64 "\n", name, open, labels, close, below);
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

void xb_prom_process(struct xb_buf *out, int64_t start_us)
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
	xb_prom_one(out, "process_cpu_seconds_total", "counter", "CPU time",
		    (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
	xb_prom_one(out, "process_resident_memory_bytes", "gauge", "Resident memory", (double)resident * page);
	xb_prom_one(out, "process_virtual_memory_bytes", "gauge", "Virtual memory", (double)size * page);
	xb_prom_one(out, "process_open_fds", "gauge", "Open file descriptors", (double)open_files());
	xb_prom_one(out, "process_max_fds", "gauge", "The most open file descriptors allowed", (double)files.rlim_cur);
	xb_prom_one(out, "process_start_time_seconds", "gauge", "When the process started", (double)start_us / 1e6);
}
