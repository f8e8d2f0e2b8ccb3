/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_ROLLOUT_SET_H
#define CONTROLLERS_ROLLOUT_SET_H
/* The ReplicaSets of a Deployment, as they are written. Pure. */
#include "rollout.h"
#include "xb/kinds.h"

/* The set for the Deployment's template, with r->make pods: its name is "<deployment>-<hash>". */
void rollout_set_write(const struct rollout *r, const struct xb_kind *deployments, const char *hash, struct xb_buf *out);
/* The merge patch that brings a set to its planned size; the current one also to the Deployment's annotations, minReadySeconds
 * and revision. Refused by the server when the set has changed. Nothing is appended when nothing differs. */
void rollout_set_patch(const struct rollout *r, const struct rollout_set *s, struct xb_buf *out);

#endif
