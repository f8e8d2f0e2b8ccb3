/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <bpf/bpf.h>
#include <string.h>
#include "data_plane.h"
#include "xb/bpfobj.h"
#include "xb/why.h"

/* --- eBPF: apply.h, where a change holds when its function returns --- */
static bool refused_by_kernel(void)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "xb_probe", sizeof(__u32), sizeof(__u32), 1, NULL);

	if (fd < 0)
		return fd == -EPERM || fd == -ENOSYS;
	close(fd);
	return false;
}

static int ebpf_open(const struct apply_config *c, void **ret_tables, char **reterr_why)
{
	_cleanup_free_ char *why = NULL;
	struct apply *a;
	int r;

	if (!c->cgroup_path)
		r = xb_why(&why, -ENOENT, "cgroup2 is not mounted: mount it, or give --cgroup-path");
	else
		r = apply_open(c, &a, &why);
	if (!r) {
		*ret_tables = a;
		return 0;
	}
	/* What else is missing does not matter then. */
	if (r != -EPERM && r != -ENOSYS && refused_by_kernel())
		return xb_why(reterr_why, -EPERM, "the kernel does not let this process use BPF: it needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON (or root)");
	*reterr_why = TAKE_PTR(why);
	return r;
}

static void ebpf_close(void *tables)
{
	apply_close(tables);
}

static int ebpf_reserve(void *tables, const struct xb_plan_counts *more)
{
	return apply_reserve(tables, more);
}

static int ebpf_set(void *tables, const struct xb_plan_port *p, char **reterr_why)
{
	return apply_set(tables, p, reterr_why);
}

static int ebpf_remove(void *tables, const char *name, int family, enum xb_proto proto)
{
	return apply_remove(tables, name, family, proto);
}

static int ebpf_prune(void *tables)
{
	return apply_prune(tables);
}

static int ebpf_set_node_addrs(void *tables, int family, const struct xb_plan_addr *addrs, size_t n)
{
	return apply_set_node_addrs(tables, family, addrs, n);
}

static int ebpf_set_node(void *tables, const struct xb_plan_node *node)
{
	return apply_set_node(tables, node);
}

static int ebpf_set_devices(void *tables, const struct xb_link *links, size_t n)
{
	return apply_set_devices(tables, links, n);
}

static int ebpf_commit(void *tables, char **reterr_why)
{
	apply_commit(tables);
	return 0;
}

static int ebpf_tend(void *tables)
{
	return apply_tend(tables);
}

static int ebpf_cleanup(const char *bpffs_path, char **reterr_why)
{
	return xb_bpffs_check(bpffs_path, reterr_why) < 0 ? -ENOENT : apply_cleanup(bpffs_path, reterr_why);
}

static void ebpf_stats(const void *tables, struct apply_stats *ret)
{
	apply_stats(tables, ret);
}

static int ebpf_reasons(const void *tables, __u64 ret[XB_REASONS])
{
	return apply_reasons(tables, ret);
}

const struct data_plane data_plane_ebpf = {
	.mode = "ebpf",
	.open = ebpf_open,
	.close = ebpf_close,
	.reserve = ebpf_reserve,
	.set = ebpf_set,
	.remove = ebpf_remove,
	.prune = ebpf_prune,
	.set_node_addrs = ebpf_set_node_addrs,
	.set_node = ebpf_set_node,
	.set_devices = ebpf_set_devices,
	.commit = ebpf_commit,
	.tend = ebpf_tend,
	.stats = ebpf_stats,
	.reasons = ebpf_reasons,
	.cleanup = ebpf_cleanup,
};

const struct data_plane *const data_planes[] = { &data_plane_ebpf, &data_plane_nftables, NULL };

const struct data_plane *data_plane_find(const char *mode)
{
	for (size_t i = 0; data_planes[i]; i++)
		if (!strcmp(data_planes[i]->mode, mode))
			return data_planes[i];
	return NULL;
}
