/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_NODE_H
#define KUBELET_NODE_H
/*
 * The Node object: made when it is not there, its status kept (at once when something changed, else every
 * nodeStatusReportFrequency), its Lease renewed; pressure of memory, disk and processes seen, told and relieved. One loop.
 */
#include "../cgroups/cgroups.h"
#include "../facts.h"
#include "../images/images.h"
#include "../runtime/runtime.h"
#include "xb/recorder.h"
#include "xb/rest.h"

struct node;
struct node_config {
	uv_loop_t *loop;
	struct xb_rest *rest;
	struct xb_recorder *recorder;   /* NULL: no Events */
	const struct facts *facts;
	struct runtime *runtime;        /* Status: RuntimeReady, NetworkReady; Version for nodeInfo */
	struct images *images;
	struct cgroups *cgroups;
	bool register_node;
	const char *const *labels, *const *taints; /* --node-labels "key=value", --register-with-taints "key=value:Effect"; ended by NULL */
	uint16_t port;                  /* daemonEndpoints */
	unsigned lease_seconds, status_update_ms, status_report_ms; /* 40, 10 s, 5 min */
	/* evictionHard, evictionSoft as "signal" -> value, read by node_thresholds_parse. */
	const struct node_thresholds *thresholds;
	/* The Node has changed (podCIDRs, labels): for admission of pods. Borrowed. */
	void (*changed)(void *arg, struct xb_jv node);
	/* For eviction: each pod that is active, with its status; what its folders and logs take (done is called once, also at once; NULL:
	 * nobody knows); dead containers go; and the order to end a pod, with reason Evicted. */
	void (*each_pod)(void *arg, void (*each)(void *each_arg, struct xb_jv pod, struct xb_jv status), void *each_arg);
	void (*disk_usage)(void *arg, struct xb_jv pod, void (*done)(void *done_arg, uint64_t bytes, uint64_t inodes), void *done_arg);
	/* At each look, of pods that may take only so much of the disk: the bytes, and an emptyDir that is over its sizeLimit, as
	 * upstream's message or NULL. done is called once, also at once. NULL: nobody knows. */
	void (*disk_excess)(void *arg, struct xb_jv pod, void (*done)(void *done_arg, uint64_t bytes, const char *exceeded),
			    void *done_arg);
	void (*collect_containers)(void *arg);
	void (*evict)(void *arg, struct xb_jv pod, const char *message, uint64_t grace_s);
	void *arg;
};
struct node_thresholds;
/* Absent: upstream's defaults. -EINVAL: *reterr_why names the field; -ENOMEM. */
int node_thresholds_parse(struct xb_jv kubelet_configuration, struct node_thresholds **ret, char **reterr_why);
struct node_thresholds *node_thresholds_free(struct node_thresholds *t);
XB_DEFINE_CLEANUP(struct node_thresholds *, node_thresholds_free)
/* Copies the struct, not what it points to. Begins with the next turn of the loop. What facts say is allocatable is told less what
 * evictionHard keeps free. -EINVAL: *reterr_why names the flag. */
int kubelet_node_new(const struct node_config *c, struct node **ret, char **reterr_why);
/* Nothing is called back any more; before rest, runtime and images. Its handles are gone as the loop runs on. The Node stays. */
struct node *kubelet_node_free(struct node *n);
XB_DEFINE_CLEANUP(struct node *, kubelet_node_free)
bool node_under_memory_pressure(const struct node *n);  /* BestEffort pods are not admitted then */
bool node_under_disk_or_pid_pressure(const struct node *n);
struct xb_jv kubelet_node_object(const struct node *n); /* {} before it is known */
/* Why the runtime's network cannot take pods yet, in the words of condition Ready; NULL: it can, or nothing is known. Borrowed until the
 * loop turns. */
const char *node_network_fault(const struct node *n);
/* The runtime came or went: its conditions are to be told. */
void node_runtime_changed(struct node *n);
void node_write_metrics(const struct node *n, struct xb_buf *out);

#endif
