/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* VolumeBinding, VolumeZone, VolumeRestrictions: the nodes from which a pod's volumes can be used. */
#include "../claims.h"
#include "plugin.h"

#define STORAGE_EVENTS (SCHED_NODE_ADDED | SCHED_NODE_LABELS | SCHED_POD_ITSELF | SCHED_CLAIM | SCHED_VOLUME | SCHED_STORAGE_CLASS)

/* --- hints --- */
static bool is_its_claim(const struct sched_pod *p, struct xb_jv claim)
{
	struct xb_jv meta = xb_jv_get(claim, "metadata");

	for (size_t i = 0; xb_sv_eq(p->namespace_, sched_text(meta, "namespace")) && i < p->claims.n; i++)
		if (xb_sv_is(sched_text(meta, "name"), p->claims.v[i].key + p->namespace_.n + 1))
			return true;
	return false;
}

/* A volume or a class concerns those whose claims name it, or the class. */
static bool names_it(struct sched_cache *c, const struct sched_pod *p, struct xb_sv name, struct xb_sv class)
{
	for (size_t i = 0; i < p->claims.n; i++) {
		struct xb_jv claim = sched_storage_get(c->storage, SCHED_CLAIMS, xb_sv(p->claims.v[i].key));
		struct xb_sv volume = xb_jv_text(xb_jv_path(claim, "spec", "volumeName"));

		if (xb_jv_is(claim) && (volume.n ? xb_sv_eq(volume, name) : xb_sv_eq(xb_volume_class(claim), class)))
			return true;
	}
	return false;
}

static bool helps(struct sched_cache *c, const struct sched_pod *p, const struct sched_change *change)
{
	struct xb_sv name = xb_jv_text(xb_jv_path(change->object, "metadata", "name"));

	if (change->events & SCHED_CLAIM)
		return is_its_claim(p, change->object);
	if (change->events & SCHED_VOLUME)
		return names_it(c, p, name, xb_volume_class(change->object));
	if (change->events & SCHED_STORAGE_CLASS)
		return names_it(c, p, (struct xb_sv){}, name);
	return true;
}

/* --- VolumeBinding --- */
static void done_binding(void *state)
{
	sched_claims_done(state);
}

static int prepare_binding(void *state, struct sched_cache *c, const struct sched_pod *p)
{
	int r = p->claims.n ? sched_claims_read(state, c, p) : 0;

	return r ? r : p->claims.n > 0;
}

static const char *refuses(const void *state)
{
	const struct sched_claims *s = state;

	return s->refusal.n ? s->refusal.p : NULL;
}

static enum sched_verdict filter_binding(const void *state, const struct sched_node *node, uint32_t number, struct sched_reasons *why)
{
	unsigned misfit = sched_claims_fit(state, node);

	if (why && misfit & SCHED_VOLUME_ELSEWHERE)
		sched_reasons_add(why, "node(s) had volume node affinity conflict");
	if (why && misfit & SCHED_NO_VOLUME)
		sched_reasons_add(why, "node(s) didn't find available persistent volumes to bind");
	if (why && misfit & SCHED_VOLUME_LOST)
		sched_reasons_add(why, "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)");
	return misfit ? SCHED_UNRESOLVABLE : SCHED_FITS;
}

const struct sched_plugin sched_volume_binding = {
	.name = "VolumeBinding",
	.events = STORAGE_EVENTS,
	.state_size = sizeof(struct sched_claims),
	.done = done_binding,
	.prepare = prepare_binding,
	.refuses = refuses,
	.filter = filter_binding,
	.helps = helps,
};

/* --- VolumeZone --- */
struct zone {
	uint32_t key;
	struct xb_sv values;            /* of a volume's label: "a", or "a__b" */
};
struct zones {
	XB_VEC(struct zone) v;
};

static const char *const zone_labels[] = {
	"failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region",
	"topology.kubernetes.io/zone", "topology.kubernetes.io/region",
};

static void done_zones(void *state)
{
	struct zones *s = state;

	xb_vec_done(&s->v);
}

static int add_zones(struct zones *s, struct sched_cache *c, struct xb_jv volume)
{
	struct xb_jv labels = xb_jv_path(volume, "metadata", "labels");
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(zone_labels); i++) {
		struct zone z = { sched_names_find(c->names, xb_sv(zone_labels[i])), sched_text(labels, zone_labels[i]) };

		if (z.key && z.values.n)
			r = xb_vec_push(&s->v, z);
	}
	return r;
}

static int prepare_zones(void *state, struct sched_cache *c, const struct sched_pod *p)
{
	struct zones *s = state;
	int r = 0;

	s->v.n = 0;
	for (size_t i = 0; !r && i < p->claims.n; i++) {
		struct xb_jv claim = sched_storage_get(c->storage, SCHED_CLAIMS, xb_sv(p->claims.v[i].key));

		r = add_zones(s, c, sched_storage_get(c->storage, SCHED_VOLUMES, xb_jv_text(xb_jv_path(claim, "spec", "volumeName"))));
	}
	return r ? r : s->v.n > 0;
}

static bool is_among(struct xb_sv values, struct xb_sv value)
{
	for (size_t at = 0; at + value.n <= values.n;) {
		const char *end = memmem(values.p + at, values.n - at, "__", 2);
		size_t n = end ? (size_t)(end - values.p) - at : values.n - at;

		if (xb_sv_eq((struct xb_sv){ values.p + at, n }, value))
			return true;
		at += n + 2;
	}
	return false;
}

/* Nodes that say nothing of zones are in all of them. */
static enum sched_verdict filter_zones(const void *state, const struct sched_node *node, uint32_t number, struct sched_reasons *why)
{
	const struct zones *s = state;
	bool fits = true, says = false;

	for (size_t i = 0; i < s->v.n; i++) {
		uint32_t value = sched_node_label(node, s->v.v[i].key);

		says |= value != 0;
		fits &= value && is_among(s->v.v[i].values, sched_names_text(node->names, value));
	}
	if (fits || !says)
		return SCHED_FITS;
	if (why)
		sched_reasons_add(why, "node(s) had no available volume zone");
	return SCHED_UNRESOLVABLE;
}

const struct sched_plugin sched_volume_zone = {
	.name = "VolumeZone",
	.events = STORAGE_EVENTS,
	.state_size = sizeof(struct zones),
	.done = done_zones,
	.prepare = prepare_zones,
	.filter = filter_zones,
	.helps = helps,
};

/* --- VolumeRestrictions: ReadWriteOncePod --- */
struct restrictions {
	bool in_use;
};

static bool is_for_one_pod(struct xb_jv claim)
{
	return xb_jv_streq(xb_jv_at(xb_jv_path(claim, "spec", "accessModes"), 0), XB_SV("ReadWriteOncePod"));
}

static int prepare_restrictions(void *state, struct sched_cache *c, const struct sched_pod *p)
{
	struct restrictions *s = state;

	s->in_use = false;
	for (size_t i = 0; i < p->claims.n; i++) {
		struct xb_sv key = xb_sv(p->claims.v[i].key);

		s->in_use |= sched_storage_users(c->storage, key) && is_for_one_pod(sched_storage_get(c->storage, SCHED_CLAIMS, key));
	}
	return s->in_use;
}

static enum sched_verdict filter_restrictions(const void *state, const struct sched_node *node, uint32_t number, struct sched_reasons *why)
{
	if (why)
		sched_reasons_add(why, "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode");
	return SCHED_UNSCHEDULABLE;
}

static bool shares_claim(const struct sched_pod *p, const struct sched_pod *other)
{
	for (size_t i = 0; i < p->claims.n; i++)
		for (size_t k = 0; k < other->claims.n; k++)
			if (!strcmp(p->claims.v[i].key, other->claims.v[k].key))
				return true;
	return false;
}

static bool helps_restrictions(struct sched_cache *c, const struct sched_pod *p, const struct sched_change *change)
{
	if (change->events & SCHED_CLAIM)
		return is_its_claim(p, change->object);
	return !change->pod || shares_claim(p, change->pod);
}

const struct sched_plugin sched_volume_restrictions = {
	.name = "VolumeRestrictions",
	.events = SCHED_POD_DELETED | SCHED_POD_ITSELF | SCHED_CLAIM,
	.state_size = sizeof(struct restrictions),
	.prepare = prepare_restrictions,
	.counts_pods = true,
	.filter = filter_restrictions,
	.helps = helps_restrictions,
};
