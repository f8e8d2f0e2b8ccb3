/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_SERVER_LOG_CHOOSE_H
#define KUBELET_SERVER_LOG_CHOOSE_H
/* Which container's log is meant, by what the pod's status says (upstream's validateContainerLogStatus). Pure. */
#include "xb/json.h"

/* *ret_id: the container's ID without "containerd://", the caller's. -ENOENT: there is no log; why, in upstream's words, was appended.
 * -ENOMEM. */
int log_choose(struct xb_jv status, const char *pod, const char *container, bool previous, char **ret_id, struct xb_buf *why);

#endif
