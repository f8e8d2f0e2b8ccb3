/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The subresources through which a running pod's spec is written: ephemeralcontainers (KEP-277) and resize (KEP-1287). */
#include "edit.h"
#include "pod.h"
#include "seen.h"
#include "xb/map.h"

#define MIRROR "kubernetes.io/config.mirror"

struct xb_map *pod_by_name(struct write *w, const struct xb_tree *list)
{
	_cleanup_(xb_map_freep) struct xb_map *m = xb_map_new(XB_MAP_BORROW);

	w->no_memory |= !m;
	xb_tree_each(n, m ? list : NULL)
		w->no_memory |= xb_map_set(m, xb_tree_gettext(n, "name"), n, NULL) < 0;
	return TAKE_PTR(m);
}

static bool is_mirror(const struct xb_tree *pod)
{
	return xb_tree_get(xb_tree_path(pod, "metadata", "annotations"), MIRROR);
}

/* --- ephemeral containers */

static void validate_fields(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *container)
{
	static const char *const lasting[] = {
		"ports", "resources", "resizePolicy", "restartPolicy", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle",
	};
	static const char *const paths[] = { "subPath", "subPathExpr" };
	static const char detail[] = "cannot be set for an Ephemeral Container";
	long n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lasting); i++) {
		const struct xb_tree *said = xb_tree_get(container, lasting[i]);

		if (said && (said->first || said->type == XB_JSON_STRING || !strcmp(lasting[i], "lifecycle")))
			xb_err_forbidden(e, XB_PATH(at, lasting[i]), detail);
	}
	xb_tree_each(mount, xb_tree_get(container, "volumeMounts")) {
		const struct xb_path *here = XB_PATH_AT(XB_PATH(at, "volumeMounts"), n++);

		for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
			if (xb_tree_gettext(mount, paths[i]).n)
				xb_err_forbidden(e, XB_PATH(here, paths[i]), detail);
	}
}

void pod_validate_ephemeral(struct pod_check *c, const struct xb_path *spec_path)
{
	static const char *const lists[] = { "containers", "initContainers" };
	const struct xb_path *at = XB_PATH(spec_path, "ephemeralContainers");
	struct seen lasting = SEEN(c->e), names = SEEN(c->e);
	long i = 0;

	for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
		xb_tree_each(container, xb_tree_get(c->spec, lists[l])) {
			seen_text(&lasting, xb_tree_gettext(container, "name"));
			seen_text(&names, xb_tree_gettext(container, "name"));
		}
	xb_tree_each(container, xb_tree_get(c->spec, "ephemeralContainers")) {
		const struct xb_path *here = XB_PATH_AT(at, i++);
		struct xb_sv name = xb_tree_gettext(container, "name"), target = xb_tree_gettext(container, "targetContainerName");

		pod_validate_container(c, here, container);
		if (seen_text(&names, name))
			xb_err_duplicate(c->e, XB_PATH(here, "name"), name);
		if (target.n && !xb_tree_getsv(lasting.texts, target))
			xb_err_not_found(c->e, XB_PATH(here, "targetContainerName"), target);
		validate_fields(c->e, here, container);
	}
}

static void merge_ephemeral(struct write *w, struct xb_tree *object, const struct xb_tree *sent)
{
	edit_keep(w, edit_obtain(w, object, "spec"), xb_tree_get(sent, "spec"), "ephemeralContainers");
}

static void validate_ephemeral(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	_cleanup_(xb_map_freep) struct xb_map *list = pod_by_name(w, xb_tree_path(object, "spec", "ephemeralContainers"));
	const struct xb_path *at = XB_PATH(XB_PATH(NULL, "spec"), "ephemeralContainers");

	if (is_mirror(old)) {
		xb_err_forbidden(e, XB_PATH(NULL, ""), "static pods do not support ephemeral containers");
		return;
	}
	xb_tree_each(before, list ? xb_tree_path(old, "spec", "ephemeralContainers") : NULL) {
		struct xb_sv name = xb_tree_gettext(before, "name");
		const struct xb_tree *now = xb_map_get(list, name);

		if (!now || !xb_tree_equal(now, before))
			xb_err_forbidden(e, at, xb_arena_printf(e->arena, "existing ephemeral containers \"%.*s\" may not be %s\n",
								XB_SV_ARG(name), now ? "changed" : "removed"));
	}
}

/* --- resize */

static const char *const resized[] = { "resources", "resizePolicy" }, *const amounts[] = { "requests", "limits" };

static bool is_sidecar(const struct xb_tree *container)
{
	return xb_tree_is(xb_tree_get(container, "restartPolicy"), "Always");
}

static void merge_list(struct write *w, struct xb_tree *object, const struct xb_tree *sent, const char *key)
{
	_cleanup_(xb_map_freep) struct xb_map *list = pod_by_name(w, xb_tree_path(sent, "spec", key));

	xb_tree_each(container, list ? xb_tree_path(object, "spec", key) : NULL) {
		const struct xb_tree *from = xb_map_get(list, xb_tree_gettext(container, "name"));

		for (size_t i = 0; from && i < ARRAY_SIZE(resized); i++)
			edit_keep(w, container, from, resized[i]);
	}
}

static void merge_resize(struct write *w, struct xb_tree *object, const struct xb_tree *sent)
{
	merge_list(w, object, sent, "containers");
	merge_list(w, object, sent, "initContainers");
}

/* Does the node that runs it know of resizing? Its kubelet says what a running container has. */
static bool node_resizes(const struct xb_tree *pod)
{
	xb_tree_each(s, xb_tree_path(pod, "status", "containerStatuses"))
		if (xb_tree_path(s, "state", "running"))
			return xb_tree_get(s, "resources");
	return true;
}

static bool restarts_for_memory(const struct xb_tree *container)
{
	xb_tree_each(p, xb_tree_get(container, "resizePolicy"))
		if (xb_tree_is(xb_tree_get(p, "resourceName"), "memory"))
			return xb_tree_is(xb_tree_get(p, "restartPolicy"), "RestartContainer");
	return false;
}

static void validate_amounts(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *container,
			     const struct xb_tree *old)
{
	static const char *const details[] = { "resource requests cannot be removed", "resource limits cannot be removed" };
	const struct xb_path *resources = XB_PATH(at, "resources");
	struct xb_quantity now, before;

	for (size_t i = 0; i < ARRAY_SIZE(amounts); i++)
		xb_tree_each(a, xb_tree_path(old, "resources", amounts[i]))
			if (!xb_tree_getsv(xb_tree_path(container, "resources", amounts[i]), a->key)) {
				xb_err_forbidden(e, XB_PATH(resources, amounts[i]), details[i]);
				break;
			}
	if (!xb_quantity_parse(xb_tree_text(xb_tree_path(container, "resources", "limits", "memory")), &now) &&
	    !xb_quantity_parse(xb_tree_text(xb_tree_path(old, "resources", "limits", "memory")), &before) &&
	    xb_quantity_cmp(&now, &before) < 0 && !restarts_for_memory(container))
		xb_err_forbidden(e, XB_PATH_KEY(XB_PATH(resources, "limits"), XB_SV("memory")),
				 "memory limits cannot be decreased unless resizePolicy is RestartContainer");
}

/* Is it the same but for cpu, memory and what to do when they change? */
static bool same_but_compute(struct write *w, const struct xb_tree *container, const struct xb_tree *old)
{
	static const char *const compute[] = { "cpu", "memory" };
	struct xb_tree *copy = xb_tree_copy(w->arena, container), *list;

	for (size_t i = 0; copy && i < ARRAY_SIZE(amounts); i++)
		for (size_t k = 0; k < ARRAY_SIZE(compute); k++) {
			const struct xb_tree *before = xb_tree_path(old, "resources", amounts[i]);

			list = xb_tree_path(copy, "resources", amounts[i]);
			if (!list && before)
				list = edit_obtain(w, edit_obtain(w, copy, "resources"), amounts[i]);
			if (list)
				edit_keep(w, list, before, compute[k]);
			if (edit_is_empty(list) && !before)
				xb_tree_del(xb_tree_get(copy, "resources"), amounts[i]);
		}
	if (copy)
		edit_keep(w, copy, old, "resizePolicy");
	else
		w->no_memory = true;
	return w->no_memory || xb_tree_equal(copy, old);
}

static void validate_list(struct write *w, const struct xb_tree *object, const struct xb_tree *old, const char *key,
			  struct xb_field_errors *e)
{
	const struct xb_path *spec = XB_PATH(NULL, "spec"), *at = XB_PATH(spec, key);
	const struct xb_tree *list = xb_tree_path(old, "spec", key), *before = list ? list->first : NULL;
	bool init = *key == 'i';
	long i = 0;

	xb_tree_each(container, xb_tree_path(object, "spec", key)) {
		if (init && !is_sidecar(before)) {
			if (!xb_tree_equal(container, before))
				xb_err_forbidden(e, spec, "resources for non-sidecar init containers are immutable");
		} else {
			validate_amounts(e, XB_PATH_AT(at, i), container, before);
			if (!same_but_compute(w, container, before))
				xb_err_forbidden(e, spec, init ? "only cpu and memory resources for sidecar containers are mutable"
							       : "only cpu and memory resources are mutable");
		}
		before = before->next;
		i++;
	}
}

static const char *refusal(const struct xb_tree *old)
{
	const struct xb_tree *spec = xb_tree_get(old, "spec"), *resources = xb_tree_get(spec, "resources");

	if (!edit_is_empty(xb_tree_get(resources, "requests")) || !edit_is_empty(xb_tree_get(resources, "limits")))
		return "pods with pod-level resources cannot be resized";
	if (is_mirror(old))
		return "static pods cannot be resized";
	return xb_tree_is(xb_tree_path(spec, "os", "name"), "windows") ? "windows pods cannot be resized" : NULL;
}

static void validate_resize(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	const struct xb_path *spec = XB_PATH(NULL, "spec");
	const struct xb_tree *class = xb_tree_path(old, "status", "qosClass");
	const char *why = refusal(old);

	if (why) {
		xb_err_forbidden(e, XB_PATH(NULL, ""), why);
		return;
	}
	if (class && !xb_tree_is(class, pod_qos_class(xb_tree_get(object, "spec"))))
		xb_err_invalid(e, spec, class, "Pod QOS Class may not change as a result of resizing");
	if (!node_resizes(old))
		xb_err_forbidden(e, spec, "Pod running on node without support for resize");
	validate_list(w, object, old, "containers", e);
	validate_list(w, object, old, "initContainers", e);
}

const struct strategy_part pod_parts[] = {
	{ "ephemeralcontainers", merge_ephemeral, validate_ephemeral },
	{ "resize", merge_resize, validate_resize },
	{}
};
