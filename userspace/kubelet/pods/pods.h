/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_PODS_H
#define KUBELET_PODS_H
/*
 * The pods of this node, from the first sight of one to its last trace: sources (API server, static files with mirror pods), one
 * worker each, status, end. One loop, one thread.
 */
#include "../cgroups/cgroups.h"
#include "../facts.h"
#include "../images/images.h"
#include "../node/node.h"
#include "../objects.h"
#include "../probes/probes.h"
#include "../runtime/runtime.h"
#include "../volumes/volumes.h"
#include "xb/recorder.h"
#include "xb/rest.h"

struct pods;
struct pod;
struct pods_config {
	uv_loop_t *loop;
	const struct facts *facts;
	struct xb_rest *rest;           /* NULL: static pods only */
	struct xb_recorder *recorder;   /* NULL without rest */
	const char *static_path;        /* a folder or a file of static pods; NULL or "": none */
	unsigned static_check_ms;       /* where inotify cannot tell: fileCheckFrequency */
};
/* Parts call back into pods, so they are made between pods_new and pods_begin. node: NULL: pods are admitted without it. */
struct pods_parts {
	struct runtime *runtime;
	struct objects *objects;
	struct volumes *volumes;
	struct images *images;
	struct probes *probes;
	struct cgroups *cgroups;        /* NULL: --cgroups-per-qos=false */
	struct node *node;
};
int pods_new(const struct pods_config *c, struct pods **ret);
/* Reads what the runtime has, then follows the sources. reterr_why names the file or folder. */
int pods_begin(struct pods *s, const struct pods_parts *parts, char **reterr_why);
/* Leaves everything running. Before the parts and rest; the loop must turn once more. */
struct pods *pods_free(struct pods *s);
XB_DEFINE_CLEANUP(struct pods *, pods_free)

/* For the parts' callbacks; arg is the struct pods. */
void pods_changed(void *arg, const char *uid);          /* objects, images: what the pod waited for may have come */
void pods_volumes_stale(void *arg, const char *uid);
void pods_probe_changed(void *arg, const char *uid, const char *container);
void pods_probe_failed(void *arg, const char *uid, const char *container, const char *reason, const char *text);
void pods_image_event(void *arg, const char *uid, const char *container, bool warning, const char *reason, const char *text);
struct xb_jv pods_node(void *arg);                      /* {} before it is known */
bool pods_image_in_use(void *arg, const char *image_id);
void pods_each_active(void *arg, void (*each)(void *each_arg, struct xb_jv pod, struct xb_jv status), void *each_arg);
void pods_disk_usage(void *arg, struct xb_jv pod, void (*done)(void *done_arg, uint64_t bytes, uint64_t inodes), void *done_arg);
void pods_disk_excess(void *arg, struct xb_jv pod, void (*done)(void *done_arg, uint64_t bytes, const char *exceeded), void *done_arg);
void pods_collect_containers(void *arg);                /* dead ones go, but for the last of each name */
void pods_evict_document(void *arg, struct xb_jv pod, const char *message, uint64_t grace_s); /* reason Evicted */
void pods_node_changed(void *arg, struct xb_jv node);

struct pod *pods_find(const struct pods *s, const char *namespace_, const char *name); /* the newest of that name */
struct pod *pods_find_uid(const struct pods *s, const char *uid);
void pods_each(const struct pods *s, void (*each)(void *arg, struct pod *pod), void *arg);
struct xb_jv pod_document(const struct pod *pod);       /* as wanted; {}: only the runtime knows it */
struct xb_jv pod_status(const struct pod *pod);         /* as it was last made here; {} before */
const char *pod_uid(const struct pod *pod);

/* A container as the runtime has it. Strings are borrowed until the loop turns. */
struct pod_container {
	const char *id, *name, *log_path;
	unsigned attempt;
	bool running;
	int32_t exit_code;
	int64_t started_ns, finished_ns;
};
/* The newest of that name, or with previous the newest that is over and not it; where the newest itself is over and waits for its
 * next start, that is the previous one, as kubectl logs --previous means it. -ENOENT. */
int pod_container(const struct pod *pod, const char *name, bool previous, struct pod_container *ret);
const char *pod_sandbox_id(const struct pod *pod);      /* of the running one; NULL */

/* Ends it: phase Failed with reason ("Evicted") and message; grace in seconds. */
int pods_evict(struct pods *s, struct pod *pod, const char *reason, const char *message, uint64_t grace_s);
/* kubelet_running_pods, kubelet_pod_start_duration_seconds, kubelet_runtime_operations_total, ... */
void pods_write_metrics(const struct pods *s, struct xb_buf *out);

#endif
