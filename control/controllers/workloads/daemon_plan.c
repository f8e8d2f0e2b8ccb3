/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../percent.h"
#include "../pods.h"
#include "daemon_plan.h"
#include "daemon_pod.h"

/* --- facts --- */
void daemon_facts_done(struct daemon_facts *f)
{
	xb_vec_done(&f->nodes);
	xb_vec_done(&f->pods);
}

static int by_name(const void *a, const void *b)
{
	return xb_sv_cmp(((const struct daemon_node *)a)->name, ((const struct daemon_node *)b)->name);
}

static int by_node(const void *a, const void *b)
{
	const struct daemon_pod *x = a, *y = b;
	int r = xb_sv_cmp(x->node, y->node);

	if (!r)
		r = y->scheduled - x->scheduled;
	if (!r)
		r = xb_sv_cmp(x->created, y->created);
	return r ? r : xb_sv_cmp(x->name, y->name);
}

static int read_nodes(const struct daemon_given *g, struct daemon_facts *f)
{
	int r = xb_vec_room(&f->nodes, g->n_nodes);

	for (size_t i = 0; i < g->n_nodes && !r; i++) {
		struct daemon_fit fit = daemon_fit(g->set, g->nodes[i]);

		f->nodes.v[f->nodes.n++] = (struct daemon_node){ .name = xb_jv_meta(g->nodes[i], "name"), .run = fit.run, .keep = fit.keep };
		f->desired += fit.run;
	}
	if (!r && f->nodes.n)
		qsort(f->nodes.v, f->nodes.n, sizeof(*f->nodes.v), by_name);
	return r;
}

static struct daemon_pod read_pod(const struct daemon_given *g, struct xb_jv pod, int64_t min_ready)
{
	struct xb_sv phase = xb_jv_text(xb_jv_path(pod, "status", "phase"));
	struct xb_sv own = xb_jv_text(xb_jv_path(pod, "metadata", "labels", "controller-revision-hash"));
	struct daemon_pod p = {
		.object = pod, .node = daemon_node_of(pod), .created = xb_jv_meta(pod, "creationTimestamp"), .name = xb_jv_meta(pod, "name"),
		.scheduled = xb_jv_text(xb_jv_path(pod, "spec", "nodeName")).n, .deleting = pods_deleting(pod),
		.failed = xb_sv_is(phase, "Failed"), .succeeded = xb_sv_is(phase, "Succeeded"),
		.current = g->hash.n && xb_sv_eq(own, g->hash), .lost = true,
	};

	p.ready = pods_ready(pod, &p.ready_since);
	p.available = p.ready && pods_available(pod, min_ready, g->now);
	return p;
}

/* What is over and being deleted waits for somebody else; what is for no node is none of a set's. */
static int read_pods(const struct daemon_given *g, struct daemon_facts *f)
{
	int64_t min_ready = 0, at;
	int r = xb_vec_room(&f->pods, g->n_pods);

	xb_jv_i64(xb_jv_path(g->set, "spec", "minReadySeconds"), &min_ready);
	for (size_t i = 0; i < g->n_pods && !r; i++) {
		struct daemon_pod p = read_pod(g, g->pods[i], min_ready);

		if (!p.node.n || (p.deleting && (p.failed || p.succeeded)))
			continue;
		f->pods.v[f->pods.n++] = p;
		at = p.ready_since + min_ready * 1000000;
		if (p.ready && !p.available && p.ready_since && (!f->next_available_us || at < f->next_available_us))
			f->next_available_us = at;
	}
	if (!r && f->pods.n)
		qsort(f->pods.v, f->pods.n, sizeof(*f->pods.v), by_node);
	return r;
}

static void join(struct daemon_facts *f)
{
	size_t at = 0;

	for (size_t i = 0; i < f->nodes.n; i++) {
		struct daemon_node *n = &f->nodes.v[i];

		while (at < f->pods.n && xb_sv_cmp(f->pods.v[at].node, n->name) < 0)
			at++;
		for (n->first = at; at < f->pods.n && xb_sv_eq(f->pods.v[at].node, n->name); at++, n->n++)
			f->pods.v[at].lost = false;
	}
}

/* Neither, which the server refuses, would never end. */
static void read_limits(struct xb_jv set, struct daemon_facts *f)
{
	struct xb_jv strategy = xb_jv_path(set, "spec", "updateStrategy"), rolling = xb_jv_get(strategy, "rollingUpdate");

	f->rolling = xb_jv_streq(xb_jv_get(strategy, "type"), XB_SV("RollingUpdate"));
	if (!f->rolling)
		return;
	percent_of(xb_jv_get(rolling, "maxUnavailable"), f->desired, true, &f->max_unavailable);
	percent_of(xb_jv_get(rolling, "maxSurge"), f->desired, true, &f->max_surge);
	if (!f->max_unavailable && !f->max_surge)
		f->max_unavailable = 1;
}

int daemon_facts_read(const struct daemon_given *g, struct daemon_facts *ret)
{
	int r;

	*ret = (struct daemon_facts){};
	r = read_nodes(g, ret);
	if (!r)
		r = read_pods(g, ret);
	join(ret);
	read_limits(g->set, ret);
	return r;
}

/* --- each node its pod --- */
void daemon_plan_done(struct daemon_plan *p)
{
	xb_vec_done(&p->create);
	xb_vec_done(&p->remove);
}

static int remove_pod(struct daemon_plan *p, const struct daemon_pod *pod, enum daemon_why why)
{
	return xb_vec_push(&p->remove, (struct daemon_removal){ pod, why });
}

static int remove_all(const struct daemon_facts *f, const struct daemon_node *node, struct daemon_plan *p)
{
	int r = 0;

	for (size_t i = 0; i < node->n && !r; i++)
		if (!f->pods.v[node->first + i].deleting)
			r = remove_pod(p, &f->pods.v[node->first + i], DAEMON_TOO_MANY);
	return r;
}

/* The oldest of either template on a node, of those that are not over, and that no others are beside them. */
struct pair {
	const struct daemon_pod *old, *current;
	bool alone;
};

static struct pair pair_of(const struct daemon_facts *f, const struct daemon_node *node)
{
	struct pair pair = { .alone = true };

	for (const struct daemon_pod *pod = &f->pods.v[node->first]; pod < &f->pods.v[node->first + node->n]; pod++) {
		const struct daemon_pod **one = pod->current ? &pair.current : &pair.old;

		if (pod->deleting)
			continue;
		if (*one)
			pair.alone = false;
		else
			*one = pod;
	}
	return pair;
}

/* With surge, two are fine while the old one is ready and the new one not yet available. */
static int remove_surplus(const struct daemon_facts *f, const struct daemon_pod *const *running, size_t n, struct daemon_plan *p)
{
	const struct daemon_pod *old = NULL, *current = NULL;
	int r = 0;

	for (size_t i = 0; i < n && !r; i++) {
		const struct daemon_pod **one = running[i]->current ? &current : &old;

		if (f->max_surge ? *one != NULL : i > 0)
			r = remove_pod(p, running[i], DAEMON_TOO_MANY);
		else
			*one = running[i];
	}
	if (!r && old && current && (!old->ready || current->available))
		r = remove_pod(p, old, DAEMON_OUTDATED);
	return r;
}

static int keep_one(const struct daemon_facts *f, const struct daemon_node *node, struct daemon_plan *p)
{
	XB_VEC(const struct daemon_pod *) running = {};
	bool any = false;
	int r = 0;

	for (size_t i = node->first; i < node->first + node->n && !r; i++) {
		const struct daemon_pod *pod = &f->pods.v[i];

		if (pod->deleting)
			continue;
		any = true;
		if (pod->failed || pod->succeeded)
			r = remove_pod(p, pod, pod->failed ? DAEMON_FAILED : DAEMON_SUCCEEDED);
		else
			r = xb_vec_push(&running, pod);
	}
	if (!r)
		r = remove_surplus(f, running.v, running.n, p);
	/* with surge, a pod does not wait for the end of the one before */
	if (!r && f->max_surge && node->run && !any)
		r = xb_vec_push(&p->create, node);
	xb_vec_done(&running);
	return r;
}

int daemon_plan_nodes(const struct daemon_facts *f, struct daemon_plan *p)
{
	int r = 0;

	for (size_t i = 0; i < f->nodes.n && !r; i++) {
		const struct daemon_node *node = &f->nodes.v[i];

		if (!node->n)
			r = node->run ? xb_vec_push(&p->create, node) : 0;
		else
			r = node->keep ? keep_one(f, node, p) : remove_all(f, node, p);
	}
	/* one that is bound goes with its node */
	for (size_t i = 0; i < f->pods.n && !r; i++)
		if (f->pods.v[i].lost && !f->pods.v[i].scheduled && !f->pods.v[i].deleting)
			r = remove_pod(p, &f->pods.v[i], DAEMON_TOO_MANY);
	return r;
}

/* --- rolling --- */
static bool is_available(const struct daemon_pod *pod)
{
	return pod && pod->available;
}

/* A pod in the way of a new one may go when it is of no use; others, as many as may be missing. */
static int replace(const struct daemon_facts *f, struct daemon_plan *p)
{
	int64_t budget = f->max_unavailable;
	int r = 0;

	for (size_t i = 0; i < f->nodes.n && !r; i++) {
		const struct daemon_node *node = &f->nodes.v[i];
		struct pair pair = pair_of(f, node);
		bool single = pair.alone && !pair.old != !pair.current;

		if (node->run && !(single && is_available(pair.old ? pair.old : pair.current)))
			budget--;
		if (single && pair.old && !pair.old->available)
			r = remove_pod(p, pair.old, DAEMON_OUTDATED);
	}
	for (size_t i = 0; i < f->nodes.n && !r && budget > 0; i++) {
		struct pair pair = pair_of(f, &f->nodes.v[i]);

		if (!pair.alone || !is_available(pair.old) || pair.current)
			continue;
		r = remove_pod(p, pair.old, DAEMON_OUTDATED);
		budget--;
	}
	return r;
}

/* A node that is to have no pod keeps the old one while the set has fewer that are available than it should. */
static int surge_node(const struct daemon_node *node, const struct daemon_pod *old, int64_t *budget, int64_t *spare, struct daemon_plan *p)
{
	if (!node->run && (!old->available || (*spare)-- > 0))
		return remove_pod(p, old, DAEMON_OUTDATED);
	if (node->run && (!old->available || (*budget)-- > 0))
		return xb_vec_push(&p->create, node);
	return 0;
}

/* A new pod beside each old one that is of no use; beside others, as many as may be too many. */
static int surge(const struct daemon_facts *f, struct daemon_plan *p)
{
	int64_t budget = f->max_surge, spare = -f->desired;
	int r = 0;

	for (size_t i = 0; i < f->nodes.n; i++) {
		struct pair pair = pair_of(f, &f->nodes.v[i]);

		if (!pair.alone || (pair.old && pair.current && !pair.current->available))
			budget--;
		spare += is_available(pair.old) || is_available(pair.current);
	}
	for (size_t i = 0; i < f->nodes.n && !r; i++) {
		struct pair pair = pair_of(f, &f->nodes.v[i]);

		if (!pair.alone || !pair.old)
			continue;
		if (!pair.current)
			r = surge_node(&f->nodes.v[i], pair.old, &budget, &spare, p);
		else if (pair.current->available)
			r = remove_pod(p, pair.old, DAEMON_OUTDATED);
	}
	return r;
}

int daemon_plan_update(const struct daemon_facts *f, struct daemon_plan *p)
{
	return f->max_surge ? surge(f, p) : replace(f, p);
}
