/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <math.h>
#include "api.h"

/* Values below 128 have a bucket each; above, each power of two is cut into 128 parts. */
static unsigned bucket_of(uint64_t ns)
{
	unsigned shift = ns < LATENCY_SUB ? 0 : 63 - __builtin_clzll(ns) - 7;

	return ns < LATENCY_SUB ? ns : (shift + 1) * LATENCY_SUB + (unsigned)(ns >> shift) - LATENCY_SUB;
}

static uint64_t most_in(unsigned bucket)
{
	unsigned shift = bucket < LATENCY_SUB ? 0 : bucket / LATENCY_SUB - 1;

	return bucket < LATENCY_SUB ? bucket : (((uint64_t)(bucket % LATENCY_SUB) + LATENCY_SUB + 1) << shift) - 1;
}

void latency_add(struct latency *l, uint64_t ns)
{
	l->count[bucket_of(ns)]++;
	l->n++;
	l->most = MAX(l->most, ns);
}

uint64_t latency_at(const struct latency *l, double quantile)
{
	uint64_t rank = MAX((uint64_t)ceil(l->n * quantile), (uint64_t)1), seen = 0;

	if (!l->n)
		return 0;
	for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
		seen += l->count[i];
		if (seen >= rank)
			return MIN(most_in(i), l->most);
	}
	return l->most;
}
