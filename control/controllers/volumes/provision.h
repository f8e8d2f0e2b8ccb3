/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VOLUMES_PROVISION_H
#define VOLUMES_PROVISION_H
/* The volume of a claim to kubernetes.io/host-path: a directory that the node makes when a pod first uses it. Pure. */
#include "xb/json.h"

/* The PersistentVolume by that name; node: the one on which it is to be, {} for any. 0 or -ENOMEM. */
int provision_write(struct xb_jv claim, struct xb_jv class, struct xb_jv node, const char *name, struct xb_buf *out);

#endif
