/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_CGROUPS_H
#define KUBELET_CGROUPS_H
/*
 * The cgroups of pods: <cgroup_root>/kubepods[/burstable|/besteffort]/pod<uid>, on v2, v1, or both side by side (where the v2 tree
 * has no controllers it still gets the folders: kube-proxy's programs are attached there, and runc moves a container's processes
 * into its path in every tree that is mounted). Small writes to cgroupfs, done at once.
 *
 * With systemd's names the folders and their limits are made here as well; a manager of systemd that realizes such a slice anew
 * writes its own idea of them.
 */
#include "../facts.h"
#include "../spec/spec.h"

struct cgroups;
/* Finds what is mounted, makes kubepods and the QoS cgroups; kubepods is limited to the node's allocatable. reterr_why names the file.
 * Without cgroups_per_qos nothing is made, and pods have none of their own. */
int cgroups_new(const struct facts *f, struct cgroups **ret, char **reterr_why);
struct cgroups *cgroups_free(struct cgroups *c);
XB_DEFINE_CLEANUP(struct cgroups *, cgroups_free)

/* The parent for the runtime's sandbox config. Appended: a path, or with systemd a slice's name. */
void cgroups_parent(const struct cgroups *c, struct xb_jv pod, struct xb_buf *out);
int cgroups_pod_make(struct cgroups *c, struct xb_jv pod, char **reterr_why);   /* also brings limits up to date */
/* Kills what is left in it and removes it. -EBUSY: not empty yet, try again. */
int cgroups_pod_remove(struct cgroups *c, const char *uid);
void cgroups_each_pod(const struct cgroups *c, void (*each)(void *arg, const char *uid), void *arg); /* those that exist */

/* Where it is below each mount point, "/kubepods/burstable/pod<uid>[/<container>]", appended. -ENOENT: it has none. */
int cgroups_pod_path(const struct cgroups *c, const char *uid, struct xb_buf *out);
int cgroups_container_path(const struct cgroups *c, const char *uid, const char *container_id, struct xb_buf *out);
/* One of the processes in there. -ESRCH: there is none. */
int cgroups_container_pid(const struct cgroups *c, const char *uid, const char *container_id, pid_t *ret);

struct cgroups_usage {                  /* since its making; a missing one: 0 */
	uint64_t cpu_ns;
	uint64_t memory_bytes, memory_working_set, memory_rss, page_faults, major_faults, memory_limit;
	uint64_t pids;
	uint64_t cfs_periods, cfs_throttled_periods, cfs_throttled_ns;
	uint64_t at_ms;                 /* wall clock of the reading */
};
int cgroups_pod_usage(const struct cgroups *c, const char *uid, struct cgroups_usage *ret);
int cgroups_container_usage(const struct cgroups *c, const char *uid, const char *container_id, struct cgroups_usage *ret);
int cgroups_node_usage(const struct cgroups *c, struct cgroups_usage *ret);     /* of cgroup_root */

#endif
