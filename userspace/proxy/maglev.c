/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "maglev.h"
#include "xb/abi/frontend.h"
#include "xb/macro.h"

#define FREE 0xffff                 /* no position: a set has at most 65535 backends */

/* The next preference of a backend is "skip" after its last one, around the table: as the size is a prime, it comes to each place. */
struct turn {
	__u32 next, skip;
};

__u32 maglev_size(size_t backends)
{
	static const __u32 primes[] = { 251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131071 };
	size_t i = 0;

	if (!backends)
		return 0;
	while (i < ARRAY_SIZE(primes) - 1 && primes[i] < 200 * backends)
		i++;
	return primes[i];
}

static struct turn turn_of(const struct xb_plan_backend *b, int family, __u32 size)
{
	union xb_ip6 addr = {};
	__u64 h;

	memcpy(addr.b, b->addr.b, family == AF_INET6 ? 16 : 4);
	h = xb_fe_hash(&addr, b->port, XB_PROTO_NONE, 0);
	return (struct turn){ .next = (__u32)h % size, .skip = (__u32)(h >> 32) % (size - 1) + 1 };
}

int maglev_fill(const struct xb_plan_set *set, int family, __u16 *ret)
{
	__u32 size = maglev_size(set->n), left = size;
	_cleanup_free_ struct turn *turns = calloc(set->n + 1, sizeof(*turns));

	if (!turns)
		return -ENOMEM;
	for (size_t i = 0; i < set->n; i++)
		turns[i] = turn_of(&set->backends[i], family, size);
	for (__u32 i = 0; i < size; i++)
		ret[i] = FREE;
	for (size_t i = 0; left; i = i + 1 < set->n ? i + 1 : 0) {
		struct turn *t = &turns[i];

		while (ret[t->next] != FREE)
			t->next = (t->next + t->skip) % size;
		ret[t->next] = (__u16)i;
		left--;
	}
	return 0;
}
