/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <bpf/bpf.h>
#include "tables.h"
#include "xb/abi/hdr.h"
#include "xb/bpfobj.h"
#include "xb/why.h"
#include "sock.skel.h"

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
};

/* For a small cluster: about 1.4 MB. Most of it is xb_rev and xb_aff, whose size goes with connections and not with services; the
 * backends have room for many changes between two waits for a grace period. */
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
	[TABLE_AFF] = 4096,
	[TABLE_METRICS] = 1,
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
	if (t->programs)
		sock__destroy(t->programs);
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

static struct bpf_map *map_of(const struct sock *programs, int i)
{
	return bpf_object__find_map_by_name(programs->obj, names[i]);
}

static int table_map(struct table *t, const struct bpf_map *map)
{
	if (!(bpf_map__map_flags(map) & BPF_F_MMAPABLE))
		return 0;
	return xb_bpf_mmap(t->fd, &t->mem, &t->bytes);
}

static int open_programs(struct sock **ret, char **reterr_why)
{
	struct sock *programs = sock__open();

	if (!programs)
		return xb_why(reterr_why, -errno, "cannot open the built-in BPF programs: %m");
	*ret = programs;
	return 0;
}

static bool same_shape(const struct bpf_map_info *info, const struct bpf_map *map)
{
	return info->type == bpf_map__type(map) && info->key_size == bpf_map__key_size(map) &&
	       info->value_size == bpf_map__value_size(map) && info->map_flags == bpf_map__map_flags(map);
}

static int adopt_one(const char *folder, int i, const struct sock *programs, struct table *t, char **reterr_why)
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
	return table_map(t, map);
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
	r = open_programs(&t->programs, reterr_why);
	for (int i = 0; r == 0 && i < N_TABLES; i++)
		r = adopt_one(folder, i, t->programs, &t->t[i], reterr_why);
	if (r < 0)
		return r;
	hdr = t->t[TABLE_HDR].mem;
	if (hdr->version != XB_ABI_VERSION)
		return xb_why(reterr_why, -EPROTO, "the tables in '%s' are of version %u and this program's of version %u; kube-proxy --cleanup removes them",
			      folder, hdr->version, XB_ABI_VERSION);
	*ret = TAKE_PTR(t);
	return 0;
}

static __u32 jiffies_per_second(void)
{
	struct timespec tick;

	/* the coarse clocks advance once a tick, and say so */
	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) < 0 || tick.tv_nsec < 1000)
		return 250;
	return (__u32)((1000000000 + tick.tv_nsec / 2) / tick.tv_nsec);
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

static int configure(struct sock *programs, const struct tables *from, const __u32 sizes[N_TABLES], __u64 seed)
{
	__u64 netns;
	int r;

	r = own_netns(&netns);
	if (r < 0)
		return r;
	programs->rodata->fe_seed = seed;
	programs->rodata->fe4_mask = sizes[TABLE_FE4] - 1;
	programs->rodata->fe6_mask = sizes[TABLE_FE6] - 1;
	programs->rodata->rev_mask = sizes[TABLE_REV] - 1;
	programs->rodata->jiffies_per_second = jiffies_per_second();
	programs->rodata->node_netns = netns;
	for (int i = 0; r == 0 && i < N_TABLES; i++) {
		struct bpf_map *map = map_of(programs, i);

		if (from && from->t[i].size == sizes[i])
			r = bpf_map__reuse_fd(map, from->t[i].fd);
		else
			r = bpf_map__set_max_entries(map, sizes[i]);
	}
	return r;
}

static int take_maps(struct tables *t, const __u32 sizes[N_TABLES])
{
	for (int i = 0; i < N_TABLES; i++) {
		const struct bpf_map *map = map_of(t->programs, i);
		int r;

		t->t[i].size = sizes[i];
		t->t[i].fd = fcntl(bpf_map__fd(map), F_DUPFD_CLOEXEC, 0);
		if (t->t[i].fd < 0)
			return -errno;
		r = table_map(&t->t[i], map);
		if (r < 0)
			return r;
	}
	return 0;
}

int tables_load(const struct tables *from, const __u32 sizes[N_TABLES], struct tables **ret, char **reterr_why)
{
	_cleanup_(tables_freep) struct tables *t = tables_new();
	struct xb_hdr *hdr;
	__u64 seed;
	int r;

	if (!t)
		return -ENOMEM;
	r = seed_of(from, &seed);
	if (r < 0)
		return r;
	r = open_programs(&t->programs, reterr_why);
	if (r < 0)
		return r;
	r = configure(t->programs, from, sizes, seed);
	if (r < 0)
		return r;
	r = sock__load(t->programs);
	if (r == -EPERM)
		return xb_why(reterr_why, r, "the kernel does not let this process load BPF: it needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON (or root)");
	if (r < 0)
		return xb_why(reterr_why, r, "cannot load the BPF programs: %s (Linux 6.1 or later is needed)", strerror(-r));
	r = take_maps(t, sizes);
	if (r < 0)
		return r;
	hdr = t->t[TABLE_HDR].mem;
	*hdr = (struct xb_hdr){ .version = XB_ABI_VERSION, .agent_pid = (__u32)getpid(), .hash_seed = seed };
	*ret = TAKE_PTR(t);
	return 0;
}

int tables_pin(const struct tables *t, const char *folder, char **reterr_why)
{
	char next[PATH_MAX], path[PATH_MAX];
	int r;

	/* no dot in the name: the BPF file system has none */
	if ((size_t)snprintf(next, sizeof(next), "%s_next", folder) >= sizeof(next))
		return -ENAMETOOLONG;
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

__u64 tables_memory(const struct tables *t)
{
	__u64 sum = 0, one;

	for (int i = 0; i < N_TABLES; i++)
		if (xb_bpf_memory(t->t[i].fd, &one) == 0)
			sum += one;
	return sum;
}
