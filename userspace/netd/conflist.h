/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NETD_CONFLIST_H
#define NETD_CONFLIST_H
/* What a container runtime needs: the plugin in its folder of plugins, and the network's configuration in its folder of those. */
#include "peer.h"

/* Puts xebec-cni, of this program's folder, into dir, and as loopback where dir has none. Whole files, by rename; as they are when
 * they are the same. */
int conflist_install(const char *dir, char **reterr_why);

void conflist_text(const struct peer *self, uint32_t mtu, const char *data_dir, struct xb_buf *out);
/* 10-xebec.conflist in dir, by rename, unless it is that already; *ret_written says. */
int conflist_write(const char *dir, const struct peer *self, uint32_t mtu, const char *data_dir, bool *ret_written, char **reterr_why);
int conflist_remove(const char *dir, char **reterr_why);

#endif
