/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ClusterRoles that are made of others get their rules (upstream's clusterroleaggregation_controller.go). The API server here
 * does so by itself, in the same order, before a client can see a role without them; this is for others' servers, and writes
 * nothing where there is nothing to do.
 */
#include "../loops.h"
#include "../work.h"
#include "xb/selector.h"
#include "xb/tree.h"

#define AGGREGATED "aggregated"         /* the one key of the index */

struct role_aggregation {
	const struct xb_kind *kind;
	struct xb_informer *roles;
	struct xb_index *aggregated;
	struct kcm_queue *queue;
};
struct gathering {
	struct xb_arena *arena;
	struct xb_sv self;
	struct xb_selector *selector;
	XB_VEC(struct xb_jv) selected;
	int error;
};

static struct xb_sv name_of(struct xb_jv role)
{
	return xb_jv_text(xb_jv_path(role, "metadata", "name"));
}

static void is_aggregated(struct xb_jv role, struct xb_index_entry *e)
{
	if (xb_jv_is(xb_jv_get(role, "aggregationRule")))
		xb_index_add(e, XB_SV(AGGREGATED));
}

static void select_role(void *arg, struct xb_jv role)
{
	struct gathering *g = arg;

	if (!g->error && !xb_sv_eq(name_of(role), g->self) && xb_selector_matches(g->selector, xb_jv_path(role, "metadata", "labels")))
		g->error = xb_vec_push(&g->selected, role);
}

static int by_name(const void *a, const void *b)
{
	return xb_sv_cmp(name_of(*(const struct xb_jv *)a), name_of(*(const struct xb_jv *)b));
}

static int add_rules(struct gathering *g, struct xb_tree *rules, struct xb_jv role)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(role, "rules")); xb_jit_next(&it);) {
		struct xb_tree *rule = xb_tree_from(g->arena, it.value, NULL, NULL);
		bool there = false;

		if (!rule)
			return -ENOMEM;
		xb_tree_each(r, rules)
			there |= xb_tree_equal(r, rule);
		if (!there)
			xb_tree_append(rules, rule);
	}
	return 0;
}

/* Selector by selector, and for each by the roles' names; a rule once. */
static int gather(const struct role_aggregation *l, struct gathering *g, struct xb_jv role, struct xb_tree *rules)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(role, "aggregationRule", "clusterRoleSelectors")); !g->error && xb_jit_next(&it);) {
		_cleanup_(xb_selector_freep) struct xb_selector *selector = NULL;

		if (xb_selector_from_label_selector(it.value, &selector, NULL))
			continue;
		g->selector = selector;
		g->selected.n = 0;
		xb_informer_each(l->roles, select_role, g);
		if (g->selected.n)
			qsort(g->selected.v, g->selected.n, sizeof(*g->selected.v), by_name);
		for (size_t i = 0; !g->error && i < g->selected.n; i++)
			g->error = add_rules(g, rules, g->selected.v[i]);
	}
	xb_vec_done(&g->selected);
	return g->error;
}

static void on_done(struct kcm_work *w, int error)
{
	kcm_work_done(w, error == -ENOENT ? 0 : error);
}

static void put(struct kcm_work *w, struct xb_jv role, const struct xb_tree *rules)
{
	const struct role_aggregation *l = w->loop;
	struct kcm_request q = { .method = "PUT", .kind = l->kind, .name = w->name, .type = KCM_JSON, .of = role };
	_cleanup_buf_ struct xb_buf patch = {};

	xb_buf_adds(&patch, "{\"rules\":");
	xb_tree_write(rules, &patch);
	xb_buf_addc(&patch, '}');
	q.body = xb_buf_sv(&patch);
	kcm_work_round(w, on_done);
	if (!patch.err)
		kcm_work_ask(w, &q, NULL, NULL);
	kcm_work_go(w);
}

static void sync_role(struct kcm_work *w)
{
	const struct role_aggregation *l = w->loop;
	struct xb_jv role = xb_informer_get(l->roles, NULL, w->name), had = xb_jv_get(role, "rules");
	struct gathering g = { .arena = w->arena, .self = name_of(role) };
	struct xb_tree *rules = xb_tree_array(w->arena), *now = xb_jv_count(had) ? xb_tree_from(w->arena, had, NULL, NULL) : NULL;
	int r;

	if (!xb_jv_is(xb_jv_get(role, "aggregationRule"))) {
		kcm_work_done(w, 0);
		return;
	}
	r = rules && (now || !xb_jv_count(had)) ? gather(l, &g, role, rules) : -ENOMEM;
	if (r || (now ? xb_tree_equal(now, rules) : !rules->count))
		kcm_work_done(w, r);
	else
		put(w, role, rules);
}

static void on_role(void *arg, struct xb_jv old, struct xb_jv role)
{
	struct role_aggregation *l = arg;

	for (struct xb_index_it it = {}; xb_index_next(l->aggregated, XB_SV(AGGREGATED), &it);)
		kcm_queue_add(l->queue, it.object);
}

void role_aggregation_stop(void *loop)
{
	struct role_aggregation *l = loop;

	kcm_queue_free(l->queue);
	free(l);
}

int role_aggregation_start(struct kcm *k, void **ret)
{
	struct role_aggregation *l = calloc(1, sizeof(*l));
	struct kcm_queue_config queue = { .name = "ClusterRoleAggregator", .workers = 5, .sync = sync_role, .loop = l };
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct role_aggregation){ .kind = kcm_kind("rbac.authorization.k8s.io", "v1", "clusterroles") };
	r = kcm_queue_new(k, &queue, &l->queue);
	l->aggregated = kcm_index(k, l->kind, is_aggregated);
	l->roles = xb_cache_of(k->cache, l->kind);
	if (!r)
		r = l->aggregated && l->roles ? xb_cache_follow(k->cache, l->kind, on_role, l) : -ENOMEM;
	if (r) {
		role_aggregation_stop(l);
		return r;
	}
	*ret = l;
	return 0;
}
