/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <dirent.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "places.h"
#include "programs.h"
#include "xb/vec.h"
#include "xb/why.h"

/* Linux 6.6; not in the headers of 6.1. */
#define TCX_INGRESS   46
#define TCX_EGRESS    47
#define LINK_TYPE_TCX 11
#define TCX_BEFORE    (1u << 3)    /* BPF_F_BEFORE; without saying whom, all */

#define OTHERS_MOST   64           /* programs in one place */
#define LOOPBACK      1            /* its index, in every network namespace */
#define FILTER_HANDLE 0x7862       /* "xb" */
#define FILTER_NAME   "xb_"

static const char *const place_names[N_PLACES] = { "ingress", "egress", "xdp" };

struct ids {
	__u32 id[OTHERS_MOST], n;
};

static enum bpf_attach_type attach_type(enum place place)
{
	static const int types[N_PLACES] = { TCX_INGRESS, TCX_EGRESS, BPF_XDP };

	return (enum bpf_attach_type)types[place];
}

int places_init(struct places *p, const char *folder)
{
	__u32 flags, n = 0;
	int r;

	*p = (struct places){};
	if ((size_t)snprintf(p->folder, sizeof(p->folder), "%s", folder) >= sizeof(p->folder) - 64)
		return -ENAMETOOLONG;
	r = xb_netlink_new(&p->netlink);
	if (r < 0)
		return r;
	p->tcx = bpf_prog_query(LOOPBACK, attach_type(PLACE_INGRESS), 0, &flags, NULL, &n) == 0;
	return 0;
}

void places_done(struct places *p)
{
	xb_netlink_free(p->netlink);
	p->netlink = NULL;
}

static bool by_link(const struct places *p, enum place place)
{
	return place == PLACE_XDP || p->tcx;
}

static void pin_path(const struct places *p, uint32_t ifindex, enum place place, char ret[PATH_MAX])
{
	snprintf(ret, PATH_MAX, "%.*s/dev%u_%s", PATH_MAX - 64, p->folder, ifindex, place_names[place]);
}

/* --- by link: tcx, XDP --- */
static int programs_there(const struct places *p, uint32_t ifindex, enum place place, struct ids *ret)
{
	struct xb_link link;
	__u32 flags;
	int r;

	*ret = (struct ids){};
	if (place == PLACE_XDP) {
		r = xb_netlink_get_link(p->netlink, ifindex, &link);
		if (r < 0)
			return r;
		ret->id[0] = link.xdp;
		ret->n = link.xdp != 0;
		return 0;
	}
	ret->n = OTHERS_MOST;
	r = bpf_prog_query((int)ifindex, attach_type(place), 0, &flags, ret->id, &ret->n);
	/* there are more: those that fit have been told */
	if (r == -ENOSPC)
		ret->n = OTHERS_MOST;
	return r == -ENOSPC ? 0 : r;
}

static bool has_id(const struct ids *there, __u32 id)
{
	for (__u32 i = 0; i < there->n; i++)
		if (there->id[i] == id)
			return true;
	return false;
}

static __u32 link_type(enum place place)
{
	return place == PLACE_XDP ? BPF_LINK_TYPE_XDP : LINK_TYPE_TCX;
}

/* The pinned link, when it is on this device still and not on one that has gone to another network namespace. */
static int link_open(const struct places *p, uint32_t ifindex, enum place place, const struct ids *there, __u32 *ret_program)
{
	char path[PATH_MAX];
	struct bpf_link_info info = {};
	__u32 n = sizeof(info);
	_cleanup_close_ int fd = -1;

	pin_path(p, ifindex, place, path);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return -ENOENT;
	/* info.tcx begins as info.xdp does */
	if (bpf_obj_get_info_by_fd(fd, &info, &n) < 0 || info.type != link_type(place) || info.xdp.ifindex != ifindex ||
	    !has_id(there, info.prog_id))
		return -ENOENT;
	*ret_program = info.prog_id;
	return TAKE_FD(fd);
}

bool places_have(const struct places *p, const struct bpf_link_info *link)
{
	for (enum place place = 0; place < N_PLACES; place++) {
		struct ids there;

		if (link->type == link_type(place) && programs_there(p, link->xdp.ifindex, place, &there) == 0 &&
		    has_id(&there, link->prog_id))
			return true;
	}
	return false;
}

static int link_make(uint32_t ifindex, enum place place, int program_fd, __u32 flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = flags);

	return bpf_link_create(program_fd, (int)ifindex, attach_type(place), &opts);
}

static int xdp_make(uint32_t ifindex, int program_fd, bool *ret_generic)
{
	int fd = link_make(ifindex, PLACE_XDP, program_fd, XDP_FLAGS_DRV_MODE);

	if (fd >= 0 || fd == -EBUSY || fd == -ENODEV || fd == -EPERM)
		return fd;
	*ret_generic = true;
	return link_make(ifindex, PLACE_XDP, program_fd, XDP_FLAGS_SKB_MODE);
}

static int link_put(const struct places *p, uint32_t ifindex, enum place place, int program_fd, char **reterr_why)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	bool generic = false;
	struct ids there;
	__u32 now;
	int r = programs_there(p, ifindex, place, &there);

	if (r < 0)
		return r;
	fd = link_open(p, ifindex, place, &there, &now);
	if (fd >= 0)
		return bpf_link_update(fd, program_fd, NULL) < 0 ? -errno : 0;
	/* of a device that had this index before, or that went away with its programs */
	place_clear(p, ifindex, place);
	fd = place == PLACE_XDP ? xdp_make(ifindex, program_fd, &generic) : link_make(ifindex, place, program_fd, TCX_BEFORE);
	if (fd == -EBUSY)
		return xb_why(reterr_why, -EBUSY, "the XDP program of another is there, and stays");
	if (fd < 0)
		return fd;
	pin_path(p, ifindex, place, path);
	r = bpf_obj_pin(fd, path) < 0 ? -errno : generic;
	if (r == -ENOENT)
		return xb_why(reterr_why, r, "'%s' cannot be pinned: its folder is gone. What runs ends with this process; start it again when the "
			      "BPF file system is mounted", path);
	return r;
}

/* --- by filter: clsact --- */
struct filters {
	struct xb_filter ours;      /* handle 0: none */
	struct xb_buf *names;       /* of others; NULL */
	const char *device;
	size_t others;
	uint16_t free_priority;
};

static bool is_ours(const struct xb_filter *f)
{
	return f->handle == FILTER_HANDLE && !strncmp(f->name, FILTER_NAME, strlen(FILTER_NAME));
}

/* They come by rising priority. */
static int take_filter(void *arg, const struct xb_filter *f)
{
	struct filters *all = arg;

	if (is_ours(f)) {
		all->ours = *f;
		return 0;
	}
	if (f->priority == all->free_priority)
		all->free_priority++;
	all->others++;
	if (all->names)
		xb_buf_addf(all->names, "%s%s %s filter %s '%s'", all->names->n ? ", " : "", all->device, place_names[f->egress], f->kind, f->name);
	return 0;
}

static int filters_of(const struct places *p, uint32_t ifindex, enum place place, struct filters *all)
{
	all->free_priority = 1;
	return xb_netlink_each_filter(p->netlink, ifindex, place == PLACE_EGRESS, take_filter, all);
}

static int filter_put(const struct places *p, uint32_t ifindex, enum place place, int program_fd, char **reterr_why)
{
	struct xb_filter f = { .ifindex = ifindex, .egress = place == PLACE_EGRESS, .handle = FILTER_HANDLE };
	struct filters all = {};
	int r = xb_netlink_add_clsact(p->netlink, ifindex);

	if (r == -EINVAL)
		return xb_why(reterr_why, -EBUSY, "it has the ingress qdisc of another in place of clsact (tc qdisc show)");
	if (r == 0)
		r = filters_of(p, ifindex, place, &all);
	if (r < 0)
		return r;
	f.priority = all.ours.handle ? all.ours.priority : all.free_priority;
	program_name(program_fd, f.name, sizeof(f.name));
	r = xb_netlink_set_filter(p->netlink, &f, program_fd);
	return r < 0 ? xb_why(reterr_why, r, "%s", xb_netlink_why(p->netlink, r)) : 0;
}

static void filter_clear(const struct places *p, uint32_t ifindex, enum place place)
{
	struct filters all = {};

	if (filters_of(p, ifindex, place, &all) == 0 && all.ours.handle)
		xb_netlink_del_filter(p->netlink, &all.ours);
}

/* --- either --- */
int place_put(const struct places *p, uint32_t ifindex, enum place place, int program_fd, char **reterr_why)
{
	if (by_link(p, place))
		return link_put(p, ifindex, place, program_fd, reterr_why);
	return filter_put(p, ifindex, place, program_fd, reterr_why);
}

void place_clear(const struct places *p, uint32_t ifindex, enum place place)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];

	if (!by_link(p, place)) {
		filter_clear(p, ifindex, place);
		return;
	}
	pin_path(p, ifindex, place, path);
	fd = bpf_obj_get(path);
	if (fd >= 0)
		bpf_link_detach(fd);
	unlink(path);
}

size_t place_others(const struct places *p, const struct xb_link *device, enum place place, struct xb_buf *out)
{
	struct filters all = { .names = out, .device = device->name };
	_cleanup_close_ int fd = -1;
	struct ids there;
	size_t others = 0;
	__u32 ours = 0;

	if (by_link(p, place) && programs_there(p, device->ifindex, place, &there) == 0) {
		char where[IF_NAMESIZE + sizeof(" ingress")];

		fd = link_open(p, device->ifindex, place, &there, &ours);
		snprintf(where, sizeof(where), "%s %s", device->name, place_names[place]);
		others = programs_others(there.id, there.n, ours, where, out);
	}
	if (place != PLACE_XDP)
		filters_of(p, device->ifindex, place, &all);
	return others + all.others;
}

static int place_of(const char *name)
{
	for (int i = 0; i < N_PLACES; i++)
		if (!strcmp(name, place_names[i]))
			return i;
	return -1;
}

void places_sweep(const struct places *p, bool (*keep)(void *arg, uint32_t ifindex, enum place place), void *arg)
{
	DIR *d = opendir(p->folder);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		unsigned ifindex;
		char name[16];
		int place;

		if (sscanf(e->d_name, "dev%u_%15s", &ifindex, name) != 2)
			continue;
		place = place_of(name);
		if (place >= 0 && !keep(arg, ifindex, place))
			place_clear(p, ifindex, place);
	}
	if (d)
		closedir(d);
}

/* --- leaving --- */
struct indexes {
	XB_VEC(uint32_t) all;
};

static int take_index(void *arg, const struct xb_link *link)
{
	struct indexes *i = arg;

	return xb_vec_push(&i->all, link->ifindex);
}

static void cleanup_device(const struct places *p, uint32_t ifindex)
{
	struct filters in = {}, out = {};

	if (filters_of(p, ifindex, PLACE_INGRESS, &in) < 0 || filters_of(p, ifindex, PLACE_EGRESS, &out) < 0)
		return;
	if (!in.ours.handle && !out.ours.handle)
		return;
	if (!in.others && !out.others) {
		xb_netlink_del_clsact(p->netlink, ifindex);
		return;
	}
	if (in.ours.handle)
		xb_netlink_del_filter(p->netlink, &in.ours);
	if (out.ours.handle)
		xb_netlink_del_filter(p->netlink, &out.ours);
}

int places_cleanup(void)
{
	_cleanup_(places_done) struct places p = {};
	struct indexes devices = {};
	int r = places_init(&p, "");

	if (r == 0)
		r = xb_netlink_each_link(p.netlink, take_index, &devices);
	for (size_t i = 0; i < devices.all.n && r == 0; i++)
		cleanup_device(&p, devices.all.v[i]);
	xb_vec_done(&devices.all);
	return r;
}
