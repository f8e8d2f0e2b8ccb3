/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_DAEMON_POD_H
#define CONTROLLERS_DAEMON_POD_H
/* The pods of a DaemonSet: on which nodes they are to be, and what is made (upstream's pkg/controller/daemon/util). Pure. */
#include "xb/kinds.h"
#include "xb/tree.h"

struct daemon_fit {
	bool run;                       /* a pod is to be there */
	bool keep;                      /* one that is there may stay */
};
struct daemon_fit daemon_fit(struct xb_jv set, struct xb_jv node);

/* The name of the node that a pod is on, or else is meant for: the one that its required nodeAffinity names; {}: none. */
struct xb_sv daemon_node_of(struct xb_jv pod);

/* What all pods of a set have in common. Lives as long as a, and as what set and hash point to. */
struct daemon_template {
	struct xb_tree *pod, *node_name;
};
/* hash: of the ControllerRevision that they are made by. 0 or -ENOMEM. */
int daemon_template_new(struct xb_arena *a, const struct xb_kind *kind, struct xb_jv set, struct xb_sv hash, struct daemon_template *ret);
/* The body of the pod for a node; out is emptied first. 0 or -ENOMEM. */
int daemon_template_body(struct daemon_template *t, struct xb_sv node, struct xb_buf *out);

#endif
