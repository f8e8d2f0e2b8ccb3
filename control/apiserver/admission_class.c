/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* DefaultStorageClass, DefaultIngressClass: what names no class gets the one that is marked as the default. */
#include "admission_plugin.h"
#include "registry/edit.h"

struct classes {
	const char *group, *plural;
	const char *const *marks;          /* annotations that say "true"; NULL-terminated */
	const char *field, *annotation;    /* where an object names its class: in its spec, or in the older form */
};

static bool is_default(const struct classes *c, struct xb_jv class)
{
	struct xb_jv notes = xb_jv_path(class, "metadata", "annotations");

	for (const char *const *mark = c->marks; *mark; mark++)
		if (xb_jv_streq(xb_jv_get(notes, *mark), XB_SV("true")))
			return true;
	return false;
}

/* RFC 3339 times of the API sort as texts. Of classes of one moment the first by name counts. */
static bool is_newer(struct xb_jv a, struct xb_jv b)
{
	return xb_sv_cmp(xb_jv_text(xb_jv_path(a, "metadata", "creationTimestamp")),
			 xb_jv_text(xb_jv_path(b, "metadata", "creationTimestamp"))) > 0;
}

static int set_default(struct attempt *t, const struct classes *c)
{
	_cleanup_(store_walk_freep) struct store_walk *walk = NULL;
	_cleanup_(xb_json_unrefp) struct xb_json *found = NULL;
	struct xb_tree *spec = edit_obtain(t->write, t->object, "spec");
	struct store_object *o;
	struct write *w = t->write;
	int r;

	if (xb_tree_get(spec, c->field) || xb_tree_path(t->object, "metadata", "annotations", c->annotation))
		return 0;
	r = admission_walk(t, c->group, c->plural, (struct xb_sv){}, &walk);
	if (r)
		return r;
	while ((o = store_walk_next(walk))) {
		struct xb_jv class = xb_json_root(o->doc);

		if (!is_default(c, class) || (found && !is_newer(class, xb_json_root(found))))
			continue;
		xb_json_unref(found);
		found = xb_json_ref(o->doc);
	}
	if (found)
		edit_sv(w, spec, c->field, xb_arena_sv(w->arena, xb_jv_text(xb_jv_path(xb_json_root(found), "metadata", "name"))));
	return w->no_memory ? -ENOMEM : store_walk_error(walk);
}

int admission_default_storage_class(struct attempt *t)
{
	static const char *const marks[] = {
		"storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class", NULL
	};
	static const struct classes classes = {
		"storage.k8s.io", "storageclasses", marks, "storageClassName", "volume.beta.kubernetes.io/storage-class",
	};

	return set_default(t, &classes);
}

int admission_default_ingress_class(struct attempt *t)
{
	static const char *const marks[] = { "ingressclass.kubernetes.io/is-default-class", NULL };
	static const struct classes classes = {
		"networking.k8s.io", "ingressclasses", marks, "ingressClassName", "kubernetes.io/ingress.class",
	};

	return set_default(t, &classes);
}
