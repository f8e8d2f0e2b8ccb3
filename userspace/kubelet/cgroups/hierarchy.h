/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_CGROUPS_HIERARCHY_H
#define KUBELET_CGROUPS_HIERARCHY_H
/*
 * The cgroup trees that are mounted, and small files in them: for the rest of cgroups/. A cgroup has the same path below each
 * mount point: "/kubepods/besteffort/pod1". Failures are -errno; reterr_why names the file and is the caller's to free.
 */
#include <stdbool.h>
#include "xb/str.h"
#include "xb/vec.h"

enum controller { CG_CPU, CG_CPUACCT, CG_MEMORY, CG_PIDS, CG_CONTROLLERS };
struct hierarchy {
	char *mount;
	unsigned controllers;           /* of those above, a bit each */
	bool v2;
};
struct hierarchies {
	XB_VEC(struct hierarchy) all;   /* cgroup v2 before all others; -1 below: nowhere */
	int of[CG_CONTROLLERS];         /* cpuacct of v2: where cpu is */
};
/* mountinfo: "/proc/self/mountinfo". -ENOENT when cpu, memory or pids is nowhere. */
int hierarchies_find(const char *mountinfo, struct hierarchies *ret, char **reterr_why);
void hierarchies_done(struct hierarchies *h);

/* Makes the cgroup and those above it, where pods need one: v2 (with every controller there is passed on to it) and the
 * controllers' own. It may be there. */
int hierarchies_make(const struct hierarchies *h, const char *cgroup, char **reterr_why);
/* From every tree, with the cgroups below it; from the first tree last, so that a cgroup is there until it is gone everywhere.
 * Processes in it are killed. -EBUSY: some still end. Not there: 0. */
int hierarchies_remove(const struct hierarchies *h, const char *cgroup);
/* The names of the cgroups within it, in the first tree. */
void hierarchies_each(const struct hierarchies *h, const char *cgroup, void (*each)(void *arg, const char *name), void *arg);

bool hierarchies_v2(const struct hierarchies *h, enum controller c);
int hierarchies_write(const struct hierarchies *h, enum controller c, const char *cgroup, const char *file, const char *value,
		      char **reterr_why);
int hierarchies_read(const struct hierarchies *h, enum controller c, const char *cgroup, const char *file, struct xb_buf *out);
/* A file of one number; "max" is 0. */
int hierarchies_read_u64(const struct hierarchies *h, enum controller c, const char *cgroup, const char *file, uint64_t *ret);
/* Of lines "name 123" or "name   123 kB": the number; 0 where there is none. */
uint64_t flat_number(struct xb_sv text, const char *name);

#endif
