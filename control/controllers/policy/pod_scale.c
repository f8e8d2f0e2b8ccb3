/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../scale.h"
#include "pod_scale.h"

int pod_scales_init(struct pod_scales *s, struct kcm *k)
{
	*s = (struct pod_scales){
		.deployment_kind = kcm_kind("apps", "v1", "deployments"), .set_kind = kcm_kind("apps", "v1", "replicasets"),
		.rc_kind = kcm_kind("", "v1", "replicationcontrollers"), .stateful_kind = kcm_kind("apps", "v1", "statefulsets"),
	};
	s->deployments = xb_cache_of(k->cache, s->deployment_kind);
	s->sets = xb_cache_of(k->cache, s->set_kind);
	s->rcs = xb_cache_of(k->cache, s->rc_kind);
	s->stateful = xb_cache_of(k->cache, s->stateful_kind);
	return s->deployments && s->sets && s->rcs && s->stateful ? 0 : -ENOMEM;
}

static struct xb_sv text(struct xb_jv object, const char *field)
{
	return xb_jv_text(xb_jv_get(object, field));
}

/* Is it a reference to that kind, in whatever version. */
static bool names_kind(struct xb_jv ref, const struct xb_kind *k)
{
	struct xb_sv version = text(ref, "apiVersion"), group = {};

	if (memchr(version.p ? version.p : "", '/', version.n))
		xb_sv_split(&version, '/', &group);
	return xb_sv_is(group, k->group) && xb_sv_is(text(ref, "kind"), k->kind);
}

static struct xb_jv get(const struct kcm_work *w, const struct xb_informer *copy, struct xb_jv ref)
{
	_cleanup_free_ char *name = xb_sv_dup(text(ref, "name"));
	struct xb_jv object = name ? xb_informer_get(copy, w->namespace_, name) : (struct xb_jv){};

	return xb_sv_eq(xb_jv_text(xb_jv_path(object, "metadata", "uid")), text(ref, "uid")) ? object : (struct xb_jv){};
}

/* The object that scales the pods of ref, as the copies have it. */
static struct xb_jv find(const struct pod_scales *c, const struct kcm_work *w, struct xb_jv ref)
{
	struct xb_jv set, owner;

	if (names_kind(ref, c->rc_kind))
		return get(w, c->rcs, ref);
	if (names_kind(ref, c->stateful_kind))
		return get(w, c->stateful, ref);
	if (!names_kind(ref, c->set_kind))
		return (struct xb_jv){};
	set = get(w, c->sets, ref);
	owner = xb_owner_controller(set);
	return names_kind(owner, c->deployment_kind) ? get(w, c->deployments, owner) : set;
}

/* An object whose scale the server was asked for. */
struct pod_scale_asked {
	const char *uid;
	struct scale scale;
	struct pod_scale_asked *next;
};

struct sum {
	const struct pod_scales *c;
	struct kcm_work *w;
	struct pod_scale *s;
	XB_VEC(struct xb_sv) seen;              /* uids of the pods' controllers, and of what scales those */
	int64_t replicas;
};

static int fail(struct sum *s, const char *why)
{
	s->s->why = why;
	return why ? -EINVAL : -ENOMEM;
}

static int no_controller(struct sum *s, struct xb_jv pod)
{
	return fail(s, xb_arena_printf(s->w->arena, "found no controllers for pod \"%.*s\"",
				       XB_SV_ARG(xb_jv_text(xb_jv_path(pod, "metadata", "name")))));
}

static bool seen(const struct sum *s, struct xb_sv uid)
{
	for (size_t i = 0; i < s->seen.n; i++)
		if (xb_sv_eq(s->seen.v[i], uid))
			return true;
	return false;
}

static int ask(struct sum *s, struct xb_jv pod, struct xb_jv ref)
{
	struct pod_scale_asked *a = xb_arena_alloc(s->w->arena, sizeof(*a));
	int r;

	if (!a)
		return -ENOMEM;
	r = scale_of(s->w, text(ref, "apiVersion"), text(ref, "kind"), text(ref, "name"), &a->scale);
	if (r)
		return r == -EINVAL ? no_controller(s, pod) : r;
	a->uid = xb_arena_strn(s->w->arena, text(ref, "uid"));
	a->next = s->s->asked;
	s->s->asked = a;
	return a->uid ? -EAGAIN : -ENOMEM;
}

static int add_asked(struct sum *s, struct xb_jv pod, struct xb_jv ref)
{
	const struct pod_scale_asked *a = s->s->asked;

	while (a && !xb_sv_is(text(ref, "uid"), a->uid))
		a = a->next;
	if (!a)
		return ask(s, pod, ref);
	if (a->scale.why && !a->scale.absent)
		return fail(s, a->scale.why);
	if (a->scale.why || strcmp(a->scale.uid, a->uid))
		return no_controller(s, pod);
	s->replicas += a->scale.replicas;
	return xb_vec_push(&s->seen, xb_sv(a->uid));
}

static int add_pod(struct sum *s, struct xb_jv pod)
{
	struct xb_jv ref = xb_owner_controller(pod), scaled;
	int64_t n = 1;
	struct xb_sv uid;
	int r;

	if (!xb_jv_is(ref) || seen(s, text(ref, "uid")))
		return 0;
	scaled = find(s->c, s->w, ref);
	if (!xb_jv_is(scaled))
		return add_asked(s, pod, ref);
	uid = xb_jv_text(xb_jv_path(scaled, "metadata", "uid"));
	xb_jv_i64(xb_jv_path(scaled, "spec", "replicas"), &n);
	if (!seen(s, uid))
		s->replicas += n;
	r = xb_vec_push(&s->seen, uid);
	return r ? r : xb_vec_push(&s->seen, text(ref, "uid"));
}

int pod_scale_sum(const struct pod_scales *c, struct kcm_work *w, struct pod_scale *s, const struct xb_jv *pods, size_t n,
		  void (*then)(struct kcm_work *w, int error), int64_t *ret)
{
	struct sum sum = { .c = c, .w = w, .s = s };
	int r = 0;

	for (size_t i = 0; !r && i < n; i++)
		r = add_pod(&sum, pods[i]);
	xb_vec_done(&sum.seen);
	if (r == -EAGAIN) {
		kcm_work_round(w, then);
		scale_ask(w, &s->asked->scale);
		kcm_work_go(w);
	}
	if (!r)
		*ret = sum.replicas;
	return r;
}
