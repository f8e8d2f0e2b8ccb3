/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_CGROUPS_INNER_H
#define KUBELET_CGROUPS_INNER_H
/* Within cgroups/, and for tests. */
#include "cgroups.h"
#include "hierarchy.h"
#include "xb/map.h"

struct cgroups {
	const struct facts *facts;
	struct hierarchies trees;
	struct xb_map *pods;            /* uid -> struct pod_cgroup: those made by this process, or found when asked for */
	uint64_t burstable_milli;       /* requested by the burstable among them */
	uint64_t burstable_shares;      /* as written last; 0: not yet */
	const char *proc;               /* "/proc" */
};
struct pod_cgroup {
	enum spec_qos qos;
	uint64_t cpu_milli;
	char uid[];
};
/* proc: "/proc", for the mounts and the memory of the machine; borrowed. */
int cgroups_new_at(const struct facts *f, const char *proc, struct cgroups **ret, char **reterr_why);

#endif
