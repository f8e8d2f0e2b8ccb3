/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_HOSTS_H
#define KUBELET_HOSTS_H
/* A pod's /etc/hosts. */
#include "xb/json.h"

/* As upstream writes it: with hostNetwork what the node's says (node), else the pod's own names for its addresses
 * (NULL-terminated); then its hostAliases. Pure. Appended. */
void hosts_write(struct xb_jv pod, const char *const *pod_ips, const char *cluster_domain, struct xb_sv node, struct xb_buf *out);
/* The file name in the folder dir holds text: in place, since it is mounted by its inode. Blocking; any thread. */
int hosts_store(int dir, const char *name, struct xb_sv text);

#endif
