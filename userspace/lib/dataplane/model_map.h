/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef MODEL_MAP_H
#define MODEL_MAP_H
/* One map of the model: an array in memory, a list of keys, or a map of the kernel's, of which nothing but what was looked up is
 * here, in copies. */
#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <linux/types.h>

#define MODEL_BUCKETS 256

struct model_entry {
	TAILQ_ENTRY(model_entry) by_age;
	LIST_ENTRY(model_entry) by_hash;
	__u8 bytes[] __attribute__((aligned(8)));       /* the key, then the value, each a multiple of 8 */
};
TAILQ_HEAD(model_ages, model_entry);
LIST_HEAD(model_bucket, model_entry);

struct model_map {
	const char *name;
	__u32 type;                     /* BPF_MAP_TYPE_... */
	__u32 key_size, value_size;
	__u32 size;                     /* elements */
	__u8 *mem;                      /* of arrays; of those that are pinned, not to be written */
	size_t bytes;
	bool borrowed;                  /* mem is the caller's */
	int fd;                         /* -1: in memory */
	__u32 used;
	struct model_ages ages;
	struct model_bucket bucket[MODEL_BUCKETS];
};

static inline size_t model_round(__u32 size)
{
	return (size + 7u) & ~7u;
}

int model_map_new(struct model_map *m, __u32 size);                     /* in memory */
void model_map_use(struct model_map *m, void *mem, __u32 size);         /* an array in memory of the caller's */
int model_map_open(struct model_map *m, const char *folder, char **reterr_why);
void model_map_forget(struct model_map *m);                             /* the copies of a pinned map */
void model_map_done(struct model_map *m);
/* The value that a key has in its map, as looked up. */
void *model_map_get(struct model_map *m, const void *key);
int model_map_set(struct model_map *m, const void *key, const void *value, __u64 flags);

#endif
