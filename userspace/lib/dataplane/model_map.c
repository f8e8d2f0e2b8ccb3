/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <bpf/bpf.h>
#include "model_map.h"
#include "xb/bpfobj.h"
#include "xb/model.h"
#include "xb/str.h"
#include "xb/map.h"
#include "xb/why.h"

static _Thread_local __u32 processor;

void xb_model_set_processor(__u32 n)
{
	processor = n % XB_MODEL_PROCESSORS;
}

static bool is_array(const struct model_map *m)
{
	return m->type == BPF_MAP_TYPE_ARRAY || m->type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static void lists_init(struct model_map *m)
{
	TAILQ_INIT(&m->ages);
	for (int i = 0; i < MODEL_BUCKETS; i++)
		LIST_INIT(&m->bucket[i]);
}

/* --- keys and their values */

static struct model_bucket *bucket_of(struct model_map *m, const void *key)
{
	return &m->bucket[xb_hash((struct xb_sv){ key, m->key_size }) % MODEL_BUCKETS];
}

static struct model_entry *entry_of(struct model_map *m, const void *key)
{
	struct model_entry *e;

	LIST_FOREACH(e, bucket_of(m, key), by_hash)
		if (!memcmp(e->bytes, key, m->key_size))
			return e;
	return NULL;
}

static void *value_of(const struct model_map *m, struct model_entry *e)
{
	return e ? e->bytes + model_round(m->key_size) : NULL;
}

static void entry_remove(struct model_map *m, struct model_entry *e)
{
	TAILQ_REMOVE(&m->ages, e, by_age);
	LIST_REMOVE(e, by_hash);
	m->used--;
	free(e);
}

/* value NULL: zero. */
static struct model_entry *entry_add(struct model_map *m, const void *key, const void *value)
{
	struct model_entry *e = calloc(1, sizeof(*e) + model_round(m->key_size) + model_round(m->value_size));

	if (!e)
		return NULL;
	memcpy(e->bytes, key, m->key_size);
	if (value)
		memcpy(value_of(m, e), value, m->value_size);
	TAILQ_INSERT_TAIL(&m->ages, e, by_age);
	LIST_INSERT_HEAD(bucket_of(m, key), e, by_hash);
	m->used++;
	return e;
}

/* --- longest prefix: struct bpf_lpm_trie_key, a number of bits and then they */

static bool bits_equal(const __u8 *a, const __u8 *b, __u32 bits)
{
	__u32 whole = bits / 8;

	if (memcmp(a, b, whole))
		return false;
	return !(bits % 8) || !((a[whole] ^ b[whole]) >> (8 - bits % 8));
}

static struct model_entry *longest(struct model_map *m, const void *key)
{
	struct model_entry *e, *best = NULL;
	__u32 want, bits, most = 0;

	memcpy(&want, key, sizeof(want));
	TAILQ_FOREACH(e, &m->ages, by_age) {
		memcpy(&bits, e->bytes, sizeof(bits));
		if (bits > want || (best && bits <= most) || !bits_equal(e->bytes + sizeof(bits), (const __u8 *)key + sizeof(bits), bits))
			continue;
		best = e;
		most = bits;
	}
	return best;
}

/* --- what is pinned */

/* A copy of what the kernel's map has, so that it can be written. Counters of each processor begin anew: nobody asks for them. */
static void *copy_of(struct model_map *m, const void *key, __u32 index)
{
	struct model_entry *e = entry_of(m, key);
	_cleanup_free_ void *value = NULL;

	if (e || m->type == BPF_MAP_TYPE_PERCPU_ARRAY)
		return value_of(m, e ? e : entry_add(m, key, NULL));
	if (m->mem)
		return value_of(m, entry_add(m, key, m->mem + index * model_round(m->value_size)));
	value = malloc(model_round(m->value_size));
	if (!value || bpf_map_lookup_elem(m->fd, key, value) < 0)
		return NULL;
	return value_of(m, entry_add(m, key, value));
}

static int refuse(char **reterr_why, const char *path)
{
	return xb_why(reterr_why, -EPROTO, "pinned map '%s' is of another layout than this program's", path);
}

int model_map_open(struct model_map *m, const char *folder, char **reterr_why)
{
	struct bpf_map_info info = {};
	__u32 n = sizeof(info);
	char path[PATH_MAX];
	const void *mem;
	int r;

	lists_init(m);
	snprintf(path, sizeof(path), "%s/%s", folder, m->name);
	/* not BPF_F_RDONLY: the kernel shares no memory of a file that is not open for writing, and maps of BPF must be shared */
	m->fd = bpf_obj_get(path);
	if (m->fd < 0 || bpf_obj_get_info_by_fd(m->fd, &info, &n) < 0)
		return xb_why(reterr_why, -errno, "cannot open pinned map '%s': %m", path);
	if (info.type != m->type || info.key_size != m->key_size || info.value_size != m->value_size)
		return refuse(reterr_why, path);
	m->size = info.max_entries;
	if (m->type != BPF_MAP_TYPE_ARRAY)
		return 0;
	r = xb_bpf_mmap_ro(m->fd, &mem, &m->bytes);
	if (r < 0)
		return xb_why(reterr_why, r, "cannot map pinned map '%s': %s", path, strerror(-r));
	m->mem = (__u8 *)mem;
	return 0;
}

/* --- the map */

int model_map_new(struct model_map *m, __u32 size)
{
	lists_init(m);
	m->fd = -1;
	m->size = size;
	if (!is_array(m))
		return 0;
	m->bytes = size * model_round(m->value_size) * (m->type == BPF_MAP_TYPE_PERCPU_ARRAY ? XB_MODEL_PROCESSORS : 1);
	/* of whole cache lines, as the kernel's are */
	m->mem = aligned_alloc(64, (m->bytes + 63) & ~(size_t)63);
	if (!m->mem)
		return -ENOMEM;
	memset(m->mem, 0, m->bytes);
	return 0;
}

void model_map_use(struct model_map *m, void *mem, __u32 size)
{
	lists_init(m);
	m->fd = -1;
	m->mem = mem;
	m->size = size;
	m->borrowed = true;
}

void model_map_forget(struct model_map *m)
{
	while (!TAILQ_EMPTY(&m->ages))
		entry_remove(m, TAILQ_FIRST(&m->ages));
}

void model_map_done(struct model_map *m)
{
	model_map_forget(m);
	if (m->fd >= 0 && m->mem)
		munmap(m->mem, m->bytes);
	else if (!m->borrowed)
		free(m->mem);
	m->mem = NULL;
	m->size = 0;
	m->borrowed = false;
	xb_closep(&m->fd);
}

void *model_map_get(struct model_map *m, const void *key)
{
	__u32 index = 0;

	if (is_array(m)) {
		memcpy(&index, key, sizeof(index));
		if (index >= m->size)
			return NULL;
	}
	if (m->fd >= 0)
		return copy_of(m, key, index);
	if (!is_array(m))
		return value_of(m, m->type == BPF_MAP_TYPE_LPM_TRIE ? longest(m, key) : entry_of(m, key));
	if (m->type == BPF_MAP_TYPE_PERCPU_ARRAY)
		index += processor * m->size;
	return m->mem + index * model_round(m->value_size);
}

int model_map_set(struct model_map *m, const void *key, const void *value, __u64 flags)
{
	void *there;

	if (m->type == BPF_MAP_TYPE_LPM_TRIE && m->fd < 0)
		there = value_of(m, entry_of(m, key));
	else
		there = model_map_get(m, key);
	if (there && flags == BPF_NOEXIST)
		return -EEXIST;
	if (!there && flags == BPF_EXIST)
		return -ENOENT;
	if (there) {
		memcpy(there, value, m->value_size);
		return 0;
	}
	if (is_array(m))
		return -E2BIG;
	if (m->used >= m->size && m->fd < 0) {
		if (m->type != BPF_MAP_TYPE_LRU_HASH || !m->used)
			return -E2BIG;
		entry_remove(m, TAILQ_FIRST(&m->ages));
	}
	return entry_add(m, key, value) ? 0 : -ENOMEM;
}
