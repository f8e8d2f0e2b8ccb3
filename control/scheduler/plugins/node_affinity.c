/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../node_selector.h"
#include "plugin.h"

struct affinity {
	struct sched_node_selector required, preferred;
};

static void done(void *state)
{
	struct affinity *s = state;

	sched_node_selector_done(&s->required);
	sched_node_selector_done(&s->preferred);
}

static int prepare(void *state, struct sched_cache *c, const struct sched_pod *p)
{
	struct affinity *s = state;
	int r = sched_node_selector_required(&s->required, c->names, p->spec);

	return r ? r : !sched_node_selector_empty(&s->required);
}

static bool excludes(const void *state, const struct sched_node *node)
{
	const struct affinity *s = state;

	return sched_node_selector_names_others(&s->required, node);
}

static enum sched_verdict filter(const void *state, const struct sched_node *node, uint32_t number, struct sched_reasons *why)
{
	const struct affinity *s = state;

	if (sched_node_selector_matches(&s->required, node))
		return SCHED_FITS;
	if (why)
		sched_reasons_add(why, "node(s) didn't match Pod's node affinity/selector");
	return SCHED_UNRESOLVABLE;
}

static int score(void *state, struct sched_cache *c, const struct sched_pod *p, const uint32_t *nodes, size_t n, int64_t *ret_scores)
{
	struct affinity *s = state;
	int r = sched_node_selector_preferred(&s->preferred, c->names, p->spec);

	if (r || !s->preferred.terms.n)
		return r;
	for (size_t i = 0; i < n; i++)
		ret_scores[i] = sched_node_selector_weight(&s->preferred, &c->nodes.v[nodes[i]]);
	sched_normalize(ret_scores, n, false);
	return 1;
}

static bool helps(struct sched_cache *c, const struct sched_pod *p, const struct sched_change *change)
{
	_cleanup_(sched_node_selector_done) struct sched_node_selector s = {};

	return !change->node || sched_node_selector_required(&s, c->names, p->spec) || sched_node_selector_matches(&s, change->node);
}

const struct sched_plugin sched_node_affinity = {
	.name = "NodeAffinity",
	.weight = 2,
	.events = SCHED_NODE_ADDED | SCHED_NODE_LABELS | SCHED_POD_ITSELF,
	.state_size = sizeof(struct affinity),
	.done = done,
	.prepare = prepare,
	.filter = filter,
	.excludes = excludes,
	.score = score,
	.helps = helps,
};
