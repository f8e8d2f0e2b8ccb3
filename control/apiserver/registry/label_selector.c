/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "label_selector.h"
#include "edit.h"

bool label_selector_empty(const struct xb_tree *selector)
{
	return edit_is_empty(xb_tree_get(selector, "matchLabels")) && edit_is_empty(xb_tree_get(selector, "matchExpressions"));
}

static bool has_value(const struct xb_tree *expression, struct xb_sv value)
{
	xb_tree_each(v, xb_tree_get(expression, "values"))
		if (xb_sv_eq(xb_tree_text(v), value))
			return true;
	return false;
}

static bool expression_matches(const struct xb_tree *expression, const struct xb_tree *labels)
{
	const struct xb_tree *label = xb_tree_getsv(labels, xb_tree_gettext(expression, "key")),
			     *operator = xb_tree_get(expression, "operator");

	if (xb_tree_is(operator, "In"))
		return label && has_value(expression, xb_tree_text(label));
	if (xb_tree_is(operator, "NotIn"))
		return !label || !has_value(expression, xb_tree_text(label));
	return xb_tree_is(operator, "Exists") ? label != NULL : !label;
}

bool label_selector_matches(const struct xb_tree *selector, const struct xb_tree *labels)
{
	xb_tree_each(term, xb_tree_get(selector, "matchLabels"))
		if (!xb_tree_equal(term, xb_tree_getsv(labels, term->key)))
			return false;
	xb_tree_each(expression, xb_tree_get(selector, "matchExpressions"))
		if (!expression_matches(expression, labels))
			return false;
	return selector != NULL;
}

void label_selector_validate_values(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *expression)
{
	const struct xb_tree *operator = xb_tree_get(expression, "operator"), *values = xb_tree_get(expression, "values");
	const struct xb_path *here = XB_PATH(at, "values");

	if (xb_tree_is(operator, "In") || xb_tree_is(operator, "NotIn")) {
		if (edit_is_empty(values))
			xb_err_required(e, here, "must be specified when `operator` is 'In' or 'NotIn'");
	} else if (xb_tree_is(operator, "Exists") || xb_tree_is(operator, "DoesNotExist")) {
		if (!edit_is_empty(values))
			xb_err_forbidden(e, here, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
	} else {
		xb_err_invalid_sv(e, XB_PATH(at, "operator"), xb_tree_text(operator), "not a valid selector operator");
	}
}

void label_selector_validate(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *selector)
{
	long i = 0;

	if (xb_tree_get(selector, "matchLabels"))
		xb_validate_labels(e, XB_PATH(at, "matchLabels"), xb_tree_get(selector, "matchLabels"));
	xb_tree_each(expression, xb_tree_get(selector, "matchExpressions")) {
		const struct xb_path *here = XB_PATH_AT(XB_PATH(at, "matchExpressions"), i++);
		long n = 0;

		label_selector_validate_values(e, here, expression);
		xb_validate(e, XB_PATH(here, "key"), xb_tree_gettext(expression, "key"), xb_check_qualified_name);
		xb_tree_each(value, xb_tree_get(expression, "values"))
			xb_validate(e, XB_PATH_AT(XB_PATH(here, "values"), n++), xb_tree_text(value), xb_check_label_value);
	}
}

/* --- as Go's %#v prints it */

static void add_strings(struct xb_buf *b, const char *type, const struct xb_tree *list)
{
	xb_buf_adds(b, type);
	if (edit_is_empty(list)) {
		xb_buf_adds(b, "(nil)");
		return;
	}
	xb_buf_addc(b, '{');
	xb_tree_each(n, list) {
		xb_buf_adds(b, n == list->first ? "" : ", ");
		if (n->key.p) {
			xb_buf_addq(b, n->key);
			xb_buf_addc(b, ':');
		}
		xb_buf_addq(b, xb_tree_text(n));
	}
	xb_buf_addc(b, '}');
}

static void add_expressions(struct xb_buf *b, const struct xb_tree *list)
{
	xb_buf_adds(b, "[]v1.LabelSelectorRequirement");
	if (edit_is_empty(list)) {
		xb_buf_adds(b, "(nil)");
		return;
	}
	xb_buf_addc(b, '{');
	xb_tree_each(n, list) {
		xb_buf_adds(b, n == list->first ? "v1.LabelSelectorRequirement{Key:" : ", v1.LabelSelectorRequirement{Key:");
		xb_buf_addq(b, xb_tree_gettext(n, "key"));
		xb_buf_adds(b, ", Operator:");
		xb_buf_addq(b, xb_tree_gettext(n, "operator"));
		xb_buf_adds(b, ", Values:");
		add_strings(b, "[]string", xb_tree_get(n, "values"));
		xb_buf_addc(b, '}');
	}
	xb_buf_addc(b, '}');
}

void label_selector_invalid(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *selector, const char *detail)
{
	_cleanup_buf_ struct xb_buf b = {};

	if (!selector) {
		xb_err_invalid_go(e, at, "null", "%s", detail);
		return;
	}
	xb_buf_adds(&b, "v1.LabelSelector{MatchLabels:");
	add_strings(&b, "map[string]string", xb_tree_get(selector, "matchLabels"));
	xb_buf_adds(&b, ", MatchExpressions:");
	add_expressions(&b, xb_tree_get(selector, "matchExpressions"));
	xb_buf_addc(&b, '}');
	if (b.err)
		e->no_memory = true;
	else
		xb_err_invalid_go(e, at, b.p, "%s", detail);
}

void label_selector_validate_immutable(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *now,
				       const struct xb_tree *old)
{
	if (!xb_tree_equal(now, old))
		label_selector_invalid(e, at, now, "field is immutable");
}
