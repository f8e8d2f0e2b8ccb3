/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* DefaultStorageClass: a claim that names no class gets the one that is marked as the default. */
#include "admission_plugin.h"
#include "registry/edit.h"

static bool is_default(struct xb_jv class)
{
	struct xb_jv notes = xb_jv_path(class, "metadata", "annotations");

	return xb_jv_streq(xb_jv_get(notes, "storageclass.kubernetes.io/is-default-class"), XB_SV("true")) ||
	       xb_jv_streq(xb_jv_get(notes, "storageclass.beta.kubernetes.io/is-default-class"), XB_SV("true"));
}

/* RFC 3339 times of the API sort as texts. Of classes of one moment the first by name counts. */
static bool is_newer(struct xb_jv a, struct xb_jv b)
{
	return xb_sv_cmp(xb_jv_text(xb_jv_path(a, "metadata", "creationTimestamp")),
			 xb_jv_text(xb_jv_path(b, "metadata", "creationTimestamp"))) > 0;
}

int admission_default_storage_class(struct attempt *t)
{
	_cleanup_(store_walk_freep) struct store_walk *walk = NULL;
	_cleanup_(xb_json_unrefp) struct xb_json *found = NULL;
	struct store_object *o;
	struct write *w = t->write;
	struct xb_node *spec;
	int r;

	if (!admission_creates(t) || !admission_is(t, "", "persistentvolumeclaims"))
		return 0;
	spec = edit_obtain(w, t->object, "spec");
	if (xb_tree_get(spec, "storageClassName") ||
	    xb_tree_path(t->object, "metadata", "annotations", "volume.beta.kubernetes.io/storage-class"))
		return 0;
	r = admission_walk(t, "storage.k8s.io", "storageclasses", (struct xb_sv){}, &walk);
	if (r)
		return r;
	while ((o = store_walk_next(walk))) {
		struct xb_jv class = xb_json_root(o->doc);

		if (!is_default(class) || (found && !is_newer(class, xb_json_root(found))))
			continue;
		xb_json_unref(found);
		found = xb_json_ref(o->doc);
	}
	if (found)
		edit_sv(w, spec, "storageClassName", xb_arena_sv(w->arena, xb_jv_text(xb_jv_path(xb_json_root(found), "metadata", "name"))));
	return w->no_memory ? -ENOMEM : store_walk_error(walk);
}
