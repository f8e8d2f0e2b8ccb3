/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Validation of what tells the scheduler where a pod may go: affinity, tolerations, spreading. */
#include "edit.h"
#include "label_selector.h"
#include "pod.h"
#include "seen.h"

static void validate_node_expression(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *expression)
{
	const struct xb_tree *operator = xb_tree_get(expression, "operator"), *values = xb_tree_get(expression, "values");

	if (xb_tree_is(operator, "Gt") || xb_tree_is(operator, "Lt")) {
		if (!values || values->count != 1)
			xb_err_required(e, XB_PATH(at, "values"),
					"must be specified single value when `operator` is 'Lt' or 'Gt'");
	} else {
		label_selector_validate_values(e, at, expression);
	}
	xb_validate(e, XB_PATH(at, "key"), xb_tree_gettext(expression, "key"), xb_check_qualified_name);
}

static void validate_node_term(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *term)
{
	long i = 0;

	xb_tree_each(expression, xb_tree_get(term, "matchExpressions"))
		validate_node_expression(e, XB_PATH_AT(XB_PATH(at, "matchExpressions"), i++), expression);
	i = 0;
	xb_tree_each(field, xb_tree_get(term, "matchFields")) {
		const struct xb_path *here = XB_PATH_AT(XB_PATH(at, "matchFields"), i++);

		label_selector_validate_values(e, here, field);
		if (!xb_tree_is(xb_tree_get(field, "key"), "metadata.name"))
			xb_err_invalid_sv(e, XB_PATH(here, "key"), xb_tree_gettext(field, "key"),
					  "not a valid field selector key");
	}
}

/* --- affinity */

static void validate_weight(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *preferred)
{
	int64_t weight = xb_tree_geti64(preferred, "weight", 0);

	if (weight < 1 || weight > 100)
		xb_err_invalid_go(e, XB_PATH(at, "weight"), xb_arena_printf(e->arena, "%lld", (long long)weight),
				  "must be in the range 1-100");
}

static void validate_node_affinity(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *affinity)
{
	const struct xb_tree *required = xb_tree_get(affinity, "requiredDuringSchedulingIgnoredDuringExecution");
	const struct xb_tree *terms = xb_tree_get(required, "nodeSelectorTerms");
	const struct xb_path *terms_path = XB_PATH(XB_PATH(at, "requiredDuringSchedulingIgnoredDuringExecution"),
						   "nodeSelectorTerms");
	long i = 0;

	if (required && edit_is_empty(terms))
		xb_err_required(e, terms_path, "must have at least one node selector term");
	xb_tree_each(term, terms)
		validate_node_term(e, XB_PATH_AT(terms_path, i++), term);
	i = 0;
	xb_tree_each(preferred, xb_tree_get(affinity, "preferredDuringSchedulingIgnoredDuringExecution")) {
		const struct xb_path *here = XB_PATH_AT(XB_PATH(at, "preferredDuringSchedulingIgnoredDuringExecution"), i++);

		validate_weight(e, here, preferred);
		validate_node_term(e, XB_PATH(here, "preference"), xb_tree_get(preferred, "preference"));
	}
}

static void validate_topology_key(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv key)
{
	if (!key.n)
		xb_err_required(e, at, "can not be empty");
	else
		xb_validate(e, at, key, xb_check_qualified_name);
}

static void validate_pod_term(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *term)
{
	label_selector_validate(e, XB_PATH(at, "labelSelector"), xb_tree_get(term, "labelSelector"));
	label_selector_validate(e, XB_PATH(at, "namespaceSelector"), xb_tree_get(term, "namespaceSelector"));
	xb_tree_each(name, xb_tree_get(term, "namespaces"))
		xb_validate(e, XB_PATH(at, "namespace"), xb_tree_text(name), xb_check_dns1123_label);
	validate_topology_key(e, XB_PATH(at, "topologyKey"), xb_tree_gettext(term, "topologyKey"));
}

static void validate_pod_affinity(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *affinity)
{
	long i = 0;

	xb_tree_each(term, xb_tree_get(affinity, "requiredDuringSchedulingIgnoredDuringExecution"))
		validate_pod_term(e, XB_PATH_AT(XB_PATH(at, "requiredDuringSchedulingIgnoredDuringExecution"), i++), term);
	i = 0;
	xb_tree_each(preferred, xb_tree_get(affinity, "preferredDuringSchedulingIgnoredDuringExecution")) {
		const struct xb_path *here = XB_PATH_AT(XB_PATH(at, "preferredDuringSchedulingIgnoredDuringExecution"), i++);

		validate_weight(e, here, preferred);
		validate_pod_term(e, XB_PATH(here, "podAffinityTerm"), xb_tree_get(preferred, "podAffinityTerm"));
	}
}

void pod_validate_affinity(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *affinity)
{
	validate_node_affinity(e, XB_PATH(at, "nodeAffinity"), xb_tree_get(affinity, "nodeAffinity"));
	validate_pod_affinity(e, XB_PATH(at, "podAffinity"), xb_tree_get(affinity, "podAffinity"));
	validate_pod_affinity(e, XB_PATH(at, "podAntiAffinity"), xb_tree_get(affinity, "podAntiAffinity"));
}

/* --- tolerations */

static void validate_toleration(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *toleration)
{
	static const char *const operators[] = { "Equal", "Exists", NULL };
	static const char *const effects[] = { "NoSchedule", "PreferNoSchedule", "NoExecute", NULL };
	struct xb_sv key = xb_tree_gettext(toleration, "key"), operator = xb_tree_gettext(toleration, "operator");
	struct xb_sv value = xb_tree_gettext(toleration, "value"), effect = xb_tree_gettext(toleration, "effect");

	if (key.n)
		xb_validate(e, XB_PATH(at, "key"), key, xb_check_qualified_name);
	else if (!xb_sv_is(operator, "Exists"))
		xb_err_invalid_sv(e, XB_PATH(at, "operator"), operator,
				  "operator must be Exists when `key` is empty, which means \"match all values and all keys\"");
	if (xb_tree_get(toleration, "tolerationSeconds") && !xb_sv_is(effect, "NoExecute"))
		xb_err_invalid_sv(e, XB_PATH(at, "effect"), effect,
				  "effect must be 'NoExecute' when `tolerationSeconds` is set");
	if (!operator.n || xb_sv_is(operator, "Equal"))
		xb_validate(e, XB_PATH(at, "operator"), value, xb_check_label_value);
	else if (!xb_sv_is(operator, "Exists"))
		xb_err_unsupported(e, XB_PATH(at, "operator"), operator, operators);
	else if (value.n)
		xb_err_invalid(e, XB_PATH(at, "operator"), toleration, "value must be empty when `operator` is 'Exists'");
	if (effect.n)
		xb_validate_one_of(e, XB_PATH(at, "effect"), effect, effects);
}

void pod_validate_tolerations(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *list)
{
	long i = 0;

	xb_tree_each(toleration, list)
		validate_toleration(e, XB_PATH_AT(at, i++), toleration);
}

/* --- topology spread constraints */

static void validate_domains(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *constraint)
{
	const struct xb_tree *domains = xb_tree_get(constraint, "minDomains");
	struct xb_sv action = xb_tree_gettext(constraint, "whenUnsatisfiable");

	if (!domains)
		return;
	if (xb_tree_geti64(constraint, "minDomains", 0) <= 0)
		xb_err_invalid(e, XB_PATH(at, "minDomains"), domains, "must be greater than 0");
	if (!xb_sv_is(action, "DoNotSchedule"))
		xb_err_invalid(e, XB_PATH(at, "minDomains"), domains,
			       "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not %.*s",
			       XB_SV_ARG(action));
}

static void validate_constraint(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *constraint, struct seen *before)
{
	static const char *const actions[] = { "DoNotSchedule", "ScheduleAnyway", NULL }, *const policies[] = { "Honor", "Ignore", NULL };
	static const char *const policy_keys[] = { "nodeAffinityPolicy", "nodeTaintsPolicy" };
	static const char *const identity[] = { "topologyKey", "whenUnsatisfiable", NULL };
	struct xb_sv key = xb_tree_gettext(constraint, "topologyKey"), action = xb_tree_gettext(constraint,
					   "whenUnsatisfiable");
	const struct xb_tree *skew = xb_tree_get(constraint, "maxSkew");

	if (xb_tree_geti64(constraint, "maxSkew", 0) <= 0)
		xb_err_invalid(e, XB_PATH(at, "maxSkew"), skew, "must be greater than zero");
	validate_topology_key(e, XB_PATH(at, "topologyKey"), key);
	xb_validate_one_of(e, XB_PATH(at, "whenUnsatisfiable"), action, actions);
	if (seen_node(before, constraint, identity))
		xb_err_duplicate(e, XB_PATH(at, "{topologyKey, whenUnsatisfiable}"),
				 xb_sv(xb_arena_printf(e->arena, "{%.*s, %.*s}", XB_SV_ARG(key), XB_SV_ARG(action))));
	validate_domains(e, at, constraint);
	for (size_t i = 0; i < ARRAY_SIZE(policy_keys); i++)
		if (xb_tree_get(constraint, policy_keys[i]))
			xb_validate_one_of(e, XB_PATH(at, policy_keys[i]), xb_tree_gettext(constraint,
					   policy_keys[i]), policies);
	label_selector_validate(e, XB_PATH(at, "labelSelector"), xb_tree_get(constraint, "labelSelector"));
}

void pod_validate_spread(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *list)
{
	struct seen before = SEEN(e);
	long i = 0;

	xb_tree_each(constraint, list)
		validate_constraint(e, XB_PATH_AT(at, i++), constraint, &before);
}
