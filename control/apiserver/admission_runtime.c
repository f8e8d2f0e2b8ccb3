/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* RuntimeClass: what a pod's runtime costs beside its containers, and which nodes have it (KEP-688, KEP-585). */
#include "admission_plugin.h"
#include "registry/edit.h"

static int refuse(struct attempt *t, const char *why)
{
	return xb_status_forbidden(&t->request->fault, "", "pods", t->write->name, "pod rejected: %s", why);
}

static int find_class(struct attempt *t, struct xb_sv name, const struct xb_tree **ret)
{
	struct xb_json *object;
	int r;

	if (!name.n)
		return 0;
	r = admission_find(t, "node.k8s.io", "runtimeclasses", (struct xb_sv){}, name, &object);
	if (r)
		return r;
	if (!object)
		return xb_status_forbidden(&t->request->fault, "", "pods", t->write->name, "pod rejected: RuntimeClass \"%.*s\" not found",
					   XB_SV_ARG(name));
	r = request_keep(t->request, object);
	*ret = r ? NULL : xb_tree_from(t->write->arena, xb_json_root(object), NULL, NULL);
	return *ret ? 0 : -ENOMEM;
}

static int set_overhead(struct attempt *t, struct xb_tree *spec, const struct xb_tree *class)
{
	const struct xb_tree *fixed = xb_tree_path(class, "overhead", "podFixed"), *said = xb_tree_get(spec, "overhead");
	struct write *w = t->write;

	if (!xb_tree_get(class, "overhead"))
		return said ? refuse(t, "Pod Overhead set without corresponding RuntimeClass defined Overhead") : 0;
	if (said && !xb_tree_equal(said, fixed))
		return refuse(t, "Pod's Overhead doesn't match RuntimeClass's defined Overhead");
	if (fixed)
		edit_node(w, spec, "overhead", xb_tree_copy(w->arena, fixed));
	return 0;
}

static int merge_selector(struct attempt *t, struct xb_tree *spec, const struct xb_tree *selector)
{
	struct write *w = t->write;

	xb_tree_each(label, selector) {
		struct xb_tree *own = edit_obtain(w, spec, "nodeSelector"), *said = xb_tree_getsv(own, label->key);

		if (said && !xb_sv_eq(said->text, label->text))
			return xb_status_forbidden(&t->request->fault, "", "pods", w->name,
				"conflict: runtimeClass.scheduling.nodeSelector[%.*s] = %.*s; pod.spec.nodeSelector[%.*s] = %.*s", XB_SV_ARG(label->key),
				XB_SV_ARG(label->text), XB_SV_ARG(label->key), XB_SV_ARG(said->text));
		edit_entry(w, own, label->key, label->text);
	}
	return 0;
}

static bool has(const struct xb_tree *list, const struct xb_tree *entry)
{
	xb_tree_each(n, list)
		if (xb_tree_equal(n, entry))
			return true;
	return false;
}

static void merge_tolerations(struct write *w, struct xb_tree *spec, const struct xb_tree *tolerations)
{
	xb_tree_each(toleration, tolerations)
		if (!has(xb_tree_get(spec, "tolerations"), toleration))
			edit_append(w, edit_obtain_array(w, spec, "tolerations"), xb_tree_copy(w->arena, toleration));
}

int admission_runtime_class(struct attempt *t)
{
	const struct xb_tree *class = NULL;
	struct xb_tree *spec;
	int r;

	spec = edit_obtain(t->write, t->object, "spec");
	r = find_class(t, xb_tree_gettext(spec, "runtimeClassName"), &class);
	if (!r)
		r = set_overhead(t, spec, class);
	if (!r)
		r = merge_selector(t, spec, xb_tree_path(class, "scheduling", "nodeSelector"));
	if (!r)
		merge_tolerations(t->write, spec, xb_tree_path(class, "scheduling", "tolerations"));
	return !r && t->write->no_memory ? -ENOMEM : r;
}
