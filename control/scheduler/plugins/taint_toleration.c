/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "plugin.h"
#include "toleration.h"

struct taints {
	struct sched_tolerations tolerations;
};

static void done(void *state)
{
	struct taints *s = state;

	sched_tolerations_done(&s->tolerations);
}

static int prepare(void *state, struct sched_cache *c, const struct sched_pod *p)
{
	struct taints *s = state;
	int r;

	if (!c->n_tainted)
		return 0;
	r = sched_tolerations_read(&s->tolerations, c->names, p->spec);
	return r ? r : 1;
}

static const struct sched_taint *untolerated(const struct taints *s, const struct sched_node *node)
{
	for (size_t i = 0; i < node->taints.n; i++)
		if (node->taints.v[i].effect != SCHED_PREFER_NO_SCHEDULE
		    && !sched_tolerates(&s->tolerations, &node->taints.v[i], (struct xb_sv){}))
			return &node->taints.v[i];
	return NULL;
}

static enum sched_verdict filter(const void *state, const struct sched_node *node, uint32_t number, struct sched_reasons *why)
{
	const struct sched_taint *taint = node->taints.n ? untolerated(state, node) : NULL;

	if (!taint)
		return SCHED_FITS;
	if (why)
		sched_reasons_add(why, "node(s) had untolerated taint {%.*s: %.*s}", XB_SV_ARG(sched_names_text(node->names, taint->key)),
				  XB_SV_ARG(sched_names_text(node->names, taint->value)));
	return SCHED_UNRESOLVABLE;
}

/* Of the taints that only ask to stay away, how many are not tolerated: the fewer the better. */
static int score(void *state, struct sched_cache *c, const struct sched_pod *p, const uint32_t *nodes, size_t n, int64_t *ret_scores)
{
	const struct taints *s = state;
	bool any = false;

	if (!c->n_tainted)
		return 0;
	for (size_t i = 0; i < n; i++) {
		const struct sched_node *node = &c->nodes.v[nodes[i]];

		ret_scores[i] = 0;
		for (size_t k = 0; k < node->taints.n; k++)
			ret_scores[i] += node->taints.v[k].effect == SCHED_PREFER_NO_SCHEDULE
				&& !sched_tolerates(&s->tolerations, &node->taints.v[k], (struct xb_sv){});
		any |= ret_scores[i] != 0;
	}
	sched_normalize(ret_scores, n, true);
	return any;
}

static bool helps(struct sched_cache *c, const struct sched_pod *p, const struct sched_change *change)
{
	_cleanup_(sched_tolerations_done) struct sched_tolerations t = {};

	if (!change->node || sched_tolerations_read(&t, c->names, p->spec))
		return true;
	return !untolerated(&(struct taints){ t }, change->node);
}

const struct sched_plugin sched_taint_toleration = {
	.name = "TaintToleration",
	.weight = 3,
	.events = SCHED_NODE_ADDED | SCHED_NODE_TAINTS | SCHED_POD_ITSELF,
	.state_size = sizeof(struct taints),
	.done = done,
	.prepare = prepare,
	.filter = filter,
	.score = score,
	.helps = helps,
};
