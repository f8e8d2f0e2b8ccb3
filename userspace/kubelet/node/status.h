/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_NODE_STATUS_H
#define KUBELET_NODE_STATUS_H
/* The Node's document as this kubelet wants it, and what of it the API server does not have yet. Pure. */
#include "../facts.h"
#include "machine.h"
#include "pressure.h"
#include "xb/json.h"

struct node_view {
	const struct facts *facts;
	const struct machine *machine;
	const struct node_thresholds *thresholds;
	const char *runtime_version;    /* "containerd://1.6.20" */
	uint16_t port;
	struct xb_sv images;            /* JSON; {}: not known yet */
	const char *fault;              /* why it is not ready; NULL: it is */
	const bool *under;              /* each pressure */
	int64_t now_us;                 /* wall clock */
};
enum node_condition { CONDITION_MEMORY, CONDITION_DISK, CONDITION_PID, CONDITION_READY, CONDITIONS };
/* What becomes of a condition: the Event's reason ("NodeHasSufficientMemory", "NodeReady") when it is not what it was; else NULL. */
const char *status_condition_event(const struct node_view *v, struct xb_jv old_status, enum node_condition c);

/* The status as a whole. old_status: what the API server has, for lastTransitionTime. */
void status_write(const struct node_view *v, struct xb_jv old_status, struct xb_jw *w);
/* The whole document, to be created: labels "key=value" and taints "key=value:Effect", ended by NULL. */
int status_write_node(const struct node_view *v, const char *const *labels, const char *const *taints, struct xb_buf *out);
/* A strategic merge patch of what differs; with report the conditions at least. *ret_differs: there is something to send. */
int status_write_patch(const struct node_view *v, struct xb_jv old_status, bool report, bool *ret_differs, struct xb_buf *out);
/* A merge patch of the labels that each kubelet keeps right (kubernetes.io/hostname, os, arch and their old names), and topology
 * labels where labels has them. */
int status_write_labels(const struct node_view *v, const char *const *labels, struct xb_jv old_labels, bool *ret_differs,
			struct xb_buf *out);
/* -EINVAL: *reterr_why names the flag. */
int status_check_flags(const char *const *labels, const char *const *taints, char **reterr_why);

#endif
