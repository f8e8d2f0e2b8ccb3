/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>
#include "alloc.h"

struct block {
	__u32 base, count;
};

/* A complete binary tree over the array: root at 1, children of n at 2n and 2n + 1, one leaf for each element. most[n] is
 * 1 + the order of the largest free block below n, 0 for none. Below a block that is taken as a whole nodes say "free",
 * so giving it back touches only its own node and those above. */
struct alloc {
	__u8 *most;
	__u32 height, used, n_retired_elements;
	struct block *retired;      /* room for all blocks, so that retiring cannot fail */
	size_t n_blocks, n_retired, cap_retired;
};

static __u32 order_of(__u32 count)
{
	return count <= 1 ? 0 : 32 - (__u32)__builtin_clz(count - 1);
}

static __u8 *tree_new(__u32 height)
{
	__u8 *most = malloc((size_t)2 << height);

	if (!most)
		return NULL;
	most[0] = 0;
	for (__u32 level = 0; level <= height; level++)
		memset(most + ((size_t)1 << level), (int)(height - level + 1), (size_t)1 << level);
	return most;
}

static void update_above(__u8 *most, size_t node, __u32 order)
{
	while (node > 1) {
		__u8 a = most[node & ~(size_t)1], b = most[node | 1];

		node /= 2;
		order++;
		most[node] = a == order && b == order ? (__u8)(order + 1) : MAX(a, b);
	}
}

static size_t node_of(const struct alloc *a, __u32 base, __u32 order)
{
	return ((size_t)1 << (a->height - order)) + (base >> order);
}

struct alloc *alloc_new(__u32 size)
{
	_cleanup_(alloc_freep) struct alloc *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->height = order_of(size);
	a->most = tree_new(a->height);
	return a->most ? TAKE_PTR(a) : NULL;
}

struct alloc *alloc_free(struct alloc *a)
{
	if (a) {
		free(a->most);
		free(a->retired);
		free(a);
	}
	return NULL;
}

static int room_to_retire(struct alloc *a)
{
	size_t cap = a->cap_retired ? 2 * a->cap_retired : 64;
	struct block *p;

	if (a->n_blocks < a->cap_retired)
		return 0;
	p = reallocarray(a->retired, cap, sizeof(*p));
	if (!p)
		return -ENOMEM;
	a->retired = p;
	a->cap_retired = cap;
	return 0;
}

static void take_node(struct alloc *a, size_t node, __u32 order)
{
	a->most[node] = 0;
	update_above(a->most, node, order);
	a->used += 1u << order;
	a->n_blocks++;
}

int alloc_take(struct alloc *a, __u32 count, __u32 *ret_base)
{
	__u32 order = order_of(count), here = a->height;
	size_t node = 1;

	if (order > a->height || a->most[1] <= order)
		return -ENOSPC;
	if (room_to_retire(a) < 0)
		return -ENOMEM;
	for (; here > order; here--) {
		__u8 left = a->most[2 * node], right = a->most[2 * node + 1];

		/* the smaller one that is large enough, to keep large blocks whole */
		node = 2 * node + (left <= order || (right > order && right < left));
	}
	take_node(a, node, order);
	*ret_base = (__u32)(node - ((size_t)1 << (a->height - order))) << order;
	return 0;
}

int alloc_reserve(struct alloc *a, __u32 base, __u32 count)
{
	__u32 order = order_of(count);
	size_t node, up;

	if (order > a->height || base & ((1u << order) - 1) || base >> a->height)
		return -ERANGE;
	node = node_of(a, base, order);
	if (a->most[node] != order + 1)
		return -EEXIST;
	/* a block that holds this one and is taken as a whole reads 0 at its node and "free" at ours */
	for (up = node / 2; up; up /= 2)
		if (!a->most[up])
			return -EEXIST;
	if (room_to_retire(a) < 0)
		return -ENOMEM;
	take_node(a, node, order);
	return 0;
}

static void put_back(struct alloc *a, struct block b)
{
	__u32 order = order_of(b.count);
	size_t node = node_of(a, b.base, order);

	a->most[node] = (__u8)(order + 1);
	update_above(a->most, node, order);
	a->n_blocks--;
}

void alloc_give(struct alloc *a, __u32 base, __u32 count)
{
	put_back(a, (struct block){ base, count });
	a->used -= 1u << order_of(count);
}

void alloc_retire(struct alloc *a, __u32 base, __u32 count)
{
	a->retired[a->n_retired++] = (struct block){ base, count };
	a->n_retired_elements += 1u << order_of(count);
	a->used -= 1u << order_of(count);
}

void alloc_release(struct alloc *a)
{
	for (size_t i = 0; i < a->n_retired; i++)
		put_back(a, a->retired[i]);
	a->n_retired = 0;
	a->n_retired_elements = 0;
}

int alloc_grow(struct alloc *a, __u32 size)
{
	__u32 height = order_of(size), above = height - a->height;
	__u8 *most = tree_new(height);

	if (!most)
		return -ENOMEM;
	/* the old tree becomes the leftmost one of that height */
	for (__u32 level = 0; level <= a->height; level++)
		memcpy(most + ((size_t)1 << (level + above)), a->most + ((size_t)1 << level), (size_t)1 << level);
	update_above(most, (size_t)1 << above, a->height);
	free(a->most);
	a->most = most;
	a->height = height;
	return 0;
}

__u32 alloc_size(const struct alloc *a)
{
	return 1u << a->height;
}

__u32 alloc_used(const struct alloc *a)
{
	return a->used;
}

__u32 alloc_retired(const struct alloc *a)
{
	return a->n_retired_elements;
}
