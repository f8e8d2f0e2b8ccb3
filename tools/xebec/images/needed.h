/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_NEEDED_H
#define XEBEC_NEEDED_H
/* What an ELF file needs of others to run: its interpreter and its DT_NEEDED, by their paths on this host, without what those need.
 * What is no ELF file, or is static, needs none. Stops when each returns other than 0. -ENOENT: an object is nowhere. */
int needed_each(const char *path, int (*each)(void *arg, const char *path), void *arg, char **reterr_why);

#endif
