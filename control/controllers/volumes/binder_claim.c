/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A claim: which volume it gets, or why it has none (syncUnboundClaim, syncBoundClaim). */
#include "binder.h"
#include "../pods.h"

static struct xb_jv class_named(const struct binder *b, struct xb_sv name)
{
	_cleanup_free_ char *copy = xb_sv_dup(name);

	return copy && name.n ? xb_informer_get(b->classes, NULL, copy) : (struct xb_jv){};
}

static void pend(struct binder_sync *s)
{
	binder_set_phase(s, true, "Pending", binder_done);
}

static void bind_to(struct binder_sync *s, struct xb_jv volume)
{
	int r = binder_take_volume(s, volume);

	if (r)
		kcm_work_done(s->w, r);
	else
		binder_bind(s);
}

/* --- no volume is named --- */
static struct xb_jv best_of(const struct xb_claim *c, const struct xb_index *index, struct xb_sv key)
{
	struct xb_volume_rank best = {};
	struct xb_jv found = {};

	for (struct xb_index_it it = {}; xb_index_next(index, key, &it);) {
		struct xb_volume_rank rank = xb_claim_rank(c, it.object);

		if (!xb_claim_may_have(c, it.object) || (xb_jv_is(found) && xb_volume_rank_cmp(&best, &rank) < 0))
			continue;
		found = it.object;
		best = rank;
	}
	return found;
}

/* Of volumes that are free the scheduler chooses when the class waits for it. */
static struct xb_jv find_volume(const struct binder_sync *s, const struct xb_claim *c, bool waits)
{
	_cleanup_buf_ struct xb_buf class = {};
	struct xb_jv own = best_of(c, s->b->volumes_by_claim, xb_sv(s->w->key));

	xb_buf_addf(&class, "/%.*s", XB_SV_ARG(c->class));
	return xb_jv_is(own) || waits || class.err ? own : best_of(c, s->b->volumes_by_claim, xb_buf_sv(&class));
}

struct newest {
	struct xb_jv class;
};

static bool is_newer(struct xb_jv a, struct xb_jv b)
{
	int order = xb_sv_cmp(xb_jv_text(xb_jv_path(a, "metadata", "creationTimestamp")),
			      xb_jv_text(xb_jv_path(b, "metadata", "creationTimestamp")));

	return order ? order > 0 : xb_sv_cmp(xb_jv_text(xb_jv_path(a, "metadata", "name")), xb_jv_text(xb_jv_path(b, "metadata", "name"))) < 0;
}

static void note_default(void *arg, struct xb_jv class)
{
	struct newest *n = arg;

	if (!xb_sv_is(xb_annotation(class, "storageclass.kubernetes.io/is-default-class"), "true") &&
	    !xb_sv_is(xb_annotation(class, "storageclass.beta.kubernetes.io/is-default-class"), "true"))
		return;
	if (!xb_jv_is(n->class) || is_newer(class, n->class))
		n->class = class;
}

/* A claim that was made before there was a default class gets it now (KEP-3333). False: it has a class, or there is none. */
static bool give_default_class(struct binder_sync *s)
{
	static const struct binder_step steps[] = { { binder_set_class, true, NULL }, {} };
	struct newest newest = {};

	if (xb_jv_is(xb_jv_path(s->claim, "spec", "storageClassName")) || xb_volume_class(s->claim).n)
		return false;
	xb_informer_each(s->b->classes, note_default, &newest);
	if (!xb_jv_is(newest.class))
		return false;
	s->pair.text = xb_arena_strn(s->w->arena, xb_jv_text(xb_jv_path(newest.class, "metadata", "name")));
	if (s->pair.text)
		binder_run(s, steps, binder_sync_claim);
	else
		kcm_work_done(s->w, -ENOMEM);
	return true;
}

static void tell_who_waits(struct binder_sync *s)
{
	_cleanup_buf_ struct xb_buf names = {};
	unsigned n = 0;

	for (struct xb_index_it it = {}; xb_index_next(s->b->pods_by_claim, xb_sv(s->w->key), &it);) {
		if (xb_jv_text(xb_jv_path(it.object, "spec", "nodeName")).n || !pods_active(it.object))
			continue;
		xb_buf_addf(&names, "%s%.*s", n++ ? "," : "", XB_SV_ARG(xb_jv_text(xb_jv_path(it.object, "metadata", "name"))));
	}
	if (n && !names.err)
		binder_tell(s, true, XB_EVENT_NORMAL, "WaitForPodScheduled", "waiting for pod%s %s to be scheduled", n > 1 ? "s" : "", names.p);
	else
		binder_tell(s, true, XB_EVENT_NORMAL, "WaitForFirstConsumer", "waiting for first consumer to be created before binding");
}

static void without_volume(struct binder_sync *s, const struct xb_claim *c, bool waits)
{
	if (give_default_class(s))
		return;
	if (waits && !xb_annotation(s->claim, XB_SELECTED_NODE).n) {
		tell_who_waits(s);
		pend(s);
	} else if (c->class.n) {
		binder_provision(s);
	} else {
		binder_tell(s, true, XB_EVENT_NORMAL, "FailedBinding", "no persistent volumes available for this claim and no storage class is set");
		pend(s);
	}
}

static void find(struct binder_sync *s, const struct xb_claim *c)
{
	bool waits = xb_class_waits(class_named(s->b, c->class));
	struct xb_jv volume = find_volume(s, c, waits);

	if (xb_jv_is(volume))
		bind_to(s, volume);
	else
		without_volume(s, c, waits);
}

/* --- one is named --- */
static void take_named(struct binder_sync *s, const struct xb_claim *c, const char *name)
{
	struct xb_jv volume = xb_informer_get(s->b->volumes, NULL, name);
	const char *why = xb_jv_is(volume) && xb_volume_is_free(volume) ? xb_claim_misfit(c, volume) : NULL;

	if (why) {
		binder_tell(s, true, XB_EVENT_WARNING, "VolumeMismatch", "Cannot bind to requested volume \"%s\": %s", name, why);
		pend(s);
	} else if (xb_jv_is(volume) && (xb_volume_is_free(volume) || xb_claim_owns(c, volume))) {
		bind_to(s, volume);
	} else {
		if (xb_jv_is(volume) && xb_annotation(s->claim, XB_BOUND_BY_CONTROLLER).n)
			binder_tell(s, true, XB_EVENT_WARNING, "FailedBinding", "volume \"%s\" already bound to a different claim.", name);
		pend(s);
	}
}

/* --- it was bound --- */
static void tell_lost(struct binder_sync *s)
{
	if (s->wrote)
		binder_tell(s, true, XB_EVENT_WARNING, "ClaimLost", "%s",
			    xb_jv_text(xb_jv_path(s->claim, "spec", "volumeName")).n
				    ? "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
				    : "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!");
	binder_done(s);
}

static void tell_misbound(struct binder_sync *s)
{
	if (s->wrote)
		binder_tell(s, true, XB_EVENT_WARNING, "ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly");
	binder_done(s);
}

static int on_looked_for(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	return code == 404 ? 0 : code / 100 == 2 ? -ESTALE : xb_calls_error(code, status);
}

static void on_gone(struct kcm_work *w, int error)
{
	if (error)
		kcm_work_done(w, error);
	else
		binder_set_phase(w->state, true, "Lost", tell_lost);
}

/* The copies of claims and volumes are not of one moment: what is told to be lost must be gone from the server. */
static void lose(struct binder_sync *s, const char *volume)
{
	kcm_work_round(s->w, on_gone);
	kcm_work_ask(s->w, &(struct kcm_request){ .method = "GET", .kind = s->b->volume_kind, .name = volume }, on_looked_for, NULL);
	kcm_work_go(s->w);
}

static void keep_bound(struct binder_sync *s, const struct xb_claim *c, const char *name)
{
	struct xb_jv volume = *name ? xb_informer_get(s->b->volumes, NULL, name) : (struct xb_jv){};

	if (!*name)
		binder_set_phase(s, true, "Lost", tell_lost);
	else if (!xb_jv_is(volume))
		lose(s, name);
	else if (xb_volume_is_free(volume) || xb_sv_eq(xb_jv_text(xb_jv_path(volume, "spec", "claimRef", "uid")), c->uid))
		bind_to(s, volume);
	else
		binder_set_phase(s, true, "Lost", tell_misbound);
}

void binder_sync_claim(struct binder_sync *s)
{
	_cleanup_claim_ struct xb_claim c = {};
	const char *volume = xb_arena_strn(s->w->arena, xb_jv_text(xb_jv_path(s->claim, "spec", "volumeName")));
	int r = volume ? xb_claim_read(s->claim, &c) : -ENOMEM;

	if (r)
		kcm_work_done(s->w, r);
	else if (xb_annotation(s->claim, XB_BIND_COMPLETED).n)
		keep_bound(s, &c, volume);
	else if (*volume)
		take_named(s, &c, volume);
	else
		find(s, &c);
}
