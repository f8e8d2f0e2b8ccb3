/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A claim for each ephemeral volume of a pod, which goes with the pod (upstream's pkg/controller/volume/ephemeral). */
#include "../loops.h"
#include "../pods.h"
#include "../work.h"
#include "xb/volumes.h"

struct ephemeral {
	struct kcm *kcm;
	const struct xb_kind *kind, *pod_kind;
	struct xb_informer *claims, *pods;
	struct kcm_queue *queue;
};

struct making {
	struct kcm_work *w;
	struct xb_jv pod, volume;       /* held */
	const char *claim;
};

static void tell_failed(const struct ephemeral *l, struct xb_jv pod, struct xb_jv volume, const char *why)
{
	struct xb_event e = {
		.component = "ephemeral_volume", .kind = l->pod_kind, .object = pod, .type = XB_EVENT_WARNING, .reason = "FailedBinding",
	};

	xb_recorder_event(l->kcm->recorder, &e, "ephemeral volume %.*s: %s", XB_SV_ARG(xb_jv_text(xb_jv_get(volume, "name"))), why);
}

/* Somebody else's of that name: it is not for this pod. */
static int refuse(const struct kcm_work *w, struct xb_jv pod, struct xb_jv volume, const char *claim)
{
	_cleanup_buf_ struct xb_buf why = {};

	xb_buf_addf(&why, "PVC %s/%s was not created for pod %s/%s (pod is not owner)", w->namespace_, claim, w->namespace_, w->name);
	if (why.err)
		return why.err;
	tell_failed(w->loop, pod, volume, why.p);
	return -EEXIST;
}

static void write_copy(struct xb_jw *w, struct xb_jv object, const char *key)
{
	if (!xb_jv_is(xb_jv_get(object, key)))
		return;
	xb_jw_key(w, key);
	xb_jw_raw(w, xb_jv_bytes(xb_jv_get(object, key)));
}

static int write_claim(const struct ephemeral *l, struct xb_jv pod, struct xb_jv volume, const char *name, struct xb_buf *out)
{
	struct xb_jv template = xb_jv_path(volume, "ephemeral", "volumeClaimTemplate");
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_kstr(&w, "name", name);
	write_copy(&w, xb_jv_get(template, "metadata"), "labels");
	write_copy(&w, xb_jv_get(template, "metadata"), "annotations");
	xb_jw_key(&w, "ownerReferences");
	xb_jw_array(&w);
	xb_owner_write(&w, l->pod_kind, pod);
	xb_jw_end(&w);
	xb_jw_end(&w);
	write_copy(&w, template, "spec");
	xb_jw_end(&w);
	return xb_jw_finish(&w);
}

static int on_made(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	const struct making *m = arg;
	_cleanup_buf_ struct xb_buf why = {};
	int r = kcm_is_terminating(status) ? 0 : xb_calls_error(code, status);

	if (!r || r == -EEXIST)
		return r;
	xb_buf_addf(&why, "create PVC %s: %s", m->claim, status && status->message ? status->message : "no answer");
	if (!why.err)
		tell_failed(m->w->loop, m->pod, m->volume, why.p);
	return r;
}

static int make_claim(struct kcm_work *w, struct xb_jv pod, struct xb_jv volume, const char *name)
{
	const struct ephemeral *l = w->loop;
	_cleanup_buf_ struct xb_buf body = {};
	struct kcm_request q = { .method = "POST", .kind = l->kind, .type = KCM_JSON };
	struct making *m = xb_arena_alloc(w->arena, sizeof(*m));
	int r = m ? write_claim(l, pod, volume, name, &body) : -ENOMEM;

	if (!r)
		r = kcm_work_hold(w, pod);
	if (r)
		return r;
	*m = (struct making){ w, pod, volume, xb_arena_strn(w->arena, xb_sv(name)) };
	q.body = xb_buf_sv(&body);
	return m->claim ? kcm_work_ask(w, &q, on_made, m) : -ENOMEM;
}

static int provide(struct kcm_work *w, struct xb_jv pod, struct xb_jv volume)
{
	const struct ephemeral *l = w->loop;
	_cleanup_buf_ struct xb_buf name = {};
	struct xb_jv claim;
	bool ephemeral;

	if (!xb_pod_claim(pod, volume, &name, &ephemeral) || !ephemeral)
		return 0;
	if (name.err)
		return name.err;
	claim = xb_informer_get(l->claims, w->namespace_, name.p);
	if (!xb_jv_is(claim))
		return make_claim(w, pod, volume, name.p);
	return xb_claim_is_of_pod(claim, pod) ? 0 : refuse(w, pod, volume, name.p);
}

static void on_done(struct kcm_work *w, int error)
{
	const int *failed = w->state;

	kcm_work_done(w, error ? error : *failed);
}

static void sync_pod(struct kcm_work *w)
{
	const struct ephemeral *l = w->loop;
	struct xb_jv pod = xb_informer_get(l->pods, w->namespace_, w->name);
	int *failed = w->state = xb_arena_alloc(w->arena, sizeof(*failed)), r = failed ? 0 : -ENOMEM;

	if (r || !xb_jv_is(pod) || pods_deleting(pod)) {
		kcm_work_done(w, r);
		return;
	}
	kcm_work_round(w, on_done);
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(pod, "spec", "volumes")); !r && xb_jit_next(&it);)
		r = provide(w, pod, it.value);
	*failed = r;
	kcm_work_go(w);
}

/* --- what comes in --- */
static bool has_ephemeral(struct xb_jv pod)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(pod, "spec", "volumes")); xb_jit_next(&it);)
		if (xb_jv_is(xb_jv_get(it.value, "ephemeral")))
			return true;
	return false;
}

/* Volumes of a pod do not change. */
static void on_pod(void *arg, struct xb_jv old, struct xb_jv pod)
{
	struct ephemeral *l = arg;

	if (xb_jv_is(pod) && !xb_jv_is(old) && has_ephemeral(pod) && !pods_deleting(pod))
		kcm_queue_add(l->queue, pod);
}

static void on_claim(void *arg, struct xb_jv old, struct xb_jv claim)
{
	struct ephemeral *l = arg;
	struct xb_jv owner = xb_owner_controller(old);
	_cleanup_free_ char *namespace_ = NULL, *name = NULL;
	struct xb_jv pod;

	if (xb_jv_is(claim) || !xb_jv_streq(xb_jv_get(owner, "kind"), XB_SV("Pod")))
		return;
	namespace_ = xb_jv_dup(xb_jv_path(old, "metadata", "namespace"));
	name = xb_jv_dup(xb_jv_get(owner, "name"));
	pod = namespace_ && name ? xb_informer_get(l->pods, namespace_, name) : (struct xb_jv){};
	if (xb_jv_is(pod))
		kcm_queue_add(l->queue, pod);
}

/* --- the loop --- */
void ephemeral_stop(void *loop)
{
	struct ephemeral *l = loop;

	kcm_queue_free(l->queue);
	free(l);
}

int ephemeral_start(struct kcm *k, void **ret)
{
	struct ephemeral *l = calloc(1, sizeof(*l));
	struct kcm_queue_config queue = {
		.name = "ephemeral_volume", .workers = k->options->concurrent_ephemeralvolume_syncs, .sync = sync_pod, .loop = l,
	};
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct ephemeral){ .kcm = k, .kind = kcm_kind("", "v1", "persistentvolumeclaims"), .pod_kind = kcm_kind("", "v1", "pods") };
	r = kcm_queue_new(k, &queue, &l->queue);
	if (!r)
		r = xb_cache_follow(k->cache, l->kind, on_claim, l);
	if (!r)
		r = xb_cache_follow(k->cache, l->pod_kind, on_pod, l);
	l->claims = xb_cache_of(k->cache, l->kind);
	l->pods = xb_cache_of(k->cache, l->pod_kind);
	if (r || !l->claims || !l->pods) {
		ephemeral_stop(l);
		return -ENOMEM;
	}
	*ret = l;
	return 0;
}
