/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <bpf/bpf.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include "strays.h"
#include "xb/vec.h"

#define PREFIX "xb_"                /* of all programs of ours */

struct ids {
	XB_VEC(__u32) all;
};

static bool read_link(int fd, struct bpf_link_info *ret)
{
	__u32 n = sizeof(*ret);

	*ret = (struct bpf_link_info){};
	return fd >= 0 && bpf_obj_get_info_by_fd(fd, ret, &n) == 0;
}

static int read_pinned(const char *folder, struct ids *ret)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	int r = d ? 0 : -errno;

	while (r == 0 && (e = readdir(d))) {
		char path[PATH_MAX];
		struct bpf_link_info info;
		_cleanup_close_ int fd = -1;

		if (e->d_name[0] == '.' || snprintf(path, sizeof(path), "%s/%s", folder, e->d_name) >= (int)sizeof(path))
			continue;
		fd = bpf_obj_get(path);
		if (read_link(fd, &info))
			r = xb_vec_push(&ret->all, info.id);
	}
	if (d)
		closedir(d);
	return r;
}

static bool has_id(const struct ids *ids, __u32 id)
{
	for (size_t i = 0; i < ids->all.n; i++)
		if (ids->all.v[i] == id)
			return true;
	return false;
}

static bool is_ours(__u32 program)
{
	_cleanup_close_ int fd = bpf_prog_get_fd_by_id(program);
	char name[BPF_OBJ_NAME_LEN] = "";

	if (fd >= 0)
		program_name(fd, name, sizeof(name));
	return !strncmp(name, PREFIX, strlen(PREFIX));
}

static bool is_here(const struct bpf_link_info *l, __u64 cgroup_id, const struct devices *d)
{
	return l->type == BPF_LINK_TYPE_CGROUP ? l->cgroup.cgroup_id == cgroup_id : devices_have(d, l);
}

size_t strays_detach(const char *links, __u64 cgroup_id, const struct devices *d)
{
	struct ids pinned = {};
	size_t detached = 0;
	int r = read_pinned(links, &pinned);

	for (__u32 id = 0; r == 0 && bpf_link_get_next_id(id, &id) == 0;) {
		_cleanup_close_ int fd = bpf_link_get_fd_by_id(id);
		struct bpf_link_info info;

		if (read_link(fd, &info) && !has_id(&pinned, id) && is_here(&info, cgroup_id, d) && is_ours(info.prog_id))
			detached += bpf_link_detach(fd) == 0;
	}
	xb_vec_done(&pinned.all);
	return detached;
}
