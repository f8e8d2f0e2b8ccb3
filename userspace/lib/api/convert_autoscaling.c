/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * autoscaling/v1's HorizontalPodAutoscaler knows one metric, the utilization of cpu. What v2 has beyond that stands in
 * annotations, as JSON of v2, so that a client of v1 that reads and writes an object changes nothing it does not see.
 */
#include "types.h"

static const char metrics_note[] = "autoscaling.alpha.kubernetes.io/metrics";
static const char behavior_note[] = "autoscaling.alpha.kubernetes.io/behavior";
static const char conditions_note[] = "autoscaling.alpha.kubernetes.io/conditions";
static const char current_note[] = "autoscaling.alpha.kubernetes.io/current-metrics";

static int set(struct xb_tree *object, const char *key, struct xb_tree *value)
{
	if (!object || !value)
		return -ENOMEM;
	xb_tree_set(object, xb_sv(key), value);
	return 0;
}

static struct xb_tree *take(struct xb_tree *object, const char *key)
{
	struct xb_tree *n = xb_tree_get(object, key);

	if (n)
		xb_tree_remove(n);
	return n;
}

static bool is_cpu(const struct xb_tree *metric)
{
	return xb_tree_is(xb_tree_get(metric, "type"), "Resource") && xb_tree_is(xb_tree_path(metric, "resource", "name"), "cpu");
}

/* A note's value becomes the member; a note that is not JSON of that type stays what it is. */
static int take_note(struct xb_arena *a, struct xb_tree *object, const char *note, enum xb_json_type type, const char *part,
		     const char *key)
{
	struct xb_tree *notes = xb_tree_path(object, "metadata", "annotations"), *value;
	struct xb_sv text = xb_tree_gettext(notes, note);
	int r;

	if (!text.n)
		return 0;
	r = xb_tree_read(a, text, NULL, &value);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || value->type != type)
		return 0;
	xb_tree_del(notes, note);
	return set(xb_tree_obtain(a, object, part), key, value);
}

static int put_note(struct xb_arena *a, struct xb_tree *object, const char *note, const struct xb_tree *value)
{
	_cleanup_buf_ struct xb_buf text = {};
	struct xb_sv copy;

	if (!value || !value->first)
		return 0;
	xb_tree_write(value, &text);
	copy = xb_arena_sv(a, xb_buf_sv(&text));
	if (text.err || !copy.p)
		return -ENOMEM;
	return set(xb_tree_obtain(a, xb_tree_obtain(a, object, "metadata"), "annotations"), note, xb_tree_str(a, copy));
}

/* The percentage of v1 as the first of part's list of metrics. inner: "target" or "current". */
static int add_cpu(struct xb_arena *a, struct xb_tree *object, const char *part, const char *percentage, const char *list,
		   const char *inner)
{
	struct xb_tree *n = take(xb_tree_get(object, part), percentage), *metric, *metrics, *resource, *amount;

	if (!n)
		return 0;
	metric = xb_tree_parse(a, "{\"resource\":{\"name\":\"cpu\"},\"type\":\"Resource\"}");
	resource = xb_tree_get(metric, "resource");
	amount = xb_tree_obtain(a, resource, inner);
	metrics = xb_tree_get(xb_tree_get(object, part), list);
	if (!metrics) {
		metrics = xb_tree_array(a);
		if (set(xb_tree_get(object, part), list, metrics) < 0)
			return -ENOMEM;
	}
	if (!amount)
		return -ENOMEM;
	if (!strcmp(inner, "target") && set(amount, "type", xb_tree_str(a, XB_SV("Utilization"))) < 0)
		return -ENOMEM;
	xb_tree_set(amount, XB_SV("averageUtilization"), n);
	xb_tree_insert(metrics, metrics->first, metric);
	return 0;
}

/* The first metric that v1 can say leaves the list; what remains of it goes into the note. */
static int split_metrics(struct xb_arena *a, struct xb_tree *object, const char *part, const char *list, const char *inner,
			 const char *percentage, const char *note)
{
	struct xb_tree *metrics = take(xb_tree_get(object, part), list), *found = NULL;

	xb_tree_each(metric, metrics)
		if (!found && is_cpu(metric) && xb_tree_path(metric, "resource", inner, "averageUtilization"))
			found = metric;
	if (found) {
		struct xb_tree *share = xb_tree_path(found, "resource", inner, "averageUtilization");

		xb_tree_remove(found);
		xb_tree_remove(share);
		xb_tree_set(xb_tree_get(object, part), xb_sv(percentage), share);
	}
	return put_note(a, object, note, metrics);
}

static int to_v2(struct xb_arena *a, struct xb_tree *object)
{
	int r;

	r = take_note(a, object, metrics_note, XB_JSON_ARRAY, "spec", "metrics");
	if (!r)
		r = take_note(a, object, behavior_note, XB_JSON_OBJECT, "spec", "behavior");
	if (!r)
		r = take_note(a, object, conditions_note, XB_JSON_ARRAY, "status", "conditions");
	if (!r)
		r = take_note(a, object, current_note, XB_JSON_ARRAY, "status", "currentMetrics");
	if (!r)
		r = add_cpu(a, object, "spec", "targetCPUUtilizationPercentage", "metrics", "target");
	if (!r)
		r = add_cpu(a, object, "status", "currentCPUUtilizationPercentage", "currentMetrics", "current");
	return r;
}

static int from_v2(struct xb_arena *a, struct xb_tree *object)
{
	int r;

	r = split_metrics(a, object, "spec", "metrics", "target", "targetCPUUtilizationPercentage", metrics_note);
	if (!r)
		r = split_metrics(a, object, "status", "currentMetrics", "current", "currentCPUUtilizationPercentage", current_note);
	if (!r)
		r = put_note(a, object, behavior_note, take(xb_tree_get(object, "spec"), "behavior"));
	if (!r)
		r = put_note(a, object, conditions_note, take(xb_tree_get(object, "status"), "conditions"));
	return r;
}

const struct xb_conversion xb_conversion_autoscaling_v1 = { to_v2, from_v2 };
