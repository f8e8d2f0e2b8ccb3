/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_PROBES_H
#define KUBELET_PROBES_H
/*
 * Probes of running containers (http, tcp, exec, grpc) and their lifecycle hooks. A probe belongs to one container ID: with the
 * next one it begins anew. One loop, one thread; a probe under way is one socket or one call, nothing blocks.
 */
#include "runtime/runtime.h"
#include "xb/json.h"

enum probe_kind { PROBE_STARTUP, PROBE_LIVENESS, PROBE_READINESS };
enum probe_result { PROBE_UNKNOWN, PROBE_SUCCESS, PROBE_FAILURE };

struct probes;
struct probes_config {
	uv_loop_t *loop;
	struct runtime *runtime;
	const char *user_agent;         /* "kube-probe/1.33" */
	/* A result became another one (failureThreshold, successThreshold counted). */
	void (*changed)(void *arg, const char *uid, const char *container);
	/* Each failure, for an Event: reason "Unhealthy" or "ProbeWarning", text "Readiness probe failed: ...". */
	void (*failed)(void *arg, const char *uid, const char *container, const char *reason, const char *text);
	void *arg;
};
int probes_new(const struct probes_config *c, struct probes **ret);
struct probes *probes_free(struct probes *p);           /* nothing is called back any more; the loop must turn once more */

/* The container runs: its probes begin, liveness and readiness when the startup probe has succeeded. pod_ip: where http, tcp and
 * grpc go when no host is named. running_for_ms: how long it has run already (a restarted kubelet). Known ID: nothing happens.
 * readiness: what the API server has, so that a restarted kubelet does not make a ready container unready. 0 or -ENOMEM. */
int probes_start(struct probes *p, struct xb_jv pod, struct xb_jv container, const char *container_id, const char *pod_ip,
		 uint64_t running_for_ms, bool was_ready, bool was_started);
void probes_stop(struct probes *p, const char *container_id);
/* Of the kind a container has no probe of: SUCCESS. Of an ID that was not started: UNKNOWN. */
enum probe_result probes_result(const struct probes *p, const char *container_id, enum probe_kind kind);
void probes_write_metrics(const struct probes *p, struct xb_buf *out); /* prober_probe_total */

/* A lifecycle handler: exec, httpGet, tcpSocket (no-op as upstream's), sleep. done: 0, or -errno and why in upstream's words, borrowed. */
struct hook;
int hook_run(struct probes *p, struct xb_jv container, struct xb_jv handler, const char *container_id, const char *pod_ip,
	     unsigned timeout_ms, void (*done)(void *arg, int error, const char *why), void *arg, struct hook **ret);
void hook_cancel(struct hook *h);       /* done is not called; NULL is taken */

#endif
