/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <stdlib.h>
#include <string.h>
#include "apply_state.h"
#include "maglev.h"
#include "sources.h"
#include "xb/why.h"

/* --- source ranges: a list is whole before its id is published, and stays whole until no program can know that id --- */

static int key_order(const void *x, const void *y)
{
	return memcmp(x, y, sizeof(struct xb_src_key));
}

static struct xb_src_key key_of(int family, const struct xb_plan_net *net)
{
	struct xb_src_key key = { .prefix_bits = 32 + net->bits };

	if (family == AF_INET6) {
		memcpy(key.addr.b, net->addr.b, 16);
		return key;
	}
	key.prefix_bits += 96;
	key.addr.be32[2] = htonl(0xffff);
	memcpy(&key.addr.be32[3], net->addr.b, 4);
	return key;
}

static struct sources *sources_new(size_t room)
{
	return calloc(1, sizeof(struct sources) + room * sizeof(struct xb_src_key));
}

/* Without an id; the same networks give the same keys in the same order. */
static struct sources *sources_of(const struct xb_plan_port *p)
{
	struct sources *s = sources_new(p->n_source_ranges);

	if (!s)
		return NULL;
	for (size_t i = 0; i < p->n_source_ranges; i++)
		s->key[i] = key_of(p->family, &p->source_ranges[i]);
	qsort(s->key, p->n_source_ranges, sizeof(s->key[0]), key_order);
	for (size_t i = 0; i < p->n_source_ranges; i++)
		if (!i || key_order(&s->key[i], &s->key[i - 1]))
			s->key[s->n++] = s->key[i];
	return s;
}

static void set_id(struct sources *s, __u32 id)
{
	s->id = id;
	for (size_t i = 0; i < s->n; i++)
		s->key[i].id = htonl(id);
}

static bool same_networks(const struct sources *have, const struct sources *want)
{
	if (!have || have->n != want->n)
		return false;
	for (size_t i = 0; i < want->n; i++)
		if (have->key[i].prefix_bits != want->key[i].prefix_bits ||
		    memcmp(&have->key[i].addr, &want->key[i].addr, sizeof(union xb_ip6)))
			return false;
	return true;
}

static void networks_delete(struct apply *a, const struct sources *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		a->n_sources -= bpf_map_delete_elem(a->tables->t[TABLE_SRC].fd, &s->key[i]) == 0;
}

static int networks_insert(struct apply *a, const struct sources *s)
{
	const __u8 yes = 1;

	for (size_t i = 0; i < s->n; i++) {
		if (bpf_map_update_elem(a->tables->t[TABLE_SRC].fd, &s->key[i], &yes, BPF_ANY) < 0) {
			int r = -errno;

			networks_delete(a, s, i);
			return r;
		}
		a->n_sources++;
	}
	return 0;
}

static int sources_stage(struct apply *a, const struct port *port, const struct xb_plan_port *p, struct sources **ret, char **reterr_why)
{
	_cleanup_free_ struct sources *want = NULL;
	int r;

	if (!p->source_ranges_set) {
		*ret = NULL;
		return 0;
	}
	want = sources_of(p);
	if (!want)
		return -ENOMEM;
	if (same_networks(port->sources, want)) {
		*ret = port->sources;
		return 0;
	}
	r = room_for_sources(a, want->n, reterr_why);
	if (r < 0)
		return r;
	a->last_source_id += a->last_source_id == UINT32_MAX ? 2 : 1;
	set_id(want, a->last_source_id);
	r = networks_insert(a, want);
	if (r < 0)
		return xb_why(reterr_why, r, "cannot keep the source ranges of %s: %s", p->name, strerror(-r));
	*ret = TAKE_PTR(want);
	return 0;
}

static void sources_publish(struct apply *a, struct port *port, struct sources *s)
{
	if (port->sources == s)
		return;
	__atomic_store_n(&svc_at(a, port->slot)->source_ranges, s ? s->id : 0, __ATOMIC_RELEASE);
	if (port->sources) {
		port->sources->next = a->old_sources;
		a->old_sources = port->sources;
	}
	port->sources = s;
}

void sources_release(struct apply *a)
{
	while (a->old_sources) {
		struct sources *s = a->old_sources;

		a->old_sources = s->next;
		networks_delete(a, s, s->n);
		free(s);
	}
}

/* --- Maglev --- */

static __u32 lines_of(__u32 size)
{
	return (size + XB_MAG_LINE - 1) / XB_MAG_LINE;
}

static __u16 *positions(const struct apply *a, __u32 base)
{
	return ((struct xb_mag *)a->tables->t[TABLE_MAG].mem)[base].position;
}

static bool slice_holds(const struct apply *a, struct xb_slice slice, __u32 size, const __u16 *want)
{
	return slice.size == size && !memcmp(positions(a, slice.base), want, size * sizeof(*want));
}

/* A slice of an earlier run may be of the set before the last: it is compared once. */
static int maglev_stage(struct apply *a, const struct port *port, const struct xb_plan_port *p, struct xb_set set, struct xb_slice *ret,
			char **reterr_why)
{
	const struct xb_svc *svc = svc_at(a, port->slot);
	const struct xb_plan_set *plan = &p->set[XB_SCOPE_OUTSIDE];
	__u32 size = p->maglev ? maglev_size(plan->n) : 0, base;
	bool same_set = set.base == svc->set[XB_SCOPE_OUTSIDE].base && set.count == svc->set[XB_SCOPE_OUTSIDE].count;
	_cleanup_free_ __u16 *want = NULL;
	int r;

	*ret = (struct xb_slice){};
	if (!size)
		return 0;
	if (same_set && port->maglev_known && svc->maglev.size == size) {
		*ret = svc->maglev;
		return 0;
	}
	want = malloc(size * sizeof(*want));
	r = want ? maglev_fill(plan, p->family, want) : -ENOMEM;
	if (r < 0)
		return r;
	if (slice_holds(a, svc->maglev, size, want)) {
		*ret = svc->maglev;
		return 0;
	}
	r = room_take_maglev(a, lines_of(size), &base, reterr_why);
	if (r < 0)
		return r;
	memcpy(positions(a, base), want, size * sizeof(*want));
	*ret = (struct xb_slice){ .base = base, .size = size };
	return 0;
}

static bool slice_equal(struct xb_slice x, struct xb_slice y)
{
	return x.size == y.size && (!x.size || x.base == y.base);
}

static void maglev_publish(struct apply *a, struct port *port, struct xb_slice slice)
{
	struct xb_svc *svc = svc_at(a, port->slot);
	struct xb_slice was = svc->maglev;
	union {
		struct xb_slice slice;
		__u64 word;
	} u = { .slice = slice };

	port->maglev_known = true;
	if (slice_equal(was, slice))
		return;
	__atomic_store_n((__u64 __attribute__((may_alias)) *)&svc->maglev, u.word, __ATOMIC_RELEASE);
	if (was.size)
		alloc_retire(a->maglev, was.base, lines_of(was.size));
}

/* --- both --- */

int outside_stage(struct apply *a, const struct port *port, const struct xb_plan_port *p, struct xb_set set, struct outside *ret,
		  char **reterr_why)
{
	struct outside o = {};
	int r = maglev_stage(a, port, p, set, &o.maglev, reterr_why);

	if (r < 0)
		return r;
	r = sources_stage(a, port, p, &o.sources, reterr_why);
	if (r < 0) {
		if (o.maglev.size && !slice_equal(o.maglev, svc_at(a, port->slot)->maglev))
			alloc_give(a->maglev, o.maglev.base, lines_of(o.maglev.size));
		return r;
	}
	*ret = o;
	return 0;
}

void outside_publish(struct apply *a, struct port *port, const struct outside *o)
{
	sources_publish(a, port, o->sources);
	maglev_publish(a, port, o->maglev);
}

/* --- what an earlier run left, and the end of this one --- */

int outside_reserve(struct apply *a, const struct xb_svc *svc)
{
	return svc->maglev.size ? alloc_reserve(a->maglev, svc->maglev.base, lines_of(svc->maglev.size)) : 0;
}

static int id_order(const void *x, const void *y)
{
	const struct network *a = x, *b = y;
	int order = memcmp(&a->key.id, &b->key.id, sizeof(a->key.id)); /* big-endian, so as numbers */

	return order ? order : key_order(&a->key, &b->key);
}

int networks_read(int fd, struct networks *ret)
{
	const struct xb_src_key *last = NULL;
	struct network next = {};

	while (bpf_map_get_next_key(fd, last, &next.key) == 0) {
		int r = xb_vec_push(ret, next);

		if (r < 0)
			return r;
		last = &ret->v[ret->n - 1].key;
	}
	if (errno != ENOENT)
		return -errno;
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(ret->v[0]), id_order);
	return 0;
}

struct network *networks_of(const struct networks *all, __u32 id, size_t *ret_n)
{
	size_t low = 0, high = all->n, n = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ntohl(all->v[middle].key.id) < id)
			low = middle + 1;
		else
			high = middle;
	}
	while (low + n < all->n && ntohl(all->v[low + n].key.id) == id)
		n++;
	*ret_n = n;
	return all->v ? all->v + low : NULL;
}

/* As a port has it. NULL without memory. */
static struct sources *sources_in(const struct networks *all, __u32 id)
{
	size_t n;
	struct network *v = networks_of(all, id, &n);
	struct sources *s = sources_new(n);

	if (!s)
		return NULL;
	s->id = id;
	for (size_t i = 0; i < n; i++) {
		s->key[s->n++] = v[i].key;
		v[i].used = true;
	}
	return s;
}

bool networks_are(const struct networks *all, __u32 id, const struct xb_plan_port *p)
{
	_cleanup_free_ struct sources *have = NULL, *want = NULL;

	if (!id || !p->source_ranges_set)
		return !id == !p->source_ranges_set;
	have = sources_in(all, id);
	want = sources_of(p);
	return have && want && same_networks(have, want);
}

int sources_adopt(struct apply *a)
{
	struct networks all = {};
	int fd = a->tables->t[TABLE_SRC].fd, r = networks_read(fd, &all);

	for (__u32 slot = 1; slot < alloc_size(a->slots) && r == 0; slot++) {
		__u32 id = svc_at(a, slot)->source_ranges;

		a->last_source_id = MAX(a->last_source_id, id);
		if (!a->by_slot[slot] || !id)
			continue;
		a->by_slot[slot]->sources = sources_in(&all, id);
		r = a->by_slot[slot]->sources ? 0 : -ENOMEM;
	}
	a->n_sources = all.n;
	for (size_t i = 0; i < all.n && r == 0; i++) {
		a->last_source_id = MAX(a->last_source_id, ntohl(all.v[i].key.id));
		if (!all.v[i].used)
			a->n_sources -= bpf_map_delete_elem(fd, &all.v[i].key) == 0;
	}
	xb_vec_done(&all);
	return r;
}

void outside_done(struct apply *a)
{
	while (a->old_sources) {
		struct sources *s = a->old_sources;

		a->old_sources = s->next;
		free(s);
	}
}
