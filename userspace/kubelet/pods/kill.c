/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The end of one container: its preStop hook and its stop, both within its grace. */
#include "pod.h"
#include "xb/log.h"

#define SLACK_MS   120000               /* what a runtime may take beyond the grace */
#define LEAST_S    2                    /* after a hook took all of it, as upstream's */
#define AGAIN_MS   1000

struct pod_kill {
	LIST_ENTRY(pod_kill) link;
	struct pod *pod;
	struct xb_json *document;       /* which the hook is of */
	char *id, *name;
	struct hook *hook;
	unsigned calls;                 /* of StopContainer under way */
	bool hooked;
	int64_t by_ms;
};

static void kill_free(struct pod_kill *k)
{
	xb_json_unref(k->document);
	free(k->id);
	free(k->name);
	free(k);
}

static void kill_ends(struct pod_kill *k)
{
	struct pod *p = k->pod;

	LIST_REMOVE(k, link);
	kill_free(k);
	pod_step_ends(p);
}

static void on_stopped(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	struct pod_kill *k = arg;

	if (--k->calls)
		return;
	if (code != XB_GRPC_OK && code != XB_GRPC_NOT_FOUND) {
		if (code != XB_GRPC_UNAVAILABLE)
			log_warning("pod %s/%s: cannot stop container %s (%s): %s", k->pod->namespace_, k->pod->name, k->name, k->id, message);
		pod_wake_at(k->pod, pod_now_ms() + AGAIN_MS);
	}
	kill_ends(k);
}

static void stop(struct pod_kill *k)
{
	Runtime__V1__StopContainerRequest q = RUNTIME__V1__STOP_CONTAINER_REQUEST__INIT;
	int64_t left_s = (k->by_ms - pod_now_ms() + 999) / 1000;

	q.container_id = k->id;
	q.timeout = MAX(left_s, k->hooked ? LEAST_S : 0);
	if (!pods_call(k->pod->pods, RPC_STOP_CONTAINER, &q.base, (unsigned)MIN(q.timeout * 1000 + SLACK_MS, INT32_MAX), on_stopped, k)) {
		k->calls++;
	} else if (!k->calls) {
		pod_wake_at(k->pod, pod_now_ms() + AGAIN_MS);
		kill_ends(k);
	}
}

static void on_pre_stop(void *arg, int error, const char *why)
{
	struct pod_kill *k = arg;

	k->hook = NULL;
	k->hooked = true;
	if (error) {
		log_debug("pod %s/%s: preStop hook of container %s: %s", k->pod->namespace_, k->pod->name, k->name, why ? why : strerror(-error));
		pod_event(k->pod, xb_sv(k->name), POD_WARNING, "FailedPreStopHook", "PreStopHook failed");
	}
	stop(k);
}

static void begin(struct pod_kill *k, bool running)
{
	struct xb_jv container = spec_find(k->document ? xb_json_root(k->document) : (struct xb_jv){}, xb_sv(k->name), NULL);
	struct xb_jv hook = xb_jv_path(container, "lifecycle", "preStop");
	int64_t left_ms = k->by_ms - pod_now_ms();
	const char *ips[3];

	pod_ips(k->pod, ips);
	if (!running || !xb_jv_is(hook) || left_ms <= 0)
		stop(k);
	else if (hook_run(k->pod->pods->parts.probes, container, hook, k->id, ips[0] ? ips[0] : "", (unsigned)MIN(left_ms, INT32_MAX),
			  on_pre_stop, k, &k->hook) < 0)
		on_pre_stop(k, -ENOMEM, NULL);
}

void pod_kill(struct pod *p, const struct observed_container *c, int64_t by_ms, const char *message, bool replaced)
{
	struct pod_kill *k = calloc(1, sizeof(*k));
	struct observed_container *known = (struct observed_container *)observed_by_id(&p->observed, c->id);
	bool told = known && known->told;

	if (!k || !(k->id = strdup(c->id)) || !(k->name = strdup(c->name))) {
		if (k)
			kill_free(k);
		pod_wake_at(p, pod_now_ms() + AGAIN_MS);
		return;
	}
	k->pod = p;
	k->by_ms = by_ms;
	k->document = p->document.doc ? xb_json_ref(p->document.doc) : NULL;
	LIST_INSERT_HEAD(&p->kills, k, link);
	p->steps++;
	if (known) {
		known->told = true;
		known->replaced |= replaced;
	}
	if (!told && message)
		pod_event(p, xb_sv(k->name), POD_NORMAL, "Killing", "%s", message);
	else if (!told)
		pod_event(p, xb_sv(k->name), POD_NORMAL, "Killing", "Stopping container %s", k->name);
	begin(k, c->state == OBSERVED_RUNNING && !told);
}

/* A second stop with less time goes beside the first: the runtime then kills at the sooner of the two. */
void pod_kill_sooner(struct pod *p, int64_t by_ms)
{
	struct pod_kill *k, *next;

	for (k = LIST_FIRST(&p->kills); k; k = next) {
		next = LIST_NEXT(k, link);
		if (k->by_ms <= by_ms)
			continue;
		k->by_ms = by_ms;
		if (k->hook)
			hook_cancel(TAKE_PTR(k->hook));
		stop(k);
	}
}

bool pod_is_being_killed(const struct pod *p, const char *container_id)
{
	const struct pod_kill *k;

	LIST_FOREACH(k, &p->kills, link)
		if (!strcmp(k->id, container_id))
			return true;
	return false;
}

void pod_kills_drop(struct pod *p)
{
	struct pod_kill *k;

	while ((k = LIST_FIRST(&p->kills))) {
		LIST_REMOVE(k, link);
		hook_cancel(k->hook);
		kill_free(k);
	}
}
