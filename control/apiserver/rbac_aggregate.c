/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "bootstrap.h"
#include "rbac_aggregate.h"
#include "registry/rbac.h"
#include "xb/log.h"
#include "xb/selector.h"

#define PREFIX "clusterroles.rbac.authorization.k8s.io/"

struct rbac_aggregate {
	struct server *server;
	struct store_watch *watch;
};

/* Rules, each once, selector by selector and for each by the roles' names, as upstream's controller. */
struct gathering {
	struct xb_arena *arena;
	struct xb_tree *rules;
};

static int add_rules(struct gathering *g, struct xb_jv role)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(role, "rules")); xb_jit_next(&it);) {
		struct xb_tree *rule = xb_tree_from(g->arena, it.value, NULL, NULL);
		bool there = false;

		if (!rule)
			return -ENOMEM;
		xb_tree_each(r, g->rules)
			there |= xb_tree_equal(r, rule);
		if (!there)
			xb_tree_append(g->rules, rule);
	}
	return 0;
}

static int gather_selected(struct gathering *g, struct store *store, const struct store_object *aggregated,
			   const struct xb_selector *selector)
{
	_cleanup_(store_walk_freep) struct store_walk *walk = NULL;
	struct store_object *o;
	int r = store_walk_new(store, PREFIX, NULL, 0, &walk);

	while (!r && (o = store_walk_next(walk)))
		if (xb_selector_matches(selector, xb_jv_path(xb_json_root(o->doc), "metadata", "labels")) && strcmp(o->key, aggregated->key))
			r = add_rules(g, xb_json_root(o->doc));
	return r ? r : store_walk_error(walk);
}

static int gather(struct gathering *g, struct store *store, const struct store_object *aggregated)
{
	struct xb_jv selectors = xb_jv_path(xb_json_root(aggregated->doc), "aggregationRule", "clusterRoleSelectors");
	int r = 0;

	for (struct xb_jit it = xb_jv_iter(selectors); !r && xb_jit_next(&it);) {
		_cleanup_(xb_selector_freep) struct xb_selector *s = NULL;
		_cleanup_status_ struct xb_status fault = {};
		int selects = xb_selector_from_label_selector(it.value, &s, &fault);

		/* one that cannot be read selects nothing */
		r = selects == -ENOMEM ? selects : selects ? 0 : gather_selected(g, store, aggregated, s);
	}
	return r;
}

static int aggregate(struct server *s, const struct store_object *o)
{
	_cleanup_(xb_arena_freep) struct xb_arena *arena = xb_arena_new(0);
	struct gathering g = { arena, arena ? xb_tree_array(arena) : NULL };
	struct bootstrap_object want = { .group = RBAC_GROUP, .plural = "clusterroles", .namespace_ = "", .name = o->key + strlen(PREFIX),
					 .member = "rules" };
	_cleanup_buf_ struct xb_buf json = {};
	struct xb_jv rules = xb_jv_get(xb_json_root(o->doc), "rules");
	struct xb_tree *now = NULL;
	int r;

	if (arena && xb_jv_is(rules))
		now = xb_tree_from(arena, rules, NULL, NULL);
	if (!g.rules || (xb_jv_is(rules) && !now))
		return -ENOMEM;
	r = gather(&g, s->store, o);
	if (r || (now ? xb_tree_equal(now, g.rules) : !g.rules->count))
		return r;
	xb_buf_addf(&json, "{\"metadata\":{\"name\":\"%s\"},\"rules\":", want.name);
	xb_tree_write(g.rules, &json);
	xb_buf_addc(&json, '}');
	want.json = json.p;
	return json.err ? json.err : bootstrap_ensure(s, &want);
}

/* What a writer is changing just now is looked at again when that is committed. */
static int aggregate_all(struct server *s)
{
	_cleanup_(store_walk_freep) struct store_walk *walk = NULL;
	struct store_object *o;
	int r;

	r = store_walk_new(s->store, PREFIX, NULL, 0, &walk);
	while (!r && (o = store_walk_next(walk)))
		if (xb_jv_is(xb_jv_get(xb_json_root(o->doc), "aggregationRule")) && store_head(s->store, o->key) == o)
			r = aggregate(s, o);
	return r ? r : store_walk_error(walk);
}

static void on_ready(void *arg);

/* From now on; read to its end, so that it tells when there is more. */
static int watch(struct rbac_aggregate *a)
{
	struct store *store = a->server->store;
	int r;

	a->watch = store_watch_free(a->watch);
	r = store_watch_new(store, PREFIX, store_revision(store), on_ready, a, &a->watch);
	if (!r)
		(void)store_watch_next(a->watch);
	return r ? r : aggregate_all(a->server);
}

static void on_ready(void *arg)
{
	struct rbac_aggregate *a = arg;
	bool changed = false;
	int r = 0;

	if (a->server->stopping)
		return;
	while (store_watch_next(a->watch))
		changed = true;
	if (store_watch_error(a->watch))
		r = watch(a);
	else if (changed)
		r = aggregate_all(a->server);
	if (r)
		log_err_errno(r, "cannot aggregate cluster roles: %m");
}

int rbac_aggregate_new(struct server *s, struct rbac_aggregate **ret)
{
	struct rbac_aggregate *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return -ENOMEM;
	a->server = s;
	r = watch(a);
	if (r)
		rbac_aggregate_free(a);
	else
		*ret = a;
	return r;
}

struct rbac_aggregate *rbac_aggregate_free(struct rbac_aggregate *a)
{
	if (!a)
		return NULL;
	store_watch_free(a->watch);
	free(a);
	return NULL;
}
