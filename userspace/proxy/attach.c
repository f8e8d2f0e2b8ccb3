/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "attach.h"
#include "places.h"
#include "strays.h"
#include "xb/abi/hdr.h"
#include "xb/bpfobj.h"
#include "xb/log.h"
#include "xb/why.h"

#define HOOKS_MAX 16
#define OTHERS_MOST 64               /* programs at one hook */
#define NAMES_MOST ((size_t)1000)    /* bytes of a log line */

struct attach {
	char root[PATH_MAX], maps[PATH_MAX], links[PATH_MAX];
	char *bpffs_path, *cgroup_path; /* in the caller's words, for sentences */
	int lock, cgroup;
	__u64 cgroup_id;
	struct devices *devices;
	bool told;                  /* of programs of others */
};

/* One hook: its link, and whether that is new and not pinned yet. */
struct hook {
	const struct bpf_program *program;
	int link;
	bool fresh;
};

static void holder_of(const char *root, char *ret, size_t n)
{
	char path[PATH_MAX];
	struct xb_hdr hdr;
	__u32 zero = 0;
	_cleanup_close_ int fd = -1;

	snprintf(path, sizeof(path), "%s/v%u/maps/xb_hdr", root, XB_ABI_VERSION);
	fd = bpf_obj_get(path);
	if (fd >= 0 && bpf_map_lookup_elem(fd, &zero, &hdr) == 0)
		snprintf(ret, n, "the process with PID %u", hdr.agent_pid);
	else
		snprintf(ret, n, "another process");
}

static int lock_root(const char *root, int *ret_fd, char **reterr_why)
{
	_cleanup_close_ int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char holder[64];

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return -errno;
		holder_of(root, holder, sizeof(holder));
		return xb_why(reterr_why, -EBUSY, "'%s' is in use by %s: two agents cannot write the same tables", root, holder);
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* Of one with pins elsewhere: each would take the other's programs for what an earlier run left. */
static int lock_cgroup(const struct attach *a, char **reterr_why)
{
	if (flock(a->cgroup, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return xb_why(reterr_why, -errno, "cannot lock cgroup '%s': %s", a->cgroup_path, strerror(errno));
	return xb_why(reterr_why, -EBUSY, "cgroup '%s' has the programs of another kube-proxy, which runs with another --bpffs-path", a->cgroup_path);
}

static int refuse_other_versions(const char *root, char **reterr_why)
{
	char ours[16];
	struct dirent *e;
	DIR *d = opendir(root);
	int r = 0;

	if (!d)
		return -errno;
	snprintf(ours, sizeof(ours), "v%u", XB_ABI_VERSION);
	while (r == 0 && (e = readdir(d)))
		if (e->d_name[0] != '.' && strcmp(e->d_name, ours))
			r = xb_why(reterr_why, -EPROTO, "'%s/%s' belongs to another version of kube-proxy (this one's is %s); kube-proxy --cleanup removes it",
				   root, e->d_name, ours);
	closedir(d);
	return r;
}

static int make_folders(struct attach *a, const char *bpffs_path, char **reterr_why)
{
	char version[PATH_MAX];
	int r;

	if (strlen(bpffs_path) > PATH_MAX - 64)
		return -ENAMETOOLONG;
	snprintf(a->root, sizeof(a->root), "%s/xebec", bpffs_path);
	snprintf(version, sizeof(version), "%.*s/v%u", PATH_MAX - 32, a->root, XB_ABI_VERSION);
	snprintf(a->maps, sizeof(a->maps), "%.*s/maps", PATH_MAX - 16, version);
	snprintf(a->links, sizeof(a->links), "%.*s/links", PATH_MAX - 16, version);
	r = xb_bpffs_mkdir(a->root);
	if (r == 0)
		r = lock_root(a->root, &a->lock, reterr_why);
	if (r == 0)
		r = refuse_other_versions(a->root, reterr_why);
	if (r == 0)
		r = xb_bpffs_mkdir(version);
	if (r == 0)
		r = xb_bpffs_mkdir(a->links);
	if (r < 0 && reterr_why && !*reterr_why)
		return xb_why(reterr_why, r, "cannot make '%s': %s", a->links, strerror(-r));
	return r;
}

int attach_open(const struct attach_config *c, struct attach **ret, char **reterr_why)
{
	_cleanup_(attach_closep) struct attach *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return -ENOMEM;
	a->lock = a->cgroup = -1;
	a->bpffs_path = strdup(c->bpffs_path);
	a->cgroup_path = strdup(c->cgroup_path);
	if (!a->bpffs_path || !a->cgroup_path)
		return -ENOMEM;
	r = xb_bpffs_check(c->bpffs_path, reterr_why);
	if (r == 0)
		r = xb_cgroup_open(c->cgroup_path, &a->cgroup, &a->cgroup_id, reterr_why);
	if (r == 0)
		r = make_folders(a, c->bpffs_path, reterr_why);
	if (r == 0)
		r = lock_cgroup(a, reterr_why);
	if (r == 0)
		r = devices_new(a->links, c->xdp_devices, &a->devices);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(a);
	return 0;
}

struct attach *attach_close(struct attach *a)
{
	if (a) {
		xb_closep(&a->lock);
		xb_closep(&a->cgroup);
		devices_free(a->devices);
		free(a->bpffs_path);
		free(a->cgroup_path);
		free(a);
	}
	return NULL;
}

const char *attach_maps_folder(const struct attach *a)
{
	return a->maps;
}

struct devices *attach_devices(const struct attach *a)
{
	return a->devices;
}

static void link_path(const struct attach *a, const struct bpf_program *program, const char *suffix, char *ret, size_t n)
{
	snprintf(ret, n, "%.*s/%s%s", PATH_MAX - 64, a->links, bpf_program__name(program), suffix);
}

/* A link stays when its cgroup was removed, with id 0, and does nothing then. */
static bool link_is_on(int link, __u64 cgroup_id)
{
	struct bpf_link_info info = {};
	__u32 n = sizeof(info);

	return bpf_obj_get_info_by_fd(link, &info, &n) == 0 && info.type == BPF_LINK_TYPE_CGROUP && info.cgroup.cgroup_id == cgroup_id;
}

static int hook_get(const struct attach *a, struct hook *h, char **reterr_why)
{
	char path[PATH_MAX];
	int r;

	link_path(a, h->program, "", path, sizeof(path));
	h->link = bpf_obj_get(path);
	if (h->link >= 0 && link_is_on(h->link, a->cgroup_id))
		return 0;
	xb_closep(&h->link);
	h->link = bpf_link_create(bpf_program__fd(h->program), a->cgroup, bpf_program__expected_attach_type(h->program), NULL);
	if (h->link >= 0) {
		h->fresh = true;
		return 0;
	}
	r = -errno;
	if (r == -EPERM)
		return xb_why(reterr_why, r, "cannot attach to cgroup '%s': a cgroup above it has a program of the same kind that was attached without BPF_F_ALLOW_MULTI (bpftool cgroup tree shows it)",
			      a->cgroup_path);
	return xb_why(reterr_why, r, "cannot attach %s to cgroup '%s': %s", bpf_program__name(h->program), a->cgroup_path, strerror(-r));
}

static int hook_commit(const struct attach *a, struct hook *h)
{
	char path[PATH_MAX], next[PATH_MAX];

	if (!h->fresh)
		return bpf_link_update(h->link, bpf_program__fd(h->program), NULL) < 0 ? -errno : 0;
	link_path(a, h->program, "", path, sizeof(path));
	link_path(a, h->program, "_next", next, sizeof(next));
	unlink(next);
	return bpf_obj_pin(h->link, next) < 0 || rename(next, path) < 0 ? -errno : 0;
}

/* In this cgroup, and above it. */
static size_t hook_others(const struct attach *a, const struct hook *h, struct xb_buf *out)
{
	struct bpf_prog_info info = {};
	__u32 ids[OTHERS_MOST], n = OTHERS_MOST, flags, bytes = sizeof(info);
	enum bpf_attach_type type = bpf_program__expected_attach_type(h->program);
	int r = bpf_prog_query(a->cgroup, type, BPF_F_QUERY_EFFECTIVE, &flags, ids, &n);

	/* there are more: those that fit have been told */
	if (r == -ENOSPC)
		n = OTHERS_MOST;
	else if (r < 0)
		return 0;
	bpf_obj_get_info_by_fd(bpf_program__fd(h->program), &info, &bytes);
	return programs_others(ids, n, info.id, bpf_program__section_name(h->program), out);
}

static void tell_others(struct attach *a, const struct hook *hooks, size_t n)
{
	_cleanup_buf_ struct xb_buf names = {};
	size_t others = 0;

	for (size_t i = 0; i < n && !a->told; i++)
		others += hook_others(a, &hooks[i], &names);
	if (others)
		log_info("%zu programs of others at hooks of cgroup '%s' stay, and run too: %.*s%s", others, a->cgroup_path,
			 (int)MIN(names.n, NAMES_MOST), names.p, names.n > NAMES_MOST ? "..." : "");
	a->told = true;
}

int attach_programs(struct attach *a, struct tables *t, char **reterr_why)
{
	struct hook hooks[HOOKS_MAX];
	struct bpf_program *program;
	size_t n = 0;
	int r = 0;

	/* all links first: those that are new go away by themselves if one cannot be had */
	bpf_object__for_each_program(program, t->programs.object[OBJECT_SOCK]) {
		if (n == HOOKS_MAX || r < 0)
			break;
		hooks[n] = (struct hook){ .program = program, .link = -1 };
		r = hook_get(a, &hooks[n++], reterr_why);
	}
	for (size_t i = 0; i < n && r == 0; i++) {
		r = hook_commit(a, &hooks[i]);
		if (r < 0)
			xb_why(reterr_why, r, "cannot put %s in place: %s", bpf_program__name(hooks[i].program), strerror(-r));
	}
	for (size_t i = 0; i < n; i++)
		xb_closep(&hooks[i].link);
	if (r == 0)
		tell_others(a, hooks, n);
	if (r == 0)
		r = devices_use(a->devices, &t->programs, reterr_why);
	if (r < 0)
		return r;
	programs_close(&t->programs);
	return 0;
}

/* --- when another BPF file system is mounted there --- */
bool attach_is_home(const struct attach *a)
{
	struct stat locked, there;

	return fstat(a->lock, &locked) == 0 && stat(a->root, &there) == 0 && locked.st_dev == there.st_dev && locked.st_ino == there.st_ino;
}

/* No name leads to the old folder any more, but the lock's descriptor does. */
static int move_links(int lock, const char *to)
{
	char from[PATH_MAX];
	struct dirent *e;
	DIR *d;
	int r = 0;

	snprintf(from, sizeof(from), "/proc/self/fd/%d/v%u/links", lock, XB_ABI_VERSION);
	d = opendir(from);
	if (!d)
		return -errno;
	while (r == 0 && (e = readdir(d))) {
		char path[PATH_MAX], next[PATH_MAX];
		_cleanup_close_ int fd = -1;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%.*s/%s", 64, from, e->d_name);
		snprintf(next, sizeof(next), "%.*s/%s", PATH_MAX - 300, to, e->d_name);
		fd = bpf_obj_get(path);
		if (fd < 0 || bpf_obj_pin(fd, next) < 0)
			r = -errno;
	}
	closedir(d);
	return r;
}

int attach_move(struct attach *a, const struct tables *t, char **reterr_why)
{
	_cleanup_close_ int lock = -1;
	struct attach next = { .lock = -1 };
	int r = xb_bpffs_check(a->bpffs_path, reterr_why);

	if (r < 0)
		return r;
	r = make_folders(&next, a->bpffs_path, reterr_why);
	lock = next.lock;
	if (r == 0 && access(next.maps, F_OK) == 0)
		r = xb_why(reterr_why, -EEXIST, "'%s' is of another run", next.maps);
	if (r == 0)
		r = tables_pin(t, next.maps, reterr_why);
	if (r < 0)
		return r;
	r = move_links(a->lock, next.links);
	if (r < 0) {
		xb_bpffs_remove(a->root);
		return xb_why(reterr_why, r, "cannot pin the links in '%s': %s", next.links, strerror(-r));
	}
	xb_closep(&a->lock);
	a->lock = TAKE_FD(lock);
	return 0;
}

void attach_sweep(struct attach *a)
{
	size_t n = strays_detach(a->links, a->cgroup_id, a->devices);

	if (!n)
		return;
	log_info("programs of an earlier run, whose pins are gone or elsewhere, were detached from %zu hooks", n);
	/* where XDP had no place beside them */
	devices_retry(a->devices);
}

/* --- leaving --- */
static void detach_links(const char *folder)
{
	struct dirent *e;
	DIR *d = opendir(folder);

	while (d && (e = readdir(d))) {
		char path[PATH_MAX];
		_cleanup_close_ int fd = -1;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%.*s/%s", PATH_MAX - 300, folder, e->d_name);
		fd = bpf_obj_get(path);
		if (fd >= 0)
			bpf_link_detach(fd);
	}
	if (d)
		closedir(d);
}

static void detach_all_versions(const char *root)
{
	struct dirent *e;
	DIR *d = opendir(root);

	while (d && (e = readdir(d))) {
		char links[PATH_MAX];

		if (e->d_name[0] == '.')
			continue;
		snprintf(links, sizeof(links), "%.*s/%s/links", PATH_MAX - 300, root, e->d_name);
		detach_links(links);
	}
	if (d)
		closedir(d);
}

int attach_cleanup(const char *bpffs_path, char **reterr_why)
{
	_cleanup_close_ int lock = -1;
	char root[PATH_MAX];
	int r;

	r = places_cleanup();
	if (r < 0)
		return xb_why(reterr_why, r, "cannot remove filters from devices: %s", strerror(-r));
	r = xb_bpffs_check(bpffs_path, reterr_why);
	if (r < 0)
		return r;
	if ((size_t)snprintf(root, sizeof(root), "%s/xebec", bpffs_path) >= sizeof(root))
		return -ENAMETOOLONG;
	r = lock_root(root, &lock, reterr_why);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	detach_all_versions(root);
	r = xb_bpffs_remove(root);
	return r < 0 ? xb_why(reterr_why, r, "cannot remove '%s': %s", root, strerror(-r)) : 0;
}
