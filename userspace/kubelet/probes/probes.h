/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_PROBES_H
#define KUBELET_PROBES_H
/*
 * Probes of running containers (http, tcp, exec, grpc) and their lifecycle hooks. A probe belongs to one container ID: with the
 * next one it begins anew. One loop, one thread; a probe under way is one socket or one call, nothing blocks. All that wait share
 * one timer.
 */
#include "../runtime/runtime.h"
#include "xb/json.h"

enum probe_kind { PROBE_STARTUP, PROBE_LIVENESS, PROBE_READINESS };
enum probe_result { PROBE_UNKNOWN, PROBE_SUCCESS, PROBE_FAILURE };

struct probes;
struct probes_config {
	uv_loop_t *loop;
	struct runtime *runtime;
	const char *user_agent;         /* "kube-probe/1.33"; copied */
	/* A result became another one (failureThreshold, successThreshold counted). Anything here may be called from it but probes_free. */
	void (*changed)(void *arg, const char *uid, const char *container);
	/* Each failure, for an Event: reason "Unhealthy" or "ProbeWarning", text "Readiness probe failed: ...". To be noted only: nothing
	 * here may be called from it. */
	void (*failed)(void *arg, const char *uid, const char *container, const char *reason, const char *text);
	void *arg;
};
int probes_new(const struct probes_config *c, struct probes **ret);
struct probes *probes_free(struct probes *p);           /* nothing is called back any more, hooks under way are gone; the loop must turn
							 * once more */

/* The container runs: its probes begin, liveness and readiness when the startup probe has succeeded. pod_ip: where http, tcp and
 * grpc go when no host is named. running_for_ms: 0 for one that has just been started; else how long it has run already, and its
 * first probes are then spread over a period (a restarted kubelet has many). Known ID: nothing happens. was_ready, was_started:
 * what the API server has, so that a restarted kubelet does not make a ready container unready. pod and container are kept by
 * reference to their document. 0 or -ENOMEM. */
int probes_start(struct probes *p, struct xb_jv pod, struct xb_jv container, const char *container_id, const char *pod_ip,
		 uint64_t running_for_ms, bool was_ready, bool was_started);
void probes_stop(struct probes *p, const char *container_id);
/* The pod is being deleted: liveness and startup are not asked any more and count as SUCCESS, readiness goes on. */
void probes_leave(struct probes *p, const char *container_id);
/* Of the kind a container has no probe of: SUCCESS. Of an ID that was not started: UNKNOWN. Until something is known: startup UNKNOWN,
 * liveness SUCCESS, readiness FAILURE. After a FAILURE of liveness or startup the container is not asked again. */
enum probe_result probes_result(const struct probes *p, const char *container_id, enum probe_kind kind);
void probes_write_metrics(const struct probes *p, struct xb_buf *out); /* prober_probe_total */

/* A lifecycle handler: exec, httpGet (any answer is a good one), tcpSocket (no-op as upstream's), sleep. timeout_ms 0: none. done, never
 * called from within: 0, or -errno and why, borrowed, as hook_sentence takes it ("error: command 'false' exited with 1: , message:
 * \"\""). The hook is gone then. 0 or -ENOMEM. */
struct hook;
int hook_run(struct probes *p, struct xb_jv container, struct xb_jv handler, const char *container_id, const char *pod_ip,
	     unsigned timeout_ms, void (*done)(void *arg, int error, const char *why), void *arg, struct hook **ret);
void hook_cancel(struct hook *h);       /* done is not called; NULL is taken */
/* What a user is told of a hook that failed: "Exec lifecycle hook ([false]) for Container \"c\" in Pod \"web_shop(u-1)\" failed - " and
 * why. Appended. */
void hook_sentence(struct xb_jv pod, struct xb_jv container, struct xb_jv handler, const char *why, struct xb_buf *out);

#endif
