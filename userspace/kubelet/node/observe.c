/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include <sys/statvfs.h>
#include "pressure.h"
#include "xb/file.h"

static int read_proc(const char *proc, const char *file, struct xb_buf *out)
{
	_cleanup_buf_ struct xb_buf path = {};

	xb_buf_addf(&path, "%s/%s", proc, file);
	return path.err ? path.err : xb_file_read(path.p, 65536, out);
}

static uint64_t kib(struct xb_sv text, const char *name)
{
	struct xb_sv line, key, number;
	uint64_t n;

	while (xb_sv_split(&text, '\n', &line)) {
		if (!xb_sv_split(&line, ':', &key) || !xb_sv_is(key, name))
			continue;
		line = xb_sv_trim(line);
		return xb_sv_split(&line, ' ', &number) && !xb_sv_u64(number, &n) ? n * 1024 : 0;
	}
	return 0;
}

/* What is not in the working set: free, or of files that nobody has read twice. */
static void observe_memory(const char *proc, struct observation *ret)
{
	_cleanup_buf_ struct xb_buf text = {};

	if (read_proc(proc, "meminfo", &text))
		return;
	*ret = (struct observation){ true, kib(xb_buf_sv(&text), "MemFree") + kib(xb_buf_sv(&text), "Inactive(file)"),
				     kib(xb_buf_sv(&text), "MemTotal") };
}

static bool read_limit(const char *proc, const char *file, uint64_t *ret)
{
	_cleanup_buf_ struct xb_buf text = {};

	return !read_proc(proc, file, &text) && !xb_sv_u64(xb_sv_trim(xb_buf_sv(&text)), ret);
}

/* /proc/loadavg: "0.20 0.18 0.12 1/80 11206": the number after the slash is all threads there are. */
static void observe_pids(const char *proc, struct observation *ret)
{
	_cleanup_buf_ struct xb_buf text = {};
	uint64_t pid_max, threads_max, running;
	struct xb_sv rest, part;

	if (!read_limit(proc, "sys/kernel/pid_max", &pid_max) || !read_limit(proc, "sys/kernel/threads-max", &threads_max) ||
	    read_proc(proc, "loadavg", &text))
		return;
	rest = xb_buf_sv(&text);
	if (!xb_sv_split(&rest, '/', &part) || !xb_sv_split(&rest, ' ', &part) || xb_sv_u64(part, &running))
		return;
	pid_max = MIN(pid_max, threads_max);
	*ret = (struct observation){ true, pid_max > running ? pid_max - running : 0, pid_max };
}

static void observe_disk(const char *path, struct observation *ret_bytes, struct observation *ret_inodes)
{
	struct statvfs st;

	if (!path || statvfs(path, &st) < 0)
		return;
	*ret_bytes = (struct observation){ st.f_blocks > 0, (uint64_t)st.f_bavail * st.f_frsize, (uint64_t)st.f_blocks * st.f_frsize };
	/* some file systems (btrfs) do not count them */
	*ret_inodes = (struct observation){ st.f_files > 0, st.f_ffree, st.f_files };
}

void observe(const char *proc, const char *nodefs, const char *imagefs, struct observation ret[SIGNALS])
{
	memset(ret, 0, SIGNALS * sizeof(*ret));
	observe_memory(proc, &ret[SIGNAL_MEMORY]);
	observe_pids(proc, &ret[SIGNAL_PID]);
	observe_disk(nodefs, &ret[SIGNAL_NODEFS], &ret[SIGNAL_NODEFS_INODES]);
	observe_disk(imagefs, &ret[SIGNAL_IMAGEFS], &ret[SIGNAL_IMAGEFS_INODES]);
}
