/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_ATTACH_H
#define PROXY_ATTACH_H
/*
 * The place in the BPF file system, and the links that hold the programs in a cgroup and on devices:
 *
 *   <bpffs>/xebec/              locked by the agent that writes (flock)
 *   the cgroup's folder         locked by it too
 *   <bpffs>/xebec/v<ABI>/maps/  one consistent set, replaced as a whole
 *   <bpffs>/xebec/v<ABI>/links/ one for each hook; they keep the programs running without an agent (places.h for devices)
 */
#include "devices.h"
#include "tables.h"

struct attach;
struct attach_config {
	const char *bpffs_path, *cgroup_path;
	char *const *xdp_devices;   /* names, ended by NULL; NULL: none. Borrowed */
};
/* Checks both paths, takes the locks, makes the folders. -EBUSY: another agent has one of them, and the sentence says which.
 * -EPROTO: there is something of another version. */
int attach_open(const struct attach_config *c, struct attach **ret, char **reterr_why);
struct attach *attach_close(struct attach *a);
XB_DEFINE_CLEANUP(struct attach *, attach_close)

const char *attach_maps_folder(const struct attach *a);
struct devices *attach_devices(const struct attach *a);
/* Makes the hooks run these programs: updates a link that is pinned and on our cgroup, replaces one that is elsewhere, makes
 * one that is missing; likewise on devices. A hook always runs the old program or the new one. Closes t->programs when all is
 * done. On failure hooks that were free stay free; others may run either, which the caller keeps correct by both seeing equal
 * tables. */
int attach_programs(struct attach *a, struct tables *t, char **reterr_why);

/* Whether the folder that is locked is still what its path leads to: another BPF file system may be mounted there, or none. */
bool attach_is_home(const struct attach *a);
/*
 * Pins these tables and all links in the BPF file system that is mounted at the path now, and holds on to the lock there instead of
 * the one that cannot be reached any more. -EEXIST: it has tables already. -EINVAL: none is mounted there. After a failure all is
 * held where it was; when killed meanwhile the next start finds tables, and makes the links that are missing.
 */
int attach_move(struct attach *a, const struct tables *t, char **reterr_why);

/* Detaches what an earlier run left running and no pin here holds (strays.h), which is logged. */
void attach_sweep(struct attach *a);
int attach_cleanup(const char *bpffs_path, char **reterr_why); /* as apply_cleanup() */

#endif
