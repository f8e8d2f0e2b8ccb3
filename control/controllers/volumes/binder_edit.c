/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "binder_edit.h"
#include "xb/volumes.h"

static int set(struct binder_pair *p, struct xb_tree *object, const char *key, struct xb_tree *value)
{
	if (!object || !value)
		return -ENOMEM;
	if (xb_tree_equal(xb_tree_get(object, key), value))
		return 0;
	xb_tree_set(object, xb_sv(key), value);
	return 1;
}

static int set_text(struct binder_pair *p, struct xb_tree *object, const char *key, struct xb_sv text)
{
	return set(p, object, key, xb_tree_str(p->arena, text));
}

static struct xb_tree *part(struct binder_pair *p, struct xb_tree *object, const char *key)
{
	return xb_tree_obtain(p->arena, object, key);
}

static struct xb_sv name_of(const struct xb_tree *object)
{
	return xb_tree_text(xb_tree_path(object, "metadata", "name"));
}

/* The first that fails or changes something says what comes of both. */
static int either(int a, int b)
{
	return a < 0 ? a : b < 0 ? b : a | b;
}

static bool del_annotation(struct xb_tree *object, const char *key)
{
	struct xb_tree *meta = xb_tree_get(object, "metadata"), *notes = xb_tree_get(meta, "annotations");
	bool was = xb_tree_del(notes, key);

	if (was && !notes->count)
		xb_tree_del(meta, "annotations");
	return was;
}

/* --- volumes --- */
int binder_reserve(struct binder_pair *p)
{
	return xb_volume_reserve(p->arena, p->volume, p->claim);
}

int binder_unreserve(struct binder_pair *p)
{
	struct xb_tree *spec = xb_tree_get(p->volume, "spec");

	if (del_annotation(p->volume, XB_BOUND_BY_CONTROLLER))
		return xb_tree_del(spec, "claimRef") | 1;
	return xb_tree_del(xb_tree_get(spec, "claimRef"), "uid");
}

int binder_volume_phase(struct binder_pair *p)
{
	struct xb_tree *status = part(p, p->volume, "status");
	int r = set_text(p, status, "phase", xb_sv(p->text));

	if (r > 0 && p->message)
		r = either(r, set_text(p, status, "message", xb_sv(p->message)));
	else if (r > 0)
		xb_tree_del(status, "message");
	return r;
}

/* --- claims --- */
int binder_name_volume(struct binder_pair *p)
{
	int r = set_text(p, part(p, p->claim, "spec"), "volumeName", name_of(p->volume));

	if (r > 0)
		r = either(r, xb_annotate(p->arena, p->claim, XB_BOUND_BY_CONTROLLER, XB_SV("yes")));
	return either(r, xb_annotate(p->arena, p->claim, XB_BIND_COMPLETED, XB_SV("yes")));
}

/* Once it is bound its capacity is that of the file system on the volume, which may be behind. */
int binder_claim_bound(struct binder_pair *p)
{
	struct xb_tree *status = part(p, p->claim, "status"), *spec = xb_tree_get(p->volume, "spec");
	int phase = set_text(p, status, "phase", XB_SV("Bound"));
	int access = set(p, status, "accessModes", xb_tree_copy(p->arena, xb_tree_get(spec, "accessModes")));
	int capacity = phase ? set(p, status, "capacity", xb_tree_copy(p->arena, xb_tree_get(spec, "capacity"))) : 0;

	return either(either(phase, access), capacity);
}

int binder_claim_phase(struct binder_pair *p)
{
	struct xb_tree *status = part(p, p->claim, "status");
	int r = set_text(p, status, "phase", xb_sv(p->text));

	r = either(r, xb_tree_del(status, "accessModes"));
	return either(r, xb_tree_del(status, "capacity"));
}

int binder_set_class(struct binder_pair *p)
{
	return set_text(p, part(p, p->claim, "spec"), "storageClassName", xb_sv(p->text));
}

int binder_set_provisioner(struct binder_pair *p)
{
	int r = xb_annotate(p->arena, p->claim, "volume.beta.kubernetes.io/storage-provisioner", xb_sv(p->text));

	return either(r, xb_annotate(p->arena, p->claim, "volume.kubernetes.io/storage-provisioner", xb_sv(p->text)));
}

int binder_unselect_node(struct binder_pair *p)
{
	return del_annotation(p->claim, XB_SELECTED_NODE);
}
