/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "edit.h"
#include "job.h"
#include "label_selector.h"
#include "table.h"
#include "workload.h"
#include "xb/cron.h"

enum { NAME_MAX_BYTES = 52 }; /* its jobs add a dash and ten digits, and are named in labels */

static void defaults(struct write *w, struct xb_tree *object)
{
	job_spec_defaults(w, edit_obtain(w, edit_obtain(w, edit_obtain(w, object, "spec"), "jobTemplate"), "spec"));
}

static void prepare_create(struct write *w, struct xb_tree *object)
{
	edit_json(w, object, "status", "{}");
}

static void validate_schedule(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *spec)
{
	struct xb_sv schedule = xb_tree_gettext(spec, "schedule");
	_cleanup_buf_ struct xb_buf why = {};
	struct xb_cron cron = {};
	int r;

	if (!schedule.n) {
		xb_err_required(e, at, "");
		return;
	}
	r = xb_cron_parse(schedule, &cron, &why);
	if (r == -ENOMEM)
		e->no_memory = true;
	else if (r < 0)
		xb_err_invalid_sv(e, at, schedule, "%s", why.p);
	if (cron.zone.p && xb_tree_get(spec, "timeZone"))
		xb_err_invalid_sv(e, at, schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule");
	else if (cron.zone.p)
		xb_err_invalid_sv(e, at, schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
}

/* Only the form: which zones there are is for the controller to know. */
static void validate_zone(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *zone)
{
	struct xb_sv name = xb_tree_text(zone);

	if (!zone)
		return;
	if (!name.n)
		xb_err_invalid_sv(e, at, name, "timeZone must be nil or non-empty string");
	else if (xb_sv_is(name, "Local"))
		xb_err_invalid_sv(e, at, name, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones");
	else if (name.p[0] == '/' || name.p[0] == '\\' || memmem(name.p, name.n, "..", 2) || memchr(name.p, ' ', name.n))
		xb_err_invalid_sv(e, at, name, "unknown time zone %.*s", XB_SV_ARG(name));
}

static void validate_job(struct write *w, const struct xb_path *at, const struct xb_tree *spec, struct xb_field_errors *e)
{
	static const char *const manual[] = { "nil", "false", NULL };

	job_spec_validate(w, at, spec, e);
	if (xb_tree_get(spec, "selector"))
		label_selector_invalid(e, XB_PATH(at, "selector"), xb_tree_get(spec, "selector"), "`selector` will be auto-generated");
	if (xb_tree_true(xb_tree_get(spec, "manualSelector")))
		xb_err_unsupported(e, XB_PATH(at, "manualSelector"), XB_SV("true"), manual);
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	static const char *const policies[] = { "Allow", "Forbid", "Replace", NULL };
	static const char *const counts[] = { "startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit", NULL };
	const struct xb_tree *spec = xb_tree_get(object, "spec");
	const struct xb_path *at = XB_PATH(NULL, "spec");

	validate_schedule(e, XB_PATH(at, "schedule"), spec);
	workload_validate_counts(e, at, spec, counts);
	validate_zone(e, XB_PATH(at, "timeZone"), xb_tree_get(spec, "timeZone"));
	xb_validate_one_of(e, XB_PATH(at, "concurrencyPolicy"), xb_tree_gettext(spec, "concurrencyPolicy"), policies);
	validate_job(w, XB_PATH(XB_PATH(at, "jobTemplate"), "spec"), xb_tree_path(spec, "jobTemplate", "spec"), e);
	if (w->name.n > NAME_MAX_BYTES)
		xb_err_invalid_sv(e, XB_PATH(XB_PATH(NULL, "metadata"), "name"), w->name, "must be no more than %d characters", NAME_MAX_BYTES);
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Schedule", "string", "", "The schedule in Cron format, see https://en.wikipedia.org/wiki/Cron.", 0 },
	{ "Timezone", "string", "", "The time zone name for the given schedule, see https://en.wikipedia.org/wiki/List_of_tz_database_time_zones.", 0 },
	{ "Suspend", "boolean", "", "This flag tells the controller to suspend subsequent executions, it does not apply to already started executions. Defaults to false.", 0 },
	{ "Active", "integer", "", "A list of pointers to currently running jobs.", 0 },
	{ "Last Schedule", "string", "", "Information when was the last time the job was successfully scheduled.", 0 },
	COLUMN_AGE,
	COLUMN_CONTAINERS,
	COLUMN_IMAGES,
	{ "Selector", "string", "", "A label query over pods that should match the pod count. Normally, the system sets this field for you. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors", 1 },
};

static void row(struct table_row *r, struct xb_jv object)
{
	struct xb_jv spec = xb_jv_get(object, "spec"), status = xb_jv_get(object, "status"), job = xb_jv_path(spec, "jobTemplate", "spec");

	cell_name(r, object);
	cell_text(r, xb_jv_get(spec, "schedule"), "");
	cell_text(r, xb_jv_get(spec, "timeZone"), "<none>");
	xb_jw_str(r->w, xb_jv_true(xb_jv_get(spec, "suspend")) ? "True" : "False");
	xb_jw_int(r->w, (int64_t)xb_jv_count(xb_jv_get(status, "active")));
	if (xb_jv_is(xb_jv_get(status, "lastScheduleTime")))
		cell_since(r, xb_jv_get(status, "lastScheduleTime"));
	else
		xb_jw_str(r->w, "<none>");
	cell_age(r, object);
	cell_containers(r, xb_jv_get(job, "template"));
	cell_label_selector(r, xb_jv_get(job, "selector"));
}

const struct strategy cron_job_strategy = {
	.group = "batch", .kind = "CronJob",
	.name = xb_check_dns1123_subdomain,
	.defaults = defaults,
	.prepare_create = prepare_create,
	.validate = validate,
	.has_generation = true,
	.unconditional_update = true,
	COLUMNS(columns),
	.row = row,
};
