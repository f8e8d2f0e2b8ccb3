/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_CGROUP_H
#define XEBEC_CGROUP_H
/*
 * A cluster's cgroups, by paths relative to a hierarchy's root ("xebec/c/node-1"). All its processes are below xebec/NAME of
 * the v2 hierarchy, also where the controllers are on v1: by that they are found and ended, whatever became of who started them.
 */
/* Where the v2 hierarchy is; mounts one below /run/xebec when there is none. A new string. */
int cgroup_mount(char **ret, char **reterr_why);
/* The folder and those above it, on v2, each with all the controllers there are for those below. */
int cgroup_make(const char *path, char **reterr_why);
/* Ends every process at or below path, in all hierarchies, and removes the folders. One that is not there is well. */
int cgroup_end(const char *path, char **reterr_why);
/* Every folder whose path matches a pattern (glob(7)), once for each hierarchy that has it. Stops when each returns other than 0, and
 * returns that. */
int cgroup_each(const char *pattern, int (*each)(void *arg, const char *path), void *arg);
int cgroup_remove(const char *path, char **reterr_why); /* and those above it that are empty then */

#endif
