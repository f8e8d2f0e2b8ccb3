/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "status_view.h"
#include "xb/time.h"

/* --- the phase --- */
bool status_phase_over(enum status_phase p)
{
	return p >= STATUS_SUCCEEDED;
}

struct counts {
	unsigned pending_inits, pending_sidecars, failed_inits;
	unsigned waiting, running, stopped, succeeded;
};

static void count_init(const struct status_view *v, struct counts *c)
{
	bool ended = v->resting || v->state == VIEW_TERMINATED;

	if (v->kind == SPEC_SIDECAR)
		c->pending_sidecars += !v->started;
	else if (ended && v->exit_code)
		c->failed_inits++;
	else
		c->pending_inits += v->state != VIEW_TERMINATED;
}

static void count_main(const struct status_view *v, struct counts *c)
{
	if (v->state == VIEW_RUNNING) {
		c->running++;
	} else if (v->state == VIEW_TERMINATED) {
		c->stopped++;
		c->succeeded += !v->exit_code;
	} else if (v->resting) {
		c->stopped++;
	} else {
		c->waiting++;
	}
}

enum status_phase status_phase_of(const struct status_input *in, const struct status_views *views)
{
	struct xb_sv policy = xb_jv_text(xb_jv_path(in->pod, "spec", "restartPolicy"));
	struct counts c = {};

	for (size_t i = 0; i < views->n; i++)
		if (views->v[i].kind <= SPEC_SIDECAR)
			count_init(&views->v[i], &c);
		else if (views->v[i].kind == SPEC_MAIN)
			count_main(&views->v[i], &c);
	if (in->reason || (c.failed_inits && xb_sv_is(policy, "Never")))
		return STATUS_FAILED;
	if (c.pending_inits || c.waiting || (c.pending_sidecars && !c.running && !c.stopped))
		return in->ending ? STATUS_FAILED : STATUS_PENDING;
	if (c.running)
		return STATUS_RUNNING;
	if (!in->ending && (!policy.n || xb_sv_is(policy, "Always")))
		return STATUS_RUNNING;
	if (c.stopped == c.succeeded)
		return STATUS_SUCCEEDED;
	return in->ending || xb_sv_is(policy, "Never") ? STATUS_FAILED : STATUS_RUNNING;
}

/* --- the document --- */
static void write_ip(struct xb_jw *w, const char *ip)
{
	xb_jw_object(w);
	xb_jw_kstr(w, "ip", ip);
	xb_jw_end(w);
}

static void write_ips(struct xb_jw *w, const char *one, const char *all, const char *const ips[2])
{
	if (!ips[0])
		return;
	xb_jw_kstr(w, one, ips[0]);
	xb_jw_key(w, all);
	xb_jw_array(w);
	for (size_t i = 0; i < 2 && ips[i]; i++)
		write_ip(w, ips[i]);
	xb_jw_end(w);
}

/* What it had stays when its sandbox is gone, as upstream's. */
static void write_pod_ips(const struct status_input *in, struct xb_jw *w)
{
	const struct observed_sandbox *s = in->observed->n_sandboxes ? &in->observed->sandboxes[0] : NULL;
	struct xb_jv old = xb_jv_get(in->old, "podIP");

	if (s && s->host_network) {
		write_ips(w, "podIP", "podIPs", in->facts->ips);
	} else if (s && s->ips[0]) {
		write_ips(w, "podIP", "podIPs", (const char *const[2]){ s->ips[0], s->ips[1] });
	} else if (xb_jv_is(old) && xb_jv_is(xb_jv_get(in->old, "podIPs")) && (!s || !s->ready)) {
		xb_jw_key(w, "podIP");
		xb_jw_raw(w, xb_jv_bytes(old));
		xb_jw_key(w, "podIPs");
		xb_jw_raw(w, xb_jv_bytes(xb_jv_get(in->old, "podIPs")));
	}
}

static void write_start(const struct status_input *in, struct xb_jw *w)
{
	struct xb_jv since = xb_jv_get(in->old, "startTime");

	xb_jw_key(w, "startTime");
	if (xb_jv_text(since).n)
		xb_jw_raw(w, xb_jv_bytes(since));
	else
		xb_jw_str(w, xb_time_format(in->now_us).s);
	xb_jw_kstr(w, "qosClass", spec_qos_name(spec_qos(in->pod)));
}

static const char *const phases[] = {
	[STATUS_PENDING] = "Pending", [STATUS_RUNNING] = "Running", [STATUS_SUCCEEDED] = "Succeeded", [STATUS_FAILED] = "Failed",
};

static void write_phase(const struct status_input *in, enum status_phase phase, struct xb_jw *w)
{
	xb_jw_kstr(w, "phase", phases[phase]);
	if (!in->reason || !status_phase_over(phase))
		return;
	xb_jw_kstr(w, "reason", in->reason);
	if (in->message)
		xb_jw_kstr(w, "message", in->message);
}

int status_make(const struct status_input *in, struct xb_buf *out, enum status_phase *ret_phase)
{
	struct status_views views = {};
	struct xb_jw w = XB_JW(out);
	enum status_phase phase;
	int r = status_views_make(in, &views);

	if (r < 0)
		return r;
	phase = status_phase_of(in, &views);
	if (status_phase_over(phase) && observed_runs(in->observed))
		phase = STATUS_RUNNING;
	xb_jw_object(&w);
	write_phase(in, phase, &w);
	if (!in->refused)
		status_write_conditions(in, &views, phase, &w);
	write_ips(&w, "hostIP", "hostIPs", in->facts->ips);
	if (!in->refused)
		write_pod_ips(in, &w);
	write_start(in, &w);
	if (!in->refused)
		status_write_containers(in, &views, &w);
	xb_jw_end(&w);
	xb_vec_done(&views);
	r = xb_jw_finish(&w);
	if (!r)
		*ret_phase = phase;
	return r < 0 ? -ENOMEM : 0;
}
