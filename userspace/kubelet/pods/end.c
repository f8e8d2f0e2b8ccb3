/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The end of a pod: main containers together, then sidecars from the last to the first, its status, its sandbox, its volumes and
 * cgroup; then its object at the API server; when that is gone, its containers, sandboxes and logs.
 */
#include "pod.h"
#include "logs.h"
#include "xb/log.h"

#define DEFAULT_GRACE_S 30
#define BUSY_MS         100
#define AGAIN_MS        1000
#define REMOVE_MAX_MS   60000

/* --- how and why --- */
int64_t pod_grace_s(const struct pod *p)
{
	struct xb_jv meta = xb_jv_get(p->document, "metadata");
	int64_t grace = DEFAULT_GRACE_S;

	if (!xb_jv_is(p->document)) {
		for (size_t i = 0; i < p->observed.n_containers; i++)
			if (p->observed.containers[i].grace && !xb_sv_i64(xb_sv(p->observed.containers[i].grace), &grace))
				break;
		return grace;
	}
	if (xb_jv_i64(xb_jv_get(meta, "deletionGracePeriodSeconds"), &grace))
		xb_jv_i64(xb_jv_path(p->document, "spec", "terminationGracePeriodSeconds"), &grace);
	return MAX(grace, xb_jv_is(xb_jv_get(meta, "deletionTimestamp")) ? 1 : 0);
}

void pod_end(struct pod *p, const char *reason, const char *message, int64_t grace_s)
{
	int64_t by_ms = pod_now_ms() + (grace_s < 0 ? pod_grace_s(p) : grace_s) * 1000;

	if (p->stage >= POD_ENDING)
		return;
	p->stage = POD_ENDING;
	p->end_by_ms = by_ms;
	for (size_t i = 0; i < p->observed.n_containers; i++)
		probes_leave(p->pods->parts.probes, p->observed.containers[i].id);
	if (reason) {
		p->end_reason = p->end_texts[0] = strdup(reason);
		p->end_texts[1] = message ? strdup(message) : NULL;
	}
	pod_poke(p);
}

/* Deleted again with less grace. */
static void hurry(struct pod *p)
{
	int64_t by_ms = pod_now_ms() + pod_grace_s(p) * 1000;

	if (!pod_is_deleted(p) || by_ms >= p->end_by_ms)
		return;
	p->end_by_ms = by_ms;
	pod_kill_sooner(p, by_ms);
}

/* --- containers --- */
static bool runs(const struct observed_container *c)
{
	return c->state == OBSERVED_RUNNING || c->state == OBSERVED_UNKNOWN;
}

static enum spec_container_kind kind_of(const struct pod *p, const struct observed_container *c)
{
	enum spec_container_kind kind = SPEC_MAIN;

	spec_find(p->document, xb_sv(c->name), &kind);
	return kind;
}

static void end_container(struct pod *p, const struct observed_container *c)
{
	if (!pod_is_being_killed(p, c->id))
		pod_kill(p, c, p->end_by_ms, NULL, false);
}

static bool end_main(struct pod *p)
{
	bool any = false;

	for (size_t i = 0; i < p->observed.n_containers; i++) {
		const struct observed_container *c = &p->observed.containers[i];

		if (!runs(c) || kind_of(p, c) == SPEC_SIDECAR)
			continue;
		any = true;
		end_container(p, c);
	}
	return any;
}

static bool end_last_sidecar(struct pod *p)
{
	const struct observed_container *last = NULL;

	for (struct spec_it it = spec_containers(p->document); spec_next(&it);) {
		const struct observed_container *c = it.kind == SPEC_SIDECAR ? observed_newest(&p->observed, it.name) : NULL;

		if (c && runs(c))
			last = c;
	}
	if (last)
		end_container(p, last);
	return last;
}

/* --- sandboxes --- */
static void on_sandbox_stopped(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	struct pod *p = arg;
	bool well = code == XB_GRPC_OK || code == XB_GRPC_NOT_FOUND;

	if (!well && code != XB_GRPC_UNAVAILABLE)
		pod_event(p, (struct xb_sv){}, POD_WARNING, "FailedKillPod", "error killing pod: failed to \"KillPodSandbox\" for \"%s\" with "
			  "KillPodSandboxError: \"rpc error: code = %s desc = %s\"", p->uid, xb_grpc_code_name(code), message);
	if (!well)
		p->sandbox_retry_ms = pod_now_ms() + AGAIN_MS;
	p->stop_failed |= !well;
	p->stops--;
	for (size_t i = 0; !p->stops && i < p->observed.n_sandboxes; i++) {
		struct observed_sandbox *s = &p->observed.sandboxes[i];

		s->stopped |= s->stopping && !p->stop_failed;
		s->stopping = false;
	}
	pod_step_ends(p);
}

static int stop_sandbox(struct pod *p, struct observed_sandbox *s)
{
	Runtime__V1__StopPodSandboxRequest q = RUNTIME__V1__STOP_POD_SANDBOX_REQUEST__INIT;
	int r;

	q.pod_sandbox_id = s->id;
	r = pods_call(p->pods, RPC_STOP_POD_SANDBOX, &q.base, 0, on_sandbox_stopped, p);
	if (r < 0)
		return r;
	s->stopping = true;
	p->stop_failed = false;
	p->stops++;
	p->steps++;
	return 0;
}

bool pod_stop_sandboxes(struct pod *p)
{
	bool all = true;

	for (size_t i = 0; i < p->observed.n_sandboxes; i++)
		all &= p->observed.sandboxes[i].stopped;
	if (all || p->steps)
		return all;
	if (pod_now_ms() < p->sandbox_retry_ms) {
		pod_wake_at(p, p->sandbox_retry_ms);
		return false;
	}
	for (size_t i = 0; i < p->observed.n_sandboxes; i++)
		if (!p->observed.sandboxes[i].stopped && stop_sandbox(p, &p->observed.sandboxes[i]) < 0)
			pod_wake_at(p, pod_now_ms() + AGAIN_MS);
	return false;
}

/* --- volumes and cgroup --- */
static void on_torn_down(void *arg, int error, const char *why)
{
	struct pod *p = arg;

	p->volumes_busy = false;
	p->torn_down = !error;
	if (error) {
		log_warning("pod %s/%s: volumes: %s", p->namespace_, p->name, why ? why : strerror(-error));
		p->volumes_retry_ms = pod_now_ms() + AGAIN_MS;
	}
	pod_poke(p);
}

static bool tear_down(struct pod *p)
{
	if (p->torn_down)
		return true;
	if (p->volumes_busy)
		return false;
	if (pod_now_ms() < p->volumes_retry_ms) {
		pod_wake_at(p, p->volumes_retry_ms);
		return false;
	}
	p->volumes_busy = true;
	if (volumes_teardown(p->pods->parts.volumes, p->uid, on_torn_down, p) < 0)
		on_torn_down(p, -ENOMEM, NULL);
	return false;
}

static bool remove_cgroup(struct pod *p)
{
	int r = p->pods->parts.cgroups ? cgroups_pod_remove(p->pods->parts.cgroups, p->uid) : 0;

	if (!r || r == -ENOENT)
		return true;
	pod_wake_at(p, pod_now_ms() + BUSY_MS);
	return false;
}

/* --- the stages --- */
void pod_end_step(struct pod *p)
{
	hurry(p);
	if (end_main(p) || end_last_sidecar(p) || p->steps || p->stale)
		return;
	if (!pod_stop_sandboxes(p) || !tear_down(p) || !remove_cgroup(p))
		return;
	p->stage = POD_ENDED;
	objects_forget(p->pods->parts.objects, p->uid);
	images_forget(p->pods->parts.images, p->uid);
	volumes_forget(p->pods->parts.volumes, p->uid);
	pod_poke(p);
}

/* Told once; of a pod that lives on not at all, since what it has left is in the way of nobody. */
static void removal_fails(struct pod *p, int code, const char *message)
{
	int64_t wait = AGAIN_MS << MIN(p->remove_failures, 6u);

	if (p->stage == POD_ENDED && !p->remove_failures && code != XB_GRPC_UNAVAILABLE)
		log_warning("pod %s/%s: cannot remove what is left of it: %s", p->namespace_, p->name, message);
	p->remove_failures++;
	p->remove_retry_ms = pod_now_ms() + MIN(wait, REMOVE_MAX_MS);
}

static void on_removed(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	struct pod *p = arg;

	if (code == XB_GRPC_OK || code == XB_GRPC_NOT_FOUND)
		p->remove_failures = 0;
	else
		removal_fails(p, code, message);
	pod_step_ends(p);
}

static void remove_container(struct pod *p, const struct observed_container *c)
{
	Runtime__V1__RemoveContainerRequest q = RUNTIME__V1__REMOVE_CONTAINER_REQUEST__INIT;

	q.container_id = c->id;
	if (!pods_call(p->pods, RPC_REMOVE_CONTAINER, &q.base, 0, on_removed, p))
		p->steps++;
}

static void remove_sandbox(struct pod *p, const struct observed_sandbox *s)
{
	Runtime__V1__RemovePodSandboxRequest q = RUNTIME__V1__REMOVE_POD_SANDBOX_REQUEST__INIT;

	q.pod_sandbox_id = s->id;
	if (!pods_call(p->pods, RPC_REMOVE_POD_SANDBOX, &q.base, 0, on_removed, p))
		p->steps++;
}

static bool may_remove(struct pod *p)
{
	if (pod_now_ms() >= p->remove_retry_ms)
		return true;
	pod_wake_at(p, p->remove_retry_ms);
	return false;
}

static void remove_all(struct pod *p)
{
	if (!may_remove(p))
		return;
	for (size_t i = 0; i < p->observed.n_containers; i++)
		remove_container(p, &p->observed.containers[i]);
	for (size_t i = 0; i < p->observed.n_sandboxes && !p->observed.n_containers; i++)
		remove_sandbox(p, &p->observed.sandboxes[i]);
	if (!p->steps)
		pod_wake_at(p, pod_now_ms() + AGAIN_MS);
}

void pod_ended_step(struct pod *p)
{
	if (!p->gone) {
		if (pod_is_deleted(p) && !p->is_static && pod_status_is_told(p))
			pod_delete_object(p);
		return;
	}
	if (p->observed.n_containers || p->observed.n_sandboxes) {
		remove_all(p);
		return;
	}
	logs_remove(p->pods->c.facts->pod_logs_dir, p->namespace_, p->name, p->uid);
	p->stage = POD_REMOVED;
}

/* --- dead containers of a pod that lives on --- */

/* One that never ran has left nothing to look at. */
static bool is_surplus(const struct observed *o, const struct observed_container *c)
{
	unsigned newer = 0;

	for (size_t i = 0; &o->containers[i] < c; i++)
		newer += !strcmp(o->containers[i].name, c->name);
	return !runs(c) && newer > (c->state == OBSERVED_CREATED ? 0 : 1);
}

static bool has_containers(const struct observed *o, const struct observed_sandbox *s)
{
	for (size_t i = 0; i < o->n_containers; i++)
		if (!strcmp(o->containers[i].sandbox_id, s->id))
			return true;
	return false;
}

void pod_prune(struct pod *p)
{
	const struct observed *o = &p->observed;

	if (p->steps)
		return;
	for (size_t i = 0; i < o->n_containers; i++)
		if (is_surplus(o, &o->containers[i]) && may_remove(p)) {
			if (o->containers[i].log_path)
				logs_remove_file(o->containers[i].log_path);
			remove_container(p, &o->containers[i]);
		}
	for (size_t i = 1; i < o->n_sandboxes && !p->steps; i++)
		if (!o->sandboxes[i].ready && o->sandboxes[i].stopped && !has_containers(o, &o->sandboxes[i]) && may_remove(p))
			remove_sandbox(p, &o->sandboxes[i]);
}
