/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include "workload.h"
#include "edit.h"
#include "label_selector.h"
#include "pod.h"
#include "table.h"

void workload_defaults(struct write *w, struct xb_tree *spec)
{
	struct xb_tree *template = xb_tree_get(spec, "template");

	if (template)
		pod_spec_defaults(w, edit_obtain(w, template, "spec"));
}

/* The paths of labels and annotations leave out "metadata", as upstream's do. */
void workload_validate_template(struct write *w, const struct xb_path *at, const struct xb_tree *template, struct xb_field_errors *e)
{
	const struct xb_tree *meta = xb_tree_get(template, "metadata"), *spec = xb_tree_get(template, "spec");
	const struct xb_path *spec_path = XB_PATH(at, "spec");

	xb_validate_labels(e, XB_PATH(at, "labels"), xb_tree_get(meta, "labels"));
	xb_validate_annotations(e, XB_PATH(at, "annotations"), xb_tree_get(meta, "annotations"));
	pod_spec_validate(w, spec_path, spec, e);
	if (!edit_is_empty(xb_tree_get(spec, "ephemeralContainers")))
		xb_err_forbidden(e, XB_PATH(spec_path, "ephemeralContainers"), "ephemeral containers not allowed in pod template");
}

void workload_validate_restart(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *template, const char *kind)
{
	static const char *const restarts[] = { "Always", NULL };
	const struct xb_tree *spec = xb_tree_get(template, "spec");
	const struct xb_path *spec_path = XB_PATH(at, "spec");
	struct xb_sv policy = xb_tree_gettext(spec, "restartPolicy");
	const char *detail;

	if (!xb_sv_is(policy, "Always"))
		xb_err_unsupported(e, XB_PATH(spec_path, "restartPolicy"), policy, restarts);
	if (!xb_tree_get(spec, "activeDeadlineSeconds"))
		return;
	detail = xb_arena_printf(e->arena, "activeDeadlineSeconds in %s is not Supported", kind);
	if (detail)
		xb_err_forbidden(e, XB_PATH(spec_path, "activeDeadlineSeconds"), detail);
	else
		e->no_memory = true;
}

void workload_validate_selector(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *spec, bool required,
				const char *detail)
{
	const struct xb_tree *selector = xb_tree_get(spec, "selector"), *labels = xb_tree_path(spec, "template", "metadata", "labels");
	const struct xb_path *here = XB_PATH(at, "selector");
	bool empty = label_selector_empty(selector);

	if (!selector && required)
		xb_err_required(e, here, "");
	label_selector_validate(e, here, selector);
	if (selector && empty)
		label_selector_invalid(e, here, selector, detail);
	if (!label_selector_matches(selector, labels))
		xb_err_invalid(e, XB_PATH(XB_PATH(XB_PATH(at, "template"), "metadata"), "labels"), labels,
			       "`selector` does not match template `labels`");
}

void workload_validate_counts(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *object, const char *const *names)
{
	for (; *names; names++)
		xb_validate_nonnegative(e, XB_PATH(at, *names), xb_tree_geti64(object, *names, 0));
}

void workload_validate_at_most(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *object, const char *const *names,
			       const char *limit, const char *detail)
{
	for (; *names; names++)
		if (xb_tree_geti64(object, *names, 0) > xb_tree_geti64(object, limit, 0))
			xb_err_invalid(e, XB_PATH(at, *names), xb_tree_get(object, *names), "%s", detail);
}

void workload_validate_collisions(struct xb_field_errors *e, const struct xb_tree *status, const struct xb_tree *old)
{
	int64_t now = xb_tree_geti64(status, "collisionCount", 0);
	char text[24];

	if (now >= xb_tree_geti64(old, "collisionCount", 0))
		return;
	snprintf(text, sizeof(text), "%lld", (long long)now);
	xb_err_invalid_go(e, XB_PATH(XB_PATH(NULL, "status"), "collisionCount"), text, "cannot be decremented");
}

void workload_validate_replicas(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	static const char *const counts[] = { "replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration", NULL };
	static const char *const parts[] = { "fullyLabeledReplicas", "readyReplicas", "availableReplicas", NULL };
	const struct xb_tree *status = xb_tree_get(object, "status");
	const struct xb_path *at = XB_PATH(NULL, "status");

	workload_validate_counts(e, at, status, counts);
	workload_validate_at_most(e, at, status, parts, "replicas", "cannot be greater than status.replicas");
	workload_validate_at_most(e, at, status, &parts[2], "readyReplicas", "cannot be greater than readyReplicas");
}

/* --- cells */

static void cell_each(struct table_row *r, struct xb_jv list, const char *key)
{
	_cleanup_buf_ struct xb_buf b = {};

	cell_open(&b);
	for (struct xb_jit it = xb_jv_iter(list); xb_jit_next(&it);)
		cell_join(&b, xb_jv_text(xb_jv_get(it.value, key)));
	cell_close(r, &b, "");
}

void cell_containers(struct table_row *r, struct xb_jv template)
{
	struct xb_jv containers = xb_jv_path(template, "spec", "containers");

	cell_each(r, containers, "name");
	cell_each(r, containers, "image");
}

void workload_row_of_replicas(struct table_row *r, struct xb_jv object)
{
	struct xb_jv spec = xb_jv_get(object, "spec"), status = xb_jv_get(object, "status");

	cell_name(r, object);
	cell_int(r, xb_jv_get(spec, "replicas"), 0);
	cell_int(r, xb_jv_get(status, "replicas"), 0);
	cell_int(r, xb_jv_get(status, "readyReplicas"), 0);
	cell_age(r, object);
	cell_containers(r, xb_jv_get(spec, "template"));
}

void cell_label_selector(struct table_row *r, struct xb_jv selector)
{
	_cleanup_(xb_selector_freep) struct xb_selector *s = NULL;
	_cleanup_buf_ struct xb_buf b = {};
	int err = xb_selector_from_label_selector(selector, &s, NULL);

	if (!err && s)
		xb_selector_write(s, &b);
	if (err == -ENOMEM || b.err)
		r->w->err = -ENOMEM;
	xb_jw_str(r->w, err ? "<error>" : b.n ? b.p : "<none>");
}

void cell_ratio(struct table_row *r, struct xb_jv n, struct xb_jv of)
{
	int64_t some = 0, all = 0;
	char text[48];

	(void)xb_jv_i64(n, &some);
	(void)xb_jv_i64(of, &all);
	snprintf(text, sizeof(text), "%lld/%lld", (long long)some, (long long)all);
	xb_jw_str(r->w, text);
}
