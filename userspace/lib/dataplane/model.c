/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include "lib/model_packet.h"
#include "lib/decide.h"
#include "lib/flow_copy.h"
#include "lib/udp_flow.h"
#include "model_map.h"
#include "xb/bpfobj.h"
#include "xb/model.h"
#include "xb/why.h"

#define DEFAULT_SIZE 64

#define MAP_OF(x, default_size) { &x, default_size, { .name = #x, .type = sizeof(*x.type) / sizeof(int), .fd = -1, \
				  .key_size = sizeof(*x.key), .value_size = sizeof(*x.value) } }
#define MAP(x) MAP_OF(x, DEFAULT_SIZE)
static struct {
	void *definition;
	__u32 default_size;
	struct model_map map;
} maps[] = {
	MAP(xb_hdr), MAP(xb_fe4), MAP(xb_fe6), MAP(xb_ovf4), MAP(xb_ovf6), MAP(xb_svc), MAP(xb_name), MAP(xb_be4), MAP(xb_be6), MAP(xb_rev),
	MAP(xb_aff), MAP(xb_metrics), MAP(xb_flow4), MAP(xb_flow6), MAP_OF(xb_flow4_old, 1), MAP_OF(xb_flow6_old, 1), MAP(xb_frag),
	MAP(xb_node), MAP(xb_src), MAP(xb_mag), MAP(xb_reason), MAP(xb_rate), MAP(xb_drop), MAP(xb_new), MAP(xb_cursor),
	/* by the address of a socket, and of this process: nobody else's sockets are here */
	{ &xb_sku, DEFAULT_SIZE, { .name = "xb_sku", .type = BPF_MAP_TYPE_HASH, .key_size = sizeof(void *),
				   .value_size = sizeof(struct xb_sku), .fd = -1 } },
};

static bool pinned;
static __u64 jiffies;
static _Thread_local __u64 random_state = 1;

/* --- what bpf/lib/model.h promises */

/* A definition's members lead nowhere: the first is where its table is noted. */
static struct model_map *map_of(void *definition)
{
	struct model_map *m;

	memcpy(&m, definition, sizeof(m));
	return m;
}

static void set_map(void *definition, struct model_map *m)
{
	memcpy(definition, &m, sizeof(m));
}

void *xb_model_lookup(void *map, const void *key)
{
	struct model_map *m = map_of(map);

	return m ? model_map_get(m, key) : NULL;
}

long xb_model_update(void *map, const void *key, const void *value, __u64 flags)
{
	struct model_map *m = map_of(map);

	return m ? model_map_set(m, key, value, flags) : -ENOENT;
}

void *xb_model_storage(void *map, const void *sk, const void *value, __u64 flags)
{
	static const struct xb_sku zero;
	void *there = xb_model_lookup(map, &sk);

	if (there || !(flags & BPF_SK_STORAGE_GET_F_CREATE))
		return there;
	return xb_model_update(map, &sk, value ? value : &zero, BPF_NOEXIST) ? NULL : xb_model_lookup(map, &sk);
}

/* xorshift64* (Marsaglia, Vigna) */
__u32 xb_model_random(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1dull >> 32;
}

void xb_model_set_random(__u64 seed)
{
	random_state = seed ? seed : 1;
}

__u64 xb_model_jiffies(void)
{
	return __atomic_load_n(&jiffies, __ATOMIC_RELAXED);
}

void xb_model_set_jiffies(__u64 now)
{
	__atomic_store_n(&jiffies, now, __ATOMIC_RELAXED);
}

__u64 xb_model_nanoseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (__u64)t.tv_sec * 1000000000 + (__u64)t.tv_nsec;
}

/* --- tables */

static void configure(__u64 seed, __u64 netns)
{
	struct {
		void *map;
		__u32 *mask;
	} masks[] = {
		{ &xb_fe4, &fe4_mask }, { &xb_fe6, &fe6_mask }, { &xb_rev, &rev_mask }, { &xb_flow4, &flow4_mask },
		{ &xb_flow6, &flow6_mask }, { &xb_flow4_old, &flow4_old_mask }, { &xb_flow6_old, &flow6_old_mask },
		{ &xb_drop, &drop_mask }, { &xb_new, &new_mask },
	};

	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		const struct model_map *m = map_of(masks[i].map);

		*masks[i].mask = m ? m->size - 1 : 0;
	}
	fe_seed = seed;
	node_netns = netns;
	jiffies_per_second = xb_jiffies_per_second();
	tick_shift = xb_tick_shift();
}

static __u32 size_of(const struct xb_model_size *sizes, size_t i)
{
	for (; sizes && sizes->table; sizes++)
		if (!strcmp(sizes->table, maps[i].map.name))
			return sizes->size;
	return maps[i].default_size;
}

int xb_model_new(const struct xb_model_size *sizes)
{
	xb_model_close();
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		if (model_map_new(&maps[i].map, size_of(sizes, i)) < 0) {
			xb_model_close();
			return -ENOMEM;
		}
		set_map(maps[i].definition, &maps[i].map);
	}
	configure(1, 0);
	return 0;
}

static void use(void *definition, void *mem, __u32 size)
{
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		if (maps[i].definition != definition)
			continue;
		model_map_use(&maps[i].map, mem, size);
		set_map(definition, &maps[i].map);
	}
}

static int open_all(const char *folder, char **reterr_why)
{
	const struct xb_hdr *hdr;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(maps) && r == 0; i++) {
		if (maps[i].definition == &xb_sku)
			r = model_map_new(&maps[i].map, DEFAULT_SIZE);
		else
			r = model_map_open(&maps[i].map, folder, reterr_why);
		set_map(maps[i].definition, &maps[i].map);
	}
	if (r < 0)
		return r;
	hdr = (const void *)map_of(&xb_hdr)->mem;
	if (hdr->version != XB_ABI_VERSION)
		return xb_why(reterr_why, -EPROTO, "the tables in '%s' are of version %u and this program's of version %u", folder, hdr->version,
			      XB_ABI_VERSION);
	configure(hdr->hash_seed, 0);
	return 0;
}

int xb_model_open(const char *folder, char **reterr_why)
{
	__u32 tick;
	int r;

	xb_model_close();
	if (access(folder, F_OK) < 0)
		return -errno;
	r = open_all(folder, reterr_why);
	if (r < 0) {
		xb_model_close();
		return r;
	}
	r = xb_tick_now(&tick);
	if (r < 0) {
		xb_model_close();
		return r;
	}
	xb_model_set_jiffies((__u64)tick << tick_shift);
	pinned = true;
	return 0;
}

void xb_model_close(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		if (!map_of(maps[i].definition))
			continue;
		model_map_done(&maps[i].map);
		set_map(maps[i].definition, NULL);
	}
	pinned = false;
}

void xb_model_forget(const char *table)
{
	for (size_t i = 0; pinned && i < ARRAY_SIZE(maps); i++)
		if (!strcmp(maps[i].map.name, table))
			model_map_forget(&maps[i].map);
}

void *xb_model_array(const char *table, __u32 *ret_size)
{
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		if (strcmp(maps[i].map.name, table) || !maps[i].map.mem)
			continue;
		*ret_size = maps[i].map.size;
		return maps[i].map.mem;
	}
	return NULL;
}

void xb_model_set_flow_rate(__u32 most)
{
	flow_rate_max = most;
}

__u64 xb_model_counted(enum xb_reason reason)
{
	const __u64 *counter = lookup(&xb_reason, reason);

	return counter ? *counter : 0;
}

/* --- a table of flows that grows */

void xb_model_flows_open(const struct xb_model_flows *f, __u32 tick)
{
	bool v4 = f->family == XB_IPV4;

	xb_model_close();
	use(v4 ? (void *)&xb_flow4 : &xb_flow6, f->table, f->sets);
	use(v4 ? (void *)&xb_flow4_old : &xb_flow6_old, f->old, f->old_sets);
	configure(f->seed, 0);
	for (__u32 i = 0; i < f->sets; i++)
		flow_copy_mend(v4 ? lookup(&xb_flow4, i) : lookup(&xb_flow6, i), tick);
}

int xb_model_flows_copy(enum xb_family family, __u32 tick, __u32 first, __u32 n, __u32 *ret_refused)
{
	bool v4 = family == XB_IPV4;
	__u32 refused = 0;

	xb_model_set_jiffies((__u64)tick << tick_shift);
	for (__u32 i = first; i < first + n; i++) {
		struct xb_flow_head *head = v4 ? lookup(&xb_flow4_old, i) : lookup(&xb_flow6_old, i);

		for (__u32 way = 0; head && way < XB_FLOW_WAYS; way++) {
			int r = flow_copy_way(head, way, v4, tick);

			if (r == -EAGAIN)
				return r;
			refused += r < 0;
		}
	}
	*ret_refused = refused;
	return 0;
}

/* --- questions */

static struct xb_fe frontend_of(const struct packet *p)
{
	struct dest d = { .to = { .addr = p->t.dst, .port = p->t.dport }, .proto = p->t.proto, .v4 = p->v4 };

	if (is_any(&d) || is_loopback(&d))
		return (struct xb_fe){};
	return p->kind == PACKET_TRANSPORT ? frontend(&d) : address_find(&d.to.addr, d.v4);
}

int xb_model_ask(const struct xb_tuple *packet, bool host, struct xb_model_answer *ret)
{
	bool echo = packet->proto == XB_PROTO_ICMP || packet->proto == XB_PROTO_ICMPV6;
	struct packet p = { .t = *packet, .kind = echo ? PACKET_ECHO : PACKET_TRANSPORT, .len = 64, .ttl = 64 };
	struct answer a = {};
	bool goes_on;

	if (!packet->proto || (packet->family != XB_IPV4 && packet->family != XB_IPV6))
		return -EINVAL;
	p.v4 = packet->family == XB_IPV4;
	p.tcp_flags = packet->proto == XB_PROTO_TCP ? TCP_SYN : 0;
	p.chunk = packet->proto == XB_PROTO_SCTP ? SCTP_INIT : 0;
	for (size_t i = 0; pinned && i < ARRAY_SIZE(maps); i++)
		model_map_forget(&maps[i].map);
	decide(&p, host, &a);
	goes_on = a.verdict == VERDICT_TRANSLATE || a.verdict == VERDICT_TUNNEL;
	*ret = (struct xb_model_answer){
		.reason = a.reason, .known = goes_on && !a.reason, .tunnelled = a.verdict == VERDICT_TUNNEL, .fe = frontend_of(&p),
		.svc = a.f.svc, .scope = a.f.scope, .set = a.f.set,
	};
	if (goes_on)
		ret->now = a.f.now;
	return 0;
}
