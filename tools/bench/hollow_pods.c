/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A pod's part. What is next for a pod is one step; each answer, and each change that the watch shows, decides on the
 * next. A record keeps little, as its object is in the informer's copy.
 */
#include "command.h"
#include "hollow.h"
#include "xb/time.h"

enum { RETRY_MS = 1000 };
enum { SIGTERM_CODE = 143 };    /* how a container ends whose pod is deleted */
enum step {
	POD_START, POD_END, POD_STOP, POD_REMOVE,
	POD_TELL,               /* once more that it runs: somebody else says that it is not ready */
	POD_REST,               /* nothing, until it is to be deleted */
};

struct pod {
	struct job job;
	struct node *node;
	uint64_t seen_at;               /* ns */
	uint32_t namespace_n;
	int16_t slot;                   /* -1: none */
	uint16_t restarts;
	uint8_t step;
	bool running, gone;             /* gone: waits for its last answer */
	char key[];                     /* "namespace/name" */
};
static struct hollow *hollow; /* of the process */

/* --- slots --- */
static void take_slot(struct pod *p, int slot)
{
	p->node->slots[slot / 64] |= 1ull << slot % 64;
	p->slot = slot;
}

static void find_slot(struct pod *p)
{
	for (int slot = 0; slot < hollow->o->pods_per_node && p->slot < 0; slot++)
		if (!(p->node->slots[slot / 64] & 1ull << slot % 64))
			take_slot(p, slot);
}

static void leave_slot(struct pod *p)
{
	if (p->slot >= 0)
		p->node->slots[p->slot / 64] &= ~(1ull << p->slot % 64);
	p->slot = -1;
}

static void set_running(struct pod *p, bool running)
{
	hollow->running += running - p->running;
	p->running = running;
}

/* --- the object --- */
static const char *name_of(const struct pod *p)
{
	return p->key + p->namespace_n + 1;
}

static struct xb_jv object_of(const struct pod *p)
{
	char namespace_[256];

	snprintf(namespace_, sizeof(namespace_), "%.*s", (int)p->namespace_n, p->key);
	return xb_informer_get(hollow->pod_copy, namespace_, name_of(p));
}

static bool policy_is(struct xb_jv object, const char *policy)
{
	return xb_sv_is(xb_jv_text(xb_jv_path(object, "spec", "restartPolicy")), policy);
}

static int exit_code(struct xb_jv object)
{
	return hollow_annotation(object, "xebec-bench/exit-code", 0) & 255;
}

static bool restarts(struct xb_jv object)
{
	return policy_is(object, "OnFailure") && exit_code(object);
}

static bool is_deleted(struct xb_jv object)
{
	return xb_jv_is(xb_jv_path(object, "metadata", "deletionTimestamp"));
}

/* --- steps --- */
static void do_after(struct pod *p, enum step step, int64_t ms)
{
	p->step = step;
	writer_add_after(&hollow->writer, &p->job, MAX(ms, (int64_t)0));
}

/* since: microseconds of wall clock */
static void run_on(struct pod *p, struct xb_jv object, int64_t since)
{
	int64_t seconds = policy_is(object, "Always") ? 0 : hollow_annotation(object, "xebec-bench/run-seconds", hollow->o->run_seconds);

	p->step = POD_REST;
	if (seconds > 0)
		do_after(p, POD_END, seconds * 1000 - (xb_time_now() - since) / 1000);
}

static void pod_write(struct job *j, struct writer_request *q)
{
	struct pod *p = container_of(j, struct pod, job);
	struct hollow_pod what = { object_of(p), &p->node->range, node_number(hollow, p->node), p->slot, p->restarts };

	xb_buf_addf(&q->path, "/api/v1/namespaces/%.*s/pods/%s", (int)p->namespace_n, p->key, name_of(p));
	if (p->step == POD_REMOVE) {
		q->method = "DELETE";
		q->content_type = "application/json";
		hollow_write_delete(what.object, &q->body);
		return;
	}
	q->method = "PATCH";
	q->content_type = "application/strategic-merge-patch+json";
	xb_buf_adds(&q->path, "/status");
	if (p->step == POD_START)
		find_slot(p);
	what.slot = p->slot;
	what.restarts += p->step == POD_END && restarts(what.object);
	if (p->step == POD_STOP)
		hollow_write_ended(&what, SIGTERM_CODE, xb_time_now(), &q->body);
	else if (p->slot < 0)
		hollow_write_rejected(what.object, hollow->o->pods_per_node, xb_time_now(), &q->body);
	else if (p->step == POD_START || p->step == POD_TELL || restarts(what.object))
		hollow_write_running(&what, xb_time_now(), &q->body);
	else
		hollow_write_ended(&what, exit_code(what.object), xb_time_now(), &q->body);
}

static int64_t start_of(struct xb_jv object)
{
	int64_t since = xb_time_now();

	xb_time_parse(xb_jv_text(xb_jv_path(object, "status", "startTime")), &since);
	return since;
}

static void finish(struct pod *p)
{
	set_running(p, false);
	leave_slot(p);
}

static void written(struct pod *p, struct xb_jv object)
{
	if (p->step == POD_REMOVE) {
		hollow->removed++;
	} else if (p->step == POD_STOP) {
		finish(p);
		do_after(p, POD_REMOVE, 0);
	} else if (p->step == POD_TELL) {
		run_on(p, object, start_of(object));
	} else if (p->slot < 0) {
		hollow->rejected++;
		p->step = POD_REST;
	} else if (p->step == POD_START || restarts(object)) {
		bool again = p->step == POD_END;

		hollow->started += !again;
		hollow->restarted += again;
		p->restarts += again;
		set_running(p, true);
		if (!again)
			latency_add(&hollow->start, now_ns() - p->seen_at);
		run_on(p, object, xb_time_now());
	} else {
		hollow->ended++;
		p->step = POD_REST;
		finish(p);
	}
}

static struct pod *pod_free(struct pod *p)
{
	finish(p);
	writer_drop(&hollow->writer, &p->job);
	free(p);
	return NULL;
}

/* A pod that ran has a final phase before it goes, as finalizers' owners wait for one. */
static void remove_if_deleted(struct pod *p, struct xb_jv object)
{
	if (is_deleted(object) && p->job.place != JOB_UNDER_WAY && p->step != POD_STOP && p->step != POD_REMOVE)
		do_after(p, p->running ? POD_STOP : POD_REMOVE, hollow->o->stop_delay);
}

static bool is_unready(struct xb_jv object)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(object, "status", "conditions")); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "type"), XB_SV("Ready")))
			return xb_jv_streq(xb_jv_get(it.value, "status"), XB_SV("False"));
	return false;
}

/* Its node was silent, and is not any more. What is under way tells all of its status anyway. */
static void tell_if_unready(struct pod *p, struct xb_jv object)
{
	if (p->running && !is_deleted(object) && p->job.place != JOB_UNDER_WAY && is_unready(object))
		do_after(p, POD_TELL, 0);
}

/* 404 and 409: it is not there any more, as the watch will show. */
static bool pod_answered(struct job *j, int code, struct xb_sv body)
{
	struct pod *p = container_of(j, struct pod, job);
	bool past = code == 404 || code == 409, good = code / 100 == 2;

	if (p->gone) {
		pod_free(p);
		return true;
	}
	if (good)
		written(p, object_of(p));
	else if (!past)
		writer_add_after(&hollow->writer, j, RETRY_MS);
	remove_if_deleted(p, object_of(p));
	return good || past || !code;
}

/* --- the watch --- */
static void forget(struct pod *p)
{
	xb_map_del(hollow->pods, xb_sv(p->key));
	p->gone = true;
	if (p->job.place != JOB_UNDER_WAY)
		pod_free(p);
}

/* As it is found: new, or left by an earlier run of ours. */
static void begin(struct pod *p, struct xb_jv object)
{
	struct xb_jv status = xb_jv_get(object, "status");
	struct xb_sv phase = xb_jv_text(xb_jv_get(status, "phase"));
	int slot;

	if (xb_sv_is(phase, "Running")) {
		slot = hollow_range_slot(&p->node->range, xb_jv_text(xb_jv_get(status, "podIP")));
		if (slot >= 0)
			take_slot(p, slot);
		else
			find_slot(p);
		set_running(p, true);
		run_on(p, object, start_of(object));
	} else if (xb_sv_is(phase, "Succeeded") || xb_sv_is(phase, "Failed")) {
		p->step = POD_REST;
	} else if (!is_deleted(object)) {
		do_after(p, POD_START, hollow->o->start_delay);
	}
}

static struct pod *pod_new(struct node *node, struct xb_sv namespace_, struct xb_sv key)
{
	static const struct job_ops ops = { pod_write, pod_answered, false };
	struct pod *p = malloc(sizeof(*p) + key.n + 1);

	if (!p)
		return NULL;
	*p = (struct pod){ .job.ops = &ops, .node = node, .seen_at = now_ns(), .namespace_n = namespace_.n, .slot = -1 };
	memcpy(p->key, key.p, key.n);
	p->key[key.n] = 0;
	if (!xb_map_set(hollow->pods, (struct xb_sv){ p->key, key.n }, p, NULL))
		return p;
	free(p);
	return NULL;
}

static bool same_pod(struct xb_jv old, struct xb_jv object)
{
	return xb_sv_eq(xb_jv_text(xb_jv_path(old, "metadata", "uid")), xb_jv_text(xb_jv_path(object, "metadata", "uid")));
}

static void on_changed(void *arg, struct xb_jv old, struct xb_jv object)
{
	struct xb_jv any = xb_jv_is(object) ? object : old, meta = xb_jv_get(any, "metadata");
	struct xb_sv namespace_ = xb_jv_text(xb_jv_get(meta, "namespace"));
	_cleanup_buf_ struct xb_buf key = {};
	unsigned node;
	struct pod *p;

	if (!names_find(hollow_names(hollow->o), xb_jv_text(xb_jv_path(any, "spec", "nodeName")), &node))
		return;
	xb_buf_addf(&key, "%.*s/%.*s", XB_SV_ARG(namespace_), XB_SV_ARG(xb_jv_text(xb_jv_get(meta, "name"))));
	p = key.err ? NULL : xb_map_get(hollow->pods, xb_buf_sv(&key));
	if (p && (!xb_jv_is(object) || !same_pod(old, object))) {
		forget(p);
		p = NULL;
	}
	if (!p && xb_jv_is(object)) {
		p = key.err ? NULL : pod_new(&hollow->nodes[node], namespace_, xb_buf_sv(&key));
		if (p)
			begin(p, object);
		else
			hollow->failed = true;
	}
	if (p) {
		tell_if_unready(p, object);
		remove_if_deleted(p, object);
	}
}

int hollow_pods_start(struct hollow *h)
{
	/* what a status is not made of */
	static const char *const leave_out[] = {
		"metadata.managedFields", "status.reason", "status.message", "metadata.labels", "metadata.ownerReferences", "status.conditions.reason",
		"status.conditions.message", "status.conditions.lastProbeTime", "status.conditions.lastTransitionTime",
		"status.containerStatuses", "status.initContainerStatuses", "status.hostIPs", "status.podIPs", "spec.tolerations",
		"spec.affinity", "spec.topologySpreadConstraints", "spec.nodeSelector", "spec.volumes", "spec.securityContext",
		"spec.imagePullSecrets", "spec.dnsPolicy", "spec.schedulerName", "spec.serviceAccount", "spec.serviceAccountName",
		"spec.containers.volumeMounts", "spec.containers.env", "spec.containers.envFrom", "spec.containers.resources",
		"spec.containers.command", "spec.containers.args", "spec.containers.ports", "spec.containers.securityContext",
		"spec.containers.livenessProbe", "spec.containers.readinessProbe", "spec.containers.startupProbe",
		"spec.containers.lifecycle", "spec.containers.terminationMessagePath", "spec.containers.terminationMessagePolicy",
		"spec.containers.imagePullPolicy", "spec.initContainers.volumeMounts", "spec.initContainers.env",
		"spec.initContainers.envFrom", "spec.initContainers.resources", "spec.initContainers.command",
		"spec.initContainers.args", "spec.initContainers.ports", "spec.initContainers.securityContext",
		"spec.initContainers.livenessProbe", "spec.initContainers.readinessProbe", "spec.initContainers.startupProbe",
		"spec.initContainers.lifecycle", "spec.initContainers.terminationMessagePath",
		"spec.initContainers.terminationMessagePolicy", "spec.initContainers.imagePullPolicy", NULL
	};
	struct xb_informer_config c = {
		.rest = h->rest, .path = "/api/v1/pods", .field_selector = "spec.nodeName!=", .leave_out = leave_out,
		.changed = on_changed, .trouble = hollow_trouble,
	};

	hollow = h;
	h->pods = xb_map_new(XB_MAP_BORROW);
	return h->pods ? xb_informer_new(&c, &h->pod_copy) : -ENOMEM;
}

void hollow_pods_free(struct hollow *h)
{
	if (h->pods)
		for (struct xb_map_it it = {}; xb_map_next(h->pods, &it);)
			pod_free(it.value);
	h->pods = xb_map_free(h->pods);
}
