/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "tables.h"
#include "xb/abi/event.h"
#include "xb/abi/hdr.h"
#include "xb/bpfobj.h"
#include "xb/why.h"

static const char *const names[N_TABLES] = {
	[TABLE_HDR] = "xb_hdr",
	[TABLE_FE4] = "xb_fe4",
	[TABLE_FE6] = "xb_fe6",
	[TABLE_OVF4] = "xb_ovf4",
	[TABLE_OVF6] = "xb_ovf6",
	[TABLE_SVC] = "xb_svc",
	[TABLE_NAME] = "xb_name",
	[TABLE_BE4] = "xb_be4",
	[TABLE_BE6] = "xb_be6",
	[TABLE_REV] = "xb_rev",
	[TABLE_AFF] = "xb_aff",
	[TABLE_SKU] = "xb_sku",
	[TABLE_METRICS] = "xb_metrics",
	[TABLE_FLOW4] = "xb_flow4",
	[TABLE_FLOW6] = "xb_flow6",
	[TABLE_FLOW4_OLD] = "xb_flow4_old",
	[TABLE_FLOW6_OLD] = "xb_flow6_old",
	[TABLE_FRAG] = "xb_frag",
	[TABLE_NODE] = "xb_node",
	[TABLE_SRC] = "xb_src",
	[TABLE_MAG] = "xb_mag",
	[TABLE_REASON] = "xb_reason",
	[TABLE_RATE] = "xb_rate",
	[TABLE_DROP] = "xb_drop",
	[TABLE_NEW] = "xb_new",
	[TABLE_CURSOR] = "xb_cursor",
};

/* What the agent reads or writes all the time. The others are programs' and observers', and the kernel fills in a mapping at once: of
 * names, that are written once, 6 MB with 30,000 ports. */
static const bool mapped[N_TABLES] = {
	[TABLE_HDR] = true,
	[TABLE_FE4] = true,
	[TABLE_FE6] = true,
	[TABLE_SVC] = true,
	[TABLE_BE4] = true,
	[TABLE_BE6] = true,
	[TABLE_NODE] = true,
	[TABLE_MAG] = true,
};

/* For a small cluster: about 7 MB. Most of it is flows and xb_rev, whose size goes with connections and not with services;
 * the backends have room for many changes between two waits for a grace period. Those of what few have are next to nothing. */
const __u32 tables_start_sizes[N_TABLES] = {
	[TABLE_HDR] = 1,
	[TABLE_FE4] = 256,
	[TABLE_FE6] = 64,
	[TABLE_OVF4] = 128,
	[TABLE_OVF6] = 32,
	[TABLE_SVC] = 512,
	[TABLE_NAME] = 512,
	[TABLE_BE4] = 16384,
	[TABLE_BE6] = 4096,
	[TABLE_REV] = 8192,
	[TABLE_AFF] = 64,
	[TABLE_METRICS] = 1,
	[TABLE_FLOW4] = 8192,
	[TABLE_FLOW6] = 1024,
	[TABLE_FLOW4_OLD] = 1,
	[TABLE_FLOW6_OLD] = 1,
	[TABLE_FRAG] = 1024,
	[TABLE_NODE] = 1,
	[TABLE_SRC] = 64,
	[TABLE_MAG] = 1,
	[TABLE_REASON] = XB_REASONS,
	[TABLE_RATE] = 1,
	[TABLE_DROP] = 1024,
	[TABLE_NEW] = 1024,
	[TABLE_CURSOR] = 2,
};

struct tables *tables_free(struct tables *t)
{
	if (!t)
		return NULL;
	for (int i = 0; i < N_TABLES; i++) {
		if (t->t[i].mem)
			munmap(t->t[i].mem, t->t[i].bytes);
		xb_closep(&t->t[i].fd);
	}
	programs_close(&t->programs);
	free(t);
	return NULL;
}

static struct tables *tables_new(void)
{
	struct tables *t = calloc(1, sizeof(*t));

	for (int i = 0; t && i < N_TABLES; i++)
		t->t[i].fd = -1;
	return t;
}

/* Every object has every table: what the first says of one holds. */
static struct bpf_map *map_of(const struct programs *programs, int i)
{
	struct bpf_map *map = NULL;

	for (int k = 0; k < N_OBJECTS && !map; k++)
		map = programs_map(programs, k, names[i]);
	return map;
}

static int table_map(struct table *t, int i)
{
	return mapped[i] ? xb_bpf_mmap(t->fd, &t->mem, &t->bytes) : 0;
}

int tables_map(struct tables *t, enum table_id id)
{
	struct table *one = &t->t[id];

	return one->mem ? 0 : xb_bpf_mmap(one->fd, &one->mem, &one->bytes);
}

void tables_unmap(struct tables *t, enum table_id id)
{
	struct table *one = &t->t[id];

	if (one->mem)
		munmap(one->mem, one->bytes);
	one->mem = NULL;
}

static bool same_shape(const struct bpf_map_info *info, const struct bpf_map *map)
{
	return info->type == bpf_map__type(map) && info->key_size == bpf_map__key_size(map) &&
	       info->value_size == bpf_map__value_size(map) && info->map_flags == bpf_map__map_flags(map);
}

static int adopt_one(const char *folder, int i, const struct programs *programs, struct table *t, char **reterr_why)
{
	const struct bpf_map *map = map_of(programs, i);
	struct bpf_map_info info = {};
	__u32 n = sizeof(info);
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
	t->fd = bpf_obj_get(path);
	if (t->fd < 0 || bpf_obj_get_info_by_fd(t->fd, &info, &n) < 0)
		return xb_why(reterr_why, -errno, "cannot open pinned map '%s': %m; kube-proxy --cleanup removes what is left", path);
	if (!same_shape(&info, map))
		return xb_why(reterr_why, -EPROTO,
			      "pinned map '%s' is of another layout than this program's; kube-proxy --cleanup removes it", path);
	t->size = info.max_entries;
	return table_map(t, i);
}

int tables_adopt(const char *folder, struct tables **ret, char **reterr_why)
{
	_cleanup_(tables_freep) struct tables *t = NULL;
	const struct xb_hdr *hdr;
	int r;

	if (access(folder, F_OK) < 0)
		return -errno;
	t = tables_new();
	if (!t)
		return -ENOMEM;
	r = programs_open(1u << OBJECT_SOCK, &t->programs, reterr_why);
	for (int i = 0; r == 0 && i < N_TABLES; i++)
		r = adopt_one(folder, i, &t->programs, &t->t[i], reterr_why);
	if (r < 0)
		return r;
	hdr = t->t[TABLE_HDR].mem;
	if (hdr->version != XB_ABI_VERSION)
		return xb_why(reterr_why, -EPROTO, "the tables in '%s' are of version %u and this program's of version %u; kube-proxy --cleanup removes them",
			      folder, hdr->version, XB_ABI_VERSION);
	*ret = TAKE_PTR(t);
	return 0;
}

static int own_netns(__u64 *ret)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t n = sizeof(*ret);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, ret, &n) < 0)
		return -errno;
	return 0;
}

static int seed_of(const struct tables *from, __u64 *ret)
{
	if (from) {
		*ret = ((const struct xb_hdr *)from->t[TABLE_HDR].mem)->hash_seed;
		return 0;
	}
	return getrandom(ret, sizeof(*ret), 0) == sizeof(*ret) ? 0 : -errno;
}

static int configure(const struct programs *programs, const __u32 sizes[N_TABLES], __u64 seed)
{
	__u64 netns;
	int r = own_netns(&netns);
	const struct setting settings[] = {
		{ "fe_seed", seed },
		{ "fe4_mask", sizes[TABLE_FE4] - 1 },
		{ "fe6_mask", sizes[TABLE_FE6] - 1 },
		{ "rev_mask", sizes[TABLE_REV] - 1 },
		{ "flow4_mask", sizes[TABLE_FLOW4] - 1 },
		{ "flow6_mask", sizes[TABLE_FLOW6] - 1 },
		{ "flow4_old_mask", sizes[TABLE_FLOW4_OLD] - 1 },
		{ "flow6_old_mask", sizes[TABLE_FLOW6_OLD] - 1 },
		{ "drop_mask", sizes[TABLE_DROP] - 1 },
		{ "new_mask", sizes[TABLE_NEW] - 1 },
		{ "jiffies_per_second", xb_jiffies_per_second() },
		{ "tick_shift", xb_tick_shift() },
		{ "node_netns", netns },
	};

	return r < 0 ? r : programs_set(programs, settings, ARRAY_SIZE(settings));
}

/* The map that from has for a table of a generation; -1: it is a new one. */
static int known_map(const struct tables *from, const __u32 sizes[N_TABLES], int i)
{
	int of = i == TABLE_FLOW4_OLD ? TABLE_FLOW4 : i == TABLE_FLOW6_OLD ? TABLE_FLOW6 : -1;

	if (!from)
		return -1;
	if (of >= 0 && sizes[i] == from->t[of].size && sizes[of] != from->t[of].size)
		return from->t[of].fd;
	return sizes[i] == from->t[i].size ? from->t[i].fd : -1;
}

/* The first object that has a map makes it, unless from has it; the others get the same. */
static int load_object(struct tables *t, enum object_id object, const struct tables *from, const __u32 sizes[N_TABLES], char **reterr_why)
{
	struct bpf_map *maps[N_TABLES];
	int r = 0;

	/* all at first: a map that is another's has the name that it had there */
	for (int i = 0; i < N_TABLES; i++)
		maps[i] = programs_map(&t->programs, object, names[i]);
	for (int i = 0; i < N_TABLES && r == 0; i++) {
		int known = t->t[i].fd >= 0 ? t->t[i].fd : known_map(from, sizes, i);

		if (!maps[i])
			continue;
		if (known >= 0)
			r = bpf_map__reuse_fd(maps[i], known);
		else
			r = bpf_map__set_max_entries(maps[i], sizes[i]);
	}
	if (r == 0)
		r = programs_load(&t->programs, object, reterr_why);
	for (int i = 0; i < N_TABLES && r == 0; i++) {
		if (!maps[i] || t->t[i].fd >= 0)
			continue;
		t->t[i].size = sizes[i];
		t->t[i].fd = fcntl(bpf_map__fd(maps[i]), F_DUPFD_CLOEXEC, 0);
		r = t->t[i].fd < 0 ? -errno : table_map(&t->t[i], i);
	}
	return r;
}

int tables_load(const struct tables *from, unsigned objects, const __u32 sizes[N_TABLES], struct tables **ret, char **reterr_why)
{
	_cleanup_(tables_freep) struct tables *t = tables_new();
	struct xb_hdr *hdr;
	__u64 seed;
	int r;

	if (!t)
		return -ENOMEM;
	r = seed_of(from, &seed);
	if (r == 0)
		r = programs_open(objects, &t->programs, reterr_why);
	if (r == 0)
		r = configure(&t->programs, sizes, seed);
	for (int i = 0; i < N_OBJECTS && r == 0; i++)
		if (objects & 1u << i)
			r = load_object(t, i, from, sizes, reterr_why);
	if (r < 0)
		return r;
	hdr = t->t[TABLE_HDR].mem;
	hdr->version = XB_ABI_VERSION;
	hdr->agent_pid = (__u32)getpid();
	hdr->hash_seed = seed;
	*ret = TAKE_PTR(t);
	return 0;
}

/* No dot in the name: the BPF file system has none. */
static int next_folder(const char *folder, char ret[PATH_MAX])
{
	return snprintf(ret, PATH_MAX, "%s_next", folder) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int tables_sweep(const char *folder)
{
	char next[PATH_MAX];
	int r = next_folder(folder, next);

	return r < 0 ? r : xb_bpffs_remove(next);
}

int tables_pin(const struct tables *t, const char *folder, char **reterr_why)
{
	char next[PATH_MAX], path[PATH_MAX];
	int r = next_folder(folder, next);

	if (r == 0)
		r = xb_bpffs_remove(next);
	if (r == 0)
		r = xb_bpffs_mkdir(next);
	for (int i = 0; r == 0 && i < N_TABLES; i++) {
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", next, names[i]) >= sizeof(path))
			r = -ENAMETOOLONG;
		else if (bpf_obj_pin(t->t[i].fd, path) < 0)
			r = -errno;
	}
	if (r == 0 && renameat2(AT_FDCWD, next, AT_FDCWD, folder, RENAME_EXCHANGE) < 0)
		r = errno == ENOENT && rename(next, folder) == 0 ? 0 : -errno;
	xb_bpffs_remove(next);
	if (r < 0)
		return xb_why(reterr_why, r, "cannot pin the maps in '%s': %s", folder, strerror(-r));
	return 0;
}

const char *tables_name(enum table_id id)
{
	return names[id];
}

__u64 tables_memory(const struct tables *t)
{
	__u64 sum = 0, one;

	for (int i = 0; i < N_TABLES; i++)
		if (xb_bpf_memory(t->t[i].fd, &one) == 0)
			sum += one;
	return sum;
}
