/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "hpa.h"
#include "table.h"
#include "xb/quantity.h"

enum { WINDOW_MAX = 3600, PERIOD_MAX = 1800 };

/* Rows are in the order of the types' names, which is the order in a fault's list of them. */
static const struct source {
	const char *type, *field, *name;   /* name: what says which metric, of resources; NULL: metric.name */
	const char *missing;               /* fault when there is no target amount */
	const char *both;                  /* fault when there are two; NULL: two are fine */
} source_rows[] = {
	{ "ContainerResource", "containerResource", "name", "must set either a target raw value or a target utilization",
	  "may not set both a target raw value and a target utilization" },
	{ "External", "external", NULL, "must set either a target value for metric or a per-pod target",
	  "may not set both a target value for metric and a per-pod target" },
	{ "Object", "object", NULL, "must set either a target value or averageValue", NULL },
	{ "Pods", "pods", NULL, "must specify a positive target averageValue", NULL },
	{ "Resource", "resource", "name", "must set either a target raw value or a target utilization",
	  "may not set both a target raw value and a target utilization" },
};
static const char *const source_types[] = { "ContainerResource", "External", "Object", "Pods", "Resource", NULL };

static const struct source *source_of(struct xb_sv type)
{
	for (size_t i = 0; i < ARRAY_SIZE(source_rows); i++)
		if (xb_sv_is(type, source_rows[i].type))
			return &source_rows[i];
	return NULL;
}

/* A name that can stand in a path (apimachinery pkg/api/validation/path). */
static void validate_segment(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *n, const char *detail)
{
	struct xb_sv s = xb_tree_text(n);

	if (!s.n)
		xb_err_required(e, at, detail);
	else if (xb_sv_is(s, ".") || xb_sv_is(s, ".."))
		xb_err_invalid_sv(e, at, s, "may not be '%.*s'", XB_SV_ARG(s));
	else if (memchr(s.p, '/', s.n) || memchr(s.p, '%', s.n))
		xb_err_invalid_sv(e, at, s, "may not contain '%c'", memchr(s.p, '/', s.n) ? '/' : '%');
}

void hpa_validate_reference(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *reference)
{
	validate_segment(e, XB_PATH(at, "kind"), xb_tree_get(reference, "kind"), "");
	validate_segment(e, XB_PATH(at, "name"), xb_tree_get(reference, "name"), "");
}

static void validate_positive(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *amount)
{
	struct xb_quantity q;

	if (amount && !xb_quantity_parse(xb_tree_text(amount), &q) && q.nano <= 0)
		xb_err_invalid_sv(e, at, xb_tree_text(amount), "must be positive");
}

static void validate_target(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *target)
{
	const struct xb_tree *type = xb_tree_get(target, "type"), *share = xb_tree_get(target, "averageUtilization");

	if (!xb_tree_text(type).n)
		xb_err_required(e, XB_PATH(at, "type"), "must specify a metric target type");
	else if (!xb_tree_is(type, "Utilization") && !xb_tree_is(type, "Value") && !xb_tree_is(type, "AverageValue"))
		xb_err_invalid(e, XB_PATH(at, "type"), type, "must be either Utilization, Value, or AverageValue");
	validate_positive(e, XB_PATH(at, "value"), xb_tree_get(target, "value"));
	validate_positive(e, XB_PATH(at, "averageValue"), xb_tree_get(target, "averageValue"));
	if (share && xb_tree_geti64(target, "averageUtilization", 0) < 1)
		xb_err_invalid(e, XB_PATH(at, "averageUtilization"), share, "must be greater than 0");
}

static void validate_source(struct xb_field_errors *e, const struct xb_path *at, const struct source *s, const struct xb_tree *source)
{
	const struct xb_tree *target = xb_tree_get(source, "target"), *average = xb_tree_get(target, "averageValue");
	const char *other = s->name ? "averageUtilization" : "value", *blamed = s->name ? "averageUtilization" : "averageValue";
	const struct xb_path *target_path = XB_PATH(at, "target");
	bool pods = !strcmp(s->type, "Pods");

	if (!strcmp(s->type, "Object"))
		hpa_validate_reference(e, XB_PATH(at, "describedObject"), xb_tree_get(source, "describedObject"));
	if (s->name && !xb_tree_gettext(source, s->name).n)
		xb_err_required(e, XB_PATH(at, s->name), "must specify a resource name");
	else if (!s->name)
		validate_segment(e, XB_PATH(XB_PATH(at, "metric"), "name"), xb_tree_path(source, "metric", "name"), "must specify a metric name");
	if (!strcmp(s->type, "ContainerResource") && !xb_tree_gettext(source, "container").n)
		xb_err_required(e, XB_PATH(at, "container"), "must specify a container");
	validate_target(e, target_path, target);
	if (!average && (pods || !xb_tree_get(target, other)))
		xb_err_required(e, XB_PATH(target_path, blamed), s->missing);
	if (s->both && average && xb_tree_get(target, other))
		xb_err_forbidden(e, XB_PATH(target_path, s->name ? "averageValue" : "value"), s->both);
}

static void validate_metric(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *metric)
{
	struct xb_sv type = xb_tree_gettext(metric, "type");
	const struct source *s = source_of(type);

	if (!type.n)
		xb_err_required(e, XB_PATH(at, "type"), "must specify a metric source type");
	if (!s) {
		xb_err_unsupported(e, XB_PATH(at, "type"), type, source_types);
		return;
	}
	if (xb_tree_get(metric, s->field))
		validate_source(e, XB_PATH(at, s->field), s, xb_tree_get(metric, s->field));
	else
		xb_err_required(e, XB_PATH(at, s->field), "must populate information for the given metric source");
	for (size_t i = 0; i < ARRAY_SIZE(source_rows); i++)
		if (&source_rows[i] != s && xb_tree_get(metric, source_rows[i].field))
			xb_err_forbidden(e, XB_PATH(at, source_rows[i].field), "must populate the given metric source only");
}

void hpa_validate_metrics(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *metrics)
{
	long i = 0;

	xb_tree_each(metric, metrics)
		validate_metric(e, XB_PATH_AT(at, i++), metric);
}

static void validate_bounds(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *object, const char *key,
			    int64_t most)
{
	int64_t n = xb_tree_geti64(object, key, 0);

	if (n <= 0)
		xb_err_invalid(e, XB_PATH(at, key), xb_tree_get(object, key), "must be greater than zero");
	else if (n > most)
		xb_err_invalid(e, XB_PATH(at, key), xb_tree_get(object, key), "must be less than or equal to %lld", (long long)most);
}

static void validate_rules(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *rules)
{
	static const char *const selects[] = { "Disabled", "Max", "Min", NULL }, *const types[] = { "Percent", "Pods", NULL };
	const struct xb_tree *window = xb_tree_get(rules, "stabilizationWindowSeconds"), *select = xb_tree_get(rules, "selectPolicy");
	int64_t seconds = xb_tree_geti64(rules, "stabilizationWindowSeconds", 0);
	long i = 0;

	if (seconds < 0)
		xb_err_invalid(e, XB_PATH(at, "stabilizationWindowSeconds"), window, "must be greater than or equal to zero");
	else if (seconds > WINDOW_MAX)
		xb_err_invalid(e, XB_PATH(at, "stabilizationWindowSeconds"), window, "must be less than or equal to %d", WINDOW_MAX);
	if (select)
		xb_validate_one_of(e, XB_PATH(at, "selectPolicy"), xb_tree_text(select), selects);
	if (rules && !xb_tree_get(rules, "policies"))
		xb_err_required(e, XB_PATH(at, "policies"), "must specify at least one Policy");
	xb_tree_each(policy, xb_tree_get(rules, "policies")) {
		const struct xb_path *here = XB_PATH_AT(XB_PATH(at, "policies"), i++);

		xb_validate_one_of(e, XB_PATH(here, "type"), xb_tree_gettext(policy, "type"), types);
		validate_bounds(e, here, policy, "value", INT32_MAX);
		validate_bounds(e, here, policy, "periodSeconds", PERIOD_MAX);
	}
}

void hpa_validate_behavior(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *behavior)
{
	validate_rules(e, XB_PATH(at, "scaleUp"), xb_tree_get(behavior, "scaleUp"));
	validate_rules(e, XB_PATH(at, "scaleDown"), xb_tree_get(behavior, "scaleDown"));
}

/* --- the Targets cell */

static bool write_amount(struct xb_jv amounts, const char *key, const char *suffix, struct xb_buf *out)
{
	struct xb_jv amount = xb_jv_get(amounts, key);

	if (!xb_jv_is(amount))
		return false;
	xb_buf_addsv(out, xb_jv_type(amount) == XB_JSON_STRING ? xb_jv_text(amount) : xb_jv_bytes(amount));
	xb_buf_adds(out, suffix);
	return true;
}

/* What is now, then what should be, in the unit that the target is in. */
static void write_target(struct xb_jv metric, struct xb_jv current, struct xb_buf *out)
{
	static const struct {
		const char *key, *suffix, *end;
	} units[] = { { "averageValue", "", " (avg)" }, { "averageUtilization", "%", "" }, { "value", "", "" } };
	const struct source *s = source_of(xb_jv_text(xb_jv_get(metric, "type")));
	struct xb_jv source = s ? xb_jv_get(metric, s->field) : (struct xb_jv){}, target = xb_jv_get(source, "target");
	struct xb_jv now = s ? xb_jv_path(current, s->field, "current") : (struct xb_jv){};

	if (!s) {
		xb_buf_adds(out, "<unknown type>");
		return;
	}
	if (s->name) {
		xb_buf_addsv(out, xb_jv_text(xb_jv_get(source, s->name)));
		xb_buf_adds(out, ": ");
	}
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (!xb_jv_is(xb_jv_get(target, units[i].key)))
			continue;
		if (!write_amount(now, units[i].key, units[i].suffix, out))
			xb_buf_adds(out, "<unknown>");
		xb_buf_addc(out, '/');
		write_amount(target, units[i].key, units[i].suffix, out);
		xb_buf_adds(out, s->name ? "" : units[i].end);
		return;
	}
}

void hpa_write_targets(struct xb_jv metrics, struct xb_jv current, struct xb_buf *out)
{
	enum { SHOWN = 2 };
	size_t n = 0;

	for (struct xb_jit it = xb_jv_iter(metrics); xb_jit_next(&it); n++)
		if (n < SHOWN) {
			xb_buf_adds(out, n ? ", " : "");
			write_target(it.value, xb_jv_at(current, n), out);
		}
	if (n > SHOWN)
		xb_buf_addf(out, " + %zu more...", n - SHOWN);
}
