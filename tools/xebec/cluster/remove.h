/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_REMOVE_H
#define XEBEC_REMOVE_H

/* Unmounts everything at or below a folder, the last mounted first. A mount that is busy is detached and goes with its last user. */
int unmount_below(const char *folder, char **reterr_why);
/* Removes a folder and all in it; nothing of another file system that is mounted there (-EBUSY then). One that is not there is well. */
int remove_tree(const char *folder, char **reterr_why);

#endif
