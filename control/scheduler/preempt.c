/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "preempt.h"

#define CANDIDATES_AT_LEAST 100
#define CANDIDATES_PERCENT  10

/* --- which pods are worth more --- */
/* A pod that has not started is as if it had started now: '~' sorts after all of RFC 3339. */
static struct xb_sv started(const struct sched_pod *p)
{
	return p->started.n ? p->started : XB_SV("~");
}

static int by_importance(const void *a, const void *b)
{
	const struct sched_pod *x = *(struct sched_pod *const *)a, *y = *(struct sched_pod *const *)b;

	return x->priority != y->priority ? (x->priority > y->priority ? -1 : 1) : xb_sv_cmp(started(x), started(y));
}

/* --- budgets --- */
static bool is_kept_by(const struct sched_budget *b, const struct sched_pod *p)
{
	return b->selector && xb_sv_eq(b->namespace_, p->namespace_) && xb_jv_count(p->labels)
		&& !xb_jv_is(xb_jv_getsv(b->disrupted, p->name)) && xb_selector_matches(b->selector, p->labels);
}

/* Puts those first whose going some budget does not allow; both parts stay in their order. */
static int split(const struct sched_preemption *x, struct sched_pod **pods, size_t n, size_t *ret_violating)
{
	_cleanup_free_ int64_t *allowed = calloc(x->n_budgets + 1, sizeof(*allowed));
	_cleanup_free_ struct sched_pod **rest = calloc(n + 1, sizeof(struct sched_pod *));
	size_t n_rest = 0, violating = 0;

	if (!allowed || !rest)
		return -ENOMEM;
	for (size_t i = 0; i < x->n_budgets; i++)
		allowed[i] = x->budgets[i].allowed;
	for (size_t i = 0; i < n; i++) {
		bool violates = false;

		for (size_t k = 0; k < x->n_budgets; k++)
			if (is_kept_by(&x->budgets[k], pods[i]))
				violates |= --allowed[k] < 0;
		if (violates)
			pods[violating++] = pods[i];
		else
			rest[n_rest++] = pods[i];
	}
	memcpy(pods + violating, rest, n_rest * sizeof(*pods));
	*ret_violating = violating;
	return 0;
}

/* --- one node --- */
static int collect(const struct sched_preemption *x, uint32_t node, struct sched_victims *v)
{
	const struct sched_node *n = &x->cache->nodes.v[node];

	for (size_t i = 0; i < n->pods.n; i++)
		if (n->pods.v[i]->priority < x->pod->priority && xb_vec_push(&v->pods, n->pods.v[i]))
			return -ENOMEM;
	return 0;
}

/* Lets each stay that may, the most important first; those that must go are left in v. */
static int reprieve(const struct sched_preemption *x, uint32_t node, struct sched_victims *v)
{
	size_t n_violating = 0, n = 0;
	int r = split(x, v->pods.v, v->pods.n, &n_violating);

	v->n_violating = 0;
	for (size_t i = 0; r >= 0 && i < v->pods.n; i++) {
		struct sched_pod *p = v->pods.v[i];

		r = sched_cache_place(x->cache, p, node);
		if (!r)
			r = sched_cycle_fits(x->cycle, x->cache, x->pod, node, NULL);
		if (r)
			continue;
		sched_cache_unplace(x->cache, p);
		v->n_violating += i < n_violating;
		v->pods.v[n++] = p;
	}
	v->pods.n = n;
	return MIN(r, 0);
}

static int put_back(const struct sched_preemption *x, uint32_t node, struct sched_pod *const *pods, size_t n, int r)
{
	for (size_t i = 0; i < n; i++) {
		int e = pods[i]->node == SCHED_NO_NODE ? sched_cache_place(x->cache, pods[i], node) : 0;

		r = r ? r : e;
	}
	return r;
}

/* 0: v says who would have to go; -ENOENT: it does not help. */
static int try_node(const struct sched_preemption *x, uint32_t node, struct sched_reasons *why, struct sched_victims *v)
{
	_cleanup_free_ struct sched_pod **all = NULL;
	int r;
	size_t n;

	v->pods.n = 0;
	v->node = node;
	r = collect(x, node, v);
	n = v->pods.n;
	if (!r && !n) {
		sched_reasons_add(why, "No preemption victims found for incoming pod");
		return -ENOENT;
	}
	all = r ? NULL : malloc(n * sizeof(struct sched_pod *));
	if (!all)
		return -ENOMEM;
	qsort(v->pods.v, n, sizeof(*v->pods.v), by_importance);
	memcpy(all, v->pods.v, n * sizeof(struct sched_pod *));
	for (size_t i = 0; i < n; i++)
		sched_cache_unplace(x->cache, all[i]);
	r = sched_cycle_fits(x->cycle, x->cache, x->pod, node, why);
	if (r > 0)
		r = reprieve(x, node, v);
	else if (!r)
		r = -ENOENT;
	r = put_back(x, node, all, n, r);
	if (!r && !v->pods.n)
		return -ENOENT;
	if (!r)
		qsort(v->pods.v, v->pods.n, sizeof(*v->pods.v), by_importance);
	return r;
}

/* --- the best node --- */
static int64_t sum_of_priorities(const struct sched_victims *v)
{
	int64_t sum = 0;

	for (size_t i = 0; i < v->pods.n; i++)
		sum += (int64_t)v->pods.v[i]->priority + INT32_MAX + 1LL;
	return sum;
}

/* When the first of the most important ones started. */
static struct xb_sv earliest(const struct sched_victims *v)
{
	return started(v->pods.v[0]);
}

/* By upstream's criteria, in their order; equals: the one found first. */
static bool is_better(const struct sched_victims *a, const struct sched_victims *b)
{
	int64_t sa = sum_of_priorities(a), sb = sum_of_priorities(b);

	if (a->n_violating != b->n_violating)
		return a->n_violating < b->n_violating;
	if (a->pods.v[0]->priority != b->pods.v[0]->priority)
		return a->pods.v[0]->priority < b->pods.v[0]->priority;
	if (sa != sb)
		return sa < sb;
	if (a->pods.n != b->pods.n)
		return a->pods.n < b->pods.n;
	return xb_sv_cmp(earliest(a), earliest(b)) > 0;
}

static void keep_better(struct sched_victims *best, struct sched_victims *other)
{
	struct sched_victims swap = *best;

	if (best->pods.n && !is_better(other, best))
		return;
	*best = *other;
	*other = swap;
}

static int try_nodes(const struct sched_preemption *x, struct sched_reasons *why, struct sched_victims *best)
{
	struct sched_victims one = {};
	size_t n = 0, found = 0, enough;
	const uint32_t *order = sched_cache_order(x->cache, &n);
	int r = 0;

	enough = MIN(n, MAX(n * CANDIDATES_PERCENT / 100, (size_t)CANDIDATES_AT_LEAST));
	for (size_t i = 0; order && i < n && (found < enough || best->n_violating); i++) {
		uint32_t node = order[(x->random + i) % n];

		if (x->verdicts[node] != SCHED_UNSCHEDULABLE) {
			sched_reasons_add(why, "Preemption is not helpful for scheduling");
			continue;
		}
		r = try_node(x, node, why, &one);
		if (r == -ENOMEM)
			break;
		if (r)
			continue;
		found++;
		keep_better(best, &one);
	}
	xb_vec_done(&one.pods);
	return r == -ENOMEM ? r : found ? 0 : -ENOENT;
}

int sched_preempt(const struct sched_preemption *x, struct xb_buf *why, struct sched_victims *ret)
{
	struct sched_victims best = {};
	struct sched_reasons reasons = {};
	size_t n = 0;
	int r;

	if (xb_sv_is(sched_text(x->pod->spec, "preemptionPolicy"), "Never")) {
		xb_buf_adds(why, "preemption: not eligible due to preemptionPolicy=Never.");
		return why->err ? why->err : -ENOENT;
	}
	r = try_nodes(x, &reasons, &best);
	if (r == -ENOENT) {
		sched_cache_order(x->cache, &n);
		xb_buf_addf(why, "preemption: 0/%zu nodes are available: ", n);
		sched_reasons_write(&reasons, why);
		xb_buf_addc(why, '.');
	}
	sched_reasons_done(&reasons);
	if (r) {
		xb_vec_done(&best.pods);
		return why->err ? why->err : r;
	}
	*ret = best;
	return 0;
}
