/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "status_view.h"
#include "xb/time.h"

struct condition {
	const char *type, *reason;
	bool status;
	char *message;                  /* owned; NULL: none */
};

static struct xb_jv find_condition(struct xb_jv status, struct xb_sv type)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(status, "conditions")); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "type"), type))
			return it.value;
	return (struct xb_jv){};
}

/* --- which are not as they should be --- */
static bool any_main_started(const struct status_views *views)
{
	for (size_t i = 0; i < views->n; i++)
		if (views->v[i].kind == SPEC_MAIN && !views->v[i].lost && (views->v[i].at || views->v[i].resting))
			return true;
	return false;
}

static bool is_initialized(const struct status_view *v)
{
	return v->kind == SPEC_INIT ? v->ready : v->started;
}

static bool name_unready(const struct status_views *views, bool init, struct xb_buf *out)
{
	for (size_t i = 0; i < views->n; i++) {
		const struct status_view *v = &views->v[i];
		bool counts = init ? v->kind <= SPEC_SIDECAR : v->kind == SPEC_MAIN || v->kind == SPEC_SIDECAR;

		if (counts && !(init ? is_initialized(v) : v->ready))
			xb_buf_addf(out, "%s%.*s", out->n ? " " : "", XB_SV_ARG(v->name));
	}
	return out->n > 0;
}

static struct condition judge(const char *type, bool status)
{
	return (struct condition){ .type = type, .status = status };
}

static int judge_initialized(const struct status_views *views, enum status_phase phase, struct condition *ret)
{
	_cleanup_buf_ struct xb_buf names = {};
	struct condition c = judge("Initialized", true);

	if (phase == STATUS_SUCCEEDED) {
		c.reason = "PodCompleted";
	} else if (!any_main_started(views) && name_unready(views, true, &names)) {
		c.status = false;
		c.reason = "ContainersNotInitialized";
		if (asprintf(&c.message, "containers with incomplete status: [%s]", names.p) < 0)
			return -ENOMEM;
	}
	*ret = c;
	return names.err;
}

static int judge_containers(const struct status_views *views, enum status_phase phase, struct condition *ret)
{
	_cleanup_buf_ struct xb_buf names = {};
	struct condition c = judge("ContainersReady", true);

	if (status_phase_over(phase)) {
		c.status = false;
		c.reason = phase == STATUS_SUCCEEDED ? "PodCompleted" : "PodFailed";
	} else if (name_unready(views, false, &names)) {
		c.status = false;
		c.reason = "ContainersNotReady";
		if (asprintf(&c.message, "containers with unready status: [%s]", names.p) < 0)
			return -ENOMEM;
	}
	*ret = c;
	return names.err;
}

static void add_gate(struct xb_jv server, struct xb_sv type, struct xb_buf *out)
{
	struct xb_sv status = xb_jv_text(xb_jv_get(find_condition(server, type), "status"));

	if (xb_sv_is(status, "True"))
		return;
	if (out->n)
		xb_buf_adds(out, ", ");
	if (status.n)
		xb_buf_addf(out, "the status of pod readiness gate \"%.*s\" is not \"True\", but %.*s", XB_SV_ARG(type), XB_SV_ARG(status));
	else
		xb_buf_addf(out, "corresponding condition of pod readiness gate \"%.*s\" does not exist.", XB_SV_ARG(type));
}

/* Ready when its containers are, and when each readiness gate is told to be open. */
static int judge_ready(const struct status_input *in, const struct condition *containers, struct condition *ret)
{
	_cleanup_buf_ struct xb_buf shut = {};
	struct condition c = *containers;

	c.type = "Ready";
	c.message = NULL;
	if (containers->message && !(c.message = strdup(containers->message)))
		return -ENOMEM;
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(in->pod, "spec", "readinessGates")); c.status && xb_jit_next(&it);)
		add_gate(in->server, xb_jv_text(xb_jv_get(it.value, "conditionType")), &shut);
	if (shut.err)
		return -ENOMEM;
	if (shut.n) {
		c.status = false;
		c.reason = "ReadinessGatesNotReady";
		c.message = xb_buf_steal(&shut);
	}
	*ret = c;
	return 0;
}

/* --- writing --- */
static void write_condition(const struct status_input *in, const struct condition *c, struct xb_jw *w)
{
	const char *status = c->status ? "True" : "False";
	struct xb_jv old = find_condition(in->old, xb_sv(c->type));
	struct xb_jv since = xb_jv_get(old, "lastTransitionTime");

	xb_jw_object(w);
	xb_jw_kstr(w, "type", c->type);
	xb_jw_kstr(w, "status", status);
	xb_jw_key(w, "lastProbeTime");
	xb_jw_null(w);
	xb_jw_key(w, "lastTransitionTime");
	if (xb_jv_streq(xb_jv_get(old, "status"), xb_sv(status)) && xb_jv_text(since).n)
		xb_jw_raw(w, xb_jv_bytes(since));
	else
		xb_jw_str(w, xb_time_format(in->now_us).s);
	if (c->reason)
		xb_jw_kstr(w, "reason", c->reason);
	if (c->message)
		xb_jw_kstr(w, "message", c->message);
	xb_jw_end(w);
}

static bool has_network(const struct observed *o)
{
	const struct observed_sandbox *s = observed_ready_sandbox(o);

	return s && (s->host_network || s->ips[0]);
}

void status_write_conditions(const struct status_input *in, const struct status_views *v, enum status_phase phase, struct xb_jw *w)
{
	struct condition all[5] = { judge("PodReadyToStartContainers", has_network(in->observed)) };
	int r = judge_initialized(v, phase, &all[1]);

	if (!r)
		r = judge_containers(v, phase, &all[3]);
	if (!r)
		r = judge_ready(in, &all[3], &all[2]);
	all[4] = judge("PodScheduled", true);
	if (r < 0)
		w->err = r;
	xb_jw_key(w, "conditions");
	xb_jw_array(w);
	for (size_t i = 0; !r && i < ARRAY_SIZE(all); i++)
		write_condition(in, &all[i], w);
	xb_jw_end(w);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		free(all[i].message);
}
