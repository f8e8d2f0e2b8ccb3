/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "edit.h"
#include "rbac.h"
#include "table.h"

/* --- roles --- */

static void validate_rule(const struct xb_tree *rule, bool namespaced, const struct xb_path *at, struct xb_field_errors *e)
{
	const struct xb_tree *urls = xb_tree_get(rule, "nonResourceURLs"), *groups = xb_tree_get(rule, "apiGroups");
	const struct xb_tree *resources = xb_tree_get(rule, "resources"), *names = xb_tree_get(rule, "resourceNames");

	if (edit_is_empty(xb_tree_get(rule, "verbs")))
		xb_err_required(e, XB_PATH(at, "verbs"), "verbs must contain at least one value");
	if (!edit_is_empty(urls)) {
		if (namespaced)
			xb_err_invalid(e, XB_PATH(at, "nonResourceURLs"), urls, "namespaced rules cannot apply to non-resource URLs");
		if (!edit_is_empty(groups) || !edit_is_empty(resources) || !edit_is_empty(names))
			xb_err_invalid(e, XB_PATH(at, "nonResourceURLs"), urls,
				       "rules cannot apply to both regular resources and non-resource URLs");
		return;
	}
	if (edit_is_empty(groups))
		xb_err_required(e, XB_PATH(at, "apiGroups"), "resource rules must supply at least one api group");
	if (edit_is_empty(resources))
		xb_err_required(e, XB_PATH(at, "resources"), "resource rules must supply at least one resource");
}

static void validate_rules(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	long i = 0;

	xb_tree_each(rule, xb_tree_get(object, "rules"))
		validate_rule(rule, w->kind->namespaced, XB_PATH_AT(XB_PATH(NULL, "rules"), i++), e);
}

static void validate_cluster_role(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	const struct xb_tree *aggregation = xb_tree_get(object, "aggregationRule");

	if (aggregation && edit_is_empty(xb_tree_get(aggregation, "clusterRoleSelectors")))
		xb_err_required(e, XB_PATH(XB_PATH(NULL, "aggregationRule"), "clusterRoleSelectors"),
				"at least one clusterRoleSelector required if aggregationRule is non-nil");
	validate_rules(w, object, e);
}

static const struct column role_columns[] = {
	COLUMN_NAME,
	{ "Created At", "date", "", COLUMN_AGE_TEXT, 0 },
};

static void role_row(struct table_row *r, struct xb_jv object)
{
	cell_name(r, object);
	cell_text(r, xb_jv_path(object, "metadata", "creationTimestamp"), "");
}

/* --- bindings --- */

static void binding_defaults(struct write *w, struct xb_tree *object)
{
	struct xb_tree *ref = xb_tree_get(object, "roleRef");

	if (!xb_tree_gettext(ref, "apiGroup").n)
		edit_str(w, ref, "apiGroup", RBAC_GROUP);
	xb_tree_each(subject, xb_tree_get(object, "subjects"))
		if (!xb_tree_gettext(subject, "apiGroup").n &&
		    (xb_tree_is(xb_tree_get(subject, "kind"), "User") || xb_tree_is(xb_tree_get(subject, "kind"), "Group")))
			edit_str(w, subject, "apiGroup", RBAC_GROUP);
}

static void validate_role_ref(struct write *w, const struct xb_tree *ref, struct xb_field_errors *e)
{
	static const char *const groups[] = { RBAC_GROUP, NULL }, *const cluster[] = { "ClusterRole", NULL };
	static const char *const kinds[] = { "Role", "ClusterRole", NULL };
	struct xb_sv group = xb_tree_gettext(ref, "apiGroup"), kind = xb_tree_gettext(ref, "kind"), name = xb_tree_gettext(ref, "name");
	const struct xb_path *at = XB_PATH(NULL, "roleRef");

	if (!xb_sv_is(group, RBAC_GROUP))
		xb_err_unsupported(e, XB_PATH(at, "apiGroup"), group, groups);
	if (!xb_sv_is(kind, "ClusterRole") && !(w->kind->namespaced && xb_sv_is(kind, "Role")))
		xb_err_unsupported(e, XB_PATH(at, "kind"), kind, w->kind->namespaced ? kinds : cluster);
	if (!name.n)
		xb_err_required(e, XB_PATH(at, "name"), "");
	else
		xb_validate(e, XB_PATH(at, "name"), name, xb_check_path_segment);
}

static void validate_subject(struct write *w, const struct xb_tree *subject, const struct xb_path *at, struct xb_field_errors *e)
{
	static const char *const kinds[] = { "ServiceAccount", "User", "Group", NULL };
	static const char *const rbac[] = { RBAC_GROUP, NULL }, *const core[] = { "", NULL };
	struct xb_sv group = xb_tree_gettext(subject, "apiGroup"), kind = xb_tree_gettext(subject, "kind");
	struct xb_sv name = xb_tree_gettext(subject, "name");

	if (!name.n)
		xb_err_required(e, XB_PATH(at, "name"), "");
	if (xb_sv_is(kind, "ServiceAccount")) {
		if (name.n)
			xb_validate(e, XB_PATH(at, "name"), name, xb_check_dns1123_subdomain);
		if (group.n)
			xb_err_unsupported(e, XB_PATH(at, "apiGroup"), group, core);
		if (!w->kind->namespaced && !xb_tree_gettext(subject, "namespace").n)
			xb_err_required(e, XB_PATH(at, "namespace"), "");
	} else if (!xb_sv_is(kind, "User") && !xb_sv_is(kind, "Group")) {
		xb_err_unsupported(e, XB_PATH(at, "kind"), kind, kinds);
	} else if (!xb_sv_is(group, RBAC_GROUP)) {
		xb_err_unsupported(e, XB_PATH(at, "apiGroup"), group, rbac);
	}
}

static void validate_binding(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	long i = 0;

	validate_role_ref(w, xb_tree_get(object, "roleRef"), e);
	xb_tree_each(subject, xb_tree_get(object, "subjects"))
		validate_subject(w, subject, XB_PATH_AT(XB_PATH(NULL, "subjects"), i++), e);
}

static void validate_binding_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	const struct xb_tree *ref = xb_tree_get(object, "roleRef");
	_cleanup_buf_ struct xb_buf value = {};

	if (xb_tree_equal(ref, xb_tree_get(old, "roleRef")))
		return;
	xb_buf_addf(&value, "rbac.RoleRef{APIGroup:\"%.*s\", Kind:\"%.*s\", Name:\"%.*s\"}", XB_SV_ARG(xb_tree_gettext(ref, "apiGroup")),
		    XB_SV_ARG(xb_tree_gettext(ref, "kind")), XB_SV_ARG(xb_tree_gettext(ref, "name")));
	xb_err_invalid_go(e, XB_PATH(NULL, "roleRef"), value.p ? value.p : "", "cannot change roleRef");
}

static const struct column binding_columns[] = {
	COLUMN_NAME,
	{ "Role", "string", "", "RoleRef can reference a Role in the current namespace or a ClusterRole in the global namespace. If the RoleRef cannot be resolved, the Authorizer must return an error. This field is immutable.", 0 },
	COLUMN_AGE,
	{ "Users", "string", "", "Users in the roleBinding", 1 },
	{ "Groups", "string", "", "Groups in the roleBinding", 1 },
	{ "ServiceAccounts", "string", "", "ServiceAccounts in the roleBinding", 1 },
};

static void cell_subjects(struct table_row *r, struct xb_jv subjects, struct xb_sv kind)
{
	_cleanup_buf_ struct xb_buf b = {};

	cell_open(&b);
	for (struct xb_jit it = xb_jv_iter(subjects); xb_jit_next(&it);) {
		if (!xb_jv_streq(xb_jv_get(it.value, "kind"), kind))
			continue;
		if (b.n > 1)
			xb_buf_adds(&b, ", ");
		if (xb_sv_is(kind, "ServiceAccount"))
			xb_buf_addf(&b, "%.*s/", XB_SV_ARG(xb_jv_text(xb_jv_get(it.value, "namespace"))));
		xb_buf_addsv(&b, xb_jv_text(xb_jv_get(it.value, "name")));
	}
	cell_close(r, &b, "");
}

static void binding_row(struct table_row *r, struct xb_jv object)
{
	struct xb_jv ref = xb_jv_get(object, "roleRef"), subjects = xb_jv_get(object, "subjects");
	_cleanup_buf_ struct xb_buf role = {};

	cell_name(r, object);
	cell_open(&role);
	xb_buf_addf(&role, "%.*s/%.*s", XB_SV_ARG(xb_jv_text(xb_jv_get(ref, "kind"))), XB_SV_ARG(xb_jv_text(xb_jv_get(ref, "name"))));
	cell_close(r, &role, "");
	cell_age(r, object);
	cell_subjects(r, subjects, XB_SV("User"));
	cell_subjects(r, subjects, XB_SV("Group"));
	cell_subjects(r, subjects, XB_SV("ServiceAccount"));
}

#define ROLE_STRATEGY(kind_, validate_) { \
	.group = RBAC_GROUP, .kind = kind_, .name = xb_check_path_segment, .validate = validate_, \
	.unconditional_update = true, .create_on_update = true, COLUMNS(role_columns), .row = role_row }
#define BINDING_STRATEGY(kind_) { \
	.group = RBAC_GROUP, .kind = kind_, .name = xb_check_path_segment, .defaults = binding_defaults, .validate = validate_binding, \
	.validate_update = validate_binding_update, .unconditional_update = true, .create_on_update = true, \
	COLUMNS(binding_columns), .row = binding_row }

const struct strategy role_strategy = ROLE_STRATEGY("Role", validate_rules);
const struct strategy cluster_role_strategy = ROLE_STRATEGY("ClusterRole", validate_cluster_role);
const struct strategy role_binding_strategy = BINDING_STRATEGY("RoleBinding");
const struct strategy cluster_role_binding_strategy = BINDING_STRATEGY("ClusterRoleBinding");
