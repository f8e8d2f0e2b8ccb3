/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_REMOVE_H
#define XEBEC_REMOVE_H
#include "cluster.h"

#define RUNC_STATES "/run/containerd/runc/k8s.io" /* of all containers of the machine: a folder each */
#define CONTAINER_ID_LETTERS 64

/* The container whose bundle has that name, of which there may be a '.' before it: such a one is being removed. NULL for no bundle. */
const char *bundle_id(const char *name);

/* Unmounts everything at or below a folder, the last mounted first. A mount that is busy is detached and goes with its last user. */
int unmount_below(const char *folder, char **reterr_why);
/* Removes a folder and all in it; nothing of another file system that is mounted there (-EBUSY then). One that is not there is well. */
int remove_tree(const char *folder, char **reterr_why);
/*
 * What containerd's shims and runc keep in folders that all containerds of a machine share, of containers of this cluster: sockets
 * and states. Nothing of it may run any more. What cannot be removed is left.
 */
void remove_shims(const struct cluster *c);
/* Of one container; a sandbox's has the socket of the shim that serves all of it. */
void remove_shim(const struct cluster *c, unsigned node, const char *id);

#endif
