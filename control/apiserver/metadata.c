/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "metadata.h"
#include "registry/edit.h"
#include "xb/random.h"

#define NAME_BASE_MAX 58 /* 63 less the suffix: apiserver pkg/storage/names */

struct xb_tree *metadata_of(struct write *w, struct xb_tree *object)
{
	return edit_obtain(w, object, "metadata");
}

static void set_copy(struct write *w, struct xb_tree *meta, const char *key, const char *text)
{
	char *copy = xb_arena_strn(w->arena, xb_sv(text));

	if (copy)
		edit_str(w, meta, key, copy);
	else
		w->no_memory = true;
}

void metadata_generate_name(struct write *w, struct xb_tree *object)
{
	struct xb_tree *meta = metadata_of(w, object);
	struct xb_sv prefix = xb_tree_gettext(meta, "generateName");
	char suffix[6], *name;

	xb_random_suffix(suffix);
	prefix.n = MIN(prefix.n, (size_t)NAME_BASE_MAX);
	name = xb_arena_printf(w->arena, "%.*s%s", XB_SV_ARG(prefix), suffix);
	if (name)
		edit_str(w, meta, "name", name);
	else
		w->no_memory = true;
	w->name = xb_tree_gettext(meta, "name");
}

bool metadata_wants_name(const struct xb_tree *object)
{
	const struct xb_tree *meta = xb_tree_get(object, "metadata");

	return xb_tree_gettext(meta, "generateName").n && !xb_tree_gettext(meta, "name").n;
}

static int take_namespace(struct write *w, struct xb_tree *meta, struct xb_status *reterr)
{
	struct xb_sv said = xb_tree_gettext(meta, "namespace");

	if (!w->kind->namespaced) {
		xb_tree_del(meta, "namespace");
		return 0;
	}
	if (said.n && !xb_sv_eq(said, w->namespace_))
		return xb_status_bad_request(reterr, "the namespace of the provided object does not match the namespace sent on the request");
	edit_sv(w, meta, "namespace", w->namespace_);
	return 0;
}

int metadata_create(struct write *w, struct xb_tree *object, struct xb_status *reterr)
{
	static const char *const not_the_clients[] = { "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink" };
	struct xb_tree *meta = metadata_of(w, object);
	char uid[37];
	int r;

	if (!meta)
		return -ENOMEM;
	if (xb_tree_gettext(meta, "resourceVersion").n)
		return xb_status_set(reterr, 500, NULL, "resourceVersion should not be set on objects to be created");
	r = take_namespace(w, meta, reterr);
	if (r)
		return r;
	for (unsigned i = 0; i < ARRAY_SIZE(not_the_clients); i++)
		xb_tree_del(meta, not_the_clients[i]);
	if (metadata_wants_name(object))
		metadata_generate_name(w, object);
	xb_uuid(uid);
	set_copy(w, meta, "uid", uid);
	edit_str(w, meta, "creationTimestamp", w->now);
	if (strategy_of(w->kind)->has_generation)
		edit_int(w, meta, "generation", 1);
	w->name = xb_tree_gettext(meta, "name");
	return w->no_memory ? -ENOMEM : 0;
}

/* Do the members differ, leaving metadata and status aside? */
static bool desired_state_differs(const struct xb_tree *a, const struct xb_tree *b)
{
	unsigned in_a = 0, in_b = 0;

	xb_tree_each(m, a) {
		if (xb_sv_is(m->key, "metadata") || xb_sv_is(m->key, "status"))
			continue;
		in_a++;
		if (!xb_tree_equal(m, xb_tree_getsv(b, m->key)))
			return true;
	}
	xb_tree_each(m, b)
		in_b += !xb_sv_is(m->key, "metadata") && !xb_sv_is(m->key, "status");
	return in_a != in_b;
}

void metadata_update(struct write *w, struct xb_tree *object, const struct xb_tree *old, bool counts_generation)
{
	static const char *const inherited[] = { "name", "namespace", "uid", "deletionTimestamp", "deletionGracePeriodSeconds" };
	struct xb_tree *meta = metadata_of(w, object);
	const struct xb_tree *old_meta = xb_tree_get(old, "metadata");
	int64_t generation = xb_tree_geti64(old_meta, "generation", 0);

	if (!meta)
		return;
	xb_tree_del(meta, "selfLink");
	for (unsigned i = 0; i < ARRAY_SIZE(inherited); i++) {
		const struct xb_tree *said = xb_tree_get(meta, inherited[i]);

		if (!said || (said->type == XB_JSON_STRING && !said->text.n))
			edit_keep(w, meta, old_meta, inherited[i]);
	}
	edit_keep(w, meta, old_meta, "creationTimestamp"); /* what a client says of it is ignored, not refused */
	edit_keep(w, meta, old_meta, "generation");
	if (counts_generation && desired_state_differs(object, old))
		edit_int(w, meta, "generation", generation + 1);
}

bool metadata_only_version_differs(const struct xb_tree *a, const struct xb_tree *b)
{
	const struct xb_tree *meta_a = xb_tree_get(a, "metadata"), *meta_b = xb_tree_get(b, "metadata");

	if (desired_state_differs(a, b) || !xb_tree_equal(xb_tree_get(a, "status"), xb_tree_get(b, "status")))
		return false;
	xb_tree_each(m, meta_a)
		if (!xb_sv_is(m->key, "resourceVersion") && !xb_tree_equal(m, xb_tree_getsv(meta_b, m->key)))
			return false;
	xb_tree_each(m, meta_b)
		if (!xb_sv_is(m->key, "resourceVersion") && !xb_tree_getsv(meta_a, m->key))
			return false;
	return true;
}

bool metadata_deleting(const struct xb_tree *object)
{
	return xb_tree_path(object, "metadata", "deletionTimestamp");
}

bool metadata_held(const struct xb_tree *object)
{
	const struct xb_tree *meta = xb_tree_get(object, "metadata");

	return !edit_is_empty(xb_tree_get(meta, "finalizers")) || xb_tree_geti64(meta, "deletionGracePeriodSeconds", 0) > 0;
}

void metadata_mark_deleted(struct write *w, struct xb_tree *object)
{
	struct xb_tree *meta = metadata_of(w, object);
	int64_t generation = xb_tree_geti64(meta, "generation", 0);

	if (!meta || xb_tree_get(meta, "deletionTimestamp"))
		return;
	edit_str(w, meta, "deletionTimestamp", w->now);
	edit_int(w, meta, "deletionGracePeriodSeconds", 0);
	if (generation > 0)
		edit_int(w, meta, "generation", generation + 1);
}

static void set_finalizer(struct write *w, struct xb_tree *meta, const char *name, bool wanted)
{
	struct xb_tree *list = xb_tree_get(meta, "finalizers"), *found = NULL;

	xb_tree_each(f, list)
		if (xb_tree_is(f, name))
			found = f;
	if (found && !wanted)
		xb_tree_remove(found);
	else if (!found && wanted)
		edit_append(w, edit_obtain_array(w, meta, "finalizers"), xb_tree_str(w->arena, xb_sv(name)));
}

void metadata_set_propagation(struct write *w, struct xb_tree *object, const char *policy)
{
	struct xb_tree *meta = metadata_of(w, object);

	if (!meta || !policy)
		return;
	set_finalizer(w, meta, "orphan", !strcmp(policy, "Orphan"));
	set_finalizer(w, meta, "foregroundDeletion", !strcmp(policy, "Foreground"));
	if (edit_is_empty(xb_tree_get(meta, "finalizers")))
		xb_tree_del(meta, "finalizers");
}
