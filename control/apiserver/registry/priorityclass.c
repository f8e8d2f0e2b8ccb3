/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "edit.h"
#include "priorityclass.h"
#include "table.h"

enum { USER_VALUE_MAX = 1000000000 };

const struct system_priority_class system_priority_classes[] = {
	{ "system-cluster-critical", "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.", 2000000000 },
	{ "system-node-critical", "Used for system critical pods that must not be moved from their current node.", 2000001000 },
	{},
};

static const struct system_priority_class *find_system(struct xb_sv name)
{
	for (const struct system_priority_class *c = system_priority_classes; c->name; c++)
		if (xb_sv_is(name, c->name))
			return c;
	return NULL;
}

static void validate_system(struct xb_field_errors *e, struct xb_sv name, const struct xb_tree *object)
{
	const struct system_priority_class *c = find_system(name);
	_cleanup_buf_ struct xb_buf why = {};

	xb_buf_adds(&why, "priority class names with 'system-' prefix are reserved for system use only. error: ");
	if (!c)
		xb_buf_addf(&why, "%.*s is not a known system priority class", XB_SV_ARG(name));
	else if (xb_tree_geti64(object, "value", 0) != c->value)
		xb_buf_addf(&why, "value of %s PriorityClass must be %lld", c->name, (long long)c->value);
	else if (xb_tree_true(xb_tree_get(object, "globalDefault")))
		xb_buf_addf(&why, "globalDefault of %s PriorityClass must be false", c->name);
	else
		return;
	if (why.err)
		e->no_memory = true;
	else
		xb_err_forbidden(e, XB_PATH(XB_PATH(NULL, "metadata"), "name"), why.p);
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	static const char *const policies[] = { "Never", "PreemptLowerPriority", NULL };
	struct xb_sv name = xb_tree_text(xb_tree_path(object, "metadata", "name"));

	if (xb_sv_starts(name, "system-"))
		validate_system(e, name, object);
	else if (xb_tree_geti64(object, "value", 0) > USER_VALUE_MAX)
		xb_err_forbidden(e, XB_PATH(NULL, "value"), "maximum allowed value of a user defined priority is 1000000000");
	xb_validate_one_of(e, XB_PATH(NULL, "preemptionPolicy"), xb_tree_gettext(object, "preemptionPolicy"), policies);
}

static void validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	if (!edit_same(object, old, "value"))
		xb_err_forbidden(e, XB_PATH(NULL, "value"), "may not be changed in an update.");
	xb_validate_immutable(e, XB_PATH(NULL, "preemptionPolicy"), xb_tree_get(object, "preemptionPolicy"), xb_tree_get(old, "preemptionPolicy"));
}

static enum deletion refuse_system(struct write *w, struct xb_tree *object, const struct delete_request *q, struct xb_status *reterr)
{
	if (find_system(w->name))
		xb_status_forbidden(reterr, w->kind->group, w->kind->plural, w->name, "this is a system priority class and cannot be deleted");
	return DELETE_NOW;
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Value", "integer", "", "value represents the integer value of this priority class. This is the actual priority that pods receive when they have the name of this class in their pod spec.", 0 },
	{ "Global-Default", "boolean", "", "globalDefault specifies whether this PriorityClass should be considered as the default priority for pods that do not have any priority class. Only one PriorityClass can be marked as `globalDefault`. However, if more than one PriorityClasses exists with their `globalDefault` field set to true, the smallest value of such global default PriorityClasses will be used as the default priority.", 0 },
	COLUMN_AGE,
};

static void row(struct table_row *r, struct xb_jv object)
{
	cell_name(r, object);
	cell_int(r, xb_jv_get(object, "value"), 0);
	xb_jw_bool(r->w, xb_jv_true(xb_jv_get(object, "globalDefault")));
	cell_age(r, object);
}

const struct strategy priority_class_strategy = {
	.group = "scheduling.k8s.io", .kind = "PriorityClass",
	.name = xb_check_dns1123_subdomain,
	.validate = validate,
	.validate_update = validate_update,
	.delete_ = refuse_system,
	.has_generation = true,
	.unconditional_update = true,
	COLUMNS(columns),
	.row = row,
};
