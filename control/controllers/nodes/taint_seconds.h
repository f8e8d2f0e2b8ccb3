/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_TAINT_SECONDS_H
#define CONTROLLERS_TAINT_SECONDS_H
/* How long a pod may stay on a node for all the node's taints NoExecute (upstream's getMinTolerationTime). Pure. */
#include "xb/json.h"

enum { TAINT_FOR_EVER = -1 };
/* taints, tolerations: spec.taints of the node and spec.tolerations of the pod. */
int64_t taint_seconds(struct xb_jv taints, struct xb_jv tolerations);

#endif
