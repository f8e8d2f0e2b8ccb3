/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "amounts.h"
#include "edit.h"
#include "table.h"

static const char *const standard[] = {
	"cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.storage", "requests.ephemeral-storage",
	"limits.cpu", "limits.memory", "limits.ephemeral-storage", "pods", "services", "replicationcontrollers", "resourcequotas",
	"secrets", "configmaps", "persistentvolumeclaims", "services.nodeports", "services.loadbalancers", NULL
};
static const char *const counted[] = { "pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps",
				       "persistentvolumeclaims", "services.nodeports", "services.loadbalancers", NULL };

static void prepare_create(struct write *w, struct xb_tree *object)
{
	edit_json(w, object, "status", "{}");
}

static bool is_one_of(const char *const *names, struct xb_sv name)
{
	for (; *names; names++)
		if (xb_sv_is(name, *names))
			return true;
	return false;
}

static bool is_whole(struct xb_sv name)
{
	return is_one_of(counted, name) || xb_sv_starts(name, "count/");
}

static void validate_amounts(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *map)
{
	struct xb_quantity q;

	amounts_validate_names(e, at, map, standard, "must be a standard resource for quota");
	amounts_validate_nonnegative(e, at, map);
	xb_tree_each(amount, map)
		if (is_whole(amount->key) && !xb_quantity_parse(xb_tree_text(amount), &q) && q.nano % 1000000000)
			xb_err_invalid_sv(e, XB_PATH_KEY(at, amount->key), xb_tree_text(amount), "must be an integer");
}

static bool conflicts(const struct xb_tree *scopes, const char *one, const char *other)
{
	bool has_one = false, has_other = false;

	xb_tree_each(scope, scopes) {
		has_one |= xb_tree_is(scope, one);
		has_other |= xb_tree_is(scope, other);
	}
	return has_one && has_other;
}

static bool is_scope(const struct xb_tree *scope)
{
	static const char *const known[] = { "Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "PriorityClass",
					     "CrossNamespacePodAffinity", "VolumeAttributesClass" };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (xb_tree_is(scope, known[i]))
			return true;
	return false;
}

/* Most scopes are of pods: what is limited within them is pods, and what pods ask for, which those of BestEffort do not. */
static bool scope_has(const struct xb_tree *scope, struct xb_sv resource)
{
	static const char *const compute[] = { "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory", NULL };

	if (!is_scope(scope) || !is_one_of(standard, resource))
		return true;
	if (xb_tree_is(scope, "VolumeAttributesClass"))
		return xb_sv_is(resource, "persistentvolumeclaims") || xb_sv_is(resource, "requests.storage");
	return xb_sv_is(resource, "pods") || (!xb_tree_is(scope, "BestEffort") && is_one_of(compute, resource));
}

static void validate_scopes(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *scopes, const struct xb_tree *hard)
{
	xb_tree_each(scope, scopes) {
		if (!is_scope(scope))
			xb_err_invalid(e, at, scopes, "unsupported scope");
		xb_tree_each(amount, hard)
			if (!scope_has(scope, amount->key))
				xb_err_invalid(e, at, scopes, "unsupported scope applied to resource");
	}
	if (conflicts(scopes, "BestEffort", "NotBestEffort") || conflicts(scopes, "Terminating", "NotTerminating"))
		xb_err_invalid(e, at, scopes, "conflicting scopes");
}

static void validate_scope_selector(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *selector,
				    const struct xb_tree *hard)
{
	long i = 0;

	xb_tree_each(expression, xb_tree_get(selector, "matchExpressions")) {
		const struct xb_path *here = XB_PATH_AT(XB_PATH(at, "matchExpressions"), i++);
		const struct xb_tree *name = xb_tree_get(expression, "scopeName"), *operator = xb_tree_get(expression, "operator");
		bool lists = xb_tree_is(operator, "In") || xb_tree_is(operator, "NotIn"), none = edit_is_empty(xb_tree_get(expression, "values"));

		if (!is_scope(name))
			xb_err_invalid(e, XB_PATH(here, "scopeName"), name, "unsupported scope");
		xb_tree_each(amount, hard)
			if (!scope_has(name, amount->key))
				xb_err_invalid(e, at, selector, "unsupported scope applied to resource");
		if (!lists && !xb_tree_is(operator, "Exists") && !xb_tree_is(operator, "DoesNotExist"))
			xb_err_invalid(e, XB_PATH(here, "operator"), operator, "not a valid selector operator");
		else if (lists && none)
			xb_err_required(e, XB_PATH(here, "values"), "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector");
		else if (!lists && !none)
			xb_err_invalid(e, XB_PATH(here, "values"), xb_tree_get(expression, "values"),
				       "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector");
	}
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	const struct xb_tree *spec = xb_tree_get(object, "spec"), *hard = xb_tree_get(spec, "hard");
	const struct xb_path *at = XB_PATH(NULL, "spec");

	validate_amounts(e, XB_PATH(at, "hard"), hard);
	validate_scopes(e, XB_PATH(at, "scopes"), xb_tree_get(spec, "scopes"), hard);
	validate_scope_selector(e, XB_PATH(at, "scopeSelector"), xb_tree_get(spec, "scopeSelector"), hard);
}

static void validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	xb_validate_immutable(e, XB_PATH(XB_PATH(NULL, "spec"), "scopes"), xb_tree_path(object, "spec", "scopes"),
			      xb_tree_path(old, "spec", "scopes"));
}

static void validate_status(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	const struct xb_tree *status = xb_tree_get(object, "status");
	const struct xb_path *at = XB_PATH(NULL, "status");

	validate_amounts(e, XB_PATH(at, "hard"), xb_tree_get(status, "hard"));
	validate_amounts(e, XB_PATH(at, "used"), xb_tree_get(status, "used"));
}

static const struct column columns[] = {
	COLUMN_NAME,
	COLUMN_AGE,
	{ "Request", "string", "", "Request represents a minimum amount of cpu/memory that a container may consume.", 0 },
	{ "Limit", "string", "", "Limits control the maximum amount of cpu/memory that a container may use independent of contention on the node.", 0 },
};

/* "pods: 1/2, requests.cpu: 1/4": what is limits.x, or what is not. Maps are stored in the order of their keys. */
static void cell_used(struct table_row *r, struct xb_jv status, bool limits)
{
	_cleanup_buf_ struct xb_buf b = {};

	cell_open(&b);
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(status, "hard")); xb_jit_next(&it);) {
		struct xb_sv used = xb_jv_text(xb_jv_getsv(xb_jv_get(status, "used"), it.key));

		if (xb_sv_starts(it.key, "limits") != limits)
			continue;
		xb_buf_adds(&b, b.n > 1 ? ", " : "");
		xb_buf_addf(&b, "%.*s: %.*s/", XB_SV_ARG(it.key), XB_SV_ARG(used.n ? used : XB_SV("0")));
		xb_buf_addsv(&b, xb_jv_text(it.value));
	}
	cell_close(r, &b, "");
}

static void row(struct table_row *r, struct xb_jv object)
{
	struct xb_jv status = xb_jv_get(object, "status");

	cell_name(r, object);
	cell_age(r, object);
	cell_used(r, status, false);
	cell_used(r, status, true);
}

const struct strategy resource_quota_strategy = {
	.group = "", .kind = "ResourceQuota",
	.name = xb_check_dns1123_subdomain,
	.prepare_create = prepare_create,
	.validate = validate,
	.validate_update = validate_update,
	.validate_status = validate_status,
	.unconditional_update = true,
	.returns_deleted = true,
	COLUMNS(columns),
	.row = row,
};
