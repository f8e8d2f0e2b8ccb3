/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cgroups_inner.h"
#include "names.h"
#include "xb/file.h"
#include "xb/time.h"

#define NO_LIMIT (UINT64_C(1) << 62) /* what v1 shows for none is 2^63, rounded down to a page */

/* A root cgroup of v2 has few files of its own: what is not there stays 0. */
static int missing_ok(int r)
{
	return r == -ENOENT ? 0 : r;
}

static int read_cpu(const struct cgroups *c, const char *cgroup, struct cgroups_usage *u)
{
	bool two = hierarchies_v2(&c->trees, CG_CPU);
	_cleanup_buf_ struct xb_buf stat = {};
	int r = hierarchies_read(&c->trees, CG_CPU, cgroup, "cpu.stat", &stat);
	struct xb_sv text = xb_buf_sv(&stat);

	if (r)
		return r;
	u->cfs_periods = flat_number(text, "nr_periods");
	u->cfs_throttled_periods = flat_number(text, "nr_throttled");
	u->cfs_throttled_ns = two ? flat_number(text, "throttled_usec") * 1000 : flat_number(text, "throttled_time");
	if (!two)
		return hierarchies_read_u64(&c->trees, CG_CPUACCT, cgroup, "cpuacct.usage", &u->cpu_ns);
	u->cpu_ns = flat_number(text, "usage_usec") * 1000;
	return 0;
}

static int read_memory(const struct cgroups *c, const char *cgroup, struct cgroups_usage *u)
{
	bool two = hierarchies_v2(&c->trees, CG_MEMORY);
	_cleanup_buf_ struct xb_buf stat = {};
	struct xb_sv text;
	uint64_t inactive;
	int r;

	r = hierarchies_read_u64(&c->trees, CG_MEMORY, cgroup, two ? "memory.current" : "memory.usage_in_bytes", &u->memory_bytes);
	r = r ? r : hierarchies_read_u64(&c->trees, CG_MEMORY, cgroup, two ? "memory.max" : "memory.limit_in_bytes", &u->memory_limit);
	r = r ? r : hierarchies_read(&c->trees, CG_MEMORY, cgroup, "memory.stat", &stat);
	if (r)
		return r;
	if (u->memory_limit >= NO_LIMIT)
		u->memory_limit = 0;
	text = xb_buf_sv(&stat);
	inactive = flat_number(text, two ? "inactive_file" : "total_inactive_file");
	u->memory_working_set = u->memory_bytes > inactive ? u->memory_bytes - inactive : 0;
	u->memory_rss = flat_number(text, two ? "anon" : "total_rss");
	u->page_faults = flat_number(text, two ? "pgfault" : "total_pgfault");
	u->major_faults = flat_number(text, two ? "pgmajfault" : "total_pgmajfault");
	return 0;
}

static int read_usage(const struct cgroups *c, const char *cgroup, struct cgroups_usage *ret)
{
	struct cgroups_usage u = { .at_ms = (uint64_t)xb_time_now() / 1000 };
	int r = read_cpu(c, cgroup, &u);

	r = r ? r : read_memory(c, cgroup, &u);
	r = r ? r : missing_ok(hierarchies_read_u64(&c->trees, CG_PIDS, cgroup, "pids.current", &u.pids));
	if (!r)
		*ret = u;
	return r;
}

int cgroups_pod_usage(const struct cgroups *c, const char *uid, struct cgroups_usage *ret)
{
	_cleanup_buf_ struct xb_buf path = {};
	int r = cgroups_pod_path(c, uid, &path);

	return r ? r : read_usage(c, path.p, ret);
}

int cgroups_container_path(const struct cgroups *c, const char *uid, const char *container_id, struct xb_buf *out)
{
	int r = cgroups_pod_path(c, uid, out);

	if (r)
		return r;
	xb_buf_addc(out, '/');
	name_container(c->facts, container_id, out);
	return out->err;
}

int cgroups_container_usage(const struct cgroups *c, const char *uid, const char *container_id, struct cgroups_usage *ret)
{
	_cleanup_buf_ struct xb_buf path = {};
	int r = cgroups_container_path(c, uid, container_id, &path);

	return r ? r : read_usage(c, path.p, ret);
}

int cgroups_container_pid(const struct cgroups *c, const char *uid, const char *container_id, pid_t *ret)
{
	_cleanup_buf_ struct xb_buf path = {}, text = {};
	int r = cgroups_container_path(c, uid, container_id, &path);
	struct xb_sv rest, first;
	uint64_t pid;

	r = r ? r : hierarchies_read(&c->trees, CG_PIDS, path.p, "cgroup.procs", &text);
	if (r)
		return r;
	rest = xb_buf_sv(&text);
	/* 0: it is of another pid namespace */
	if (!xb_sv_split(&rest, '\n', &first) || xb_sv_u64(first, &pid) || !pid)
		return -ESRCH;
	*ret = (pid_t)pid;
	return 0;
}

/* The machine's own memory, where the root cgroup of v2 does not count it. */
static int read_machine(const struct cgroups *c, struct cgroups_usage *u)
{
	_cleanup_buf_ struct xb_buf path = {}, text = {};
	uint64_t inactive;
	struct xb_sv s;
	int r;

	xb_buf_addf(&path, "%s/meminfo", c->proc);
	r = path.err ? path.err : xb_file_read(path.p, 65536, &text);
	if (r)
		return r;
	s = xb_buf_sv(&text);
	u->memory_bytes = flat_number(s, "MemTotal:") * 1024 - flat_number(s, "MemFree:") * 1024;
	inactive = flat_number(s, "Inactive(file):") * 1024;
	u->memory_working_set = u->memory_bytes > inactive ? u->memory_bytes - inactive : 0;
	u->memory_rss = flat_number(s, "AnonPages:") * 1024;
	return 0;
}

int cgroups_node_usage(const struct cgroups *c, struct cgroups_usage *ret)
{
	struct cgroups_usage u = { .at_ms = (uint64_t)xb_time_now() / 1000 };
	_cleanup_buf_ struct xb_buf root = {};
	int r;

	name_root(c->facts, &root);
	if (root.n || !hierarchies_v2(&c->trees, CG_MEMORY))
		return root.err ? root.err : read_usage(c, root.n ? root.p : "", ret);
	r = read_cpu(c, "", &u);
	r = r ? r : read_machine(c, &u);
	if (!r)
		*ret = u;
	return r;
}
