/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>

#include "pod.h"
#include "table.h"
#include "xb/time.h"

const struct column pod_columns[POD_COLUMNS] = {
	COLUMN_NAME,
	{ "Ready", "string", "", "The aggregate readiness state of this pod for accepting traffic.", 0 },
	{ "Status", "string", "", "The aggregate status of the containers in this pod.", 0 },
	{ "Restarts", "integer", "", "The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.", 0 },
	COLUMN_AGE,
	{ "IP", "string", "", "podIP address allocated to the pod. Routable at least within the cluster. Empty if not yet allocated.", 1 },
	{ "Node", "string", "", "NodeName indicates in which node this pod is scheduled. If empty, this pod is a candidate for scheduling by the scheduler defined in schedulerName. Once this field is set, the kubelet for this node becomes responsible for the lifecycle of this pod. This field should not be used to express a desire for the pod to be scheduled on a specific node. https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename", 1 },
	{ "Nominated Node", "string", "", "nominatedNodeName is set only when this pod preempts other pods on the node, but it cannot be scheduled right away as preemption victims receive their graceful termination periods. This field does not guarantee that the pod will be scheduled on this node. Scheduler may decide to place the pod elsewhere if other nodes become available sooner. Scheduler may also decide to give the resources on this node to a higher priority pod that is created after preemption. As a result, this field may be different than PodSpec.nodeName when the pod is scheduled.", 1 },
	{ "Readiness Gates", "string", "", "If specified, all readiness gates will be evaluated for pod readiness. A pod is ready when all its containers are ready AND all conditions specified in the readiness gates have status equal to \"True\" More info: https://git.k8s.io/enhancements/keps/sig-network/580-pod-readiness-gates", 1 },
};

/* What the containers' states come to. Text is as it stands in the document. */
struct summary {
	size_t containers, ready;
	struct restarts {
		int64_t n, last;   /* seconds since 1970; INT64_MIN for none */
	} all, sidecars;
	char reason[288];
};

static bool has_status(struct xb_jv conditions, const char *type)
{
	for (struct xb_jit it = xb_jv_iter(conditions); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "type"), xb_sv(type)))
			return xb_jv_streq(xb_jv_get(it.value, "status"), XB_SV("True"));
	return false;
}

static struct xb_jv condition_reason(struct xb_jv conditions, const char *type)
{
	for (struct xb_jit it = xb_jv_iter(conditions); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "type"), xb_sv(type)))
			return xb_jv_get(it.value, "reason");
	return (struct xb_jv){};
}

_printf_(2, 3) static void say(struct summary *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->reason, sizeof(s->reason), fmt, ap);
	va_end(ap);
}

static int64_t number(struct xb_jv object, const char *key)
{
	int64_t n = 0;

	(void)xb_jv_i64(xb_jv_get(object, key), &n);
	return n;
}

static bool is_sidecar(struct xb_jv spec, struct xb_jv name)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec, "initContainers")); xb_jit_next(&it);)
		if (xb_sv_eq(xb_jv_text(xb_jv_get(it.value, "name")), xb_jv_text(name)))
			return xb_jv_streq(xb_jv_get(it.value, "restartPolicy"), XB_SV("Always"));
	return false;
}

static size_t count_sidecars(struct xb_jv spec)
{
	size_t n = 0;

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec, "initContainers")); xb_jit_next(&it);)
		n += xb_jv_streq(xb_jv_get(it.value, "restartPolicy"), XB_SV("Always"));
	return n;
}

static void count_restarts(struct restarts *r, struct xb_jv status)
{
	int64_t at = table_seconds(xb_jv_path(status, "lastState", "terminated", "finishedAt"));

	r->n += number(status, "restartCount");
	r->last = MAX(r->last, at);
}

/* "Init:Error" and the like; prefix is "Init:" or nothing. */
static void say_terminated(struct summary *s, const char *prefix, struct xb_jv terminated)
{
	struct xb_sv reason = xb_jv_text(xb_jv_get(terminated, "reason"));

	if (reason.n)
		say(s, "%s%.*s", prefix, XB_SV_ARG(reason));
	else if (number(terminated, "signal"))
		say(s, "%sSignal:%lld", prefix, (long long)number(terminated, "signal"));
	else
		say(s, "%sExitCode:%lld", prefix, (long long)number(terminated, "exitCode"));
}

/* Does this init container still hold the pod up? Then it says so. */
static bool is_initializing(struct summary *s, struct xb_jv spec, struct xb_jv status, size_t i)
{
	struct xb_jv state = xb_jv_get(status, "state"), terminated = xb_jv_get(state, "terminated");
	struct xb_sv waiting = xb_jv_text(xb_jv_path(state, "waiting", "reason"));
	bool sidecar = is_sidecar(spec, xb_jv_get(status, "name"));

	if (xb_jv_is(terminated) && !number(terminated, "exitCode"))
		return false;
	if (sidecar && xb_jv_true(xb_jv_get(status, "started"))) {
		s->ready += xb_jv_true(xb_jv_get(status, "ready"));
		return false;
	}
	if (xb_jv_is(terminated))
		say_terminated(s, "Init:", terminated);
	else if (waiting.n && !xb_sv_is(waiting, "PodInitializing"))
		say(s, "Init:%.*s", XB_SV_ARG(waiting));
	else
		say(s, "Init:%zu/%zu", i, xb_jv_count(xb_jv_get(spec, "initContainers")));
	return true;
}

static bool sum_init_containers(struct summary *s, struct xb_jv spec, struct xb_jv statuses)
{
	bool initializing = false;
	size_t i = 0;

	for (struct xb_jit it = xb_jv_iter(statuses); !initializing && xb_jit_next(&it); i++) {
		count_restarts(&s->all, it.value);
		if (is_sidecar(spec, xb_jv_get(it.value, "name")))
			count_restarts(&s->sidecars, it.value);
		initializing = is_initializing(s, spec, it.value, i);
	}
	return initializing;
}

/* The first container with something to say has the word. Returns whether one of them runs and is ready. */
static bool sum_containers(struct summary *s, struct xb_jv statuses)
{
	bool running = false;

	for (size_t i = xb_jv_count(statuses); i-- > 0;) {
		struct xb_jv status = xb_jv_at(statuses, i), state = xb_jv_get(status, "state"),
					       terminated = xb_jv_get(state, "terminated");
		struct xb_sv waiting = xb_jv_text(xb_jv_path(state, "waiting", "reason"));

		count_restarts(&s->all, status);
		if (waiting.n) {
			say(s, "%.*s", XB_SV_ARG(waiting));
		} else if (xb_jv_is(terminated)) {
			say_terminated(s, "", terminated);
		} else if (xb_jv_true(xb_jv_get(status, "ready")) && xb_jv_is(xb_jv_get(state, "running"))) {
			running = true;
			s->ready++;
		}
	}
	return running;
}

static void sum_up(struct summary *s, struct xb_jv object)
{
	struct xb_jv spec = xb_jv_get(object, "spec"), status = xb_jv_get(object, "status"),
				      conditions = xb_jv_get(status, "conditions");
	struct xb_sv reason = xb_jv_text(xb_jv_get(status, "reason")), phase = xb_jv_text(xb_jv_get(status, "phase"));
	bool initializing;

	s->containers = xb_jv_count(xb_jv_get(spec, "containers")) + count_sidecars(spec);
	say(s, "%.*s", XB_SV_ARG(reason.n ? reason : phase));
	if (xb_jv_streq(condition_reason(conditions, "PodScheduled"), XB_SV("SchedulingGated")))
		say(s, "SchedulingGated");
	initializing = sum_init_containers(s, spec, xb_jv_get(status, "initContainerStatuses"));
	if (!initializing || has_status(conditions, "Initialized")) {
		s->all = s->sidecars;
		/* a pod with one container done and another running is running */
		if (sum_containers(s, xb_jv_get(status, "containerStatuses")) && !strcmp(s->reason, "Completed"))
			say(s, "%s", has_status(conditions, "Ready") ? "Running" : "NotReady");
	}
	if (xb_jv_is(xb_jv_path(object, "metadata", "deletionTimestamp"))) {
		if (xb_sv_is(reason, "NodeLost"))
			say(s, "Unknown");
		else if (!xb_sv_is(phase, "Failed") && !xb_sv_is(phase, "Succeeded"))
			say(s, "Terminating");
	}
}

static void cell_restarts(struct table_row *r, const struct restarts *restarts)
{
	char text[80];

	if (!restarts->n || restarts->last == INT64_MIN) {
		xb_jw_int(r->w, restarts->n);
		return;
	}
	snprintf(text, sizeof(text), "%lld (%s ago)", (long long)restarts->n, xb_time_human(r->now - restarts->last).s);
	xb_jw_str(r->w, text);
}

static void cell_gates(struct table_row *r, struct xb_jv object)
{
	struct xb_jv gates = xb_jv_path(object, "spec", "readinessGates"), conditions = xb_jv_path(object, "status",
					"conditions");
	size_t met = 0;
	char text[48];

	for (struct xb_jit it = xb_jv_iter(gates); xb_jit_next(&it);)
		for (struct xb_jit c = xb_jv_iter(conditions); xb_jit_next(&c);)
			met += xb_sv_eq(xb_jv_text(xb_jv_get(c.value, "type")), xb_jv_text(xb_jv_get(it.value,
					"conditionType"))) &&
			       xb_jv_streq(xb_jv_get(c.value, "status"), XB_SV("True"));
	snprintf(text, sizeof(text), "%zu/%zu", met, xb_jv_count(gates));
	xb_jw_str(r->w, xb_jv_count(gates) ? text : "<none>");
}

void pod_row(struct table_row *r, struct xb_jv object)
{
	struct summary s = { .all.last = INT64_MIN, .sidecars.last = INT64_MIN };
	struct xb_jv status = xb_jv_get(object, "status");
	char ready[48];

	sum_up(&s, object);
	snprintf(ready, sizeof(ready), "%zu/%zu", s.ready, s.containers);
	cell_name(r, object);
	xb_jw_str(r->w, ready);
	xb_jw_str(r->w, s.reason);
	cell_restarts(r, &s.all);
	cell_age(r, object);
	cell_text(r, xb_jv_get(xb_jv_at(xb_jv_get(status, "podIPs"), 0), "ip"), "<none>");
	cell_text(r, xb_jv_path(object, "spec", "nodeName"), "<none>");
	cell_text(r, xb_jv_get(status, "nominatedNodeName"), "<none>");
	cell_gates(r, object);
}
