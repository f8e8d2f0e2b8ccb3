/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "status_view.h"
#include "sync.h"
#include "xb/time.h"

#define LOST_CODE    137
#define LOST_REASON  "ContainerStatusUnknown"
#define LOST_ENDING  "The container could not be located when the pod was terminated"
#define LOST_RUNNING "The container could not be located when the pod was deleted.  The container used to be Running"

/* --- finding out --- */
static void judge_probes(const struct status_input *in, struct status_view *v)
{
	if (v->kind == SPEC_INIT) {
		v->started = v->state == VIEW_RUNNING;
		v->ready = v->state == VIEW_TERMINATED && !v->exit_code && v->at;
		return;
	}
	if (v->state != VIEW_RUNNING || v->kind == SPEC_EPHEMERAL)
		return;
	v->started = in->probe(in->arg, v->at->id, PROBE_STARTUP) == PROBE_SUCCESS;
	v->ready = v->started && in->probe(in->arg, v->at->id, PROBE_READINESS) == PROBE_SUCCESS;
}

/* The runtime has nothing of it: it was not made yet, or somebody removed it. */
static void view_absent(const struct status_input *in, struct status_view *v)
{
	struct xb_jv state = xb_jv_get(v->told, "state");

	v->lost_last = xb_jv_is(xb_jv_get(state, "running"));
	if (v->lost_last && !in->ending)
		v->restarts++;
	v->resting = v->lost_last || xb_jv_is(xb_jv_get(state, "terminated")) || xb_jv_is(xb_jv_path(v->told, "lastState", "terminated"));
	v->exit_code = LOST_CODE;
}

static void view_exited(const struct status_input *in, struct status_view *v, const struct observed_container *newest, bool given)
{
	v->exit_code = newest->exit_code;
	if (given && !in->ending && sync_restarts(in->pod, v->kind, newest)) {
		v->last = newest;
		v->resting = true;
		return;
	}
	v->state = VIEW_TERMINATED;
	v->at = newest;
	v->last = observed_before(in->observed, newest);
}

static void view_of(const struct status_input *in, struct status_view *v, bool has_inits)
{
	const struct observed_container *newest = observed_newest(in->observed, v->name);
	bool given = in->waiting(in->arg, v->name, &v->waiting);

	v->told = sync_told(in->old, v->name);
	if (xb_jv_i64(xb_jv_get(v->told, "restartCount"), &v->restarts))
		v->restarts = 0;
	if (!given)
		v->waiting.reason = has_inits && v->kind != SPEC_EPHEMERAL ? "PodInitializing" : "ContainerCreating";
	if (newest)
		v->restarts = newest->attempt;
	if (!newest) {
		view_absent(in, v);
	} else if (newest->state == OBSERVED_EXITED) {
		view_exited(in, v, newest, given);
	} else {
		v->last = observed_before(in->observed, newest);
		v->at = newest->state == OBSERVED_RUNNING ? newest : NULL;
		v->state = v->at ? VIEW_RUNNING : VIEW_WAITING;
		v->resting = !v->at && v->last;
		v->exit_code = v->resting ? v->last->exit_code : 0;
	}
	/* Nobody will know how a container ended that is not there when its pod ends: that is told as a failure. But where init
	 * containers have not passed there was none. */
	if (in->ending && v->state == VIEW_WAITING && v->kind == SPEC_MAIN && !observed_runs(in->observed) &&
	    (!has_inits || sync_initialized(in->pod, in->observed))) {
		v->state = VIEW_TERMINATED;
		v->lost = true;
		v->exit_code = LOST_CODE;
	}
	judge_probes(in, v);
}

int status_views_make(const struct status_input *in, struct status_views *ret)
{
	struct status_views views = {};
	bool has_inits = xb_jv_count(xb_jv_path(in->pod, "spec", "initContainers")) > 0;

	for (struct spec_it it = spec_containers(in->pod); spec_next(&it);) {
		struct status_view v = { .container = it.container, .kind = it.kind, .name = it.name };

		view_of(in, &v, has_inits);
		if (xb_vec_push(&views, v) < 0) {
			xb_vec_done(&views);
			return -ENOMEM;
		}
	}
	*ret = views;
	return 0;
}

/* --- writing --- */
static void write_time(struct xb_jw *w, const char *key, int64_t ns)
{
	if (ns > 0)
		xb_jw_kstr(w, key, xb_time_format(ns / 1000).s);
	else
		xb_jw_key(w, key), xb_jw_null(w);
}

static void write_id(struct xb_jw *w, const struct observed_container *c)
{
	char id[256];

	snprintf(id, sizeof(id), "containerd://%s", c->id);
	xb_jw_kstr(w, "containerID", id);
}

static void write_terminated(struct xb_jw *w, const struct observed_container *c)
{
	xb_jw_key(w, "terminated");
	xb_jw_object(w);
	xb_jw_kint(w, "exitCode", c->exit_code);
	if (c->reason && *c->reason)
		xb_jw_kstr(w, "reason", c->reason);
	if (c->message && *c->message)
		xb_jw_kstr(w, "message", c->message);
	write_time(w, "startedAt", c->started_ns);
	write_time(w, "finishedAt", c->finished_ns);
	write_id(w, c);
	xb_jw_end(w);
}

static void write_lost(struct xb_jw *w, const char *message)
{
	xb_jw_key(w, "terminated");
	xb_jw_object(w);
	xb_jw_kint(w, "exitCode", LOST_CODE);
	xb_jw_kstr(w, "reason", LOST_REASON);
	xb_jw_kstr(w, "message", message);
	write_time(w, "startedAt", 0);
	write_time(w, "finishedAt", 0);
	xb_jw_end(w);
}

static void write_waiting(struct xb_jw *w, const struct status_waiting *why)
{
	xb_jw_key(w, "waiting");
	xb_jw_object(w);
	xb_jw_kstr(w, "reason", why->reason);
	if (why->message)
		xb_jw_kstr(w, "message", why->message);
	xb_jw_end(w);
}

static void write_state(struct xb_jw *w, const struct status_view *v)
{
	xb_jw_key(w, "state");
	xb_jw_object(w);
	if (v->lost) {
		write_lost(w, LOST_ENDING);
	} else if (v->state == VIEW_TERMINATED) {
		write_terminated(w, v->at);
	} else if (v->state == VIEW_WAITING) {
		write_waiting(w, &v->waiting);
	} else {
		xb_jw_key(w, "running");
		xb_jw_object(w);
		write_time(w, "startedAt", v->at->started_ns);
		xb_jw_end(w);
	}
	xb_jw_end(w);
}

static void write_last_state(struct xb_jw *w, const struct status_view *v)
{
	struct xb_jv told = xb_jv_path(v->told, "state", "terminated");

	if (!xb_jv_is(told))
		told = xb_jv_path(v->told, "lastState", "terminated");
	xb_jw_key(w, "lastState");
	xb_jw_object(w);
	if (v->last && v->last->state == OBSERVED_EXITED) {
		write_terminated(w, v->last);
	} else if (v->lost_last) {
		write_lost(w, LOST_RUNNING);
	} else if (!v->at && !v->last && !v->lost && xb_jv_is(told)) {
		xb_jw_key(w, "terminated");
		xb_jw_raw(w, xb_jv_bytes(told));
	}
	xb_jw_end(w);
}

static void write_mounts(struct xb_jw *w, struct xb_jv container)
{
	struct xb_jv mounts = xb_jv_get(container, "volumeMounts");

	if (!xb_jv_count(mounts))
		return;
	xb_jw_key(w, "volumeMounts");
	xb_jw_array(w);
	for (struct xb_jit it = xb_jv_iter(mounts); xb_jit_next(&it);) {
		xb_jw_object(w);
		xb_jw_key(w, "name");
		xb_jw_raw(w, xb_jv_bytes(xb_jv_get(it.value, "name")));
		xb_jw_key(w, "mountPath");
		xb_jw_raw(w, xb_jv_bytes(xb_jv_get(it.value, "mountPath")));
		if (xb_jv_true(xb_jv_get(it.value, "readOnly"))) {
			xb_jw_kbool(w, "readOnly", true);
			xb_jw_kstr(w, "recursiveReadOnly", "Disabled");
		}
		xb_jw_end(w);
	}
	xb_jw_end(w);
}

static void write_resources(struct xb_jw *w, const struct status_view *v)
{
	struct xb_jv resources = xb_jv_get(v->container, "resources");
	struct xb_jv requests = xb_jv_get(resources, "requests");

	if (v->state != VIEW_RUNNING || !xb_jv_count(resources))
		return;
	if (xb_jv_count(requests)) {
		xb_jw_key(w, "allocatedResources");
		xb_jw_raw(w, xb_jv_bytes(requests));
	}
	xb_jw_key(w, "resources");
	xb_jw_raw(w, xb_jv_bytes(resources));
}

static void write_container(struct xb_jw *w, const struct status_view *v)
{
	const struct observed_container *of = v->at ? v->at : v->last;
	bool of_image = of && of->image && *of->image;

	xb_jw_object(w);
	xb_jw_ksv(w, "name", v->name);
	write_state(w, v);
	write_last_state(w, v);
	xb_jw_kbool(w, "ready", v->ready);
	xb_jw_kint(w, "restartCount", v->restarts);
	xb_jw_key(w, "image");
	if (of_image)
		xb_jw_str(w, of->image);
	else
		xb_jw_raw(w, xb_jv_is(xb_jv_get(v->container, "image")) ? xb_jv_bytes(xb_jv_get(v->container, "image")) : XB_SV("\"\""));
	xb_jw_kstr(w, "imageID", of && of->image_ref ? of->image_ref : "");
	if (of)
		write_id(w, of);
	if (v->kind != SPEC_EPHEMERAL)
		xb_jw_kbool(w, "started", v->started);
	write_resources(w, v);
	write_mounts(w, v->container);
	xb_jw_end(w);
}

/* Init containers in the order in which they run, the others by name. */
static int order(const void *a, const void *b)
{
	const struct status_view *x = a, *y = b;

	return xb_sv_cmp(x->name, y->name);
}

static size_t end_of_kind(const struct status_views *v, size_t i, enum spec_container_kind last)
{
	while (i < v->n && v->v[i].kind <= last)
		i++;
	return i;
}

static void write_list(struct xb_jw *w, const char *key, const struct status_view *v, size_t n)
{
	if (!n)
		return;
	xb_jw_key(w, key);
	xb_jw_array(w);
	for (size_t i = 0; i < n; i++)
		write_container(w, &v[i]);
	xb_jw_end(w);
}

void status_write_containers(const struct status_input *in, struct status_views *v, struct xb_jw *w)
{
	size_t main = end_of_kind(v, 0, SPEC_SIDECAR), ephemeral = end_of_kind(v, main, SPEC_MAIN);

	if (ephemeral > main)
		qsort(v->v + main, ephemeral - main, sizeof(*v->v), order);
	if (v->n > ephemeral)
		qsort(v->v + ephemeral, v->n - ephemeral, sizeof(*v->v), order);
	write_list(w, "initContainerStatuses", v->v, main);
	write_list(w, "containerStatuses", v->v + main, ephemeral - main);
	write_list(w, "ephemeralContainerStatuses", v->v + ephemeral, v->n - ephemeral);
}
