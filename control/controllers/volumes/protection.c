/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protection.h"
#include "../pods.h"
#include "xb/tree.h"

static struct xb_tree *find(const struct xb_tree *finalizers, const char *finalizer)
{
	for (struct xb_tree *f = finalizers ? finalizers->first : NULL; f; f = f->next)
		if (xb_tree_is(f, finalizer))
			return f;
	return NULL;
}

bool protection_due(struct xb_jv object, const char *finalizer)
{
	bool has = false;

	for (struct xb_jit it = xb_jv_iter(xb_jv_path(object, "metadata", "finalizers")); xb_jit_next(&it);)
		has |= xb_jv_streq(it.value, xb_sv(finalizer));
	return has == pods_deleting(object);
}

static int change(struct xb_arena *a, struct xb_tree *object, bool deleting, const char *finalizer)
{
	struct xb_tree *meta = xb_tree_obtain(a, object, "metadata"), *list = xb_tree_get(meta, "finalizers");
	struct xb_tree *text = xb_tree_str(a, xb_sv(finalizer));

	if (!meta || !text)
		return -ENOMEM;
	if (deleting) {
		xb_tree_remove(find(list, finalizer));
		return 0;
	}
	if (!list) {
		list = xb_tree_array(a);
		if (!list)
			return -ENOMEM;
		xb_tree_set(meta, XB_SV("finalizers"), list);
	}
	xb_tree_append(list, text);
	return 0;
}

static int on_changed(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	return code == 404 ? 0 : xb_calls_error(code, status);
}

int protection_ask(struct kcm_work *w, const struct xb_kind *kind, struct xb_jv object, const char *finalizer)
{
	_cleanup_buf_ struct xb_buf body = {};
	struct kcm_request q = {
		.method = "PUT", .kind = kind, .type = KCM_JSON,
		.name = xb_arena_strn(w->arena, xb_jv_text(xb_jv_path(object, "metadata", "name"))),
		.namespace_ = xb_arena_strn(w->arena, xb_jv_text(xb_jv_path(object, "metadata", "namespace"))),
	};
	struct xb_tree *tree = xb_tree_from(w->arena, object, NULL, NULL);
	int r = tree && q.name && q.namespace_ ? change(w->arena, tree, pods_deleting(object), finalizer) : -ENOMEM;

	if (r)
		return r;
	xb_tree_write(tree, &body);
	q.body = xb_buf_sv(&body);
	return body.err ? body.err : kcm_work_ask(w, &q, on_changed, NULL);
}
