/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "hpa_metric.h"
#include "xb/quantity.h"

struct proposing {
	struct hpa_metric *m;
	struct hpa_calculator *c;
	int64_t replicas;               /* that there are */
	struct xb_jv source;            /* spec.resource, spec.pods, ... */
	struct hpa_outcome *out;
};

static struct xb_sv text(struct xb_jv object, const char *field)
{
	return xb_jv_text(xb_jv_get(object, field));
}

static int say(const char **to, const char *what)
{
	*to = what;
	return what ? 0 : -ENOMEM;
}

static int fail(struct proposing *p, const char *why)
{
	return say(&p->out->why, why) ? -ENOMEM : -EINVAL;
}

/* The target's field of that name, in thousandths. False: there is none. */
static bool target(const struct proposing *p, const char *field, int64_t *ret)
{
	struct xb_quantity q;

	if (xb_quantity_parse(xb_jv_text(xb_jv_path(p->source, "target", field)), &q))
		return false;
	*ret = xb_quantity_milli(&q);
	return true;
}

/* --- what is told --- */
/* As Go prints a *LabelSelector with %+v. */
static void write_selector(struct xb_jv selector, struct xb_buf *out)
{
	if (!xb_jv_is(selector)) {
		xb_buf_adds(out, "nil");
		return;
	}
	xb_buf_adds(out, "&LabelSelector{MatchLabels:map[string]string{");
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(selector, "matchLabels")); xb_jit_next(&it);)
		xb_buf_addf(out, "%.*s: %.*s,", XB_SV_ARG(it.key), XB_SV_ARG(xb_jv_text(it.value)));
	xb_buf_adds(out, "},MatchExpressions:[]LabelSelectorRequirement{");
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(selector, "matchExpressions")); xb_jit_next(&it);) {
		bool first = true;

		xb_buf_addf(out, "LabelSelectorRequirement{Key:%.*s,Operator:%.*s,Values:[", XB_SV_ARG(text(it.value, "key")),
			    XB_SV_ARG(text(it.value, "operator")));
		for (struct xb_jit v = xb_jv_iter(xb_jv_get(it.value, "values")); xb_jit_next(&v); first = false)
			xb_buf_addf(out, "%s%.*s", first ? "" : " ", XB_SV_ARG(xb_jv_text(v.value)));
		xb_buf_adds(out, "],},");
	}
	xb_buf_adds(out, "},}");
}

static void write_quantity(struct xb_jw *w, const char *key, int64_t usage)
{
	struct xb_quantity q = { .nano = (__int128)usage * 1000000 };
	_cleanup_buf_ struct xb_buf text_ = {};

	xb_quantity_write(&q, &text_);
	if (text_.err)
		w->err = text_.err;
	xb_jw_ksv(w, key, xb_buf_sv(&text_));
}

static void copy_member(struct xb_jw *w, const struct proposing *p, const char *key)
{
	struct xb_jv v = xb_jv_get(p->source, key);

	if (!xb_jv_is(v))
		return;
	xb_jw_key(w, key);
	xb_jw_raw(w, xb_jv_bytes(v));
}

/* field: "averageValue" or "value"; by: the proposal. */
static int tell_status(struct proposing *p, const char *member, const char *field, const struct hpa_proposal *by, bool utilization)
{
	static const char *const copied[] = { "describedObject", "metric", "name", "container" };
	_cleanup_buf_ struct xb_buf out = {};
	struct xb_jw w = XB_JW(&out);

	xb_jw_object(&w);
	xb_jw_ksv(&w, "type", text(p->m->spec, "type"));
	xb_jw_key(&w, member);
	xb_jw_object(&w);
	for (size_t i = 0; i < ARRAY_SIZE(copied); i++)
		copy_member(&w, p, copied[i]);
	xb_jw_key(&w, "current");
	xb_jw_object(&w);
	write_quantity(&w, field, by->usage);
	if (utilization)
		xb_jw_kint(&w, "averageUtilization", by->utilization);
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_jw_end(&w);
	if (xb_jw_finish(&w) < 0)
		return -ENOMEM;
	p->out->replicas = by->replicas;
	return say(&p->out->status, xb_arena_strn(p->c->arena, xb_buf_sv(&out)));
}

/* --- Resource and ContainerResource --- */
/* of: "utilization", "usage" */
static int resource_fault(struct proposing *p, struct xb_sv resource, const char *of)
{
	if (!p->m->why)
		return fail(p, xb_arena_printf(p->c->arena, "failed to get %.*s %s: %s", XB_SV_ARG(resource), of, p->c->why));
	return fail(p, xb_arena_printf(p->c->arena, "failed to get %.*s %s: unable to get metrics for resource %.*s: %s", XB_SV_ARG(resource), of,
				       XB_SV_ARG(resource), p->m->why));
}

static int by_utilization(struct proposing *p, struct xb_sv resource, const char *member, int64_t percent)
{
	struct xb_sv container = text(p->source, "container");
	struct hpa_proposal by;
	int r = p->m->why ? -EINVAL : hpa_by_utilization(p->c, p->m->samples, p->m->n, resource, container, percent, &by);

	if (r)
		return r == -EINVAL ? resource_fault(p, resource, "utilization") : r;
	r = say(&p->out->name, xb_arena_printf(p->c->arena, "%.*s %sresource utilization (percentage of request)", XB_SV_ARG(resource),
					       container.n ? "container " : ""));
	return r ? r : tell_status(p, member, "averageValue", &by, true);
}

static int by_amount(struct proposing *p, struct xb_sv resource, const char *member, int64_t amount)
{
	struct hpa_proposal by;
	int r = p->m->why ? -EINVAL : hpa_by_usage(p->c, p->m->samples, p->m->n, resource, amount, &by);

	if (r)
		return r == -EINVAL ? resource_fault(p, resource, "usage") : r;
	r = say(&p->out->name, xb_arena_printf(p->c->arena, "%.*s resource", XB_SV_ARG(resource)));
	return r ? r : tell_status(p, member, "averageValue", &by, false);
}

static int propose_resource(struct proposing *p, const char *member)
{
	bool part = !strcmp(member, "containerResource");
	struct xb_sv resource = text(p->source, "name"), of = part ? text(p->source, "container") : resource;
	int64_t amount, percent;
	int r;

	p->out->reason = part ? "FailedGetContainerResourceMetric" : "FailedGetResourceMetric";
	r = say(&p->out->what, xb_arena_printf(p->c->arena, "failed to get %.*s %s metric value", XB_SV_ARG(of), part ? "container" : "resource"));
	if (r)
		return r;
	if (target(p, "averageValue", &amount))
		return by_amount(p, resource, member, amount);
	if (!xb_jv_i64(xb_jv_path(p->source, "target", "averageUtilization"), &percent))
		return by_utilization(p, resource, member, percent);
	return fail(p, "invalid resource metric source: neither an average utilization target nor an average value (usage) target was set");
}

static int propose_whole(struct proposing *p)
{
	return propose_resource(p, "resource");
}

static int propose_container(struct proposing *p)
{
	return propose_resource(p, "containerResource");
}

/* --- Pods --- */
static int propose_pods(struct proposing *p)
{
	struct xb_sv name = xb_jv_text(xb_jv_path(p->source, "metric", "name"));
	struct hpa_proposal by;
	int64_t amount = 0;
	int r = -EINVAL;

	p->out->reason = "FailedGetPodsMetric";
	p->out->what = "failed to get pods metric value";
	target(p, "averageValue", &amount);
	if (p->m->why)
		return fail(p, xb_arena_printf(p->c->arena, "unable to get metric %.*s: %s", XB_SV_ARG(name), p->m->why));
	r = hpa_by_usage(p->c, p->m->samples, p->m->n, (struct xb_sv){}, amount, &by);
	if (r == -EINVAL)
		return fail(p, p->c->why);
	if (!r)
		r = say(&p->out->name, xb_arena_printf(p->c->arena, "pods metric %.*s", XB_SV_ARG(name)));
	return r ? r : tell_status(p, "pods", "averageValue", &by, false);
}

/* --- Object and External: one value --- */
/* "external metric qps(nil)" */
static int name_external(struct proposing *p)
{
	struct xb_jv metric = xb_jv_get(p->source, "metric");
	_cleanup_buf_ struct xb_buf out = {};

	xb_buf_addf(&out, "external metric %.*s(", XB_SV_ARG(text(metric, "name")));
	write_selector(xb_jv_get(metric, "selector"), &out);
	xb_buf_addc(&out, ')');
	return out.err ? out.err : say(&p->out->name, xb_arena_strn(p->c->arena, xb_buf_sv(&out)));
}

static int propose_value(struct proposing *p, const char *member, int64_t amount)
{
	struct hpa_proposal by;
	int r = hpa_by_value(p->c, p->m->value, amount, &by);

	return r == -EINVAL ? fail(p, p->c->why) : r ? r : tell_status(p, member, "value", &by, false);
}

static int propose_average(struct proposing *p, const char *member, int64_t amount)
{
	struct hpa_proposal by;

	hpa_by_average(p->c, p->m->value, amount, p->replicas, &by);
	return tell_status(p, member, "averageValue", &by, false);
}

/* upstream's words stand in upstream's order */
static int object_fault(struct proposing *p, bool average)
{
	struct xb_jv object = xb_jv_get(p->source, "describedObject");
	struct xb_sv name = xb_jv_text(xb_jv_path(p->source, "metric", "name"));
	const char *why = xb_arena_printf(p->c->arena, "unable to get metric %.*s: %.*s on %s %.*s/%s", XB_SV_ARG(name),
					  XB_SV_ARG(text(object, "kind")), p->m->namespace_, XB_SV_ARG(text(object, "name")), p->m->why);

	if (why && average)
		why = xb_arena_printf(p->c->arena, "failed to get %.*s object metric: %s", XB_SV_ARG(name), why);
	return fail(p, why);
}

static int propose_object(struct proposing *p)
{
	struct xb_sv kind = xb_jv_text(xb_jv_path(p->source, "describedObject", "kind"));
	struct xb_sv name = xb_jv_text(xb_jv_path(p->source, "metric", "name"));
	int64_t amount;
	int r;

	p->out->reason = "FailedGetObjectMetric";
	p->out->what = "failed to get object metric value";
	if (p->m->why)
		return object_fault(p, !target(p, "value", &amount));
	if (target(p, "value", &amount)) {
		r = say(&p->out->name, xb_arena_printf(p->c->arena, "%.*s metric %.*s", XB_SV_ARG(kind), XB_SV_ARG(name)));
		return r ? r : propose_value(p, "object", amount);
	}
	if (!target(p, "averageValue", &amount))
		return fail(p, "invalid object metric source: neither a value target nor an average value target was set");
	r = name_external(p);
	return r ? r : propose_average(p, "object", amount);
}

static int external_fault(struct proposing *p, bool average)
{
	struct xb_jv metric = xb_jv_get(p->source, "metric");
	_cleanup_buf_ struct xb_buf out = {};

	xb_buf_addf(&out, average ? "failed to get %.*s external metric: " : "failed to get external metric %.*s: ", XB_SV_ARG(text(metric, "name")));
	xb_buf_addf(&out, "unable to get external metric %s/%.*s/", p->m->namespace_, XB_SV_ARG(text(metric, "name")));
	write_selector(xb_jv_get(metric, "selector"), &out);
	xb_buf_addf(&out, ": %s", p->m->why);
	return out.err ? out.err : fail(p, xb_arena_strn(p->c->arena, xb_buf_sv(&out)));
}

static int propose_external(struct proposing *p)
{
	struct xb_sv name = xb_jv_text(xb_jv_path(p->source, "metric", "name"));
	int64_t amount;
	int r;

	p->out->reason = "FailedGetExternalMetric";
	r = say(&p->out->what, xb_arena_printf(p->c->arena, "failed to get %.*s external metric value", XB_SV_ARG(name)));
	if (!r)
		r = name_external(p);
	if (r)
		return r;
	if (p->m->why)
		return external_fault(p, target(p, "averageValue", &amount));
	if (target(p, "averageValue", &amount))
		return propose_average(p, "external", amount);
	if (target(p, "value", &amount))
		return propose_value(p, "external", amount);
	return fail(p, "invalid external metric source: neither a value target nor an average value target was set");
}

int hpa_metric_propose(struct hpa_metric *m, struct hpa_calculator *c, int64_t replicas, struct hpa_outcome *ret)
{
	static const struct {
		const char *type, *member;
		int (*propose)(struct proposing *p);
	} types[] = {
		{ "Resource", "resource", propose_whole }, { "ContainerResource", "containerResource", propose_container },
		{ "Pods", "pods", propose_pods }, { "Object", "object", propose_object }, { "External", "external", propose_external },
	};
	struct proposing p = { .m = m, .c = c, .replicas = replicas, .out = ret };

	*ret = (struct hpa_outcome){ .status = "{\"type\":\"\"}" };
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (!xb_sv_is(text(m->spec, "type"), types[i].type))
			continue;
		p.source = xb_jv_get(m->spec, types[i].member);
		return types[i].propose(&p);
	}
	ret->reason = "InvalidMetricSourceType";
	ret->what = "";
	return fail(&p, xb_arena_printf(c->arena, "unknown metric source type \"%.*s\"", XB_SV_ARG(text(m->spec, "type"))));
}
