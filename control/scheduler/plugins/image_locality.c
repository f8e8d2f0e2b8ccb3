/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "plugin.h"

#define LEAST (23LL << 20)
#define MOST  (1000LL << 20) /* a container */

static int prepare(void *state, struct sched_cache *c, const struct sched_pod *p)
{
	return 0;
}

static uint32_t nodes_with(const struct sched_cache *c, uint32_t image)
{
	return image < c->image_nodes.n ? c->image_nodes.v[image] : 0;
}

/* An image that few nodes have counts less, so that its first node does not draw all pods to itself. */
static int64_t bytes_there(const struct sched_cache *c, const struct sched_pod *p, const struct sched_node *node, size_t n_nodes)
{
	int64_t sum = 0;

	for (size_t i = 0; i < p->images.n; i++)
		for (size_t k = 0; k < node->images.n; k++)
			if (node->images.v[k].name == p->images.v[i]) {
				sum += (double)node->images.v[k].bytes * ((double)nodes_with(c, p->images.v[i]) / (double)n_nodes);
				break;
			}
	return sum;
}

static int score(void *state, struct sched_cache *c, const struct sched_pod *p, const uint32_t *nodes, size_t n, int64_t *ret_scores)
{
	int64_t most = MOST * (int64_t)p->images.n;
	uint32_t having = 0;
	size_t n_nodes = 0;

	for (size_t i = 0; i < p->images.n; i++)
		having += nodes_with(c, p->images.v[i]);
	if (!having || !sched_cache_order(c, &n_nodes))
		return 0;
	for (size_t i = 0; i < n; i++) {
		int64_t sum = bytes_there(c, p, &c->nodes.v[nodes[i]], n_nodes);

		sum = MAX(LEAST, MIN(sum, most));
		ret_scores[i] = SCHED_MAX_SCORE * (sum - LEAST) / (most - LEAST);
	}
	return 1;
}

const struct sched_plugin sched_image_locality = { .name = "ImageLocality", .weight = 1, .prepare = prepare, .score = score };
