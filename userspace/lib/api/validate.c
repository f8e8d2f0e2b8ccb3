/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include "xb/validate.h"

#define ANNOTATIONS_LIMIT ((size_t)256 << 10)

static bool report(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv shown, struct xb_sv checked, xb_check_fn *check)
{
	const char *faults[XB_CHECK_MAX];
	const unsigned n = check(checked, faults);

	for (unsigned i = 0; i < n; i++)
		xb_err_invalid_sv(e, at, shown, "%s", faults[i]);
	return !n;
}

bool xb_validate(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv s, xb_check_fn *check)
{
	return report(e, at, s, s, check);
}

bool xb_validate_prefix(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv s, xb_check_fn *check)
{
	struct xb_sv checked = s;

	if (s.n > 1 && s.p[s.n - 1] == '-') {
		char *copy = xb_arena_strn(e->arena, s);

		if (!copy) {
			e->no_memory = true;
			return false;
		}
		copy[s.n - 1] = 'a';
		checked.p = copy;
	}
	return report(e, at, s, checked, check);
}

static bool report_number(struct xb_field_errors *e, const struct xb_path *at, int64_t n, const char *fault)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)n);
	xb_err_invalid_go(e, at, text, "%s", fault);
	return false;
}

bool xb_validate_port(struct xb_field_errors *e, const struct xb_path *at, int64_t port)
{
	return (port >= 1 && port <= 65535) || report_number(e, at, port, "must be between 1 and 65535, inclusive");
}

bool xb_validate_nonnegative(struct xb_field_errors *e, const struct xb_path *at, int64_t n)
{
	return n >= 0 || report_number(e, at, n, "must be greater than or equal to 0");
}

bool xb_validate_port_or_name(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *node)
{
	int64_t port = 0;

	if (node && node->type == XB_JSON_STRING)
		return xb_validate(e, at, node->text, xb_check_port_name);
	if (node && xb_tree_i64(node, &port) < 0)
		port = 0;
	return xb_validate_port(e, at, port);
}

bool xb_validate_one_of(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv s, const char *const *supported)
{
	if (!s.n) {
		xb_err_required(e, at, "");
		return false;
	}
	for (const char *const *one = supported; *one; one++)
		if (xb_sv_is(s, *one))
			return true;
	xb_err_unsupported(e, at, s, supported);
	return false;
}

bool xb_validate_immutable(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *now, const struct xb_tree *old)
{
	if (xb_tree_equal(now, old))
		return true;
	xb_err_invalid(e, at, now, "field is immutable");
	return false;
}

void xb_validate_labels(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *labels)
{
	xb_tree_each(label, labels) {
		xb_validate(e, at, label->key, xb_check_qualified_name);
		xb_validate(e, at, xb_tree_text(label), xb_check_label_value);
	}
}

/* The rule is the qualified name's, but that upper case is allowed in the prefix too. */
static void validate_annotation_key(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv key)
{
	const char *faults[XB_CHECK_MAX];
	char *lower;

	if (!xb_check_qualified_name(key, faults))
		return;
	lower = xb_arena_strn(e->arena, key);
	if (!lower) {
		e->no_memory = true;
		return;
	}
	for (size_t i = 0; i < key.n; i++)
		if (lower[i] >= 'A' && lower[i] <= 'Z')
			lower[i] += 'a' - 'A';
	report(e, at, key, (struct xb_sv){ lower, key.n }, xb_check_qualified_name);
}

void xb_validate_annotations(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *annotations)
{
	size_t total = 0;

	xb_tree_each(annotation, annotations) {
		validate_annotation_key(e, at, annotation->key);
		total += annotation->key.n + xb_tree_text(annotation).n;
	}
	if (total > ANNOTATIONS_LIMIT)
		xb_err_too_long(e, at, ANNOTATIONS_LIMIT);
}

static void validate_owner(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *owner)
{
	static const struct {
		const char *name, *fault;
	} needed[] = {
		{ "apiVersion", "version must not be empty" }, { "kind", "kind must not be empty" },
		{ "name", "name must not be empty" }, { "uid", "uid must not be empty" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(needed); i++) {
		const struct xb_sv value = xb_tree_gettext(owner, needed[i].name);

		if (!value.n)
			xb_err_invalid_sv(e, XB_PATH(at, needed[i].name), value, "%s", needed[i].fault);
	}
	if (xb_tree_is(xb_tree_get(owner, "apiVersion"), "v1") && xb_tree_is(xb_tree_get(owner, "kind"), "Event"))
		xb_err_invalid(e, at, owner, "/v1, Kind=Event is disallowed from being an owner");
}

static void validate_owners(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *owners)
{
	const struct xb_tree *controller = NULL;

	xb_tree_each(owner, owners) {
		validate_owner(e, at, owner);
		if (!xb_tree_true(xb_tree_get(owner, "controller")))
			continue;
		if (controller) {
			const struct xb_sv kinds[] = { xb_tree_gettext(controller, "kind"), xb_tree_gettext(owner, "kind") };
			const struct xb_sv names[] = { xb_tree_gettext(controller, "name"), xb_tree_gettext(owner, "name") };

			xb_err_invalid(e, at, owners,
				       "Only one reference can have Controller set to true. Found \"true\" in references for %.*s/%.*s and %.*s/%.*s",
				       XB_SV_ARG(kinds[0]), XB_SV_ARG(names[0]), XB_SV_ARG(kinds[1]), XB_SV_ARG(names[1]));
		} else {
			controller = owner;
		}
	}
}

static void validate_finalizers(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *finalizers)
{
	bool orphan = false, foreground = false;
	long i = 0;

	xb_tree_each(finalizer, finalizers) {
		const struct xb_sv name = xb_tree_text(finalizer);

		xb_validate(e, at, name, xb_check_qualified_name);
		orphan |= xb_sv_is(name, "orphan");
		foreground |= xb_sv_is(name, "foregroundDeletion");
	}
	if (orphan && foreground)
		xb_err_invalid(e, at, finalizers, "finalizer orphan and foregroundDeletion cannot be both set");
	xb_tree_each(finalizer, finalizers) {
		const struct xb_sv name = xb_tree_text(finalizer);

		if (!(name.n && memchr(name.p, '/', name.n)) && !xb_sv_is(name, "kubernetes") && !xb_sv_is(name, "orphan") &&
		    !xb_sv_is(name, "foregroundDeletion"))
			xb_err_invalid_sv(e, XB_PATH_AT(at, i), name, "name is neither a standard finalizer name nor is it fully qualified");
		i++;
	}
}

static void validate_common(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *meta)
{
	xb_validate_labels(e, XB_PATH(at, "labels"), xb_tree_get(meta, "labels"));
	xb_validate_annotations(e, XB_PATH(at, "annotations"), xb_tree_get(meta, "annotations"));
	validate_owners(e, XB_PATH(at, "ownerReferences"), xb_tree_get(meta, "ownerReferences"));
	validate_finalizers(e, XB_PATH(at, "finalizers"), xb_tree_get(meta, "finalizers"));
}

void xb_validate_object_meta(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *meta, bool namespaced,
			     xb_check_fn *name)
{
	const struct xb_sv prefix = xb_tree_gettext(meta, "generateName"), own = xb_tree_gettext(meta, "name");
	const struct xb_sv namespace = xb_tree_gettext(meta, "namespace");

	if (prefix.n)
		xb_validate_prefix(e, XB_PATH(at, "generateName"), prefix, name);
	if (!own.n)
		xb_err_required(e, XB_PATH(at, "name"), "name or generateName is required");
	else
		xb_validate(e, XB_PATH(at, "name"), own, name);
	if (!namespaced && namespace.n)
		xb_err_forbidden(e, XB_PATH(at, "namespace"), "not allowed on this type");
	else if (namespaced && !namespace.n)
		xb_err_required(e, XB_PATH(at, "namespace"), "");
	else if (namespaced)
		xb_validate(e, XB_PATH(at, "namespace"), namespace, xb_check_dns1123_label);
	xb_validate_nonnegative(e, XB_PATH(at, "generation"), xb_tree_geti64(meta, "generation", 0));
	validate_common(e, at, meta);
}

/* An object that is being deleted may lose finalizers, but gets no new ones. */
static void validate_no_new_finalizers(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *now,
				       const struct xb_tree *old)
{
	_cleanup_buf_ struct xb_buf added = {};

	xb_tree_each(finalizer, now) {
		bool known = false;

		xb_tree_each(other, old)
			known |= xb_sv_eq(xb_tree_text(finalizer), xb_tree_text(other));
		if (!known)
			xb_buf_addf(&added, "%s\"%.*s\"", added.n ? ", " : "", XB_SV_ARG(xb_tree_text(finalizer)));
	}
	if (!added.n)
		return;
	const char *detail = xb_arena_printf(e->arena,
		"no new finalizers can be added if the object is being deleted, found new finalizers []string{%s}", added.p);

	if (detail)
		xb_err_forbidden(e, at, detail);
	else
		e->no_memory = true;
}

void xb_validate_object_meta_update(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *meta,
				    const struct xb_tree *old)
{
	static const char *const immutable[] = {
		"name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
	};

	if (xb_tree_get(old, "deletionTimestamp"))
		validate_no_new_finalizers(e, XB_PATH(at, "finalizers"), xb_tree_get(meta, "finalizers"), xb_tree_get(old, "finalizers"));
	if (xb_tree_geti64(meta, "generation", 0) < xb_tree_geti64(old, "generation", 0))
		report_number(e, XB_PATH(at, "generation"), xb_tree_geti64(meta, "generation", 0), "must not be decremented");
	for (unsigned i = 0; i < ARRAY_SIZE(immutable); i++)
		xb_validate_immutable(e, XB_PATH(at, immutable[i]), xb_tree_get(meta, immutable[i]), xb_tree_get(old, immutable[i]));
	validate_common(e, at, meta);
}
