/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "xb/bpfobj.h"
#include "xb/macro.h"

static int map_memory(int map_fd, int protection, __u32 elements, void **ret, size_t *ret_bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes;
	struct bpf_map_info info = {};
	__u32 n = sizeof(info);
	void *p;

	if (bpf_obj_get_info_by_fd(map_fd, &info, &n) < 0)
		return -errno;
	bytes = (size_t)MIN(info.max_entries, elements) * ((info.value_size + 7) & ~7u);
	bytes = (bytes + page - 1) & ~(page - 1);
	p = mmap(NULL, bytes, protection, MAP_SHARED, map_fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	*ret_bytes = bytes;
	*ret = p;
	return 0;
}

int xb_bpf_mmap(int map_fd, void **ret, size_t *ret_bytes)
{
	return map_memory(map_fd, PROT_READ | PROT_WRITE, UINT32_MAX, ret, ret_bytes);
}

int xb_bpf_mmap_ro(int map_fd, const void **ret, size_t *ret_bytes)
{
	return xb_bpf_mmap_first(map_fd, UINT32_MAX, ret, ret_bytes);
}

int xb_bpf_mmap_first(int map_fd, __u32 elements, const void **ret, size_t *ret_bytes)
{
	void *p;
	int r = map_memory(map_fd, PROT_READ, elements, &p, ret_bytes);

	if (r == 0)
		*ret = p;
	return r;
}

int xb_bpf_memory(int map_fd, __u64 *ret)
{
	char path[64], line[128];
	unsigned long long bytes;
	int r = -ENODATA;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", map_fd);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "memlock: %llu", &bytes) != 1)
			continue;
		*ret = bytes;
		r = 0;
	}
	fclose(f);
	return r;
}

int xb_grace_open(struct xb_grace *ret)
{
	struct xb_grace g = { -1, -1 };

	g.inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "xb_grace_inner", sizeof(__u32), sizeof(__u32), 1, NULL);
	if (g.inner >= 0) {
		LIBBPF_OPTS(bpf_map_create_opts, opts, .inner_map_fd = g.inner);

		g.outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "xb_grace", sizeof(__u32), sizeof(__u32), 1, &opts);
	}
	if (g.outer < 0) {
		int r = -errno;

		xb_grace_done(&g);
		return r;
	}
	*ret = g;
	return 0;
}

void xb_grace_done(struct xb_grace *g)
{
	xb_closep(&g->outer);
	xb_closep(&g->inner);
	*g = (struct xb_grace){ -1, -1 };
}

int xb_grace_wait(const struct xb_grace *g)
{
	__u32 zero = 0;

	return bpf_map_update_elem(g->outer, &zero, &g->inner, BPF_ANY) < 0 ? -errno : 0;
}

int xb_bpf_percpu_sum(int map_fd, __u32 index, __u64 *ret, size_t n)
{
	int cpus = libbpf_num_possible_cpus();
	_cleanup_free_ __u64 *words = cpus > 0 ? calloc((size_t)cpus * n, sizeof(*words)) : NULL;

	if (cpus < 0)
		return cpus;
	if (!words)
		return -ENOMEM;
	if (bpf_map_lookup_elem(map_fd, &index, words) < 0)
		return -errno;
	memset(ret, 0, n * sizeof(*ret));
	for (size_t i = 0; i < (size_t)cpus * n; i++)
		ret[i % n] += words[i];
	return 0;
}
