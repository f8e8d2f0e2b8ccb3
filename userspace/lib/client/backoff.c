/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdint.h>

#include "xb/backoff.h"
#include "xb/macro.h"
#include "xb/random.h"

unsigned xb_backoff_between(unsigned low, unsigned high)
{
	uint32_t random;

	xb_random_bytes(&random, sizeof(random));
	return low + (unsigned)(((uint64_t)random * (high - low + 1ULL)) >> 32);
}

unsigned xb_backoff_next(struct xb_backoff *b)
{
	b->step_ms = b->step_ms ? MIN(b->step_ms, b->max_ms / 2) * 2 : b->min_ms * 2;
	return xb_backoff_between(b->step_ms / 2, b->step_ms);
}

void xb_backoff_reset(struct xb_backoff *b)
{
	b->step_ms = 0;
}
