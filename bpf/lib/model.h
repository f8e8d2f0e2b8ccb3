/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef MODEL_H
#define MODEL_H
/*
 * bpf/lib as plain C: what its headers want of the kernel, for unit tests, fuzzing and tools. A map keeps its definition, and where
 * that says the type, the model notes where the table is. Until xb_model_new() or xb_model_open() (xb/model.h) no table has
 * elements. Tables that are arrays may be used by many threads at once, as by many processors; others may not.
 */
#include <stddef.h>
#include <linux/types.h>

/* gcc takes it for a pragma of its own that it does not know */
#pragma GCC diagnostic ignored "-Wunknown-pragmas"

/* one of each, in however many files it is defined */
#define SEC(name) __attribute__((weak))
#define SETTING __attribute__((weak))
#define SUBPROG static __attribute__((noinline, unused))
#define __uint(name, value) int (*name)[value]
#define __type(name, value) __typeof__(value) *name

/* All as the kernel's. What a lookup gives is good until the table is closed; of pinned tables, until the next question. Not by the
 * kernel's names, which in user space are libbpf's. */
void *xb_model_lookup(void *map, const void *key);
long xb_model_update(void *map, const void *key, const void *value, __u64 flags);
void *xb_model_storage(void *map, const void *sk, const void *value, __u64 flags);
__u32 xb_model_random(void);
__u64 xb_model_jiffies(void);
__u64 xb_model_nanoseconds(void);

#define bpf_map_lookup_elem xb_model_lookup
#define bpf_map_update_elem xb_model_update
#define bpf_sk_storage_get xb_model_storage
#define bpf_get_prandom_u32 xb_model_random
#define bpf_jiffies64 xb_model_jiffies
#define bpf_ktime_get_ns xb_model_nanoseconds
#define bpf_loop(n, step, arg, flags) ({ \
		__u32 _i = 0; \
		\
		while (_i < (__u32)(n) && !step(_i, arg)) \
			_i++; \
		(long)_i; \
	})

#endif
