/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <ctype.h>

#include "edit.h"
#include "ingress.h"
#include "table.h"

#define CONTROLLER_MAX 250
#define HTTP_PATH "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+"

static unsigned check_http_path(struct xb_sv s, const char *ret[XB_CHECK_MAX])
{
	size_t n = 0;

	while (n < s.n && (isalnum((unsigned char)s.p[n]) || strchr("/-._~%!$&'()*+,;=:", s.p[n])))
		n++;
	if (n == s.n)
		return 0;
	ret[0] = "Invalid path (regex used for validation is '" HTTP_PATH "')";
	return 1;
}

/* "acme.io/foo" */
static void validate_controller(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv controller)
{
	struct xb_sv path = controller, domain = {};

	if (controller.n > CONTROLLER_MAX)
		xb_err_too_long(e, at, CONTROLLER_MAX);
	if (!controller.n) {
		xb_err_required(e, at, "");
		return;
	}
	xb_sv_split(&path, '/', &domain);
	if (!domain.n || !path.n) {
		xb_err_invalid_sv(e, at, controller, "must be a domain-prefixed path (such as \"acme.io/foo\")");
		return;
	}
	xb_validate(e, at, domain, xb_check_dns1123_subdomain);
	xb_validate(e, at, path, check_http_path);
}

static void validate_parameters(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *parameters)
{
	static const char *const scopes[] = { "Cluster", "Namespace", NULL };
	const struct xb_tree *scope = xb_tree_get(parameters, "scope"), *space = xb_tree_get(parameters, "namespace");
	const struct xb_path *space_path = XB_PATH(at, "namespace");

	ingress_validate_reference(e, at, parameters);
	xb_validate_one_of(e, XB_PATH(at, "scope"), xb_tree_text(scope), scopes);
	if (xb_tree_is(scope, "Namespace") && !xb_tree_text(space).n)
		xb_err_required(e, space_path, "`parameters.scope` is set to 'Namespace'");
	else if (xb_tree_is(scope, "Namespace"))
		xb_validate(e, space_path, xb_tree_text(space), xb_check_dns1123_label);
	if (xb_tree_is(scope, "Cluster") && space)
		xb_err_forbidden(e, space_path, "`parameters.scope` is set to 'Cluster'");
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	const struct xb_tree *spec = xb_tree_get(object, "spec"), *parameters = xb_tree_get(spec, "parameters");
	const struct xb_path *at = XB_PATH(NULL, "spec");

	validate_controller(e, XB_PATH(at, "controller"), xb_tree_gettext(spec, "controller"));
	if (parameters)
		validate_parameters(e, XB_PATH(at, "parameters"), parameters);
}

static void validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	xb_validate_immutable(e, XB_PATH(XB_PATH(NULL, "spec"), "controller"), xb_tree_path(object, "spec", "controller"),
			      xb_tree_path(old, "spec", "controller"));
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Controller", "string", "", "Controller that is responsible for handling this class", 0 },
	{ "Parameters", "string", "", "A reference to a resource with additional parameters", 0 },
	COLUMN_AGE,
};

static void cell_parameters(struct table_row *r, struct xb_jv parameters)
{
	_cleanup_buf_ struct xb_buf b = {};
	struct xb_sv group = xb_jv_text(xb_jv_get(parameters, "apiGroup"));

	cell_open(&b);
	xb_buf_addsv(&b, xb_jv_text(xb_jv_get(parameters, "kind")));
	if (group.n)
		xb_buf_addf(&b, ".%.*s", XB_SV_ARG(group));
	if (xb_jv_is(parameters))
		xb_buf_addf(&b, "/%.*s", XB_SV_ARG(xb_jv_text(xb_jv_get(parameters, "name"))));
	cell_close(r, &b, "<none>");
}

static void row(struct table_row *r, struct xb_jv object)
{
	struct xb_jv spec = xb_jv_get(object, "spec");

	cell_name(r, object);
	cell_text(r, xb_jv_get(spec, "controller"), "");
	cell_parameters(r, xb_jv_get(spec, "parameters"));
	cell_age(r, object);
}

const struct strategy ingress_class_strategy = {
	.group = "networking.k8s.io", .kind = "IngressClass",
	.name = xb_check_dns1123_subdomain,
	.validate = validate,
	.validate_update = validate_update,
	.has_generation = true,
	.unconditional_update = true,
	COLUMNS(columns),
	.row = row,
};
