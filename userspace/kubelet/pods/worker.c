/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A pod's turn: from its stage, and from what is wanted and seen, to the next steps. */
#include "pod.h"
#include "xb/log.h"
#include "xb/time.h"

#define VOLUMES_MIN_MS 500              /* upstream's exponential back-off of mounts: 500 ms to 2 min 2 s */
#define VOLUMES_MAX_MS 122000
#define NETWORK_MS     1000             /* what upstream waits for the runtime's network */
#define DEADLINE       "Pod was active on the node longer than the specified deadline"

/* --- volumes --- */
static void on_volumes(void *arg, int error, const char *why)
{
	struct pod *p = arg;
	int64_t wait = VOLUMES_MIN_MS << MIN(p->volumes_failures, 8u);

	p->volumes_busy = false;
	p->volumes_failed = error && error != -EAGAIN && error != -ECANCELED;
	if (p->volumes_failed) {
		p->volumes_failures++;
		p->volumes_retry_ms = pod_now_ms() + MIN(wait, VOLUMES_MAX_MS);
		pod_wake_at(p, p->volumes_retry_ms);
		pod_event(p, (struct xb_sv){}, POD_WARNING, "FailedMount", "%s", why ? why : strerror(-error));
	} else if (!error) {
		p->volumes_failures = 0;
	}
	pod_poke(p);
}

void pod_volumes_keep(struct pod *p)
{
	bool due = p->volumes_stale || (p->volumes_failed && pod_now_ms() >= p->volumes_retry_ms);
	const char *ips[3];

	if (p->volumes_busy || !due)
		return;
	pod_ips(p, ips);
	p->volumes_stale = p->volumes_failed = false;
	p->volumes_busy = true;
	if (volumes_setup(p->pods->parts.volumes, p->document, ips[0] ? ips : NULL, on_volumes, p) < 0)
		on_volumes(p, -ENOMEM, "out of memory");
}

/* --- admission --- */
struct totals {
	const struct pod *but;
	struct admit_input *in;
	XB_VEC(struct xb_jv) active;
	bool no_memory;
};

/* As the scheduler counts: not what was refused, nor what is ending here but no more an object. */
static bool is_counted(const struct pod *p)
{
	return !p->gone && !p->refused && (p->stage == POD_ACTIVE || p->stage == POD_ENDING);
}

static void add_up(struct totals *t, const struct pod *p)
{
	if (p == t->but || !is_counted(p) || !xb_jv_is(p->document))
		return;
	t->in->used.cpu += p->wants.cpu;
	t->in->used.memory += p->wants.memory;
	t->in->used.ephemeral += p->wants.ephemeral;
	t->in->pods++;
	t->no_memory |= xb_vec_push(&t->active, p->document) < 0;
}

static int admit(struct pod *p, struct admit_refusal *ret)
{
	struct node *node = p->pods->parts.node;
	struct admit_input in = { .facts = p->pods->c.facts, .pod = p->document, .now_us = xb_time_now() };
	struct totals t = { .but = p, .in = &in };
	int r;

	if (node) {
		in.node = kubelet_node_object(node);
		in.memory_pressure = node_under_memory_pressure(node);
		in.disk_pressure = node_under_disk_or_pid_pressure(node);
	}
	for (struct xb_map_it it = {}; xb_map_next(p->pods->by_uid, &it);)
		add_up(&t, it.value);
	in.active = t.active.v;
	in.n_active = t.active.n;
	r = t.no_memory ? -ENOMEM : admit_pod(&in, ret);
	xb_vec_done(&t.active);
	return r;
}

static void refuse(struct pod *p, struct admit_refusal *refusal)
{
	_cleanup_free_ char *message = NULL;

	pod_event(p, (struct xb_sv){}, POD_WARNING, refusal->reason, "%s", refusal->message);
	if (asprintf(&message, "Pod was rejected: %s", refusal->message) < 0)
		message = NULL;
	free(refusal->message);
	p->refused = true;
	pod_end(p, refusal->reason, message, 0);
}

/* Of a static pod that was changed the old one must be gone before the new one comes: they have one name. */
static bool must_wait(const struct pod *p)
{
	for (struct xb_map_it it = {}; p->is_static && xb_map_next(p->pods->by_uid, &it);) {
		const struct pod *other = it.value;

		if (other != p && other->is_static && other->stage != POD_REMOVED && !strcmp(other->name, p->name) &&
		    !strcmp(other->namespace_, p->namespace_))
			return true;
	}
	return false;
}

static bool was_over(const struct pod *p)
{
	struct xb_jv phase = xb_jv_get(pod_server_status(p), "phase");

	return !p->is_static && (xb_jv_streq(phase, XB_SV("Succeeded")) || xb_jv_streq(phase, XB_SV("Failed")));
}

/* What runs already was admitted by an earlier kubelet, and what is over needs no room. */
static void step_new(struct pod *p)
{
	struct admit_refusal refusal = {};
	int r = 0;

	if (!xb_jv_is(p->document)) {
		if (p->gone)
			pod_end(p, NULL, NULL, -1);
		return;
	}
	if (must_wait(p))
		return;
	p->wants = admit_wants(p->document, xb_time_now());
	if (was_over(p)) {
		p->frozen = true;
		pod_end(p, NULL, NULL, -1);
		return;
	}
	if (pod_is_deleted(p)) {
		pod_end(p, NULL, NULL, -1);
		return;
	}
	if (!p->observed.n_containers && !p->observed.n_sandboxes)
		r = admit(p, &refusal);
	if (r == -EPERM) {
		refuse(p, &refusal);
	} else if (r < 0) {
		pod_wake_at(p, pod_now_ms() + 1000);
	} else {
		p->stage = POD_ACTIVE;
		p->volumes_stale = true;
		p->pods->metrics.started_pods++;
		pod_poke(p);
	}
}

/* --- running --- */
static enum probe_result probe(void *arg, const char *id, enum probe_kind kind)
{
	return probes_result(arg, id, kind);
}

/* A limit to how long it may be active, from when it was first seen here. */
static bool is_out_of_time(struct pod *p)
{
	struct xb_jv since = xb_jv_get(p->status ? xb_json_root(p->status) : pod_server_status(p), "startTime");
	int64_t seconds, began_us, left_ms;

	if (xb_jv_i64(xb_jv_path(p->document, "spec", "activeDeadlineSeconds"), &seconds) || xb_time_parse(xb_jv_text(since), &began_us))
		return false;
	left_ms = (began_us + seconds * 1000000 - xb_time_now()) / 1000;
	if (left_ms > 0)
		pod_wake_at(p, pod_now_ms() + left_ms);
	return left_ms <= 0;
}

static void kill_planned(struct pod *p, const struct sync_kill *k)
{
	static const char *const probes[] = { [SYNC_LIVENESS] = "livenessProbe", [SYNC_STARTUP] = "startupProbe" };
	int64_t grace = pod_grace_s(p);

	if (k->cause == SYNC_LIVENESS || k->cause == SYNC_STARTUP)
		xb_jv_i64(xb_jv_path(k->container, probes[k->cause], "terminationGracePeriodSeconds"), &grace);
	pod_kill(p, k->observed, pod_now_ms() + grace * 1000, k->message, k->replaced);
}

static void tell_backoff(struct pod *p, struct pod_slot *slot, const struct sync_start *s)
{
	_cleanup_buf_ struct xb_buf text = {}, name = {};
	int64_t left_ms = s->not_before_ns / 1000000 - xb_time_now() / 1000;

	pod_event_name(p, &name);
	xb_buf_addf(&text, "back-off %s restarting failed container=%.*s pod=%s", xb_duration_format(s->delay_s * XB_SECOND).s,
		    XB_SV_ARG(s->name), name.p);
	pod_slot_say(slot, "CrashLoopBackOff", text.p, pod_now_ms() + MAX(left_ms, 1));
	if (slot->told_attempt != s->attempt + 1)
		pod_event(p, s->name, POD_WARNING, "BackOff", "Back-off restarting failed container %.*s in pod %s", XB_SV_ARG(s->name), name.p);
	slot->told_attempt = s->attempt + 1;
}

/* The first container whose time has come; the others wait until it runs, as upstream's. */
static void start_next(struct pod *p, const struct sync_plan *plan)
{
	for (size_t i = 0; i < plan->n_starts && !p->steps; i++) {
		const struct sync_start *s = &plan->starts[i];
		struct pod_slot *slot = pod_slot(p, s->name);

		if (!slot)
			continue;
		if (s->not_before_ns > xb_time_now() * 1000)
			tell_backoff(p, slot, s);
		if (slot->retry_ms > pod_now_ms())
			pod_wake_at(p, slot->retry_ms);
		else if (volumes_ready(p->pods->parts.volumes, p->uid))
			pod_start_container(p, s);
	}
}

/* Nothing of an older sandbox may run beside the new one, nor may its addresses stay taken. */
static bool is_clear_for_sandbox(struct pod *p)
{
	bool clear = true;

	for (size_t i = 0; i < p->observed.n_containers; i++) {
		const struct observed_container *c = &p->observed.containers[i];

		if (c->state != OBSERVED_RUNNING && c->state != OBSERVED_UNKNOWN)
			continue;
		clear = false;
		if (!pod_is_being_killed(p, c->id))
			pod_kill(p, c, pod_now_ms() + pod_grace_s(p) * 1000, NULL, true);
	}
	return clear && pod_stop_sandboxes(p);
}

/* The runtime would only fail; and what it has made by then it can take down no better. */
static bool may_have_network(struct pod *p)
{
	const char *fault = p->pods->parts.node ? node_network_fault(p->pods->parts.node) : NULL;

	if (!fault || xb_jv_true(xb_jv_path(p->document, "spec", "hostNetwork")))
		return true;
	pod_event(p, (struct xb_sv){}, POD_WARNING, "NetworkNotReady", "network is not ready: %s", fault);
	p->sandbox_retry_ms = pod_now_ms() + NETWORK_MS;
	pod_wake_at(p, p->sandbox_retry_ms);
	return false;
}

static void make_sandbox(struct pod *p, const struct sync_plan *plan)
{
	if (pod_now_ms() < p->sandbox_retry_ms) {
		pod_wake_at(p, p->sandbox_retry_ms);
		return;
	}
	if (!volumes_ready(p->pods->parts.volumes, p->uid) || !is_clear_for_sandbox(p))
		return;
	if (!may_have_network(p))
		return;
	if (plan->sandbox_changed && !p->sandbox_failures)
		pod_event(p, (struct xb_sv){}, POD_NORMAL, "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
	pod_start_sandbox(p, plan->sandbox_attempt);
}

static void follow_plan(struct pod *p, const struct sync_plan *plan)
{
	if (plan->kill_pod) {
		pod_end(p, NULL, NULL, -1);
		return;
	}
	for (size_t i = 0; i < plan->n_kills; i++)
		kill_planned(p, &plan->kills[i]);
	if (plan->create_sandbox)
		make_sandbox(p, plan);
	else if (!plan->n_kills)
		start_next(p, plan);
}

static void step_active(struct pod *p)
{
	_cleanup_plan_ struct sync_plan plan = {};
	struct sync_input in = {
		.pod = p->document, .status = p->status ? xb_json_root(p->status) : pod_server_status(p), .observed = &p->observed,
		.began_ns = p->pods->began_us * 1000, .probe = probe, .arg = p->pods->parts.probes,
	};
	uint64_t began = uv_hrtime();

	/* somebody else may have said that it is over (its node was thought lost) */
	p->frozen = was_over(p);
	if (pod_is_deleted(p) || p->frozen) {
		pod_end(p, NULL, NULL, -1);
		return;
	}
	if (is_out_of_time(p)) {
		pod_event(p, (struct xb_sv){}, POD_NORMAL, "DeadlineExceeded", DEADLINE);
		pod_end(p, "DeadlineExceeded", DEADLINE, -1);
		return;
	}
	pod_volumes_keep(p);
	if (sync_plan(&in, &plan) < 0)
		pod_wake_at(p, pod_now_ms() + 1000);
	else
		follow_plan(p, &plan);
	pod_prune(p);
	pods_metrics_observe(&p->pods->metrics.pod_worker, (double)(uv_hrtime() - began) / 1e9);
}

void pod_turn(struct pod *p)
{
	if (p->stale && !p->looking && p->stage != POD_REMOVED)
		pod_look(p);
	if (p->looking)
		return;
	pod_probes_keep(p);
	pod_status_update(p);
	/* A pod that must go does not wait for a pull or a hook of its start. */
	if (p->start && (pod_is_deleted(p) || p->stage == POD_ENDING))
		pod_start_cancel(p);
	if (p->steps && p->stage != POD_ENDING)
		return;
	switch (p->stage) {
	case POD_NEW:
		step_new(p);
		break;
	case POD_ACTIVE:
		step_active(p);
		break;
	case POD_ENDING:
		pod_end_step(p);
		break;
	case POD_ENDED:
		pod_ended_step(p);
		break;
	case POD_REMOVED:
		break;
	}
}
