/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_ALLOC_H
#define PROXY_ALLOC_H
/*
 * Hands out the elements of an array in blocks of powers of two, as a buddy allocator; a single slot is a block of one.
 * A block that readers may still look at is retired first, and free only after a grace period. Knows numbers, no memory.
 * take, retire and reserve are O(log size); two bytes an element.
 */
#include <linux/types.h>
#include "xb/macro.h"

struct alloc;
struct alloc *alloc_new(__u32 size);                    /* a power of two; NULL without memory */
struct alloc *alloc_free(struct alloc *a);
XB_DEFINE_CLEANUP(struct alloc *, alloc_free)

int alloc_take(struct alloc *a, __u32 count, __u32 *ret_base);      /* -ENOSPC, -ENOMEM; count is not 0 */
/* Takes the block at base, known to be in use from an earlier run. -EEXIST: it overlaps another; -ERANGE: not in the array
 * or not where a block of that size can lie. */
int alloc_reserve(struct alloc *a, __u32 base, __u32 count);
void alloc_give(struct alloc *a, __u32 base, __u32 count);          /* free at once: it was never published */
void alloc_retire(struct alloc *a, __u32 base, __u32 count);        /* free at the next release */
void alloc_release(struct alloc *a);                    /* the caller has waited for a grace period since the last retire */
int alloc_grow(struct alloc *a, __u32 size);            /* to a larger power of two; -ENOMEM: nothing done */

__u32 alloc_size(const struct alloc *a);
__u32 alloc_used(const struct alloc *a);                /* elements in blocks taken, without the retired */
__u32 alloc_retired(const struct alloc *a);

#endif
