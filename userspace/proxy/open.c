/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include "apply_state.h"
#include "xb/abi/hdr.h"
#include "xb/log.h"
#include "xb/why.h"

static const struct xb_set empty;

static bool known(const struct xb_svc *svc)
{
	return (svc->family == XB_IPV4 || svc->family == XB_IPV6) &&
	       (svc->proto == XB_PROTO_TCP || svc->proto == XB_PROTO_UDP || svc->proto == XB_PROTO_SCTP);
}

/* A block that two sets share is taken once. */
static int reserve_blocks(struct apply *a, const struct xb_svc *svc)
{
	struct alloc *blocks = a->blocks[family_index(svc->family)];
	int r = 0;

	for (int i = 0; i < XB_SETS && r == 0; i++) {
		bool again = false;

		for (int k = 0; k < i; k++)
			again |= svc->set[k].count && svc->set[k].base == svc->set[i].base;
		if (svc->set[i].count && !again)
			r = alloc_reserve(blocks, svc->set[i].base, svc->set[i].count);
	}
	return r;
}

static int adopt_ports(struct apply *a, char **reterr_why)
{
	struct xb_name *names = a->tables->t[TABLE_NAME].mem;

	for (__u32 slot = 1; slot < a->tables->t[TABLE_SVC].size; slot++) {
		struct xb_name *name = names + slot;
		struct xb_svc *svc = svc_at(a, slot);
		struct port *port;
		int r;

		if (!name->name[0]) {
			/* a port that was being made or unmade */
			for (int i = 0; i < XB_SETS; i++)
				if (svc->set[i].count)
					set_publish(a, &svc->set[i], empty);
			svc->maglev = (struct xb_slice){};
			svc->source_ranges = 0;
			continue;
		}
		name->name[sizeof(name->name) - 1] = '\0';
		if (!known(svc) || port_find(a, name->name, svc->family, svc->proto))
			return xb_why(reterr_why, -EUCLEAN, "the pinned tables are damaged at service %u ('%s'); kube-proxy --cleanup removes them",
				      slot, name->name);
		r = reserve_blocks(a, svc);
		if (r == 0)
			r = outside_reserve(a, svc);
		if (r == 0)
			r = alloc_reserve(a->slots, slot, 1);
		port = r == 0 ? port_new(a, name->name, svc->family, svc->proto, slot) : NULL;
		if (port)
			port->named = true;
		else if (r == 0)
			r = -ENOMEM;
		if (r == -EEXIST || r == -ERANGE)
			return xb_why(reterr_why, -EUCLEAN, "the backends of '%s' in the pinned tables are damaged; kube-proxy --cleanup removes them",
				      name->name);
		if (r < 0)
			return r;
	}
	return 0;
}

struct adoption {
	struct apply *a;
	int f;
	struct frontend *addrs;     /* entries of an address alone */
	size_t n_addrs, cap_addrs;
};

static int adopt_entry(void *arg, const struct xb_fe_key *key, struct xb_fe fe)
{
	struct adoption *ad = arg;
	struct port *port;
	struct frontend *more;

	if (xb_fe_is_address(fe.kind)) {
		if (ad->n_addrs == ad->cap_addrs) {
			ad->cap_addrs = ad->cap_addrs ? 2 * ad->cap_addrs : 64;
			more = reallocarray(ad->addrs, ad->cap_addrs, sizeof(*more));
			if (!more)
				return -ENOMEM;
			ad->addrs = more;
		}
		ad->addrs[ad->n_addrs++] = (struct frontend){ *key, fe.kind };
		return 0;
	}
	port = fe.svc < alloc_size(ad->a->slots) ? ad->a->by_slot[fe.svc] : NULL;
	if (!port || family_index(port->family) != ad->f) {
		/* its port was being unmade */
		xb_frontends_delete(&ad->a->fe[ad->f], key);
		return 0;
	}
	more = reallocarray(port->frontends, port->n_frontends + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	port->frontends = more;
	port->frontends[port->n_frontends++] = (struct frontend){ *key, fe.kind };
	return 0;
}

static int count_frontends(struct apply *a, int f, bool cluster_ips)
{
	for (__u32 slot = 0; slot < alloc_size(a->slots); slot++) {
		const struct port *port = a->by_slot[slot];

		for (size_t i = 0; port && family_index(port->family) == f && i < port->n_frontends; i++) {
			const struct frontend *x = &port->frontends[i];
			int r = (x->kind == XB_FRONTEND_CLUSTER_IP) == cluster_ips ? address_ref(a, f, x) : 0;

			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* Counts the frontends of each address anew. Programs look at the kind only, so they may run meanwhile: cluster IPs come first, so that
 * a kind does not change which is right. */
static int count_addresses(struct apply *a, struct adoption *ad)
{
	struct xb_frontends *fe = &a->fe[ad->f];
	int r;

	for (size_t i = 0; i < ad->n_addrs; i++)
		xb_frontends_put(fe, &ad->addrs[i].key, ad->addrs[i].kind, 0);
	r = count_frontends(a, ad->f, true);
	if (r == 0)
		r = count_frontends(a, ad->f, false);
	for (size_t i = 0; r == 0 && i < ad->n_addrs; i++)
		if (ad->addrs[i].kind != XB_FRONTEND_NODE_ADDR && !xb_frontends_get(fe, &ad->addrs[i].key).svc)
			xb_frontends_delete(fe, &ad->addrs[i].key);
	return r;
}

static int note_node_addrs(struct apply *a, const struct adoption *ad)
{
	union xb_ip6 *addrs = calloc(ad->n_addrs + 1, sizeof(*addrs));

	if (!addrs)
		return -ENOMEM;
	a->node_addrs[ad->f] = addrs;
	for (size_t i = 0; i < ad->n_addrs; i++)
		if (ad->addrs[i].kind == XB_FRONTEND_NODE_ADDR)
			addrs[a->n_node_addrs[ad->f]++] = ad->addrs[i].key.addr;
	return 0;
}

/* Builds the index from the tables, and mends what an interrupted change left. */
static int adopt(struct apply *a, char **reterr_why)
{
	int r = alloc_reserve(a->slots, 0, 1);

	if (r == 0)
		r = tables_map(a->tables, TABLE_NAME);
	if (r == 0)
		r = adopt_ports(a, reterr_why);
	tables_unmap(a->tables, TABLE_NAME);
	for (int f = 0; f < 2 && r == 0; f++) {
		struct adoption ad = { .a = a, .f = f };

		r = xb_frontends_adopt(&a->fe[f]);
		if (r == 0)
			r = xb_frontends_walk(&a->fe[f], adopt_entry, &ad);
		if (r == 0)
			r = count_addresses(a, &ad);
		if (r == 0)
			r = note_node_addrs(a, &ad);
		free(ad.addrs);
	}
	return r < 0 ? r : sources_adopt(a);
}

static int libbpf_says(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[512];

	if (level == LIBBPF_DEBUG || !xb_log_on(4))
		return 0;
	vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = '\0';
	log_debug("%s", line);
	return 0;
}

/* The pinned tables, or new ones that are pinned now; the programs are loaded and not attached. */
static int open_tables(struct apply *a, char **reterr_why)
{
	_cleanup_(tables_freep) struct tables *pinned = NULL;
	__u32 sizes[N_TABLES];
	int r = tables_sweep(attach_maps_folder(a->attach));

	if (r == 0)
		r = tables_adopt(attach_maps_folder(a->attach), &pinned, reterr_why);
	if (r < 0 && r != -ENOENT)
		return r;
	for (int i = 0; i < N_TABLES; i++)
		sizes[i] = pinned ? pinned->t[i].size : tables_start_sizes[i];
	r = tables_load(pinned, a->objects, sizes, &a->tables, reterr_why);
	return r < 0 || pinned ? r : tables_pin(a->tables, attach_maps_folder(a->attach), reterr_why);
}

static int make_indexes(struct apply *a)
{
	const struct table *t = a->tables->t;
	__u64 seed = ((const struct xb_hdr *)t[TABLE_HDR].mem)->hash_seed;
	int r;

	a->slots = alloc_new(t[TABLE_SVC].size);
	a->maglev = alloc_new(t[TABLE_MAG].size);
	a->blocks[0] = alloc_new(t[TABLE_BE4].size);
	a->blocks[1] = alloc_new(t[TABLE_BE6].size);
	a->by_slot = calloc(t[TABLE_SVC].size, sizeof(*a->by_slot));
	if (!a->slots || !a->maglev || !a->blocks[0] || !a->blocks[1] || !a->by_slot)
		return -ENOMEM;
	r = xb_frontends_init(&a->fe[0], t[TABLE_FE4].mem, t[TABLE_FE4].size, XB_IPV4, seed, t[TABLE_OVF4].fd);
	return r < 0 ? r : xb_frontends_init(&a->fe[1], t[TABLE_FE6].mem, t[TABLE_FE6].size, XB_IPV6, seed, t[TABLE_OVF6].fd);
}

static int open_tick(struct apply *a)
{
	int fd = xb_tick_open();

	if (fd < 0)
		return fd;
	a->tick_fd = fd;
	return 0;
}

static int start(struct apply *a, const struct apply_config *c, char **reterr_why)
{
	struct attach_config ac = { .bpffs_path = c->bpffs_path, .cgroup_path = c->cgroup_path, .xdp_devices = c->xdp_devices };
	int r = attach_open(&ac, &a->attach, reterr_why);

	if (r == 0)
		r = open_tables(a, reterr_why);
	if (r == 0)
		r = xb_grace_open(&a->grace);
	if (r == 0)
		r = open_tick(a);
	if (r == 0)
		r = make_indexes(a);
	if (r == 0)
		r = adopt(a, reterr_why);
	if (r == 0)
		r = apply_set_node_addrs(a, AF_INET, c->node_addrs4, c->n_node_addrs4);
	if (r == 0)
		r = apply_set_node_addrs(a, AF_INET6, c->node_addrs6, c->n_node_addrs6);
	if (r == 0)
		r = rehearse(a, reterr_why);
	return r < 0 ? r : attach_programs(a->attach, a->tables, reterr_why);
}

/* As soon as the BPF file system is there again: what is pinned nowhere ends with this process. */
static void on_mounts(void *arg)
{
	struct apply *a = arg;
	_cleanup_free_ char *why = NULL;
	int r;

	if (attach_is_home(a->attach))
		return;
	r = attach_move(a->attach, a->tables, &why);
	if (r == 0)
		log_info("another BPF file system was mounted: tables and links are pinned in '%s'", attach_maps_folder(a->attach));
	if (r == 0)
		devices_retry(attach_devices(a->attach));
	else if (r != a->home_fault)
		log_warning("the tables are pinned nowhere, and what runs ends with this process: %s", why ? why : strerror(-r));
	a->home_fault = r;
}

static int follow_mounts(struct apply *a, uv_loop_t *loop)
{
	return loop ? mount_watch_new(loop, on_mounts, a, &a->mounts) : 0;
}

static __u32 sets_for(__u32 flows)
{
	__u32 sets = 1;

	while (sets < flows && sets < 1u << 30)
		sets *= 2;
	return flows ? sets : 1u << 30;
}

int apply_open(const struct apply_config *c, struct apply **ret, char **reterr_why)
{
	struct apply *a = calloc(1, sizeof(*a));
	char *why = NULL;
	int r;

	if (!a)
		return -ENOMEM;
	libbpf_set_print(libbpf_says);
	a->grace = (struct xb_grace){ -1, -1 };
	a->objects = 1u << OBJECT_SOCK | 1u << OBJECT_TC;
	if (c->xdp_devices && c->xdp_devices[0])
		a->objects |= 1u << OBJECT_XDP;
	a->primary = !c->n_node_addrs4 && c->n_node_addrs6;
	a->size_most = c->table_size_most ? c->table_size_most : 1u << 28;
	a->flow_sets_most = sets_for(c->flows_most);
	a->tick_fd = -1;
	/* what an earlier run removed last, and what was removed while none ran */
	a->sockets_stale = true;
	a->by_key = xb_map_new(XB_MAP_BORROW);
	if (c->loop)
		a->stale = stale_new(c->loop);
	r = !a->by_key || (c->loop && !a->stale) ? -ENOMEM : start(a, c, &why);
	if (r == 0)
		r = follow_mounts(a, c->loop);
	if (r < 0) {
		apply_close(a);
		if (!why)
			xb_why(&why, r, "cannot set up the service tables below '%s': %s", c->bpffs_path, strerror(-r));
		if (reterr_why)
			*reterr_why = TAKE_PTR(why);
		free(why);
		return r;
	}
	*ret = a;
	return 0;
}

struct apply *apply_close(struct apply *a)
{
	if (!a)
		return NULL;
	mount_watch_free(a->mounts);
	stale_free(a->stale);
	for (struct xb_map_it it = {}; a->by_key && xb_map_next(a->by_key, &it);)
		port_free(it.value);
	xb_map_free(a->by_key);
	outside_done(a);
	for (int f = 0; f < 2; f++) {
		xb_frontends_done(&a->fe[f]);
		alloc_free(a->blocks[f]);
		free(a->node_addrs[f]);
	}
	alloc_free(a->slots);
	alloc_free(a->maglev);
	free(a->by_slot);
	flow_rooms_done(a);
	xb_grace_done(&a->grace);
	tables_free(a->tables);
	attach_close(a->attach);
	free(a);
	return NULL;
}

int apply_cleanup(const char *bpffs_path, char **reterr_why)
{
	return attach_cleanup(bpffs_path, reterr_why);
}

/* For the tables that there are: the same maps. */
static int load_l3(struct apply *a, char **reterr_why)
{
	_cleanup_(tables_freep) struct tables *t = NULL;
	__u32 sizes[N_TABLES];
	int r;

	for (int i = 0; i < N_TABLES; i++)
		sizes[i] = a->tables->t[i].size;
	r = tables_load(a->tables, 1u << OBJECT_TC_L3, sizes, &t, reterr_why);
	if (r < 0)
		return r;
	a->objects |= 1u << OBJECT_TC_L3;
	return devices_use(attach_devices(a->attach), &t->programs, reterr_why);
}

int apply_set_devices(struct apply *a, const struct xb_link *links, size_t n)
{
	if (!(a->objects & 1u << OBJECT_TC_L3) && devices_need_l3(links, n)) {
		_cleanup_free_ char *why = NULL;
		int r = load_l3(a, &why);

		if (r < 0 && r != a->l3_fault)
			log_warning("devices without Ethernet headers are not served: %s", why ? why : strerror(-r));
		a->l3_fault = r;
	}
	return devices_set(attach_devices(a->attach), links, n);
}

void apply_stats(const struct apply *a, struct apply_stats *ret)
{
	*ret = (struct apply_stats){
		.ports = xb_map_count(a->by_key),
		.frontends = a->fe[0].used + a->fe[1].used,
		.backends = alloc_used(a->blocks[0]) + alloc_used(a->blocks[1]),
		.ports_size = alloc_size(a->slots) - 1,
		.frontends_size = (a->fe[0].n_buckets + a->fe[1].n_buckets) * XB_FE_WAYS,
		.backends_size = alloc_size(a->blocks[0]) + alloc_size(a->blocks[1]),
		.publishes = a->publishes,
		.sockets_destroyed = a->stale ? stale_destroyed(a->stale) : 0,
		.memory = tables_memory(a->tables),
		.flow_growths = a->flow_growths,
	};
	for (int f = 0; f < 2; f++) {
		ret->flows[f].open = (size_t)(a->flows[f].load.open / FLOW_ENTRIES_A_SET);
		ret->flows[f].size = a->tables->t[f ? TABLE_FLOW6 : TABLE_FLOW4].size;
		ret->flows[f].full = a->flows[f].full;
	}
	devices_stats(attach_devices(a->attach), &ret->devices);
}

int apply_reasons(const struct apply *a, __u64 ret[XB_REASONS])
{
	__u64 counts[XB_REASONS];

	for (__u32 i = 0; i < XB_REASONS; i++) {
		int r = xb_bpf_percpu_sum(a->tables->t[TABLE_REASON].fd, i, &counts[i], 1);

		if (r < 0)
			return r;
	}
	memcpy(ret, counts, sizeof(counts));
	return 0;
}
