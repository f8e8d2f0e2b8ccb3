/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A claim that is deleted stays while a pod that has a node uses it (upstream's pkg/controller/volume/pvcprotection). Keys are
 * namespaces: one list of a namespace's pods, from the server itself, says which of its claims are free to go.
 */
#include "../loops.h"
#include "../pods.h"
#include "pods_by_claim.h"
#include "protection.h"
#include "xb/volumes.h"
#include "xb/work_queue.h"

#define PAGE      "500"
#define MAX_BYTES (256U << 20)

struct pvc_protection {
	struct kcm *kcm;
	const struct xb_kind *kind, *pod_kind;
	struct xb_index *due;           /* claims whose finalizer is not as it should be, by namespace */
	struct xb_index *pods_by_claim;
	struct kcm_queue *queue;
};

struct leaving {
	struct kcm_work *w;
	const struct pvc_protection *l;
	struct xb_jv *claims;           /* that seem to be free to go; held */
	size_t n;
};

static bool uses(struct xb_jv pod, bool ephemeral, struct xb_jv claim)
{
	return xb_jv_text(xb_jv_path(pod, "spec", "nodeName")).n && (!ephemeral || xb_claim_is_of_pod(claim, pod));
}

/* --- as the server says --- */
static void keep(struct leaving *s, struct xb_jv pod, struct xb_sv name, bool ephemeral)
{
	for (size_t i = s->n; i-- > 0;)
		if (xb_jv_streq(xb_jv_path(s->claims[i], "metadata", "name"), name) && uses(pod, ephemeral, s->claims[i]))
			s->claims[i] = s->claims[--s->n];
}

static void keep_used(struct leaving *s, struct xb_jv pods)
{
	_cleanup_buf_ struct xb_buf name = {};
	bool ephemeral;

	for (struct xb_jit pod = xb_jv_iter(pods); xb_jit_next(&pod);)
		for (struct xb_jit v = xb_jv_iter(xb_jv_path(pod.value, "spec", "volumes")); xb_jit_next(&v);)
			if (xb_pod_claim(pod.value, v.value, &name, &ephemeral))
				keep(s, pod.value, xb_buf_sv(&name), ephemeral);
}

static int ask_for_pods(struct leaving *s, struct xb_sv from);

static int on_pods(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct leaving *s = arg;
	struct xb_json_limits limits = { .max_bytes = MAX_BYTES };
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct xb_sv more;
	int r = xb_calls_error(code, status);

	if (!r)
		r = xb_json_parse(body, &limits, &doc, NULL);
	if (r)
		return r;
	keep_used(s, xb_jv_get(xb_json_root(doc), "items"));
	more = xb_jv_text(xb_jv_path(xb_json_root(doc), "metadata", "continue"));
	if (more.n && s->n)
		return ask_for_pods(s, more);
	for (size_t i = 0; !r && i < s->n; i++)
		r = protection_ask(s->w, s->l->kind, s->claims[i], PVC_PROTECTION);
	return r;
}

static int ask_for_pods(struct leaving *s, struct xb_sv from)
{
	_cleanup_buf_ struct xb_buf path = {};

	xb_kind_path(s->l->pod_kind, xb_sv(s->w->name), (struct xb_sv){}, NULL, &path);
	xb_rest_add_query(&path, "limit", XB_SV(PAGE));
	if (from.n)
		xb_rest_add_query(&path, "continue", from);
	return path.err ? path.err : kcm_work_ask(s->w, &(struct kcm_request){ .method = "GET", .path = path.p }, on_pods, s);
}

/* --- one namespace --- */
static bool seems_used(const struct pvc_protection *l, struct xb_jv claim)
{
	_cleanup_buf_ struct xb_buf key = {}, name = {};
	bool ephemeral;

	if (!kcm_key(claim, &key))
		return true;
	for (struct xb_index_it it = {}; xb_index_next(l->pods_by_claim, xb_buf_sv(&key), &it);)
		for (struct xb_jit v = xb_jv_iter(xb_jv_path(it.object, "spec", "volumes")); xb_jit_next(&v);)
			if (xb_pod_claim(it.object, v.value, &name, &ephemeral) && uses(it.object, ephemeral, claim) &&
			    xb_jv_streq(xb_jv_path(claim, "metadata", "name"), xb_buf_sv(&name)))
				return true;
	return false;
}

static int protect_and_gather(struct leaving *s)
{
	struct xb_sv namespace_ = xb_sv(s->w->name);
	int r;

	s->claims = xb_arena_alloc(s->w->arena, (xb_index_count(s->l->due, namespace_) + 1) * sizeof(*s->claims));
	r = s->claims ? 0 : -ENOMEM;
	for (struct xb_index_it it = {}; !r && xb_index_next(s->l->due, namespace_, &it);) {
		if (!pods_deleting(it.object)) {
			r = protection_ask(s->w, s->l->kind, it.object, PVC_PROTECTION);
		} else if (!seems_used(s->l, it.object)) {
			r = kcm_work_hold(s->w, it.object);
			s->claims[s->n++] = it.object;
		}
	}
	return r;
}

static void sync_namespace(struct kcm_work *w)
{
	struct leaving *s = w->state = xb_arena_alloc(w->arena, sizeof(*s));

	if (!s) {
		kcm_work_done(w, -ENOMEM);
		return;
	}
	*s = (struct leaving){ .w = w, .l = w->loop };
	kcm_work_round(w, kcm_work_done);
	if (!protect_and_gather(s) && s->n)
		ask_for_pods(s, (struct xb_sv){});
	kcm_work_go(w);
}

/* --- what comes in --- */
static void queue_namespace(struct pvc_protection *l, struct xb_jv object)
{
	_cleanup_free_ char *key = xb_jv_dup(xb_jv_path(object, "metadata", "namespace"));

	if (key && xb_index_count(l->due, xb_sv(key)))
		xb_work_queue_add(kcm_queue_keys(l->queue), key);
}

static void on_claim(void *arg, struct xb_jv old, struct xb_jv claim)
{
	if (xb_jv_is(claim) && protection_due(claim, PVC_PROTECTION))
		queue_namespace(arg, claim);
}

static void on_pod(void *arg, struct xb_jv old, struct xb_jv pod)
{
	if (!xb_jv_is(pod))
		queue_namespace(arg, old);
}

static void by_namespace_if_due(struct xb_jv claim, struct xb_index_entry *e)
{
	if (protection_due(claim, PVC_PROTECTION))
		kcm_by_namespace(claim, e);
}

/* --- the loop --- */
static int follow(struct pvc_protection *l)
{
	struct kcm *k = l->kcm;
	int r = xb_cache_follow(k->cache, l->kind, on_claim, l);

	if (!r)
		r = xb_cache_follow(k->cache, l->pod_kind, on_pod, l);
	l->due = kcm_index(k, l->kind, by_namespace_if_due);
	l->pods_by_claim = kcm_index(k, l->pod_kind, pods_by_claim);
	return r || !l->due || !l->pods_by_claim ? -ENOMEM : 0;
}

void pvc_protection_stop(void *loop)
{
	struct pvc_protection *l = loop;

	kcm_queue_free(l->queue);
	free(l);
}

int pvc_protection_start(struct kcm *k, void **ret)
{
	struct pvc_protection *l = calloc(1, sizeof(*l));
	struct kcm_queue_config queue = { .name = "pvcprotection", .workers = 5, .sync = sync_namespace, .loop = l };
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct pvc_protection){
		.kcm = k, .kind = kcm_kind("", "v1", "persistentvolumeclaims"), .pod_kind = kcm_kind("", "v1", "pods"),
	};
	r = kcm_queue_new(k, &queue, &l->queue);
	if (!r)
		r = follow(l);
	if (r) {
		pvc_protection_stop(l);
		return r;
	}
	*ret = l;
	return 0;
}
