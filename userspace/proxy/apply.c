/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <string.h>
#include "apply_state.h"
#include "port_key.h"
#include "xb/why.h"

static enum xb_family family_of(int family)
{
	return family == AF_INET6 ? XB_IPV6 : XB_IPV4;
}

static union xb_ip6 addr_of(enum xb_family family, const struct xb_plan_addr *p)
{
	union xb_ip6 addr = {};

	if (family == XB_IPV6) {
		memcpy(addr.b, p->b, 16);
		return addr;
	}
	addr.be32[2] = htonl(0xffff);
	memcpy(&addr.be32[3], p->b, 4);
	return addr;
}

static struct xb_fe_key key_of(enum xb_family family, enum xb_proto proto, const struct xb_plan_frontend *p)
{
	return (struct xb_fe_key){ .addr = addr_of(family, &p->addr), .port = p->port, .proto = proto };
}

static bool key_equal(const struct xb_fe_key *a, const struct xb_fe_key *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* --- ports */

struct port *port_find(const struct apply *a, const char *name, enum xb_family family, enum xb_proto proto)
{
	char key[PORT_KEY_SIZE];

	return xb_map_get(a->by_key, port_key(key, family, name, proto));
}

struct port *port_new(struct apply *a, const char *name, enum xb_family family, enum xb_proto proto, __u32 slot)
{
	struct port *port = calloc(1, sizeof(*port) + strlen(name) + 3);

	if (!port)
		return NULL;
	*port = (struct port){ .name = port->key + 2, .family = family, .proto = proto, .slot = slot };
	if (xb_map_set(a->by_key, port_key(port->key, family, name, proto), port, NULL) < 0)
		return port_free(port);
	a->by_slot[slot] = port;
	return port;
}

struct port *port_free(struct port *port)
{
	free(port->frontends);
	free(port->sources);
	free(port);
	return NULL;
}

static void port_forget(struct apply *a, struct port *port)
{
	xb_map_del(a->by_key, (struct xb_sv){ port->key, strlen(port->name) + 2 });
	a->by_slot[port->slot] = NULL;
	port_free(port);
}

/* --- sets of backends */

void set_publish(struct apply *a, struct xb_set *at, struct xb_set set)
{
	union {
		struct xb_set set;
		__u64 word;
	} u = { .set = set };

	/* never a generation that the slot has had, whoever had the slot */
	u.set.gen = (__u16)(at->gen + 1);
	__atomic_store_n((__u64 __attribute__((may_alias)) *)at, u.word, __ATOMIC_RELEASE);
	a->publishes++;
}

static struct xb_be4 be4_of(const struct xb_plan_backend *b)
{
	struct xb_be4 be = { .port = b->port, .local = b->local };

	memcpy(be.addr.b, b->addr.b, 4);
	return be;
}

static struct xb_be6 be6_of(const struct xb_plan_backend *b)
{
	struct xb_be6 be = { .port = b->port, .local = b->local };

	memcpy(be.addr.b, b->addr.b, 16);
	return be;
}

static void block_write(struct apply *a, int f, __u32 base, const struct xb_plan_set *want)
{
	for (size_t i = 0; i < want->n; i++) {
		if (f)
			((struct xb_be6 *)a->tables->t[TABLE_BE6].mem)[base + i] = be6_of(&want->backends[i]);
		else
			((struct xb_be4 *)a->tables->t[TABLE_BE4].mem)[base + i] = be4_of(&want->backends[i]);
	}
}

static bool backend_at(const struct apply *a, int f, size_t i, const struct xb_plan_backend *want)
{
	struct xb_be6 be6;
	struct xb_be4 be4;

	if (f) {
		be6 = be6_of(want);
		return !memcmp((const struct xb_be6 *)a->tables->t[TABLE_BE6].mem + i, &be6, sizeof(be6));
	}
	be4 = be4_of(want);
	return !memcmp((const struct xb_be4 *)a->tables->t[TABLE_BE4].mem + i, &be4, sizeof(be4));
}

static bool block_holds(const struct apply *a, int f, struct xb_set set, const struct xb_plan_set *want)
{
	if (set.count != want->n)
		return false;
	for (size_t i = 0; i < want->n; i++)
		if (!backend_at(a, f, set.base + i, &want->backends[i]))
			return false;
	return true;
}

/* A port's sets, now or to be. Several may name one block. */
struct sets {
	struct xb_set set[XB_SETS];
};

static struct sets sets_now(const struct apply *a, __u32 slot)
{
	struct sets now;

	memcpy(now.set, svc_at(a, slot)->set, sizeof(now.set));
	return now;
}

/* Whether one of the first n names the block. */
static bool uses_block(const struct sets *s, int n, struct xb_set block)
{
	for (int i = 0; i < n; i++)
		if (s->set[i].count && s->set[i].base == block.base)
			return true;
	return false;
}

/* Passes each block of *s that *other does not use, once, to done. */
static void blocks_not_in(struct alloc *blocks, const struct sets *s, const struct sets *other,
			  void (*done)(struct alloc *, __u32 base, __u32 count))
{
	for (int i = 0; i < XB_SETS; i++)
		if (s->set[i].count && !uses_block(s, i, s->set[i]) && !uses_block(other, XB_SETS, s->set[i]))
			done(blocks, s->set[i].base, s->set[i].count);
}

static bool find_block(const struct apply *a, int f, const struct sets *in, int n, const struct xb_plan_set *want, __u32 *ret_base)
{
	for (int i = 0; i < n; i++) {
		if (!block_holds(a, f, in->set[i], want))
			continue;
		*ret_base = in->set[i].base;
		return true;
	}
	return false;
}

/* Writes what is not in the tables yet to new blocks. Nothing is published, and on failure nothing is kept. */
static int sets_stage(struct apply *a, int f, const struct xb_plan_port *p, const struct sets *now, struct sets *ret, char **reterr_why)
{
	struct sets staged = {};

	for (int i = 0; i < XB_SETS; i++) {
		const struct xb_plan_set *want = &p->set[i];
		__u32 base = 0;
		int r;

		if (want->n && !find_block(a, f, now, XB_SETS, want, &base) && !find_block(a, f, &staged, i, want, &base)) {
			r = room_take_block(a, f, (__u32)want->n, &base, reterr_why);
			if (r < 0) {
				blocks_not_in(a->blocks[f], &staged, now, alloc_give);
				return r;
			}
			block_write(a, f, base, want);
		}
		staged.set[i] = (struct xb_set){ .base = base, .count = (__u16)want->n };
	}
	*ret = staged;
	return 0;
}

static bool sets_equal(const struct sets *a, const struct sets *b)
{
	for (int i = 0; i < XB_SETS; i++)
		if (a->set[i].base != b->set[i].base || a->set[i].count != b->set[i].count)
			return false;
	return true;
}

/*
 * The change itself: a program that starts after this sees the new sets only. One that runs meanwhile (for less than a
 * microsecond) may still pick from an old set, as if the call had come just before; waiting for those would cost
 * milliseconds a change and tell the caller nothing, since a SYN it sent may as well be on its way. What they read stays intact
 * until a grace period has passed.
 */
static void sets_commit(struct apply *a, const struct port *port, const struct sets *now, const struct sets *staged, bool always)
{
	struct xb_svc *svc = svc_at(a, port->slot);

	if (!always && sets_equal(now, staged))
		return;
	/* what serves before the scopes' sets: a flow that sees its own changed looks there */
	for (int i = XB_SETS; i-- > 0;)
		set_publish(a, &svc->set[i], staged->set[i]);
	a->sockets_stale |= port->proto == XB_PROTO_UDP && now->set[XB_SERVING].count;
	blocks_not_in(a->blocks[family_index(port->family)], now, staged, alloc_retire);
}

/* --- frontends */

static struct xb_fe_key address_key(const union xb_ip6 *addr)
{
	return (struct xb_fe_key){ .addr = *addr };
}

/*
 * Only of cluster IPs other ports are refused, where the packets would leave the node otherwise: an external or load balancer IP may be
 * another machine's, which answers there.
 */
static int address_put(struct xb_frontends *fe, const struct xb_fe_key *key, bool of_node, __u32 count)
{
	bool has_cluster_ip = count % xb_fe_unit(XB_FRONTEND_EXTERNAL_IP);

	if (!of_node && !count) {
		xb_frontends_delete(fe, key);
		return 0;
	}
	return xb_frontends_put(fe, key, of_node ? XB_FRONTEND_NODE_ADDR : has_cluster_ip ? XB_FRONTEND_VIP : XB_FRONTEND_SHARED, count);
}

static bool has_address(const struct frontend *x, int f)
{
	static const struct xb_plan_addr any;
	union xb_ip6 none = addr_of(f ? XB_IPV6 : XB_IPV4, &any);

	return memcmp(&x->key.addr, &none, sizeof(none));
}

int address_ref(struct apply *a, int f, const struct frontend *x)
{
	struct xb_fe_key key = address_key(&x->key.addr);
	struct xb_fe fe = xb_frontends_get(&a->fe[f], &key);
	__u32 unit = xb_fe_unit(x->kind), most = unit * 0xffff;

	if (!has_address(x, f))
		return 0;
	if ((fe.svc & most) == most)
		return -E2BIG;
	return address_put(&a->fe[f], &key, fe.kind == XB_FRONTEND_NODE_ADDR, fe.svc + unit);
}

void address_unref(struct apply *a, int f, const struct frontend *x)
{
	struct xb_fe_key key = address_key(&x->key.addr);
	struct xb_fe fe = xb_frontends_get(&a->fe[f], &key);
	__u32 unit = xb_fe_unit(x->kind);

	if (has_address(x, f) && fe.svc & unit * 0xffff)
		address_put(&a->fe[f], &key, fe.kind == XB_FRONTEND_NODE_ADDR, fe.svc - unit);
}

static int conflict(const struct apply *a, const struct xb_plan_port *p, const struct xb_fe_key *key, struct xb_fe fe, char **reterr_why)
{
	const struct port *owner = fe.svc < alloc_size(a->slots) ? a->by_slot[fe.svc] : NULL;
	char addr[INET6_ADDRSTRLEN];

	inet_ntop(p->family, p->family == AF_INET6 ? key->addr.b : key->addr.b + 12, addr, sizeof(addr));
	return xb_why(reterr_why, -EADDRINUSE, "%s port %u of %s belongs to %s already", addr, key->port, p->name,
		      owner ? owner->name : "another service");
}

static struct frontend *frontend_in(struct frontend *list, size_t n, const struct xb_fe_key *key)
{
	for (size_t i = 0; i < n; i++)
		if (key_equal(&list[i].key, key))
			return &list[i];
	return NULL;
}

static int frontend_put(struct apply *a, int f, const struct port *port, const struct frontend *was, const struct frontend *want,
			char **reterr_why)
{
	bool recount = !was || xb_fe_unit(was->kind) != xb_fe_unit(want->kind);
	int r = 0;

	if (was && was->kind == want->kind)
		return 0;
	for (int try = 0; try < 2; try++) {
		r = recount ? address_ref(a, f, want) : 0;
		if (r == -E2BIG)
			return xb_why(reterr_why, r, "an address of %s has 65535 ports of services already", port->name);
		if (r == 0) {
			r = xb_frontends_put(&a->fe[f], &want->key, want->kind, port->slot);
			if (r < 0 && recount)
				address_unref(a, f, want);
		}
		if (r != -ENOSPC || try)
			break;
		r = room_double_frontends(a, f, reterr_why);
		if (r < 0)
			return r;
	}
	if (r == 0 && was && recount)
		address_unref(a, f, was);
	return r;
}

static void frontend_delete(struct apply *a, int f, const struct frontend *gone)
{
	xb_frontends_delete(&a->fe[f], &gone->key);
	address_unref(a, f, gone);
}

/* Deletes what the port has and the list has not. Returns whether there was any. */
static bool frontends_drop(struct apply *a, int f, struct port *port, struct frontend *keep, size_t n)
{
	bool any = false;

	for (size_t i = 0; i < port->n_frontends; i++) {
		if (frontend_in(keep, n, &port->frontends[i].key))
			continue;
		frontend_delete(a, f, &port->frontends[i]);
		any = true;
	}
	return any;
}

/* list: room for all of the plan's; filled with those that the port owns in the end, and then the port's. The first fault is
 * told, and does not keep the rest from being done. */
static int frontends_commit(struct apply *a, struct port *port, const struct xb_plan_port *p, struct frontend *list, bool *ret_dropped,
			       char **reterr_why)
{
	int f = family_index(port->family), worst = 0;
	size_t n = 0;

	for (size_t i = 0; i < p->n_frontends; i++) {
		struct frontend want = { key_of(port->family, port->proto, &p->frontends[i]), p->frontends[i].kind };
		struct frontend *was = frontend_in(port->frontends, port->n_frontends, &want.key);
		int r;

		if (frontend_in(list, n, &want.key))
			continue;
		if (!was) {
			struct xb_fe other = xb_frontends_get(&a->fe[f], &want.key);

			if (other.kind) {
				if (!worst)
					worst = conflict(a, p, &want.key, other, reterr_why);
				continue;
			}
		}
		r = frontend_put(a, f, port, was, &want, worst ? NULL : reterr_why);
		if (r == 0)
			list[n++] = want;
		else if (!worst)
			worst = r;
	}
	*ret_dropped = frontends_drop(a, f, port, list, n);
	free(port->frontends);
	port->frontends = list;
	port->n_frontends = n;
	return worst;
}

static bool frontends_same(const struct port *port, const struct xb_plan_port *p)
{
	if (port->n_frontends != p->n_frontends)
		return false;
	for (size_t i = 0; i < p->n_frontends; i++) {
		struct xb_fe_key key = key_of(port->family, port->proto, &p->frontends[i]);
		const struct frontend *have = frontend_in(port->frontends, port->n_frontends, &key);

		if (!have || have->kind != p->frontends[i].kind)
			return false;
	}
	return true;
}

/* --- one port */

static bool for_clients(enum xb_frontend_kind kind)
{
	return kind >= XB_FRONTEND_CLUSTER_IP && kind <= XB_FRONTEND_LOAD_BALANCER;
}

static int check(const struct xb_plan_port *p, char **reterr_why)
{
	size_t n = p->name ? strlen(p->name) : 0;

	if (!n || n >= sizeof(struct xb_name))
		return xb_why(reterr_why, -EINVAL, "the name of a service port has %zu bytes; it may have 1 to %zu", n, sizeof(struct xb_name) - 1);
	for (int i = 0; i < XB_SETS; i++)
		if (p->set[i].n > XB_SET_MAX)
			return xb_why(reterr_why, -ENOSPC, "%s has more than %u backends", p->name, XB_SET_MAX);
	for (size_t i = 0; i < p->n_frontends; i++)
		if (!p->frontends[i].port || !for_clients(p->frontends[i].kind))
			return xb_why(reterr_why, -EINVAL, "%s has a frontend without a port or of no known kind", p->name);
	return 0;
}

static int port_start(struct apply *a, const struct xb_plan_port *p, struct port **ret, char **reterr_why)
{
	struct port *port;
	struct xb_svc *svc;
	__u32 slot;
	int r = room_take_slot(a, &slot, reterr_why);

	if (r < 0)
		return r;
	port = port_new(a, p->name, family_of(p->family), p->proto, slot);
	if (!port) {
		alloc_give(a->slots, slot, 1);
		return -ENOMEM;
	}
	svc = svc_at(a, slot);
	svc->family = port->family;
	svc->proto = port->proto;
	*ret = port;
	return 0;
}

static void settings_store(struct xb_svc *svc, const struct xb_plan_port *p)
{
	svc->affinity_seconds = p->affinity_seconds;
	svc->dsr = p->dsr;
	for (int i = 0; i < XB_SCOPES; i++)
		svc->drop[i] = p->set[i].drop_when_empty;
}

/* Takes a port apart that has nothing published. */
static void port_abandon(struct apply *a, struct port *port)
{
	alloc_give(a->slots, port->slot, 1);
	port_forget(a, port);
}

static int name_store(const struct apply *a, __u32 slot, const char *text)
{
	struct xb_name name = {};

	memcpy(name.name, text, strlen(text));
	return bpf_map_update_elem(a->tables->t[TABLE_NAME].fd, &slot, &name, BPF_ANY) < 0 ? -errno : 0;
}

static int port_change(struct apply *a, struct port *port, const struct xb_plan_port *p, char **reterr_why)
{
	_cleanup_free_ struct frontend *list = calloc(MAX(p->n_frontends, 1), sizeof(*list));
	int f = family_index(port->family), r;
	struct outside outside;
	struct sets now, staged;
	bool dropped;

	if (!list)
		return -ENOMEM;
	r = room_for_frontends(a, f, 2 * p->n_frontends, reterr_why);
	if (r == 0 && p->affinity_seconds)
		r = room_for_affinity(a, reterr_why);
	if (r < 0)
		return r;
	now = sets_now(a, port->slot);
	r = sets_stage(a, f, p, &now, &staged, reterr_why);
	if (r < 0)
		return r;
	r = outside_stage(a, port, p, staged.set[XB_SCOPE_OUTSIDE], &outside, reterr_why);
	if (r < 0) {
		blocks_not_in(a->blocks[f], &staged, &now, alloc_give);
		return r;
	}
	settings_store(svc_at(a, port->slot), p);
	outside_publish(a, port, &outside);
	sets_commit(a, port, &now, &staged, false);
	/* before its frontends: an entry whose port has no name is an interrupted removal */
	r = port->named ? 0 : name_store(a, port->slot, port->name);
	if (r < 0)
		return r;
	port->named = true;
	if (frontends_same(port, p))
		return 0;
	r = frontends_commit(a, port, p, TAKE_PTR(list), &dropped, reterr_why);
	/* UDP sockets that still send to a frontend that is gone look again */
	if (dropped)
		sets_commit(a, port, &staged, &staged, true);
	return r;
}

int apply_set(struct apply *a, const struct xb_plan_port *p, char **reterr_why)
{
	struct port *port;
	bool fresh;
	int r = check(p, reterr_why);

	if (r < 0)
		return r;
	port = port_find(a, p->name, family_of(p->family), p->proto);
	fresh = !port;
	if (fresh) {
		r = port_start(a, p, &port, reterr_why);
		if (r < 0)
			return r;
	}
	port->seen = true;
	r = port_change(a, port, p, reterr_why);
	if (r < 0 && fresh && !port->named)
		port_abandon(a, port);
	return r;
}

static void port_remove(struct apply *a, struct port *port)
{
	int f = family_index(port->family);
	struct sets now = sets_now(a, port->slot), none = {};

	for (size_t i = 0; i < port->n_frontends; i++)
		frontend_delete(a, f, &port->frontends[i]);
	sets_commit(a, port, &now, &none, true);
	outside_publish(a, port, &(struct outside){});
	name_store(a, port->slot, "");
	alloc_retire(a->slots, port->slot, 1);
	port_forget(a, port);
}

int apply_remove(struct apply *a, const char *name, int family, enum xb_proto proto)
{
	struct port *port = port_find(a, name, family_of(family), proto);

	if (!port)
		return -ENOENT;
	port_remove(a, port);
	return 0;
}

int apply_prune(struct apply *a)
{
	int n = 0;

	for (__u32 slot = 0; slot < alloc_size(a->slots); slot++) {
		if (!a->by_slot[slot] || a->by_slot[slot]->seen)
			continue;
		port_remove(a, a->by_slot[slot]);
		n++;
	}
	attach_sweep(a->attach);
	return n;
}

void apply_commit(struct apply *a)
{
	if (a->stale && a->sockets_stale)
		stale_sweep(a->stale, a->tables);
	a->sockets_stale = false;
}

/* --- the node's addresses */

static bool addr_in(const union xb_ip6 *list, size_t n, const union xb_ip6 *addr)
{
	for (size_t i = 0; i < n; i++)
		if (!memcmp(&list[i], addr, sizeof(*addr)))
			return true;
	return false;
}

int apply_set_node_addrs(struct apply *a, int family, const struct xb_plan_addr *addrs, size_t n)
{
	int f = family_index(family_of(family)), r = room_for_frontends(a, f, n, NULL);
	_cleanup_free_ union xb_ip6 *list = calloc(n + 1, sizeof(*list));

	if (r < 0)
		return r;
	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct xb_fe_key key;

		list[i] = addr_of(family_of(family), &addrs[i]);
		key = address_key(&list[i]);
		r = address_put(&a->fe[f], &key, true, xb_frontends_get(&a->fe[f], &key).svc);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < a->n_node_addrs[f]; i++) {
		struct xb_fe_key key = address_key(&a->node_addrs[f][i]);

		if (!addr_in(list, n, &a->node_addrs[f][i]))
			address_put(&a->fe[f], &key, false, xb_frontends_get(&a->fe[f], &key).svc);
	}
	free(a->node_addrs[f]);
	a->node_addrs[f] = TAKE_PTR(list);
	a->n_node_addrs[f] = n;
	return 0;
}
