/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <net/if_arp.h>
#include <string.h>
#include "devices.h"
#include "places.h"
#include "xb/log.h"
#include "xb/vec.h"
#include "xb/why.h"

#ifndef ARPHRD_IP6GRE
#define ARPHRD_IP6GRE 823             /* not in the libc's header */
#endif
#define NAMES_MOST    ((size_t)1000) /* bytes of a log line */

struct device {
	struct xb_link link;
	bool named;                 /* for XDP */
	unsigned placed;            /* generation of the programs on it; 0: none yet */
	int fault;                  /* of the last try; it has been told */
	size_t others;
};

struct device_list {
	struct device *v;           /* by index */
	size_t n, cap;
};

struct devices {
	struct places places;
	char *const *xdp;
	int program[2][N_PLACES];   /* without and with an Ethernet header; -1: none */
	unsigned generation;        /* of those */
	bool told;                  /* the first list is in */
	struct device_list all;
};

int devices_new(const char *links, char *const *xdp, struct devices **ret)
{
	_cleanup_(devices_freep) struct devices *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return -ENOMEM;
	memset(d->program, -1, sizeof(d->program));
	d->xdp = xdp;
	r = places_init(&d->places, links);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(d);
	return 0;
}

static void close_programs(int program[2][N_PLACES])
{
	for (int ether = 0; ether < 2; ether++)
		for (int i = 0; i < N_PLACES; i++)
			xb_closep(&program[ether][i]);
}

struct devices *devices_free(struct devices *d)
{
	if (!d)
		return NULL;
	close_programs(d->program);
	places_done(&d->places);
	xb_vec_done(&d->all);
	free(d);
	return NULL;
}

/* Devices whose packets begin with IP. Of a kind that is neither these nor Ethernet's nothing is known, so it is left alone. */
static bool begins_with_ip(unsigned hw_type)
{
	switch (hw_type) {
	case ARPHRD_NONE:
	case ARPHRD_RAWIP:
	case ARPHRD_PPP:
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
	case ARPHRD_IPGRE:
	case ARPHRD_IP6GRE:
		return true;
	default:
		return false;
	}
}

bool devices_need_l3(const struct xb_link *links, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!(links[i].flags & IFF_LOOPBACK) && begins_with_ip(links[i].hw_type))
			return true;
	return false;
}

static bool is_served(const struct xb_link *l)
{
	return !(l->flags & IFF_LOOPBACK) && (l->hw_type == ARPHRD_ETHER || begins_with_ip(l->hw_type));
}

static bool is_named(const struct devices *d, const struct xb_link *l)
{
	for (char *const *name = d->xdp; name && *name; name++)
		if (!strcmp(*name, l->name))
			return l->hw_type == ARPHRD_ETHER;
	return false;
}

static int by_index(const void *a, const void *b)
{
	uint32_t x = ((const struct device *)a)->link.ifindex, y = ((const struct device *)b)->link.ifindex;

	return (x > y) - (x < y);
}

static struct device *find(const struct devices *d, uint32_t ifindex)
{
	struct device key = { .link.ifindex = ifindex };

	return d->all.n ? bsearch(&key, d->all.v, d->all.n, sizeof(key), by_index) : NULL;
}

/* --- programs on one device --- */
static bool gone(int r)
{
	return r == -ENODEV || r == -ENOLINK;
}

/* 0 also when the device is gone: the kernel tells of that. */
static int place_one(const struct devices *d, const struct device *v, enum place place, char **reterr_why)
{
	int program = d->program[v->link.hw_type == ARPHRD_ETHER][place];
	int r;

	if (place == PLACE_XDP && (program < 0 || !v->named)) {
		place_clear(&d->places, v->link.ifindex, place);
		return 0;
	}
	if (program < 0)
		return xb_why(reterr_why, -ENOENT, "its program is not loaded");
	r = place_put(&d->places, v->link.ifindex, place, program, reterr_why);
	if (r == 1)
		log_warning("%s: its driver has no XDP: in generic mode that is slower than tc and saves nothing", v->link.name);
	return gone(r) ? 0 : MIN(r, 0);
}

static int place_all(const struct devices *d, struct device *v)
{
	_cleanup_free_ char *why = NULL;
	int first = 0;

	for (int i = 0; i < N_PLACES; i++) {
		char *one = NULL;
		int r = place_one(d, v, i, &one);

		if (r < 0 && !first) {
			first = r;
			why = TAKE_PTR(one);
		}
		free(one);
	}
	if (first && first != v->fault)
		log_warning("%s: a program cannot be put in place: %s", v->link.name, why ? why : strerror(-first));
	if (!first && v->fault)
		log_info("%s: all programs are in place now", v->link.name);
	v->fault = first;
	v->placed = d->generation;
	return first;
}

/* --- all devices --- */
static int take_programs(const struct programs *p, int ret[2][N_PLACES])
{
	static const struct {
		enum object_id object;
		const char *name;
		bool ether;
		enum place place;
	} sources[] = {
		{ OBJECT_TC, "xb_ingress", true, PLACE_INGRESS },
		{ OBJECT_TC, "xb_egress", true, PLACE_EGRESS },
		{ OBJECT_TC_L3, "xb_ingress_l3", false, PLACE_INGRESS },
		{ OBJECT_TC_L3, "xb_egress_l3", false, PLACE_EGRESS },
		{ OBJECT_XDP, "xb_xdp", true, PLACE_XDP },
	};

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		const struct bpf_object *o = p->object[sources[i].object];
		const struct bpf_program *program;
		int *fd = &ret[sources[i].ether][sources[i].place];

		if (!o)
			continue;
		program = bpf_object__find_program_by_name(o, sources[i].name);
		if (!program)
			return -ENOENT;
		*fd = fcntl(bpf_program__fd(program), F_DUPFD_CLOEXEC, 0);
		if (*fd < 0)
			return -errno;
	}
	return 0;
}

int devices_use(struct devices *d, const struct programs *p, char **reterr_why)
{
	int next[2][N_PLACES], r;

	memset(next, -1, sizeof(next));
	r = take_programs(p, next);
	if (r < 0) {
		close_programs(next);
		return r;
	}
	for (int ether = 0; ether < 2; ether++)
		for (int i = 0; i < N_PLACES; i++)
			if (next[ether][i] >= 0) {
				xb_closep(&d->program[ether][i]);
				d->program[ether][i] = next[ether][i];
			}
	d->generation++;
	for (size_t i = 0; i < d->all.n; i++) {
		struct device *v = &d->all.v[i];
		int one = place_all(d, v);

		/* what was another's before is so still */
		if (one < 0 && one != -EBUSY && r == 0)
			r = xb_why(reterr_why, one, "cannot put programs in place on %s: %s", v->link.name, strerror(-one));
	}
	return r;
}

static bool keep(void *arg, uint32_t ifindex, enum place place)
{
	const struct devices *d = arg;
	const struct device *v = find(d, ifindex);

	return v && (place != PLACE_XDP || (v->named && d->program[1][PLACE_XDP] >= 0));
}

static void release(const struct devices *d, const struct device *v)
{
	for (int i = 0; i < N_PLACES; i++)
		place_clear(&d->places, v->link.ifindex, i);
}

/* The devices that are served, with what is known of them. */
static int list(const struct devices *d, const struct xb_link *links, size_t n, struct device_list *ret)
{
	for (size_t i = 0; i < n; i++) {
		struct device v = { .link = links[i], .named = is_named(d, &links[i]) };
		const struct device *known = find(d, links[i].ifindex);

		if (!is_served(&links[i]))
			continue;
		if (known && known->named == v.named && known->link.hw_type == v.link.hw_type) {
			v.placed = known->placed;
			v.fault = known->fault;
			v.others = known->others;
		}
		if (xb_vec_push(ret, v) < 0)
			return -ENOMEM;
	}
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_index);
	return 0;
}

/* Devices that are new, or could not be served the last time. */
static void place_new(struct devices *d)
{
	_cleanup_buf_ struct xb_buf names = {};
	size_t others = 0;

	for (size_t i = 0; i < d->all.n; i++) {
		struct device *v = &d->all.v[i];
		bool first = !v->placed;

		if (!first && !v->fault)
			continue;
		place_all(d, v);
		for (int place = 0; first && place < N_PLACES; place++)
			v->others += place_others(&d->places, &v->link, place, &names);
		others += first ? v->others : 0;
	}
	if (others)
		log_info("%zu programs of others on devices stay, and are asked after ours: %.*s%s", others, (int)MIN(names.n, NAMES_MOST), names.p,
			 names.n > NAMES_MOST ? "..." : "");
}

bool devices_have(const struct devices *d, const struct bpf_link_info *link)
{
	return places_have(&d->places, link) && find(d, link->xdp.ifindex);
}

bool devices_settled(const struct devices *d)
{
	for (size_t i = 0; i < d->all.n; i++)
		if (d->all.v[i].placed != d->generation || (d->all.v[i].fault && d->all.v[i].fault != -EBUSY))
			return false;
	return d->told;
}

void devices_retry(struct devices *d)
{
	place_new(d);
}

int devices_set(struct devices *d, const struct xb_link *links, size_t n)
{
	struct device_list next = {}, was;
	struct devices_stats stats;
	int r = list(d, links, n, &next);

	if (r < 0) {
		xb_vec_done(&next);
		return r;
	}
	was = d->all;
	d->all = next;
	for (size_t i = 0; i < was.n; i++)
		if (!find(d, was.v[i].link.ifindex))
			release(d, &was.v[i]);
	xb_vec_done(&was);
	if (!d->told)
		places_sweep(&d->places, keep, d);
	place_new(d);
	if (!d->told)
		log_info("programs are on %zu devices, by %s", d->all.n, d->places.tcx ? "tcx" : "clsact");
	d->told = true;
	devices_stats(d, &stats);
	return (int)stats.faulty;
}

void devices_stats(const struct devices *d, struct devices_stats *ret)
{
	*ret = (struct devices_stats){ .devices = d->all.n };
	for (size_t i = 0; i < d->all.n; i++) {
		ret->faulty += d->all.v[i].fault != 0;
		ret->others += d->all.v[i].others;
	}
}
