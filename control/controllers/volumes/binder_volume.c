/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A volume: free, of a claim, or of one that is gone (syncVolume). */
#include "binder.h"
#include "xb/work_queue.h"

static struct xb_jv ref(const struct binder_sync *s, const char *field)
{
	return xb_jv_path(s->volume, "spec", "claimRef", field);
}

static bool is_over(const struct binder_sync *s)
{
	struct xb_sv phase = xb_jv_text(xb_jv_path(s->volume, "status", "phase"));

	return xb_sv_is(phase, "Released") || xb_sv_is(phase, "Failed");
}

/* What failed stays so, for the user to see. */
static void release(struct binder_sync *s)
{
	if (is_over(s))
		binder_reclaim(s);
	else
		binder_set_phase(s, false, "Released", binder_reclaim);
}

static void give_up(struct binder_sync *s)
{
	static const struct binder_step steps[] = { { binder_unreserve, false, NULL }, { binder_volume_phase, false, "status" }, {} };

	s->pair.text = "Available";
	binder_run(s, steps, binder_done);
}

static bool is_block(struct xb_jv object)
{
	return xb_jv_streq(xb_jv_path(object, "spec", "volumeMode"), XB_SV("Block"));
}

/* The claim binds them when it is its turn. */
static void remind(struct binder_sync *s)
{
	_cleanup_buf_ struct xb_buf key = {};

	if (is_block(s->claim) != is_block(s->volume)) {
		binder_tell(s, false, XB_EVENT_WARNING, "VolumeMismatch",
			    "Cannot bind PersistentVolume to requested PersistentVolumeClaim \"%.*s\" due to incompatible volumeMode.",
			    XB_SV_ARG(xb_jv_text(xb_jv_path(s->claim, "metadata", "name"))));
		binder_tell(s, true, XB_EVENT_WARNING, "VolumeMismatch",
			    "Cannot bind PersistentVolume \"%s\" to requested PersistentVolumeClaim due to incompatible volumeMode.", s->w->name);
	} else if (kcm_key(s->claim, &key)) {
		xb_work_queue_add(kcm_queue_keys(s->b->queue), key.p);
	}
	binder_done(s);
}

static void with_claim(struct binder_sync *s, struct xb_jv claim)
{
	struct xb_sv volume = xb_jv_text(xb_jv_path(claim, "spec", "volumeName"));
	int r = binder_take_claim(s, claim);

	if (r)
		kcm_work_done(s->w, r);
	else if (!volume.n)
		remind(s);
	else if (xb_sv_is(volume, s->w->name))
		binder_set_phase(s, false, "Bound", binder_done);
	else if (xb_annotation(s->volume, XB_PROVISIONED_BY).n &&
		 xb_jv_streq(xb_jv_path(s->volume, "spec", "persistentVolumeReclaimPolicy"), XB_SV("Delete")))
		release(s);
	else
		give_up(s);
}

static bool is_the_claim(const struct binder_sync *s, struct xb_jv claim)
{
	return xb_sv_eq(xb_jv_text(xb_jv_path(claim, "metadata", "uid")), xb_jv_text(ref(s, "uid")));
}

/* --- the claim does not show --- */
static int on_read(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct binder_sync *s = arg;
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	int r = code == 404 ? 0 : xb_calls_error(code, status);

	if (r || code == 404)
		return r;
	r = xb_json_parse(body, NULL, &doc, NULL);
	if (!r && is_the_claim(s, xb_json_root(doc)))
		r = binder_take_claim(s, xb_json_root(doc));
	return r;
}

static void on_known(struct kcm_work *w, int error)
{
	struct binder_sync *s = w->state;

	if (error)
		kcm_work_done(w, error);
	else if (xb_jv_is(s->claim))
		with_claim(s, s->claim);
	else
		release(s);
}

/* A claim may be newer than the copy of it: the volume is released only when the server knows none. */
static void ask_for_claim(struct binder_sync *s)
{
	struct kcm_request q = {
		.method = "GET", .kind = s->b->claim_kind,
		.namespace_ = xb_arena_strn(s->w->arena, xb_jv_text(ref(s, "namespace"))),
		.name = xb_arena_strn(s->w->arena, xb_jv_text(ref(s, "name"))),
	};

	if (!q.namespace_ || !q.name) {
		kcm_work_done(s->w, -ENOMEM);
		return;
	}
	kcm_work_round(s->w, on_known);
	kcm_work_ask(s->w, &q, on_read, s);
	kcm_work_go(s->w);
}

void binder_sync_volume(struct binder_sync *s)
{
	_cleanup_free_ char *namespace_ = xb_jv_dup(ref(s, "namespace")), *name = xb_jv_dup(ref(s, "name"));
	struct xb_jv claim = namespace_ && name ? xb_informer_get(s->b->claims, namespace_, name) : (struct xb_jv){};

	if (xb_volume_is_free(s->volume) || !xb_jv_text(ref(s, "uid")).n)
		binder_set_phase(s, false, "Available", binder_done);
	else if (is_the_claim(s, claim))
		with_claim(s, claim);
	else if (!xb_jv_is(claim) && is_over(s))
		binder_reclaim(s);
	else
		ask_for_claim(s);
}
