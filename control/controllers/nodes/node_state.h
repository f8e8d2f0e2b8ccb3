/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_NODE_STATE_H
#define CONTROLLERS_NODE_STATE_H
/*
 * What a Node says, and the patches that make it say what it should (upstream's pkg/controller/nodelifecycle). Pure; times are wall
 * clock in microseconds. The patches name the version that they were decided on: a Node that has changed since is not written.
 */
#include "xb/json.h"

enum node_ready {
	NODE_READY_NONE,                /* its kubelet never said */
	NODE_READY_TRUE, NODE_READY_FALSE, NODE_READY_UNKNOWN,
};
struct xb_jv node_condition(struct xb_jv node, const char *type);
enum node_ready node_ready(struct xb_jv node);
/* Where it stands: "", or region and zone together. Appended. */
void node_state_zone(struct xb_jv node, struct xb_buf *out);

/* Of the status, when its kubelet is silent: Ready and what the kubelet alone knows become Unknown. A strategic merge patch;
 * nothing when Ready is Unknown already. */
void node_silence_patch(struct xb_jv node, int64_t now, struct xb_buf *out);

enum node_execute { NODE_EXECUTE_LATER, NODE_EXECUTE_NOW, NODE_EXECUTE_NEVER };
/* It is not ready, and not tainted with that for NoExecute: that is to be done when the zone's turn comes. */
bool node_awaits_execute(struct xb_jv node);
/* Of spec.taints, as conditions and spec.unschedulable have it, and of the labels with two names. A taint NoExecute for a node that
 * is not ready is added NOW only, is exchanged for the other one at any time, and goes when the node is ready, or is NEVER to have
 * one. A strategic merge patch; nothing when all is as it should be. */
void node_spec_patch(struct xb_jv node, enum node_execute execute, int64_t now, struct xb_buf *out);

#endif
