/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include "follow.h"
#include "quota_tally.h"
#include "xb/map.h"
#include "xb/time.h"

enum { LEFT_OVER = 16 };                /* usages of a namespace; more are most likely of quotas that are gone */

struct usages {                         /* of a namespace */
	char *namespace_;
	XB_VEC(struct xb_quota_usage *) v;
};
struct followed {                       /* a kind */
	const struct xb_kind *kind;
	char *prefix;
	struct follow follow;
	struct xb_map *namespaces;      /* struct usages by name */
};
struct quota_tallies {
	struct store *store;
	XB_VEC(struct followed *) kinds;
};

static struct xb_sv namespace_of(struct xb_jv object)
{
	return xb_jv_text(xb_jv_path(object, "metadata", "namespace"));
}

static struct xb_jv root_of(const struct store_object *o)
{
	return o ? xb_json_root(o->doc) : (struct xb_jv){};
}

/* --- usages --- */
static void usages_clear(struct usages *u)
{
	for (size_t i = 0; i < u->v.n; i++)
		xb_quota_usage_free(u->v.v[i]);
	xb_vec_done(&u->v);
}

static struct usages *obtain_usages(struct followed *f, struct xb_sv namespace_)
{
	struct usages *u = xb_map_get(f->namespaces, namespace_);

	if (u)
		return u;
	u = calloc(1, sizeof(*u));
	if (u)
		u->namespace_ = xb_sv_dup(namespace_);
	if (!u || !u->namespace_ || xb_map_set(f->namespaces, xb_sv(u->namespace_), u, NULL)) {
		free(u ? u->namespace_ : NULL);
		free(u);
		return NULL;
	}
	return u;
}

/* --- following --- */
static int on_changed(void *arg, struct store_object *now, struct store_object *before)
{
	struct followed *f = arg;
	struct usages *u = xb_map_get(f->namespaces, namespace_of(root_of(now ? now : before)));

	for (size_t i = 0; u && i < u->v.n; i++)
		xb_quota_usage_change(u->v.v[i], f->kind, root_of(before), root_of(now));
	return 0;
}

static void on_reset(void *arg)
{
	struct followed *f = arg;

	for (struct xb_map_it it = {}; xb_map_next(f->namespaces, &it);) {
		struct usages *u = it.value;

		xb_map_del(f->namespaces, it.key);
		usages_clear(u);
		free(u->namespace_);
		free(u);
	}
}

static struct followed *followed_free(struct followed *f)
{
	follow_stop(&f->follow);
	if (f->namespaces)
		on_reset(f);
	xb_map_free(f->namespaces);
	free(f->prefix);
	free(f);
	return NULL;
}
XB_DEFINE_CLEANUP(struct followed *, followed_free)

static int obtain(struct quota_tallies *t, const struct xb_kind *k, struct followed **ret)
{
	_cleanup_(followed_freep) struct followed *f = NULL;
	int r;

	for (size_t i = 0; i < t->kinds.n; i++)
		if (t->kinds.v[i]->kind == k) {
			*ret = t->kinds.v[i];
			return 0;
		}
	f = calloc(1, sizeof(*f));
	if (!f || asprintf(&f->prefix, "%s%s%s/", k->plural, *k->group ? "." : "", k->group) < 0)
		return -ENOMEM;
	f->kind = k;
	f->namespaces = xb_map_new(XB_MAP_BORROW);
	f->follow = (struct follow){ .store = t->store, .prefix = f->prefix, .changed = on_changed, .reset = on_reset, .arg = f };
	r = f->namespaces ? xb_vec_push(&t->kinds, f) : -ENOMEM;
	if (r)
		return r;
	*ret = TAKE_PTR(f);
	return 0;
}

/* --- counting --- */
static int count(struct quota_tallies *t, const struct followed *f, struct xb_jv quota, struct xb_quota_usage **ret)
{
	_cleanup_(xb_quota_usage_freep) struct xb_quota_usage *u = NULL;
	_cleanup_(store_walk_freep) struct store_walk *walk = NULL;
	_cleanup_buf_ struct xb_buf prefix = {};
	struct store_object *o;
	int r;

	xb_buf_addf(&prefix, "%s%.*s/", f->prefix, XB_SV_ARG(namespace_of(quota)));
	r = prefix.err ? prefix.err : xb_quota_usage_new(quota, xb_time_now(), &u);
	if (!r)
		r = store_walk_new(t->store, prefix.p, NULL, 0, &walk);
	if (r)
		return r;
	while ((o = store_walk_next(walk)))
		xb_quota_usage_change(u, f->kind, (struct xb_jv){}, root_of(o));
	r = store_walk_error(walk);
	if (!r)
		*ret = TAKE_PTR(u);
	return r;
}

int quota_tally(struct quota_tallies *t, const struct xb_kind *k, struct xb_jv quota, bool anew, const struct xb_quota_usage **ret)
{
	struct xb_quota_usage *fresh = NULL;
	struct followed *f;
	struct usages *u;
	int r = obtain(t, k, &f);

	if (!r)
		r = follow_catch_up(&f->follow);
	u = r ? NULL : obtain_usages(f, namespace_of(quota));
	if (!u)
		return r ? r : -ENOMEM;
	if (anew || u->v.n > LEFT_OVER)
		usages_clear(u);
	for (size_t i = 0; i < u->v.n; i++)
		if (xb_quota_usage_is_of(u->v.v[i], quota)) {
			*ret = u->v.v[i];
			return 0;
		}
	r = count(t, f, quota, &fresh);
	if (!r)
		r = xb_vec_push(&u->v, fresh);
	if (r) {
		xb_quota_usage_free(fresh);
		return r;
	}
	*ret = fresh;
	return 0;
}

struct quota_tallies *quota_tallies_new(struct store *s)
{
	struct quota_tallies *t = calloc(1, sizeof(*t));

	if (t)
		t->store = s;
	return t;
}

struct quota_tallies *quota_tallies_free(struct quota_tallies *t)
{
	if (!t)
		return NULL;
	for (size_t i = 0; i < t->kinds.n; i++)
		followed_free(t->kinds.v[i]);
	xb_vec_done(&t->kinds);
	free(t);
	return NULL;
}
