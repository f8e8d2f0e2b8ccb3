/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "hooks.h"
#include "../cluster/cgroup.h"
#include "xb/netlink.h"
#include "xb/why.h"
#include "../xalloc.h"

/* Linux 6.6 */
#define TCX_INGRESS 46
#define TCX_EGRESS  47

#define PROGRAMS_MOST 64
#define FILEID_KERNFS 0xfe      /* include/linux/exportfs.h: a cgroup's id is its handle */

static const struct {
	const char *hook;
	enum bpf_attach_type type;
} cgroup_hooks[] = {
	{ "connect4", BPF_CGROUP_INET4_CONNECT }, { "connect6", BPF_CGROUP_INET6_CONNECT }, { "sendmsg4", BPF_CGROUP_UDP4_SENDMSG },
	{ "sendmsg6", BPF_CGROUP_UDP6_SENDMSG }, { "recvmsg4", BPF_CGROUP_UDP4_RECVMSG }, { "recvmsg6", BPF_CGROUP_UDP6_RECVMSG },
	{ "getpeername4", BPF_CGROUP_INET4_GETPEERNAME }, { "getpeername6", BPF_CGROUP_INET6_GETPEERNAME },
};

/* What the pinned links say. */
struct links {
	XB_VEC(__u32) programs;
	__u64 cgroup;           /* its id; 0: no program is on one */
};

void hooks_done(struct hooks *h)
{
	for (size_t i = 0; i < h->v.n; i++)
		free(h->v.v[i].where);
	xb_vec_done(&h->v);
}

static void read_link(const char *path, struct links *l)
{
	_cleanup_close_ int fd = bpf_obj_get(path);
	struct bpf_link_info info = {};
	__u32 n = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &n) < 0)
		return; /* is none, or has gone */
	xalloc(xb_vec_push(&l->programs, info.prog_id) ? NULL : l->programs.v);
	if (info.type == BPF_LINK_TYPE_CGROUP)
		l->cgroup = info.cgroup.cgroup_id;
}

static int read_links(const char *folder, struct links *l, char **reterr_why)
{
	DIR *d = opendir(folder);
	struct dirent *e;

	if (!d)
		return xb_why(reterr_why, -errno, "cannot open '%s': %m", folder);
	while ((e = readdir(d))) {
		_cleanup_free_ char *path = xprintf("%s/%s", folder, e->d_name);

		if (e->d_name[0] != '.')
			read_link(path, l);
	}
	closedir(d);
	return 0;
}

static bool is_ours(const struct links *l, __u32 id)
{
	for (size_t i = 0; i < l->programs.n; i++)
		if (l->programs.v[i] == id)
			return true;
	return false;
}

static void add(struct hooks *h, const struct links *l, const char *hook, const char *where, __u32 id)
{
	struct hook_program p = { .hook = hook, .where = xprintf("%s", where), .id = id, .ours = is_ours(l, id) };
	_cleanup_close_ int fd = bpf_prog_get_fd_by_id(id);
	struct bpf_prog_info info = {};
	__u32 n = sizeof(info);

	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &n))
		snprintf(p.name, sizeof(p.name), "%s", info.name);
	xalloc(xb_vec_push(&h->v, p) ? NULL : h->v.v);
}

/* target: a cgroup's fd or a device's index. effective: those of cgroups above are asked too. */
static void add_all(struct hooks *h, const struct links *l, int target, enum bpf_attach_type type, bool effective, const char *hook,
		    const char *where)
{
	__u32 ids[PROGRAMS_MOST], n = PROGRAMS_MOST, flags = 0;

	if (bpf_prog_query(target, type, effective ? BPF_F_QUERY_EFFECTIVE : 0, &flags, ids, &n) < 0)
		return; /* this kernel has no such hook */
	for (__u32 i = 0; i < n; i++)
		add(h, l, hook, where, ids[i]);
}

/* --- the cgroup --- */
static int open_cgroup(__u64 id, char **ret_path)
{
	_cleanup_free_ char *mount = NULL, *fd_path = NULL;
	_cleanup_free_ struct file_handle *handle = xalloc(calloc(1, sizeof(*handle) + sizeof(id)));
	_cleanup_close_ int at = -1;
	char path[PATH_MAX];
	ssize_t n;
	int fd;

	if (cgroup_mount(&mount, NULL))
		return -ENOENT;
	at = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	handle->handle_bytes = sizeof(id);
	handle->handle_type = FILEID_KERNFS;
	memcpy(handle->f_handle, &id, sizeof(id));
	fd = open_by_handle_at(at, handle, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	fd_path = xprintf("/proc/self/fd/%d", fd);
	n = readlink(fd_path, path, sizeof(path) - 1);
	*ret_path = xprintf("%.*s", (int)MAX(n, 0), path);
	return fd;
}

static void add_cgroup(struct hooks *h, const struct links *l)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = l->cgroup ? open_cgroup(l->cgroup, &path) : -1;

	for (size_t i = 0; fd >= 0 && i < ARRAY_SIZE(cgroup_hooks); i++)
		add_all(h, l, fd, cgroup_hooks[i].type, true, cgroup_hooks[i].hook, path);
}

/* --- devices --- */
struct devices {
	struct hooks *h;
	const struct links *l;
	XB_VEC(struct xb_link) all;
	const struct xb_link *at;       /* whose filters are asked for */
};

static int add_device(void *arg, const struct xb_link *link)
{
	struct devices *d = arg;

	return xb_vec_push(&d->all, *link);
}

/* No link holds a filter: ours is known by its program's name. */
static int add_filter(void *arg, const struct xb_filter *f)
{
	const struct devices *d = arg;
	struct hook_program *p;

	add(d->h, d->l, f->egress ? "tc-egress" : "tc-ingress", d->at->name, f->program_id);
	p = &d->h->v.v[d->h->v.n - 1];
	if (!p->name[0])
		snprintf(p->name, sizeof(p->name), "%s", f->name[0] ? f->name : f->kind);
	p->ours = !strncmp(f->name, "xb_", 3);
	return 0;
}

static void add_programs(struct devices *d, struct xb_netlink *n)
{
	int ifindex = (int)d->at->ifindex;
	__u32 xdp = 0;

	if (!bpf_xdp_query_id(ifindex, 0, &xdp) && xdp)
		add(d->h, d->l, "xdp", d->at->name, xdp);
	add_all(d->h, d->l, ifindex, TCX_INGRESS, false, "tcx-ingress", d->at->name);
	xb_netlink_each_filter(n, d->at->ifindex, false, add_filter, d);
	add_all(d->h, d->l, ifindex, TCX_EGRESS, false, "tcx-egress", d->at->name);
	xb_netlink_each_filter(n, d->at->ifindex, true, add_filter, d);
}

static int add_devices(struct hooks *h, const struct links *l, char **reterr_why)
{
	_cleanup_(xb_netlink_freep) struct xb_netlink *n = NULL;
	struct devices d = { .h = h, .l = l };
	int r = xb_netlink_new(&n);

	if (!r)
		r = xb_netlink_each_link(n, add_device, &d);
	if (r == -EINTR)
		r = 0; /* devices come and go: these are those of about now */
	for (size_t i = 0; !r && i < d.all.n; i++) {
		d.at = &d.all.v[i];
		add_programs(&d, n);
	}
	xb_vec_done(&d.all);
	return r ? xb_why(reterr_why, r, "cannot list the devices: %s", strerror(-r)) : 0;
}

int hooks_read(const char *folder, struct hooks *ret, char **reterr_why)
{
	struct links l = {};
	int r = read_links(folder, &l, reterr_why);

	*ret = (struct hooks){};
	if (!r) {
		add_cgroup(ret, &l);
		r = add_devices(ret, &l, reterr_why);
	}
	xb_vec_done(&l.programs);
	return r;
}
