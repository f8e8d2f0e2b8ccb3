/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "claims.h"

#define HOST_LABEL "kubernetes.io/hostname"

static void wish_done(struct sched_wish *w)
{
	for (size_t i = 0; i < w->candidates.n; i++)
		sched_node_selector_done(&w->candidates.v[i].affinity);
	xb_vec_done(&w->candidates);
	xb_claim_done(&w->claim);
}

void sched_claims_done(struct sched_claims *s)
{
	for (size_t i = 0; i < s->bound.n; i++)
		sched_node_selector_done(&s->bound.v[i]);
	for (size_t i = 0; i < s->wishes.n; i++)
		wish_done(&s->wishes.v[i]);
	xb_vec_done(&s->bound);
	xb_vec_done(&s->wishes);
	xb_buf_done(&s->refusal);
	free(s->chosen);
	*s = (struct sched_claims){};
}

static int read_affinity(struct sched_cache *c, struct xb_jv volume, struct sched_node_selector *ret)
{
	return sched_node_selector_read(ret, c->names, xb_jv_path(volume, "spec", "nodeAffinity", "required"));
}

/* --- claims that have a volume --- */
static int add_bound(struct sched_claims *s, struct sched_cache *c, struct xb_jv claim)
{
	struct xb_jv volume = sched_storage_get(c->storage, SCHED_VOLUMES, xb_jv_text(xb_jv_path(claim, "spec", "volumeName")));
	struct sched_node_selector where = {};
	int r;

	s->lost |= !xb_jv_is(volume);
	r = read_affinity(c, volume, &where);
	if (!r && !sched_node_selector_empty(&where))
		r = xb_vec_push(&s->bound, where);
	if (r || sched_node_selector_empty(&where))
		sched_node_selector_done(&where);
	return r;
}

/* --- claims that wait for a pod --- */
/* A volume of type local names one host, and there may be as many of them as nodes: those are found by its name. */
static bool is_of_one_host(struct sched_cache *c, struct xb_jv volume, uint32_t *ret_host)
{
	struct xb_jv terms = xb_jv_path(volume, "spec", "nodeAffinity", "required", "nodeSelectorTerms"), term = xb_jv_at(terms, 0);
	struct xb_jv all = xb_jv_get(term, "matchExpressions"), one = xb_jv_at(all, 0), values = xb_jv_get(one, "values");

	if (xb_jv_count(terms) != 1 || xb_jv_count(term) != 1 || xb_jv_count(all) != 1 || xb_jv_count(values) != 1 ||
	    !xb_sv_is(sched_text(one, "key"), HOST_LABEL) || !xb_sv_is(sched_text(one, "operator"), "In"))
		return false;
	*ret_host = sched_names_find(c->names, xb_jv_text(xb_jv_at(values, 0)));
	return true;
}

static int add_candidate(struct sched_wish *w, struct sched_cache *c, struct xb_jv volume)
{
	struct sched_candidate one = { .volume = volume, .rank = xb_claim_rank(&w->claim, volume) };
	int r = xb_vec_room(&w->candidates, 1);

	if (!r && !is_of_one_host(c, volume, &one.host))
		r = read_affinity(c, volume, &one.affinity);
	else if (!r && !one.host)
		return 0;
	if (r) {
		sched_node_selector_done(&one.affinity);
		return r;
	}
	w->candidates.v[w->candidates.n++] = one;
	return 0;
}

static int by_host(const void *a, const void *b)
{
	const struct sched_candidate *x = a, *y = b;

	return x->host != y->host ? (x->host < y->host ? -1 : 1) : xb_volume_rank_cmp(&x->rank, &y->rank);
}

/* What somebody has kept for the claim is all that it may choose from. */
static void keep_reserved(struct sched_wish *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->candidates.n; i++)
		n += w->candidates.v[i].rank.reserved;
	for (size_t i = w->candidates.n; n && i-- > 0;) {
		if (w->candidates.v[i].rank.reserved)
			continue;
		sched_node_selector_done(&w->candidates.v[i].affinity);
		xb_vec_remove(&w->candidates, i);
	}
}

static int read_wish(struct sched_wish *w, struct sched_cache *c, struct xb_jv claim, struct xb_jv class)
{
	struct xb_sv provisioner = sched_text(class, "provisioner");
	const struct sched_offer *offer;
	int r = xb_claim_read(claim, &w->claim);

	if (r)
		return r;
	w->selected = xb_annotation(claim, XB_SELECTED_NODE);
	w->made = provisioner.n && !xb_sv_is(provisioner, XB_NO_PROVISIONER);
	w->topologies = xb_jv_get(class, "allowedTopologies");
	offer = w->selected.n ? NULL : sched_storage_offer(c->storage, w->claim.class);
	for (size_t i = 0; !r && offer && i < offer->volumes.n; i++) {
		const struct sched_stored *o = offer->volumes.v[i];
		struct xb_jv volume = xb_json_root(o->assumed ? o->assumed : o->doc);

		if (xb_claim_may_have(&w->claim, volume))
			r = add_candidate(w, c, volume);
	}
	keep_reserved(w);
	if (w->candidates.n)
		qsort(w->candidates.v, w->candidates.n, sizeof(*w->candidates.v), by_host);
	return r;
}

/* Small claims choose first, so that large volumes are left for those that need them. */
static int add_wish(struct sched_claims *s, struct sched_cache *c, struct xb_jv claim, struct xb_jv class)
{
	struct sched_wish w = {};
	size_t at = s->wishes.n;
	int r = xb_vec_room(&s->wishes, 1);

	if (!r)
		r = read_wish(&w, c, claim, class);
	if (r) {
		wish_done(&w);
		return r;
	}
	for (s->wishes.n++; at && xb_quantity_cmp(&w.claim.size, &s->wishes.v[at - 1].claim.size) < 0; at--)
		s->wishes.v[at] = s->wishes.v[at - 1];
	s->wishes.v[at] = w;
	return 0;
}

/* --- the pod --- */
static struct xb_sv name_of(const struct sched_pod_claim *claim)
{
	struct xb_sv name = xb_sv(claim->key), namespace_;

	xb_sv_split(&name, '/', &namespace_);
	return name;
}

/* Upstream's words; nothing is appended when the claim is fit for use. */
static void refuse(const struct sched_pod *p, const struct sched_pod_claim *of, struct xb_jv claim, struct xb_buf *why)
{
	struct xb_sv name = name_of(of);

	if (!xb_jv_is(claim) && of->ephemeral)
		xb_buf_addf(why, "waiting for ephemeral volume controller to create the persistentvolumeclaim \"%.*s\"", XB_SV_ARG(name));
	else if (!xb_jv_is(claim))
		xb_buf_addf(why, "persistentvolumeclaim \"%.*s\" not found", XB_SV_ARG(name));
	else if (xb_sv_is(xb_jv_text(xb_jv_path(claim, "status", "phase")), "Lost"))
		xb_buf_addf(why, "persistentvolumeclaim \"%.*s\" bound to non-existent persistentvolume \"%.*s\"", XB_SV_ARG(name),
			    XB_SV_ARG(xb_jv_text(xb_jv_path(claim, "spec", "volumeName"))));
	else if (xb_jv_is(xb_jv_path(claim, "metadata", "deletionTimestamp")))
		xb_buf_addf(why, "persistentvolumeclaim \"%.*s\" is being deleted", XB_SV_ARG(name));
	else if (of->ephemeral && !xb_claim_is_of_pod(claim, xb_json_root(p->doc)))
		xb_buf_addf(why, "PVC %s was not created for pod %s (pod is not owner)", of->key, p->key);
}

static int read_claim(struct sched_claims *s, struct sched_cache *c, struct xb_jv claim, bool *ret_unbound)
{
	struct xb_jv class = sched_storage_get(c->storage, SCHED_CLASSES, xb_volume_class(claim));

	if (xb_claim_is_bound(claim))
		return add_bound(s, c, claim);
	if (xb_class_waits(class) && !xb_jv_text(xb_jv_path(claim, "spec", "volumeName")).n)
		return add_wish(s, c, claim, class);
	*ret_unbound = true;
	return 0;
}

int sched_claims_read(struct sched_claims *s, struct sched_cache *c, const struct sched_pod *p)
{
	bool unbound = false;
	int r = 0;

	sched_claims_done(s);
	s->host_label = sched_names_find(c->names, XB_SV(HOST_LABEL));
	for (size_t i = 0; !r && !s->refusal.n && i < p->claims.n; i++) {
		struct xb_jv claim = sched_storage_get(c->storage, SCHED_CLAIMS, xb_sv(p->claims.v[i].key));

		refuse(p, &p->claims.v[i], claim, &s->refusal);
		r = s->refusal.err ? s->refusal.err : xb_jv_is(claim) ? read_claim(s, c, claim, &unbound) : 0;
	}
	if (!r && unbound && !s->refusal.n)
		xb_buf_adds(&s->refusal, "pod has unbound immediate PersistentVolumeClaims");
	s->chosen = calloc(s->wishes.n + 1, sizeof(*s->chosen));
	return r ? r : !s->chosen || s->refusal.err ? -ENOMEM : 0;
}

bool sched_claims_are_bound(struct sched_cache *c, const struct sched_pod *p)
{
	for (size_t i = 0; i < p->claims.n; i++)
		if (!xb_claim_is_bound(sched_storage_get(c->storage, SCHED_CLAIMS, xb_sv(p->claims.v[i].key))))
			return false;
	return true;
}

/* --- a node --- */
static bool is_taken(const struct sched_claims *s, size_t n, struct xb_jv volume)
{
	for (size_t i = 0; i < n; i++)
		if (s->chosen[i].doc == volume.doc)
			return true;
	return false;
}

static size_t first_of(const struct sched_wish *w, uint32_t host)
{
	size_t low = 0, high = w->candidates.n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (w->candidates.v[middle].host < host)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct sched_candidate *best_of(const struct sched_claims *s, size_t i, uint32_t host, const struct sched_node *node)
{
	const struct sched_wish *w = &s->wishes.v[i];

	for (size_t k = first_of(w, host); k < w->candidates.n && w->candidates.v[k].host == host; k++)
		if (!is_taken(s, i, w->candidates.v[k].volume) && (host || sched_node_selector_matches(&w->candidates.v[k].affinity, node)))
			return &w->candidates.v[k];
	return NULL;
}

static bool choose(const struct sched_claims *s, size_t i, const struct sched_node *node)
{
	uint32_t host = sched_node_label(node, s->host_label);
	const struct sched_candidate *best = best_of(s, i, 0, node), *local = host ? best_of(s, i, host, node) : NULL;

	if (!best || (local && xb_volume_rank_cmp(&local->rank, &best->rank) < 0))
		best = local;
	s->chosen[i] = best ? best->volume : (struct xb_jv){};
	return best;
}

static bool has_label(struct xb_jv expression, const struct sched_node *node)
{
	uint32_t value = sched_node_label(node, sched_names_find(node->names, sched_text(expression, "key")));

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(expression, "values")); value && xb_jit_next(&it);)
		if (xb_sv_eq(xb_jv_text(it.value), sched_names_text(node->names, value)))
			return true;
	return false;
}

static bool can_be_made(const struct sched_wish *w, const struct sched_node *node)
{
	if (!w->made || (w->selected.n && !xb_sv_is(w->selected, node->name)))
		return false;
	for (struct xb_jit it = xb_jv_iter(w->topologies); xb_jit_next(&it);) {
		bool all = true;

		for (struct xb_jit e = xb_jv_iter(xb_jv_get(it.value, "matchLabelExpressions")); all && xb_jit_next(&e);)
			all = has_label(e.value, node);
		if (all)
			return true;
	}
	return !xb_jv_count(w->topologies);
}

unsigned sched_claims_fit(const struct sched_claims *s, const struct sched_node *node)
{
	unsigned why = s->lost ? SCHED_VOLUME_LOST : 0;

	for (size_t i = 0; i < s->bound.n; i++)
		if (!sched_node_selector_matches(&s->bound.v[i], node))
			why |= SCHED_VOLUME_ELSEWHERE;
	for (size_t i = 0; i < s->wishes.n; i++)
		if (!choose(s, i, node) && !can_be_made(&s->wishes.v[i], node))
			why |= SCHED_NO_VOLUME;
	return why;
}
