/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* NodeResourcesFit (with LeastAllocated) and NodeResourcesBalancedAllocation. */
#include <math.h>
#include "plugin.h"
#include "xb/why.h"

struct fit {
	const struct sched_pod *pod;
	bool pack;              /* scoringStrategy MostAllocated */
};

static int configure(void *state, struct xb_jv args, char **reterr_why)
{
	struct xb_jv strategy = xb_jv_get(args, "scoringStrategy");
	struct xb_sv type = sched_text(strategy, "type");

	((struct fit *)state)->pack = xb_sv_is(type, "MostAllocated");
	if (type.n && !xb_sv_is(type, "MostAllocated") && !xb_sv_is(type, "LeastAllocated"))
		return xb_why(reterr_why, -EINVAL, "NodeResourcesFit: scoringStrategy.type: must be LeastAllocated or MostAllocated here");
	if (xb_jv_is(xb_jv_get(strategy, "resources")) || xb_jv_is(xb_jv_get(args, "ignoredResources")))
		return xb_why(reterr_why, -EINVAL, "NodeResourcesFit: cpu and memory are weighed, alike: no other choice is supported here");
	return 0;
}

static int prepare(void *state, struct sched_cache *c, const struct sched_pod *p)
{
	((struct fit *)state)->pod = p;
	return 1;
}

/* --- the filter --- */
static const char *const names[SCHED_RESOURCES] = { "cpu", "memory", "ephemeral-storage", NULL };

static bool lacks(int64_t asked, int64_t has, int64_t used)
{
	return asked > 0 && asked > has - used;
}

static bool fits(const struct sched_pod *p, const struct sched_node *n)
{
	for (int i = 0; i < SCHED_RESOURCES; i++)
		if (lacks(p->request.v[i], n->allocatable.v[i], n->used.v[i]))
			return false;
	for (size_t i = 0; i < p->request.extra.n; i++) {
		const struct sched_extra *e = &p->request.extra.v[i];

		if (lacks(e->n, sched_resources_extra(&n->allocatable, e->name), sched_resources_extra(&n->used, e->name)))
			return false;
	}
	return true;
}

/* Without pods that could go a node that is too small stays so. The number of pods is not asked for, so it never tells. */
static enum sched_verdict explain(const struct sched_pod *p, const struct sched_node *n, struct sched_reasons *why)
{
	enum sched_verdict verdict = SCHED_UNSCHEDULABLE;

	if (lacks(1, n->allocatable.v[SCHED_PODS], n->used.v[SCHED_PODS]) && why)
		sched_reasons_add(why, "Too many pods");
	for (int i = 0; i < SCHED_PODS; i++) {
		if (!lacks(p->request.v[i], n->allocatable.v[i], n->used.v[i]))
			continue;
		if (why)
			sched_reasons_add(why, "Insufficient %s", names[i]);
		if (p->request.v[i] > n->allocatable.v[i])
			verdict = SCHED_UNRESOLVABLE;
	}
	for (size_t i = 0; i < p->request.extra.n; i++) {
		const struct sched_extra *e = &p->request.extra.v[i];
		int64_t has = sched_resources_extra(&n->allocatable, e->name);

		if (!lacks(e->n, has, sched_resources_extra(&n->used, e->name)))
			continue;
		if (why)
			sched_reasons_add(why, "Insufficient %.*s", XB_SV_ARG(sched_names_text(n->names, e->name)));
		if (e->n > has)
			verdict = SCHED_UNRESOLVABLE;
	}
	return verdict;
}

static enum sched_verdict filter(const void *state, const struct sched_node *node, uint32_t number, struct sched_reasons *why)
{
	const struct sched_pod *p = ((const struct fit *)state)->pod;

	return fits(p, node) ? SCHED_FITS : explain(p, node, why);
}

/* Where a pod goes only that node can take another one now. */
static bool helps(struct sched_cache *c, const struct sched_pod *p, const struct sched_change *change)
{
	return !change->node || fits(p, change->node);
}

/* --- scores --- */
static int64_t share(int64_t asked, int64_t has, bool pack)
{
	return asked > has && !pack ? 0 : (pack ? MIN(asked, has) : has - asked) * SCHED_MAX_SCORE / has;
}

static int score(void *state, struct sched_cache *c, const struct sched_pod *p, const uint32_t *nodes, size_t n, int64_t *ret_scores)
{
	bool pack = ((const struct fit *)state)->pack;

	for (size_t i = 0; i < n; i++) {
		const struct sched_node *node = &c->nodes.v[nodes[i]];
		int64_t cpu = node->allocatable.v[SCHED_CPU], memory = node->allocatable.v[SCHED_MEMORY], sum = 0, weights = 0;

		if (cpu) {
			sum += share(node->nonzero[0] + p->nonzero[0], cpu, pack);
			weights++;
		}
		if (memory) {
			sum += share(node->nonzero[1] + p->nonzero[1], memory, pack);
			weights++;
		}
		ret_scores[i] = weights ? sum / weights : 0;
	}
	return 1;
}

const struct sched_plugin sched_fit = {
	.name = "NodeResourcesFit",
	.weight = 1,
	.events = SCHED_NODE_ADDED | SCHED_NODE_ALLOCATABLE | SCHED_POD_DELETED | SCHED_POD_ITSELF,
	.state_size = sizeof(struct fit),
	.configure = configure,
	.prepare = prepare,
	.filter = filter,
	.score = score,
	.helps = helps,
};

/* The standard deviation of two fractions is half their difference. A pod that asks for nothing would always be sent to the
 * node that is balanced best, so it has no say. */
static int score_balanced(void *state, struct sched_cache *c, const struct sched_pod *p, const uint32_t *nodes, size_t n,
			  int64_t *ret_scores)
{
	if (!p->request.v[SCHED_CPU] && !p->request.v[SCHED_MEMORY])
		return 0;
	for (size_t i = 0; i < n; i++) {
		const struct sched_node *node = &c->nodes.v[nodes[i]];
		double fraction[2], deviation = 0;

		for (int k = 0; k < 2; k++)
			fraction[k] = MIN((double)(node->used.v[k] + p->request.v[k]) / (double)node->allocatable.v[k], 1.0);
		if (node->allocatable.v[SCHED_CPU] && node->allocatable.v[SCHED_MEMORY])
			deviation = fabs((fraction[0] - fraction[1]) / 2);
		ret_scores[i] = (1 - deviation) * SCHED_MAX_SCORE;
	}
	return 1;
}

static int prepare_nothing(void *state, struct sched_cache *c, const struct sched_pod *p)
{
	return 0;
}

const struct sched_plugin sched_balanced = {
	.name = "NodeResourcesBalancedAllocation",
	.weight = 1,
	.prepare = prepare_nothing,
	.score = score_balanced,
};
