/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <bpf/bpf.h>
#include <string.h>
#include "apply_state.h"
#include "xb/abi/socket.h"
#include "xb/why.h"

/* As many as nftables' sets have by themselves: 8 MB, for those who have a Service with session affinity. */
#define AFFINITY_CLIENTS 65536U

static const enum table_id fe_tables[2] = { TABLE_FE4, TABLE_FE6 };
static const enum table_id overflow_tables[2] = { TABLE_OVF4, TABLE_OVF6 }, be_tables[2] = { TABLE_BE4, TABLE_BE6 };

/* One wait serves everything that was retired so far. */
static int release_retired(struct apply *a)
{
	int r = xb_grace_wait(&a->grace);

	if (r < 0)
		return r;
	alloc_release(a->slots);
	alloc_release(a->maglev);
	sources_release(a);
	for (int f = 0; f < 2; f++) {
		alloc_release(a->blocks[f]);
		xb_frontends_release(&a->fe[f]);
	}
	return 0;
}

static void fill_array(const struct tables *from, struct tables *next, enum table_id id)
{
	const struct table *old = &from->t[id];

	if (next->t[id].size != old->size)
		memcpy(next->t[id].mem, old->mem, old->bytes);
}

static void fill_arrays(const struct tables *from, struct tables *next)
{
	static const enum table_id arrays[] = { TABLE_SVC, TABLE_BE4, TABLE_BE6, TABLE_MAG };

	for (size_t i = 0; i < ARRAY_SIZE(arrays); i++)
		fill_array(from, next, arrays[i]);
}

static int fill_names(struct tables *from, struct tables *next)
{
	int r = tables_map(from, TABLE_NAME);

	if (r == 0)
		r = tables_map(next, TABLE_NAME);
	if (r == 0)
		fill_array(from, next, TABLE_NAME);
	tables_unmap(from, TABLE_NAME);
	tables_unmap(next, TABLE_NAME);
	return r;
}

static int fill_sources(const struct tables *from, const struct tables *next)
{
	int old = from->t[TABLE_SRC].fd, new = next->t[TABLE_SRC].fd;
	struct xb_src_key key;
	__u8 value;

	if (next->t[TABLE_SRC].size == from->t[TABLE_SRC].size)
		return 0;
	for (const void *last = NULL; bpf_map_get_next_key(old, last, &key) == 0; last = &key)
		if (bpf_map_lookup_elem(old, &key, &value) < 0 || bpf_map_update_elem(new, &key, &value, BPF_NOEXIST) < 0)
			return -errno;
	return errno == ENOENT ? 0 : -errno;
}

/* Programs write here, and entries come and go: one that is missed is a client that chooses anew. */
static void fill_affinity(const struct tables *from, const struct tables *next)
{
	const struct table *old = &from->t[TABLE_AFF], *new = &next->t[TABLE_AFF];
	struct xb_aff_key key;
	struct xb_aff value;
	const void *last = NULL;

	if (new->size == old->size)
		return;
	for (__u32 i = 0; i < old->size && bpf_map_get_next_key(old->fd, last, &key) == 0; i++, last = &key)
		if (bpf_map_lookup_elem(old->fd, &key, &value) == 0)
			bpf_map_update_elem(new->fd, &key, &value, BPF_NOEXIST);
}

/* The indexes follow the tables. A table that is larger than its index does no harm, so a failure here is only that. */
static int grow_indexes(struct apply *a)
{
	__u32 n = a->tables->t[TABLE_SVC].size;
	int r = 0;

	if (n > alloc_size(a->slots)) {
		struct port **by_slot = reallocarray(a->by_slot, n, sizeof(*by_slot));

		if (!by_slot)
			return -ENOMEM;
		memset(by_slot + alloc_size(a->slots), 0, (n - alloc_size(a->slots)) * sizeof(*by_slot));
		a->by_slot = by_slot;
		r = alloc_grow(a->slots, n);
	}
	for (int f = 0; f < 2 && r == 0; f++)
		if (a->tables->t[be_tables[f]].size > alloc_size(a->blocks[f]))
			r = alloc_grow(a->blocks[f], a->tables->t[be_tables[f]].size);
	if (r == 0 && a->tables->t[TABLE_MAG].size > alloc_size(a->maglev))
		r = alloc_grow(a->maglev, a->tables->t[TABLE_MAG].size);
	return r;
}

static int fill_frontends(struct apply *a, struct tables *next, int f, struct xb_frontends *ret)
{
	const struct table *t = &next->t[fe_tables[f]];
	struct xb_frontends *from = &a->fe[f], to;
	int r;

	if (t->size == from->n_buckets)
		return 0;
	r = xb_frontends_init(&to, t->mem, t->size, from->family, from->seed, next->t[overflow_tables[f]].fd);
	if (r < 0)
		return r;
	r = xb_frontends_copy(from, &to);
	if (r < 0) {
		xb_frontends_done(&to);
		return r;
	}
	*ret = to;
	return 0;
}

static void use_frontends(struct apply *a, int f, struct xb_frontends *grown)
{
	if (grown->buckets) {
		xb_frontends_done(&a->fe[f]);
		a->fe[f] = *grown;
	} else {
		a->fe[f].buckets = a->tables->t[fe_tables[f]].mem;
		a->fe[f].overflow_fd = a->tables->t[overflow_tables[f]].fd;
	}
}

static int full(const struct apply *a, const __u32 sizes[N_TABLES], const char *why, char **reterr_why)
{
	int i = 0;

	while (i < N_TABLES - 1 && sizes[i] == a->tables->t[i].size)
		i++;
	return xb_why(reterr_why, -ENOSPC, "table %s is full and cannot grow from %u to %u elements: %s", tables_name(i), a->tables->t[i].size,
		      sizes[i], why);
}

static __u32 factor(const struct apply *a, const __u32 sizes[N_TABLES], enum table_id id, bool half_full)
{
	return half_full && sizes[id] == a->tables->t[id].size && sizes[id] <= a->size_most / 2 ? 2 : 1;
}

/* For one table that grows all programs are loaded anew. What is half full, and would be the next, grows with it. */
static void grow_along(const struct apply *a, __u32 sizes[N_TABLES])
{
	sizes[TABLE_SVC] *= factor(a, sizes, TABLE_SVC, alloc_used(a->slots) > alloc_size(a->slots) / 2);
	sizes[TABLE_NAME] = sizes[TABLE_SVC];
	for (int f = 0; f < 2; f++) {
		bool half_full = a->fe[f].used * 4 > (size_t)a->fe[f].n_buckets * XB_FE_WAYS;
		__u32 n = factor(a, sizes, fe_tables[f], half_full);

		sizes[fe_tables[f]] *= n;
		sizes[overflow_tables[f]] *= n;
		sizes[be_tables[f]] *= factor(a, sizes, be_tables[f], alloc_used(a->blocks[f]) > alloc_size(a->blocks[f]) / 2);
	}
}

int room_settle(struct apply *a, char **reterr_why)
{
	int r = a->unsettled ? attach_programs(a->attach, a->tables, reterr_why) : 0;

	if (r == 0 && a->unsettled)
		r = tables_pin(a->tables, attach_maps_folder(a->attach), reterr_why);
	if (r == 0)
		a->unsettled = false;
	return r;
}

/*
 * Moves everything to tables of other sizes while programs run. Nothing is changed between the copy and the switch, so for a
 * program it is the same which it reads; after a crash the pinned set, old or new, is complete, and the next start
 * points all programs at it.
 */
int room_change(struct apply *a, const __u32 sizes[N_TABLES], char **reterr_why)
{
	_cleanup_(tables_freep) struct tables *next = NULL;
	_cleanup_free_ char *why = NULL;
	struct xb_frontends fe[2] = {};
	__u32 all[N_TABLES];
	int r;

	for (int i = 0; i < N_TABLES; i++)
		if (sizes[i] > a->size_most && sizes[i] != a->tables->t[i].size)
			return full(a, sizes, "that is more than a table may have", reterr_why);
	memcpy(all, sizes, sizeof(all));
	grow_along(a, all);
	r = tables_load(a->tables, a->objects, all, &next, &why);
	for (int f = 0; f < 2 && r == 0; f++)
		r = fill_frontends(a, next, f, &fe[f]);
	if (r == 0)
		r = fill_sources(a->tables, next);
	if (r == 0)
		r = fill_names(a->tables, next);
	if (r < 0) {
		for (int f = 0; f < 2; f++)
			xb_frontends_done(&fe[f]);
		return full(a, sizes, why ? why : strerror(-r), reterr_why);
	}
	fill_arrays(a->tables, next);
	fill_affinity(a->tables, next);
	tables_free(a->tables);
	a->tables = TAKE_PTR(next);
	for (int f = 0; f < 2; f++)
		use_frontends(a, f, &fe[f]);
	a->unsettled = true;
	return room_settle(a, reterr_why) < 0 ? -EIO : grow_indexes(a);
}

void room_sizes(const struct apply *a, __u32 ret_sizes[N_TABLES])
{
	for (int i = 0; i < N_TABLES; i++)
		ret_sizes[i] = a->tables->t[i].size;
}

static void enlarge_frontends(const struct apply *a, __u32 sizes[N_TABLES], int f, size_t entries)
{
	/* at half full, of a thousand keys three or four are in the overflow map */
	while (entries * 2 > (size_t)sizes[fe_tables[f]] * XB_FE_WAYS && sizes[fe_tables[f]] <= a->size_most) {
		sizes[fe_tables[f]] *= 2;
		sizes[overflow_tables[f]] *= 2;
	}
}

static void enlarge(const struct apply *a, __u32 *size, size_t elements)
{
	while (elements > *size && *size <= a->size_most)
		*size *= 2;
}

/* A block of an array: at once, or after a wait when that alone makes a quarter of it free, or from a larger one. */
static int take(struct apply *a, struct alloc *from, const enum table_id *ids, size_t n_ids, __u32 count, __u32 *ret,
		char **reterr_why)
{
	_cleanup_free_ char *why = NULL;
	__u32 sizes[N_TABLES];
	int r = alloc_take(from, count, ret);

	if (r != -ENOSPC)
		return r;
	if (alloc_retired(from)) {
		r = release_retired(a);
		if (r < 0)
			return r;
		if (alloc_used(from) + count <= alloc_size(from) / 4 * 3 && alloc_take(from, count, ret) == 0)
			return 0;
	}
	room_sizes(a, sizes);
	for (size_t i = 0; i < n_ids; i++) {
		__u32 *size = &sizes[ids[i]];

		*size *= 2;
		enlarge(a, size, 2 * (size_t)count);
	}
	r = room_change(a, sizes, &why);
	/* nearly full, and it has to do as it is */
	if (r == 0 || r == -ENOSPC)
		r = alloc_take(from, count, ret);
	if (r < 0 && reterr_why)
		*reterr_why = TAKE_PTR(why);
	return r;
}

int room_take_slot(struct apply *a, __u32 *ret_slot, char **reterr_why)
{
	static const enum table_id ids[] = { TABLE_SVC, TABLE_NAME };

	return take(a, a->slots, ids, ARRAY_SIZE(ids), 1, ret_slot, reterr_why);
}

int room_take_block(struct apply *a, int f, __u32 count, __u32 *ret_base, char **reterr_why)
{
	return take(a, a->blocks[f], &be_tables[f], 1, count, ret_base, reterr_why);
}

int room_take_maglev(struct apply *a, __u32 lines, __u32 *ret_base, char **reterr_why)
{
	static const enum table_id ids[] = { TABLE_MAG };

	return take(a, a->maglev, ids, ARRAY_SIZE(ids), lines, ret_base, reterr_why);
}

int room_for_sources(struct apply *a, size_t more, char **reterr_why)
{
	__u32 sizes[N_TABLES];

	if (a->n_sources + more > a->tables->t[TABLE_SRC].size && a->old_sources) {
		int r = release_retired(a);

		if (r < 0)
			return r;
	}
	if (a->n_sources + more <= a->tables->t[TABLE_SRC].size)
		return 0;
	room_sizes(a, sizes);
	enlarge(a, &sizes[TABLE_SRC], a->n_sources + more);
	return room_change(a, sizes, reterr_why);
}

int room_double_frontends(struct apply *a, int f, char **reterr_why)
{
	__u32 sizes[N_TABLES];

	room_sizes(a, sizes);
	enlarge_frontends(a, sizes, f, (size_t)sizes[fe_tables[f]] * XB_FE_WAYS);
	return room_change(a, sizes, reterr_why);
}

int room_for_frontends(struct apply *a, int f, size_t more, char **reterr_why)
{
	const struct xb_frontends *fe = &a->fe[f];
	__u32 sizes[N_TABLES];

	if (fe->n_retired > fe->n_buckets) {
		int r = release_retired(a);

		if (r < 0)
			return r;
	}
	room_sizes(a, sizes);
	enlarge_frontends(a, sizes, f, fe->used + more);
	return sizes[fe_tables[f]] == fe->n_buckets ? 0 : room_change(a, sizes, reterr_why);
}

int room_for_affinity(struct apply *a, char **reterr_why)
{
	__u32 sizes[N_TABLES];

	room_sizes(a, sizes);
	if (sizes[TABLE_AFF] >= AFFINITY_CLIENTS)
		return 0;
	sizes[TABLE_AFF] = AFFINITY_CLIENTS;
	return room_change(a, sizes, reterr_why);
}

int apply_reserve(struct apply *a, const struct xb_plan_counts *more)
{
	__u32 sizes[N_TABLES], now[N_TABLES];
	int f = a->primary;

	room_sizes(a, now);
	room_sizes(a, sizes);
	enlarge(a, &sizes[TABLE_SVC], alloc_used(a->slots) + more->ports);
	sizes[TABLE_NAME] = sizes[TABLE_SVC];
	/* a cluster IP has an entry by itself too; a block of backends is up to twice as long as they are */
	enlarge_frontends(a, sizes, f, a->fe[f].used + more->frontends + more->ports);
	enlarge(a, &sizes[be_tables[f]], alloc_used(a->blocks[f]) + 2 * more->backends);
	if (more->affinity)
		sizes[TABLE_AFF] = MAX(sizes[TABLE_AFF], AFFINITY_CLIENTS);
	return memcmp(sizes, now, sizeof(now)) ? room_change(a, sizes, NULL) : 0;
}
