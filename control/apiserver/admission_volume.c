/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* StorageObjectInUseProtection and PersistentVolumeClaimResize. */
#include "admission_plugin.h"
#include "registry/edit.h"
#include "xb/quantity.h"

static void add_finalizer(struct write *w, struct xb_tree *object, const char *finalizer)
{
	struct xb_tree *list = edit_obtain_array(w, edit_obtain(w, object, "metadata"), "finalizers");

	xb_tree_each(f, list)
		if (xb_tree_is(f, finalizer))
			return;
	edit_append(w, list, xb_tree_str(w->arena, xb_sv(finalizer)));
}

/* A claim or a volume that is in use outlives its deletion: controllers take the finalizer away (KEP-499, KEP-498). */
int admission_storage_protection(struct attempt *t)
{
	static const char *const rows[][2] = {
		{ "persistentvolumes", "kubernetes.io/pv-protection" }, { "persistentvolumeclaims", "kubernetes.io/pvc-protection" },
	};
	struct write *w = t->write;

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		if (admission_is(t, "", rows[i][0]))
			add_finalizer(w, t->object, rows[i][1]);
	return w->no_memory ? -ENOMEM : 0;
}

static struct xb_sv class_of(const struct xb_tree *claim)
{
	const struct xb_tree *note = xb_tree_path(claim, "metadata", "annotations", "volume.beta.kubernetes.io/storage-class");

	return xb_tree_text(note ? note : xb_tree_path(claim, "spec", "storageClassName"));
}

static bool grows(const struct xb_tree *claim, const struct xb_tree *old)
{
	struct xb_quantity now, before;

	return !xb_quantity_parse(xb_tree_text(xb_tree_path(claim, "spec", "resources", "requests", "storage")), &now) &&
	       !xb_quantity_parse(xb_tree_text(xb_tree_path(old, "spec", "resources", "requests", "storage")), &before) &&
	       xb_quantity_cmp(&now, &before) > 0;
}

static int class_allows(struct attempt *t, bool *ret)
{
	_cleanup_(xb_json_unrefp) struct xb_json *object = NULL;
	struct xb_sv class = class_of(t->object);
	int r = 0;

	if (class.n && xb_sv_eq(class, class_of(t->old)))
		r = admission_find(t, "storage.k8s.io", "storageclasses", (struct xb_sv){}, class, &object);
	if (!r)
		*ret = object && xb_jv_true(xb_jv_get(xb_json_root(object), "allowVolumeExpansion"));
	return r;
}

/* Only a claim that is bound, and of a class that can do it, may ask for more. */
int admission_claim_resize(struct attempt *t)
{
	const struct write *w = t->write;
	bool allowed;
	int r;

	if (!grows(t->object, t->old))
		return 0;
	if (!xb_tree_is(xb_tree_path(t->old, "status", "phase"), "Bound"))
		return xb_status_forbidden(&t->request->fault, "", w->kind->plural, w->name, "Only bound persistent volume claims can be expanded");
	r = class_allows(t, &allowed);
	if (r || allowed)
		return r;
	return xb_status_forbidden(&t->request->fault, "", w->kind->plural, w->name,
		"only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize");
}
