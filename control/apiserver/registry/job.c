/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include "job.h"
#include "edit.h"
#include "label_selector.h"
#include "table.h"
#include "workload.h"
#include "xb/time.h"

enum { INDEXED_PARALLELISM_MAX = 100000, MANAGED_BY_MAX = 63 };

/* Both of each pair are written; old clients select by the one without a prefix, so the selector has that one. */
static const char *const uid_labels[] = { "controller-uid", "batch.kubernetes.io/controller-uid" };
static const char *const name_labels[] = { "job-name", "batch.kubernetes.io/job-name" };

void job_spec_defaults(struct write *w, struct xb_tree *spec)
{
	workload_defaults(w, spec);
	xb_tree_each(rule, xb_tree_path(spec, "podFailurePolicy", "rules"))
		xb_tree_each(pattern, xb_tree_get(rule, "onPodConditions"))
			if (!xb_tree_gettext(pattern, "status").n)
				edit_str(w, pattern, "status", "True");
}

/* Of a Job alone: a CronJob's template stays as it was written until a Job is made of it. */
static void count_defaults(struct write *w, struct xb_tree *spec)
{
	bool indexed_backoff = xb_tree_get(spec, "backoffLimitPerIndex"), policy = xb_tree_get(spec, "podFailurePolicy");

	if (!xb_tree_get(spec, "completions") && !xb_tree_get(spec, "parallelism"))
		edit_int(w, spec, "completions", 1);
	if (!xb_tree_get(spec, "parallelism"))
		edit_int(w, spec, "parallelism", 1);
	if (!xb_tree_get(spec, "backoffLimit"))
		edit_int(w, spec, "backoffLimit", indexed_backoff ? INT32_MAX : 6);
	if (!xb_tree_get(spec, "completionMode"))
		edit_str(w, spec, "completionMode", "NonIndexed");
	edit_bool_default(w, spec, "suspend", false);
	edit_str_default(w, spec, "podReplacementPolicy", policy ? "Failed" : "TerminatingOrFailed");
}

static void defaults(struct write *w, struct xb_tree *object)
{
	struct xb_tree *spec = edit_obtain(w, object, "spec"), *meta = edit_obtain(w, object, "metadata");
	struct xb_tree *labels = xb_tree_path(spec, "template", "metadata", "labels");

	job_spec_defaults(w, spec);
	count_defaults(w, spec);
	if (!edit_is_empty(labels) && edit_is_empty(xb_tree_get(meta, "labels")))
		edit_node(w, meta, "labels", xb_tree_copy(w->arena, labels));
}

static void label_default(struct write *w, struct xb_tree *labels, const char *key, struct xb_sv value)
{
	if (!xb_tree_get(labels, key))
		edit_sv(w, labels, key, value);
}

/* The selector that nobody else's pods have: the job's own uid. */
static void make_selector(struct write *w, struct xb_tree *object)
{
	const struct xb_tree *meta = xb_tree_get(object, "metadata");
	struct xb_tree *spec = edit_obtain(w, object, "spec"), *template = edit_obtain(w, spec, "template");
	struct xb_tree *labels = edit_obtain(w, edit_obtain(w, template, "metadata"), "labels");
	struct xb_tree *selected = edit_obtain(w, edit_obtain(w, spec, "selector"), "matchLabels");

	for (size_t i = 0; i < ARRAY_SIZE(uid_labels); i++) {
		label_default(w, labels, uid_labels[i], xb_tree_gettext(meta, "uid"));
		label_default(w, labels, name_labels[i], xb_tree_gettext(meta, "name"));
	}
	if (!xb_tree_get(selected, uid_labels[1]))
		label_default(w, selected, uid_labels[0], xb_tree_gettext(meta, "uid"));
}

static void prepare_create(struct write *w, struct xb_tree *object)
{
	struct xb_tree *meta = edit_obtain(w, object, "metadata");

	edit_json(w, object, "status", "{}");
	if (!xb_tree_true(xb_tree_path(object, "spec", "manualSelector")))
		make_selector(w, object);
	if (edit_is_empty(xb_tree_get(meta, "labels")))
		edit_keep(w, meta, xb_tree_path(object, "spec", "template", "metadata"), "labels");
}

static void validate_completions(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *spec)
{
	static const char *const modes[] = { "NonIndexed", "Indexed", NULL };
	const struct xb_tree *mode = xb_tree_get(spec, "completionMode"), *parallelism = xb_tree_get(spec, "parallelism");

	if (mode)
		xb_validate_one_of(e, XB_PATH(at, "completionMode"), xb_tree_text(mode), modes);
	if (!xb_tree_is(mode, "Indexed"))
		return;
	if (!xb_tree_get(spec, "completions"))
		xb_err_required(e, XB_PATH(at, "completions"), "when completion mode is Indexed");
	if (xb_tree_geti64(spec, "parallelism", 0) > INDEXED_PARALLELISM_MAX)
		xb_err_invalid(e, XB_PATH(at, "parallelism"), parallelism,
			       "must be less than or equal to %d when completion mode is Indexed", INDEXED_PARALLELISM_MAX);
}

static void validate_failure_rule(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *rule)
{
	static const char *const actions[] = { "Count", "FailIndex", "FailJob", "Ignore", NULL }, *const operators[] = { "In", "NotIn", NULL };
	const struct xb_tree *codes = xb_tree_get(rule, "onExitCodes"), *conditions = xb_tree_get(rule, "onPodConditions");
	const struct xb_path *codes_path = XB_PATH(at, "onExitCodes");

	xb_validate_one_of(e, XB_PATH(at, "action"), xb_tree_gettext(rule, "action"), actions);
	if (codes && !edit_is_empty(conditions))
		xb_err_invalid(e, at, NULL, "specifying both OnExitCodes and OnPodConditions is not supported");
	if (!codes && edit_is_empty(conditions))
		xb_err_invalid(e, at, NULL, "specifying one of OnExitCodes and OnPodConditions is required");
	if (!codes)
		return;
	xb_validate_one_of(e, XB_PATH(codes_path, "operator"), xb_tree_gettext(codes, "operator"), operators);
	if (edit_is_empty(xb_tree_get(codes, "values")))
		xb_err_invalid(e, XB_PATH(codes_path, "values"), xb_tree_get(codes, "values"), "at least one value is required");
}

static void validate_policies(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *spec)
{
	static const char *const replacements[] = { "Failed", "TerminatingOrFailed", NULL };
	const struct xb_tree *failure = xb_tree_get(spec, "podFailurePolicy");
	struct xb_sv manager = xb_tree_gettext(spec, "managedBy");
	long i = 0;

	xb_tree_each(rule, xb_tree_get(failure, "rules"))
		validate_failure_rule(e, XB_PATH_AT(XB_PATH(XB_PATH(at, "podFailurePolicy"), "rules"), i++), rule);
	if (xb_tree_get(spec, "podReplacementPolicy"))
		xb_validate_one_of(e, XB_PATH(at, "podReplacementPolicy"), xb_tree_gettext(spec, "podReplacementPolicy"),
				   failure ? (const char *const[]){ "Failed", NULL } : replacements);
	if (manager.n > MANAGED_BY_MAX)
		xb_err_too_long(e, XB_PATH(at, "managedBy"), MANAGED_BY_MAX);
	else if (xb_tree_get(spec, "managedBy") && !memchr(manager.p, '/', manager.n))
		xb_err_invalid_sv(e, XB_PATH(at, "managedBy"), manager, "must be a domain-prefixed path (such as \"acme.io/foo\")");
}

void job_spec_validate(struct write *w, const struct xb_path *at, const struct xb_tree *spec, struct xb_field_errors *e)
{
	static const char *const counts[] = { "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished",
					      "backoffLimitPerIndex", "maxFailedIndexes", NULL };
	const struct xb_tree *template = xb_tree_get(spec, "template"), *restart = xb_tree_path(template, "spec", "restartPolicy");
	const struct xb_path *template_path = XB_PATH(at, "template"), *restart_path = XB_PATH(XB_PATH(template_path, "spec"), "restartPolicy");

	workload_validate_counts(e, at, spec, counts);
	validate_completions(e, at, spec);
	validate_policies(e, at, spec);
	workload_validate_template(w, template_path, template, e);
	if (!xb_tree_is(restart, "OnFailure") && !xb_tree_is(restart, "Never"))
		xb_err_required(e, restart_path, "valid values: \"OnFailure\", \"Never\"");
	else if (xb_tree_get(spec, "podFailurePolicy") && !xb_tree_is(restart, "Never"))
		xb_err_invalid(e, restart_path, restart, "only \"Never\" is supported when podFailurePolicy is specified");
}

static void validate_own_label(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *labels, const char *key,
			       struct xb_sv value)
{
	const struct xb_path *here = XB_PATH_KEY(XB_PATH(at, "labels"), xb_sv(key));
	struct xb_sv is = xb_tree_gettext(labels, key);

	if (!xb_sv_eq(is, value))
		xb_err_invalid(e, here, labels, "must be '%.*s'", XB_SV_ARG(value));
}

/* What was made must not have been overruled by labels or a selector of the client's. */
static void validate_made(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	const struct xb_tree *meta = xb_tree_get(object, "metadata"), *spec = xb_tree_get(object, "spec");
	const struct xb_tree *labels = xb_tree_path(spec, "template", "metadata", "labels"), *selector = xb_tree_get(spec, "selector");
	const struct xb_path *at = XB_PATH(XB_PATH(XB_PATH(NULL, "spec"), "template"), "metadata");
	struct xb_tree *own = xb_tree_object(w->arena);

	for (size_t i = 0; i < ARRAY_SIZE(uid_labels); i++) {
		validate_own_label(e, at, labels, uid_labels[i], xb_tree_gettext(meta, "uid"));
		validate_own_label(e, at, labels, name_labels[i], xb_tree_gettext(meta, "name"));
		edit_sv(w, own, uid_labels[i], xb_tree_gettext(meta, "uid"));
		edit_sv(w, own, name_labels[i], xb_tree_gettext(meta, "name"));
	}
	if (!label_selector_matches(selector, own))
		label_selector_invalid(e, XB_PATH(XB_PATH(NULL, "spec"), "selector"), selector, "`selector` not auto-generated");
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	const struct xb_tree *spec = xb_tree_get(object, "spec"), *selector = xb_tree_get(spec, "selector");
	const struct xb_tree *labels = xb_tree_path(spec, "template", "metadata", "labels");
	const struct xb_path *at = XB_PATH(NULL, "spec"), *here = XB_PATH(at, "selector");

	if (selector && !xb_tree_true(xb_tree_get(spec, "manualSelector")))
		validate_made(w, object, e);
	job_spec_validate(w, at, spec, e);
	if (!selector)
		xb_err_required(e, here, "");
	label_selector_validate(e, here, selector);
	if (!label_selector_matches(selector, labels))
		xb_err_invalid(e, XB_PATH(XB_PATH(XB_PATH(at, "template"), "metadata"), "labels"), labels,
			       "`selector` does not match template `labels`");
}

/* A job that is suspended and has not begun may still be told where its pods go. */
static bool may_move(const struct xb_tree *old)
{
	return xb_tree_true(xb_tree_path(old, "spec", "suspend")) && !xb_tree_path(old, "status", "startTime");
}

static void validate_kept_template(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	static const char *const directives[] = { "affinity", "nodeSelector", "tolerations", "schedulingGates" };
	const struct xb_tree *before = xb_tree_path(old, "spec", "template"), *template = xb_tree_path(object, "spec", "template");
	struct xb_tree *kept = xb_tree_copy(w->arena, template);

	if (!kept) {
		w->no_memory = true;
		return;
	}
	if (may_move(old)) {
		for (size_t i = 0; i < ARRAY_SIZE(directives); i++)
			edit_keep(w, xb_tree_get(kept, "spec"), xb_tree_get(before, "spec"), directives[i]);
		edit_keep(w, kept, before, "metadata");
	}
	if (!xb_tree_equal(kept, before))
		xb_err_invalid(e, XB_PATH(XB_PATH(NULL, "spec"), "template"), template, "field is immutable");
}

static void validate_kept_completions(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *spec,
				      const struct xb_tree *old)
{
	const struct xb_tree *completions = xb_tree_get(spec, "completions");

	if (!xb_tree_is(xb_tree_get(spec, "completionMode"), "Indexed"))
		xb_validate_immutable(e, at, completions, xb_tree_get(old, "completions"));
	else if (!edit_same(spec, old, "completions") && !xb_tree_equal(completions, xb_tree_get(spec, "parallelism")))
		xb_err_invalid(e, at, completions, "can only be modified in tandem with spec.parallelism");
}

static void validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old_object, struct xb_field_errors *e)
{
	static const char *const immutable[] = { "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy" };
	const struct xb_tree *spec = xb_tree_get(object, "spec"), *old = xb_tree_get(old_object, "spec");
	const struct xb_path *at = XB_PATH(NULL, "spec");

	validate_kept_completions(e, XB_PATH(at, "completions"), spec, old);
	label_selector_validate_immutable(e, XB_PATH(at, "selector"), xb_tree_get(spec, "selector"), xb_tree_get(old, "selector"));
	validate_kept_template(w, object, old_object, e);
	for (size_t i = 0; i < ARRAY_SIZE(immutable); i++)
		xb_validate_immutable(e, XB_PATH(at, immutable[i]), xb_tree_get(spec, immutable[i]), xb_tree_get(old, immutable[i]));
}

static void validate_status(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	static const char *const counts[] = { "active", "succeeded", "failed", "ready", "terminating", NULL };

	workload_validate_counts(e, XB_PATH(NULL, "status"), xb_tree_get(object, "status"), counts);
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Completions", "string", "", "The number of pods which reached phase Succeeded.", 0 },
	{ "Duration", "string", "", "Time required to complete the job.", 0 },
	COLUMN_AGE,
	COLUMN_CONTAINERS,
	COLUMN_IMAGES,
	{ "Selector", "string", "", "A label query over pods that should match the pod count. Normally, the system sets this field for you. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors", 1 },
};

static void cell_completions(struct table_row *r, struct xb_jv spec, struct xb_jv status)
{
	int64_t done = 0, parallelism = 0;
	char text[64];

	if (xb_jv_is(xb_jv_get(spec, "completions"))) {
		cell_ratio(r, xb_jv_get(status, "succeeded"), xb_jv_get(spec, "completions"));
		return;
	}
	(void)xb_jv_i64(xb_jv_get(status, "succeeded"), &done);
	(void)xb_jv_i64(xb_jv_get(spec, "parallelism"), &parallelism);
	if (parallelism > 1)
		snprintf(text, sizeof(text), "%lld/1 of %lld", (long long)done, (long long)parallelism);
	else
		snprintf(text, sizeof(text), "%lld/1", (long long)done);
	xb_jw_str(r->w, text);
}

static void cell_duration(struct table_row *r, struct xb_jv status)
{
	int64_t from = table_seconds(xb_jv_get(status, "startTime")), to = table_seconds(xb_jv_get(status, "completionTime"));

	xb_jw_str(r->w, from == INT64_MIN ? "" : xb_time_human((to == INT64_MIN ? r->now : to) - from).s);
}

static void row(struct table_row *r, struct xb_jv object)
{
	struct xb_jv spec = xb_jv_get(object, "spec"), status = xb_jv_get(object, "status");

	cell_name(r, object);
	cell_completions(r, spec, status);
	cell_duration(r, status);
	cell_age(r, object);
	cell_containers(r, xb_jv_get(spec, "template"));
	cell_label_selector(r, xb_jv_get(spec, "selector"));
}

const struct strategy job_strategy = {
	.group = "batch", .kind = "Job",
	.name = xb_check_dns1123_subdomain,
	.defaults = defaults,
	.prepare_create = prepare_create,
	.validate = validate,
	.validate_update = validate_update,
	.validate_status = validate_status,
	.has_generation = true,
	.unconditional_update = true,
	.default_propagation = "Orphan",
	COLUMNS(columns),
	.row = row,
};
