/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Gives each node its part of --cluster-cidr (upstream's pkg/controller/nodeipam). What nodes have is known before anything is given:
 * the queue begins when the copy of all nodes is whole. A range is kept for its node until the node is gone, or shows another one, as
 * an answer that did not come may have been a yes; and a node's range is never changed, which the server sees to.
 */
#include "node_ranges.h"
#include "../loops.h"
#include "../work.h"
#include "xb/log.h"
#include "xb/map.h"
#include "xb/work_queue.h"

#define WORKERS 8

struct given {
	unsigned n;
	struct cidr cidrs[2];
	char name[];
};
struct ipam {
	struct kcm *kcm;
	const struct xb_kind *kind;
	struct xb_informer *nodes;
	unsigned n_sets;
	struct cidr_set *sets[2];
	struct xb_map *given;           /* by node */
	bool wanting;                   /* a node was found nothing for */
	struct kcm_queue *queue;
};

static void tell(const struct ipam *l, struct xb_jv node, const char *reason)
{
	struct xb_event e = { .component = "cidrAllocator", .kind = l->kind, .object = node, .type = XB_EVENT_NORMAL, .reason = reason };

	xb_recorder_event(l->kcm->recorder, &e, "Node %.*s status is now: %s", XB_SV_ARG(xb_jv_meta(node, "name")), reason);
}

static struct xb_jv cidrs_of(struct xb_jv node)
{
	return xb_jv_path(node, "spec", "podCIDRs");
}

/* --- what is given --- */
static void give_back(struct ipam *l, struct given *g)
{
	for (unsigned i = 0; i < g->n; i++)
		for (unsigned k = 0; k < l->n_sets; k++)
			cidr_set_give(l->sets[k], &g->cidrs[i]);
	free(g);
}

static void look_again(void *arg, struct xb_jv node)
{
	struct ipam *l = arg;

	if (!xb_jv_count(cidrs_of(node)))
		kcm_queue_add(l->queue, node);
}

static void release(struct ipam *l, struct xb_sv name)
{
	struct given *g = xb_map_del(l->given, name);

	if (!g)
		return;
	give_back(l, g);
	if (l->wanting)
		xb_informer_each(l->nodes, look_again, l);
	l->wanting = false;
}

static int keep(struct ipam *l, struct xb_sv name, const struct given *what)
{
	struct given *g = calloc(1, sizeof(*g) + name.n + 1);
	void *old = NULL;

	if (!g)
		return -ENOMEM;
	*g = *what;
	memcpy(g->name, name.p, name.n);
	if (xb_map_set(l->given, (struct xb_sv){ g->name, name.n }, g, &old)) {
		free(g);
		return -ENOMEM;
	}
	if (old)
		give_back(l, old);
	return 0;
}

static bool take(struct ipam *l, const struct cidr *c)
{
	bool any = false;

	for (unsigned k = 0; k < l->n_sets; k++)
		any |= !cidr_set_take(l->sets[k], c);
	return any;
}

/* What the node shows is taken; what was kept for it besides is free again. */
static void occupy(struct ipam *l, struct xb_jv node)
{
	struct given what = {};

	for (struct xb_jit it = xb_jv_iter(cidrs_of(node)); what.n < ARRAY_SIZE(what.cidrs) && xb_jit_next(&it);) {
		if (cidr_parse(xb_jv_text(it.value), &what.cidrs[what.n]))
			continue;
		if (!take(l, &what.cidrs[what.n]))
			log_warning("node %.*s: %.*s is not of --cluster-cidr", XB_SV_ARG(xb_jv_meta(node, "name")), XB_SV_ARG(xb_jv_text(it.value)));
		what.n++;
	}
	if (keep(l, xb_jv_meta(node, "name"), &what))
		log_err_errno(-ENOMEM, "node %.*s: its range is never free again: %m", XB_SV_ARG(xb_jv_meta(node, "name")));
}

/* --- a node's work --- */
static int choose(struct ipam *l, const char *name, struct given **ret)
{
	struct given what = {}, *kept = xb_map_get(l->given, xb_sv(name));
	int r = 0;

	if (kept) {
		*ret = kept;
		return 0;
	}
	while (!r && what.n < l->n_sets) {
		r = cidr_set_next(l->sets[what.n], &what.cidrs[what.n]);
		what.n += !r;
	}
	if (!r)
		r = keep(l, xb_sv(name), &what);
	if (r) {
		for (unsigned i = 0; i < what.n; i++)
			cidr_set_give(l->sets[i], &what.cidrs[i]);
		return r;
	}
	*ret = xb_map_get(l->given, xb_sv(name));
	return 0;
}

static void write_cidr(struct xb_jw *w, const struct cidr *c)
{
	_cleanup_buf_ struct xb_buf text = {};

	cidr_write(c, &text);
	xb_jw_sv(w, xb_buf_sv(&text));
}

static int write_patch(struct xb_jv node, const struct given *g, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_ksv(&w, "resourceVersion", xb_jv_meta(node, "resourceVersion"));
	xb_jw_end(&w);
	xb_jw_key(&w, "spec");
	xb_jw_object(&w);
	xb_jw_key(&w, "podCIDR");
	write_cidr(&w, &g->cidrs[0]);
	xb_jw_key(&w, "podCIDRs");
	xb_jw_array(&w);
	for (unsigned i = 0; i < g->n; i++)
		write_cidr(&w, &g->cidrs[i]);
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_jw_end(&w);
	return xb_jw_finish(&w);
}

/* A node that is gone, or was given one meanwhile, shows in the copy soon. */
static void on_written(struct kcm_work *w, int error)
{
	const struct ipam *l = w->loop;

	if (error && error != -ENOENT && error != -ESTALE)
		tell(l, *(struct xb_jv *)w->state, "CIDRAssignmentFailed");
	kcm_work_done(w, error == -ENOENT ? 0 : error);
}

static void sync_node(struct kcm_work *w)
{
	struct ipam *l = w->loop;
	struct xb_jv node = xb_informer_get(l->nodes, NULL, w->name), *held = w->state = xb_arena_alloc(w->arena, sizeof(*held));
	struct kcm_request q = { .method = "PATCH", .kind = l->kind, .name = w->name, .type = KCM_STRATEGIC };
	_cleanup_buf_ struct xb_buf body = {};
	struct given *g;
	int r;

	if (!xb_jv_is(node) || xb_jv_count(cidrs_of(node))) {
		kcm_work_done(w, 0);
		return;
	}
	r = choose(l, w->name, &g);
	if (r == -ENOSPC) {
		l->wanting = true;
		tell(l, node, "CIDRNotAvailable");
		kcm_work_done(w, 0);
		return;
	}
	if (r || !held || write_patch(node, g, &body) || kcm_work_hold(w, node)) {
		kcm_work_done(w, -ENOMEM);
		return;
	}
	*held = node;
	q.body = xb_buf_sv(&body);
	kcm_work_round(w, on_written);
	kcm_work_ask(w, &q, NULL, NULL);
	kcm_work_go(w);
}

/* --- what comes in --- */
static void on_node(void *arg, struct xb_jv old, struct xb_jv node)
{
	struct ipam *l = arg;
	bool had = xb_jv_count(cidrs_of(old)), has = xb_jv_count(cidrs_of(node));
	bool same = xb_sv_eq(xb_jv_meta(old, "uid"), xb_jv_meta(node, "uid"));

	if (xb_jv_is(old) && !same)
		release(l, xb_jv_meta(old, "name"));
	if (has && !(had && same))
		occupy(l, node);
	else if (xb_jv_is(node) && !has)
		kcm_queue_add(l->queue, node);
}

/* --- the loop --- */
void node_ipam_stop(void *loop)
{
	struct ipam *l = loop;

	if (!l)
		return;
	kcm_queue_free(l->queue);
	if (l->given)
		for (struct xb_map_it it = {}; xb_map_next(l->given, &it);)
			free(it.value);
	xb_map_free(l->given);
	for (unsigned i = 0; i < l->n_sets; i++)
		cidr_set_free(l->sets[i]);
	free(l);
}

static int make_sets(struct ipam *l)
{
	struct node_ranges ranges;
	int r = node_ranges_read(l->kcm->options, &ranges, NULL);

	while (!r && l->n_sets < ranges.n) {
		r = cidr_set_new(&ranges.cluster[l->n_sets], ranges.bits[l->n_sets], &l->sets[l->n_sets]);
		l->n_sets += !r;
	}
	for (unsigned i = 0; !r && i < ranges.n_services; i++)
		take(l, &ranges.services[i]);
	return r;
}

int node_ipam_start(struct kcm *k, void **ret)
{
	struct ipam *l;
	struct kcm_queue_config queue = { .name = "cidrallocator_node", .workers = WORKERS, .sync = sync_node };
	int r;

	*ret = NULL;
	if (!k->options->allocate_node_cidrs)
		return 0;
	l = queue.loop = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	*l = (struct ipam){ .kcm = k, .kind = kcm_kind("", "v1", "nodes"), .given = xb_map_new(XB_MAP_BORROW) };
	l->nodes = xb_cache_of(k->cache, l->kind);
	r = l->given && l->nodes ? make_sets(l) : -ENOMEM;
	if (!r)
		r = kcm_queue_new(k, &queue, &l->queue);
	if (!r)
		r = xb_cache_follow(k->cache, l->kind, on_node, l);
	if (r) {
		node_ipam_stop(l);
		return r;
	}
	*ret = l;
	return 0;
}
