/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include <sys/resource.h>
#include "api.h"

static bool read_line(const char *pid, const char *file, char *line, size_t n)
{
	char path[64];
	bool ok;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.20s/%s", pid, file);
	f = fopen(path, "re");
	ok = f && fgets(line, n, f);
	if (f)
		fclose(f);
	return ok;
}

static uint64_t rss_of(const char *pid)
{
	unsigned long pages = 0;
	char line[128];

	if (read_line(pid, "statm", line, sizeof(line)))
		sscanf(line, "%*u %lu", &pages);
	return pages * sysconf(_SC_PAGESIZE);
}

static bool add_process(const char *pid, struct usage *u)
{
	unsigned long user = 0, system = 0;
	const char *after_name;
	char line[512];
	bool ok = read_line(pid, "stat", line, sizeof(line)) && (after_name = strrchr(line, ')')) &&
		  sscanf(after_name + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) == 2;

	u->cpu_seconds += (user + system) / (double)sysconf(_SC_CLK_TCK);
	u->rss_bytes += rss_of(pid);
	return ok;
}

static double seconds_of(struct timeval t)
{
	return t.tv_sec + t.tv_usec / 1e6;
}

struct usage usage_now(char *const *pids)
{
	struct usage u = { .known = pids != NULL, .own_rss_bytes = rss_of("self") };
	struct rusage own;

	for (; pids && *pids; pids++)
		u.known &= add_process(*pids, &u);
	getrusage(RUSAGE_SELF, &own);
	u.own_cpu_seconds = seconds_of(own.ru_utime) + seconds_of(own.ru_stime);
	return u;
}

static int allow_files(pid_t pid, int n)
{
	struct rlimit files;

	if (prlimit(pid, RLIMIT_NOFILE, NULL, &files) < 0)
		return -errno;
	files.rlim_cur = MAX(files.rlim_cur, (rlim_t)n);
	files.rlim_max = MAX(files.rlim_max, files.rlim_cur);
	return prlimit(pid, RLIMIT_NOFILE, &files, NULL) < 0 ? -errno : 0;
}

int usage_allow_files(int n, char *const *pids)
{
	int r = allow_files(0, n);

	for (; !r && pids && *pids; pids++)
		r = allow_files(atoi(*pids), n);
	return r;
}
