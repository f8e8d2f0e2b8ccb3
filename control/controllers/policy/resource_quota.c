/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ResourceQuotas tell what their namespace uses (upstream's pkg/controller/resourcequota). Of the kinds that are only counted
 * there is a copy of names alone, and none before a quota counts them.
 */
#include "../loops.h"
#include "../status_put.h"
#include "quota_status.h"
#include "xb/log.h"
#include "xb/map.h"
#include "xb/quota.h"
#include "xb/reflector.h"
#include "xb/time.h"

#define TOGETHER_MS 100                 /* changes that come within are one write */

struct counted {                        /* a kind */
	struct quotas *l;
	const struct xb_kind *kind;
	struct xb_informer *copy;
	struct xb_index *by_namespace;
	bool own;                       /* the copy is, with names alone */
};
struct quotas {
	struct kcm *kcm;
	const struct xb_kind *kind;
	struct xb_informer *quotas;
	struct xb_index *by_namespace;
	XB_VEC(struct counted *) counted;
	struct xb_map *usages;          /* struct usage by the quota's key */
	struct kcm_queue *queue;
};
struct usage {
	char *key;
	struct xb_quota_usage *of;         /* NULL: not counted, what changes is not followed */
	int64_t due_ms;                 /* monotonic: when it is counted again */
};

static struct xb_sv namespace_of(struct xb_jv object)
{
	return xb_jv_text(xb_jv_path(object, "metadata", "namespace"));
}

/* --- kinds --- */
static void on_object(void *arg, struct xb_jv old, struct xb_jv object)
{
	const struct counted *c = arg;
	struct quotas *l = c->l;
	struct xb_sv namespace_ = namespace_of(xb_jv_is(object) ? object : old);
	_cleanup_buf_ struct xb_buf key = {};

	for (struct xb_index_it it = {}; xb_index_next(l->by_namespace, namespace_, &it);) {
		struct usage *u = kcm_key(it.object, &key) ? xb_map_get(l->usages, xb_buf_sv(&key)) : NULL;

		if (u && u->of && xb_quota_usage_measures(u->of, c->kind) && xb_quota_usage_change(u->of, c->kind, old, object))
			kcm_queue_add_after(l->queue, it.object, TOGETHER_MS);
	}
}

static void queue_one(void *arg, struct xb_jv quota)
{
	kcm_queue_add(arg, quota);
}

static void on_synced(void *arg)
{
	const struct counted *c = arg;

	xb_informer_each(c->l->quotas, queue_one, c->l->queue);
}

static void on_trouble(void *arg, const char *path, const char *why)
{
	if (why)
		log_warning("resource quotas: %s: %s; trying on", path, why);
}

static struct counted *counted_free(struct counted *c)
{
	if (c->own)
		xb_informer_free(c->copy);
	free(c);
	return NULL;
}
XB_DEFINE_CLEANUP(struct counted *, counted_free)

/* Names alone, unless it is a kind whose content counts. */
static int copy_names(struct counted *c)
{
	static const char *const leave_out[] = { "managedFields", "annotations", "labels", "ownerReferences", "finalizers", NULL };
	_cleanup_buf_ struct xb_buf path = {};
	struct xb_informer_config config = {
		.rest = c->l->kcm->rest, .leave_out = leave_out, .accept = XB_ACCEPT_METADATA, .changed = on_object, .synced = on_synced,
		.trouble = on_trouble, .arg = c,
	};
	int r;

	xb_kind_path(c->kind, (struct xb_sv){}, (struct xb_sv){}, NULL, &path);
	config.path = path.p;
	r = path.err ? path.err : xb_informer_new(&config, &c->copy);
	if (r)
		return r;
	c->own = true;
	c->by_namespace = xb_informer_index(c->copy, kcm_by_namespace);
	return c->by_namespace ? 0 : -ENOMEM;
}

static int share_copy(struct counted *c)
{
	struct kcm *k = c->l->kcm;

	c->copy = xb_cache_of(k->cache, c->kind);
	c->by_namespace = kcm_index(k, c->kind, kcm_by_namespace);
	return c->copy && c->by_namespace ? xb_cache_follow(k->cache, c->kind, on_object, c) : -ENOMEM;
}

static int counted_new(struct quotas *l, const struct xb_kind *kind, int (*copy)(struct counted *c), struct counted **ret)
{
	_cleanup_(counted_freep) struct counted *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	*c = (struct counted){ .l = l, .kind = kind };
	r = copy(c);
	if (!r)
		r = xb_vec_push(&l->counted, c);
	if (r)
		return r;
	*ret = TAKE_PTR(c);
	return 0;
}

static int obtain(struct quotas *l, const struct xb_kind *kind, struct counted **ret)
{
	for (size_t i = 0; i < l->counted.n; i++)
		if (l->counted.v[i]->kind == kind) {
			*ret = l->counted.v[i];
			return 0;
		}
	return counted_new(l, kind, copy_names, ret);
}

/* --- counting --- */
static int count_kind(struct quotas *l, struct xb_quota_usage *u, const struct xb_kind *kind, struct xb_sv namespace_)
{
	struct counted *c;
	int r = obtain(l, kind, &c);

	if (r)
		return r;
	if (!xb_informer_synced(c->copy))
		return -EAGAIN;
	for (struct xb_index_it it = {}; xb_index_next(c->by_namespace, namespace_, &it);)
		xb_quota_usage_change(u, kind, (struct xb_jv){}, it.object);
	return 0;
}

/* -EAGAIN: a kind is not read yet. All that are missing are asked for at once. */
static int count(struct quotas *l, struct xb_jv quota, struct xb_quota_usage **ret)
{
	const unsigned verbs = XB_VERB_LIST | XB_VERB_WATCH;
	_cleanup_(xb_quota_usage_freep) struct xb_quota_usage *u = NULL;
	int r = xb_quota_usage_new(quota, xb_time_now(), &u), e;

	for (const struct xb_kind *const *k = xb_kinds; !(r && r != -EAGAIN) && *k; k++) {
		if ((*k)->stored || ((*k)->verbs & verbs) != verbs || !xb_quota_usage_measures(u, *k))
			continue;
		e = count_kind(l, u, *k, namespace_of(quota));
		r = e ? e : r;
	}
	if (!r)
		*ret = TAKE_PTR(u);
	return r;
}

static void forget(struct quotas *l, struct xb_sv key)
{
	struct usage *u = xb_map_del(l->usages, key);

	if (!u)
		return;
	xb_quota_usage_free(u->of);
	free(u->key);
	free(u);
}

static int obtain_usage(struct quotas *l, const char *key, struct usage **ret)
{
	struct usage *u = xb_map_get(l->usages, xb_sv(key));
	int r;

	if (u) {
		*ret = u;
		return 0;
	}
	u = calloc(1, sizeof(*u));
	if (u)
		u->key = strdup(key);
	r = u && u->key ? xb_map_set(l->usages, xb_sv(u->key), u, NULL) : -ENOMEM;
	if (r) {
		free(u ? u->key : NULL);
		free(u);
		return r;
	}
	*ret = u;
	return 0;
}

static int bring_up_to_date(struct quotas *l, struct xb_jv quota, struct usage *u)
{
	int64_t now = xb_time_ms();
	int r;

	if (u->of && u->due_ms > now && xb_quota_usage_is_of(u->of, quota))
		return 0;
	u->of = xb_quota_usage_free(u->of);
	r = count(l, quota, &u->of);
	u->due_ms = now + l->kcm->options->resource_quota_sync_ms;
	return r;
}

static void sync_quota(struct kcm_work *w)
{
	struct quotas *l = w->loop;
	struct xb_jv quota = xb_informer_get(l->quotas, w->namespace_, w->name);
	_cleanup_buf_ struct xb_buf status = {};
	struct usage *u = NULL;
	int r;

	if (!xb_jv_is(quota)) {
		forget(l, xb_sv(w->key));
		kcm_work_done(w, 0);
		return;
	}
	r = obtain_usage(l, w->key, &u);
	if (!r)
		r = bring_up_to_date(l, quota, u);
	if (r) {
		/* it comes again when the kinds are read */
		kcm_work_done(w, r == -EAGAIN ? 0 : r);
		return;
	}
	kcm_queue_add_after(l->queue, quota, MAX(u->due_ms - xb_time_ms(), 0) + 1);
	quota_status_write(u->of, quota, &status);
	if (status.n)
		status_put(w, l->kind, quota, &status, kcm_work_done);
	else
		kcm_work_done(w, status.err);
}

/* --- the loop --- */
/* What is told of a quota's status is this loop's own word. */
static void on_quota(void *arg, struct xb_jv old, struct xb_jv quota)
{
	struct quotas *l = arg;

	if (!xb_jv_is(quota) || !xb_jv_is(old) || !xb_sv_eq(xb_jv_bytes(xb_jv_get(old, "spec")), xb_jv_bytes(xb_jv_get(quota, "spec"))))
		kcm_queue_add(l->queue, xb_jv_is(quota) ? quota : old);
}

static int follow(struct quotas *l)
{
	static const char *const shared[] = { "pods", "services", "persistentvolumeclaims", "resourcequotas" };
	struct counted *c;
	int r = xb_cache_follow(l->kcm->cache, l->kind, on_quota, l);

	l->quotas = xb_cache_of(l->kcm->cache, l->kind);
	l->by_namespace = kcm_index(l->kcm, l->kind, kcm_by_namespace);
	for (size_t i = 0; !r && i < ARRAY_SIZE(shared); i++)
		r = counted_new(l, kcm_kind("", "v1", shared[i]), share_copy, &c);
	return r || !l->quotas || !l->by_namespace ? -ENOMEM : 0;
}

void resource_quota_stop(void *loop)
{
	struct quotas *l = loop;

	kcm_queue_free(l->queue);
	for (struct xb_map_it it = {}; l->usages && xb_map_next(l->usages, &it);)
		forget(l, it.key);
	xb_map_free(l->usages);
	for (size_t i = 0; i < l->counted.n; i++)
		counted_free(l->counted.v[i]);
	xb_vec_done(&l->counted);
	free(l);
}

int resource_quota_start(struct kcm *k, void **ret)
{
	struct quotas *l = calloc(1, sizeof(*l));
	struct kcm_queue_config queue = {
		.name = "resourcequota_primary", .workers = k->options->concurrent_resource_quota_syncs, .sync = sync_quota, .loop = l,
	};
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct quotas){ .kcm = k, .kind = kcm_kind("", "v1", "resourcequotas"), .usages = xb_map_new(XB_MAP_BORROW) };
	r = l->usages ? kcm_queue_new(k, &queue, &l->queue) : -ENOMEM;
	if (!r)
		r = follow(l);
	if (r) {
		resource_quota_stop(l);
		return r;
	}
	*ret = l;
	return 0;
}
