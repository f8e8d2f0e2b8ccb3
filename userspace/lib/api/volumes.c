/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "xb/volumes.h"
#include "xb/owner.h"

static const char *const access_modes[] = { "ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod" };

struct xb_sv xb_annotation(struct xb_jv object, const char *key)
{
	return xb_jv_text(xb_jv_path(object, "metadata", "annotations", key));
}

struct xb_sv xb_volume_class(struct xb_jv object)
{
	struct xb_jv old_form = xb_jv_path(object, "metadata", "annotations", "volume.beta.kubernetes.io/storage-class");

	return xb_jv_text(xb_jv_is(old_form) ? old_form : xb_jv_path(object, "spec", "storageClassName"));
}

bool xb_class_waits(struct xb_jv class)
{
	return xb_sv_is(xb_jv_text(xb_jv_get(class, "volumeBindingMode")), "WaitForFirstConsumer");
}

bool xb_claim_is_bound(struct xb_jv claim)
{
	return xb_jv_text(xb_jv_path(claim, "spec", "volumeName")).n && xb_annotation(claim, XB_BIND_COMPLETED).n;
}

bool xb_volume_is_free(struct xb_jv volume)
{
	return !xb_jv_count(xb_jv_path(volume, "spec", "claimRef"));
}

/* --- a claim held against volumes --- */
static unsigned access_of(struct xb_jv object)
{
	unsigned bits = 0;

	for (struct xb_jit it = xb_jv_iter(xb_jv_path(object, "spec", "accessModes")); xb_jit_next(&it);)
		for (unsigned i = 0; i < ARRAY_SIZE(access_modes); i++)
			if (xb_sv_is(xb_jv_text(it.value), access_modes[i]))
				bits |= 1U << i;
	return bits;
}

static bool is_block(struct xb_jv object)
{
	return xb_sv_is(xb_jv_text(xb_jv_path(object, "spec", "volumeMode")), "Block");
}

static struct xb_quantity size_of(struct xb_jv amounts)
{
	struct xb_quantity q = {};

	xb_quantity_parse(xb_jv_text(xb_jv_get(amounts, "storage")), &q);
	return q;
}

static struct xb_quantity capacity(struct xb_jv volume)
{
	return size_of(xb_jv_path(volume, "spec", "capacity"));
}

int xb_claim_read(struct xb_jv object, struct xb_claim *ret)
{
	struct xb_claim c = {
		.object = object,
		.namespace_ = xb_jv_meta(object, "namespace"),
		.name = xb_jv_meta(object, "name"),
		.uid = xb_jv_meta(object, "uid"),
		.class = xb_volume_class(object),
		.size = size_of(xb_jv_path(object, "spec", "resources", "requests")),
		.access = access_of(object),
		.block = is_block(object),
	};
	struct xb_jv selector = xb_jv_path(object, "spec", "selector");
	int r = xb_jv_is(selector) ? xb_selector_from_label_selector(selector, &c.selector, NULL) : 0;

	if (!r)
		*ret = c;
	return r;
}

void xb_claim_done(struct xb_claim *c)
{
	c->selector = xb_selector_free(c->selector);
}

bool xb_claim_owns(const struct xb_claim *c, struct xb_jv volume)
{
	struct xb_jv ref = xb_jv_path(volume, "spec", "claimRef");
	struct xb_sv uid = xb_jv_text(xb_jv_get(ref, "uid"));

	return xb_jv_is(ref) && xb_sv_eq(xb_jv_text(xb_jv_get(ref, "name")), c->name) &&
	       xb_sv_eq(xb_jv_text(xb_jv_get(ref, "namespace")), c->namespace_) && (!uid.n || xb_sv_eq(uid, c->uid));
}

const char *xb_claim_misfit(const struct xb_claim *c, struct xb_jv volume)
{
	struct xb_quantity size = capacity(volume);

	if (xb_jv_meta(volume, "deletionTimestamp").n)
		return "the volume is marked for deletion";
	if (xb_quantity_cmp(&size, &c->size) < 0)
		return "requested PV is too small";
	if (!xb_sv_eq(xb_volume_class(volume), c->class))
		return "storageClassName does not match";
	if (is_block(volume) != c->block)
		return "incompatible volumeMode";
	if (c->access & ~access_of(volume))
		return "incompatible accessMode";
	return NULL;
}

/* A volume that was reserved for the claim may be of another class: somebody wished that. */
static bool suits(const struct xb_claim *c, struct xb_jv volume)
{
	struct xb_claim any = *c;

	any.class = xb_volume_class(volume);
	return !xb_claim_misfit(&any, volume);
}

bool xb_claim_may_have(const struct xb_claim *c, struct xb_jv volume)
{
	if (!xb_volume_is_free(volume))
		return xb_claim_owns(c, volume) && suits(c, volume);
	return xb_sv_is(xb_jv_text(xb_jv_path(volume, "status", "phase")), "Available") && !xb_claim_misfit(c, volume) &&
	       xb_selector_matches(c->selector, xb_jv_path(volume, "metadata", "labels"));
}

struct xb_volume_rank xb_claim_rank(const struct xb_claim *c, struct xb_jv volume)
{
	return (struct xb_volume_rank){
		.reserved = xb_claim_owns(c, volume),
		.modes = __builtin_popcount(access_of(volume)),
		.size = capacity(volume),
		.name = xb_jv_meta(volume, "name"),
	};
}

int xb_volume_rank_cmp(const struct xb_volume_rank *a, const struct xb_volume_rank *b)
{
	int size = xb_quantity_cmp(&a->size, &b->size);

	if (a->reserved != b->reserved)
		return b->reserved - a->reserved;
	if (a->modes != b->modes)
		return a->modes - b->modes;
	return size ? size : xb_sv_cmp(a->name, b->name);
}

/* --- pods --- */
bool xb_pod_claim(struct xb_jv pod, struct xb_jv volume, struct xb_buf *ret_name, bool *ret_ephemeral)
{
	struct xb_jv claim = xb_jv_get(volume, "persistentVolumeClaim");

	*ret_ephemeral = xb_jv_is(xb_jv_get(volume, "ephemeral"));
	if (!xb_jv_is(claim) && !*ret_ephemeral)
		return false;
	xb_buf_clear(ret_name);
	if (*ret_ephemeral)
		xb_buf_addf(ret_name, "%.*s-%.*s", XB_SV_ARG(xb_jv_meta(pod, "name")), XB_SV_ARG(xb_jv_text(xb_jv_get(volume, "name"))));
	else
		xb_buf_addsv(ret_name, xb_jv_text(xb_jv_get(claim, "claimName")));
	return true;
}

bool xb_claim_is_of_pod(struct xb_jv claim, struct xb_jv pod)
{
	return xb_sv_eq(xb_owner_uid(claim), xb_jv_meta(pod, "uid"));
}

/* --- changes --- */
static int set_text(struct xb_arena *a, struct xb_tree *object, const char *key, struct xb_sv text)
{
	struct xb_tree *value;

	if (xb_sv_eq(xb_tree_gettext(object, key), text))
		return 0;
	value = xb_tree_str(a, text);
	if (!object || !value)
		return -ENOMEM;
	xb_tree_set(object, xb_sv(key), value);
	return 1;
}

int xb_annotate(struct xb_arena *a, struct xb_tree *object, const char *key, struct xb_sv text)
{
	return set_text(a, xb_tree_obtain(a, xb_tree_obtain(a, object, "metadata"), "annotations"), key, text);
}

static struct xb_sv tree_meta(const struct xb_tree *object, const char *field)
{
	return xb_tree_text(xb_tree_path(object, "metadata", field));
}

/* A reservation by name only was somebody's wish; it is made the claim's own. */
int xb_volume_reserve(struct xb_arena *a, struct xb_tree *volume, const struct xb_tree *claim)
{
	static const char *const fields[] = { "name", "namespace", "uid" };
	struct xb_tree *old = xb_tree_path(volume, "spec", "claimRef"), *ref = xb_tree_object(a);
	struct xb_sv uid = xb_tree_gettext(old, "uid");
	bool same = true, ours = !old || (uid.n && !xb_sv_eq(uid, tree_meta(claim, "uid")));
	int r = ref ? 0 : -ENOMEM;

	for (unsigned i = 0; i < ARRAY_SIZE(fields); i++) {
		same &= xb_sv_eq(xb_tree_gettext(old, fields[i]), tree_meta(claim, fields[i]));
		ours |= i < 2 && !same;
	}
	if (!r && ours)
		r = xb_annotate(a, volume, XB_BOUND_BY_CONTROLLER, XB_SV("yes"));
	if (r < 0 || same)
		return r;
	r = set_text(a, ref, "kind", XB_SV("PersistentVolumeClaim"));
	if (r >= 0)
		r = set_text(a, ref, "apiVersion", XB_SV("v1"));
	for (unsigned i = 0; r >= 0 && i < ARRAY_SIZE(fields); i++)
		r = set_text(a, ref, fields[i], tree_meta(claim, fields[i]));
	if (r >= 0)
		r = set_text(a, ref, "resourceVersion", tree_meta(claim, "resourceVersion"));
	if (r >= 0)
		xb_tree_set(xb_tree_get(volume, "spec"), XB_SV("claimRef"), ref);
	return r < 0 ? r : 1;
}
