/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "subsets.h"
#include "xb/map.h"
#include "xb/vec.h"

struct port {
	struct slice_port port;
	bool none;
	uint32_t *members, n, cap;      /* indexes of addresses */
	const struct port *with;        /* the first that has the same members, itself too */
};
struct subsets {
	struct xb_arena *arena;
	struct subset_address *addresses;
	struct port *ports;
	size_t n, cap, n_ports, cap_ports;
};

struct subsets *subsets_new(struct xb_arena *a)
{
	struct subsets *s = xb_arena_alloc(a, sizeof(*s));

	if (s)
		s->arena = a;
	return s;
}

static void *grown(struct xb_arena *a, const void *old, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap ? 2 * *cap : 8;
	void *v = xb_arena_alloc(a, more * size);

	if (v && n)
		memcpy(v, old, n * size);
	if (v)
		*cap = more;
	return v;
}

static bool same_port(const struct port *p, const struct slice_port *wanted)
{
	if (!wanted || p->none)
		return !wanted && p->none;
	return p->port.number == wanted->number && xb_sv_eq(p->port.name, wanted->name) && xb_sv_eq(p->port.protocol, wanted->protocol) &&
	       xb_sv_eq(p->port.app_protocol, wanted->app_protocol);
}

static struct port *obtain(struct subsets *s, const struct slice_port *wanted)
{
	struct port *p;

	for (size_t i = 0; i < s->n_ports; i++)
		if (same_port(&s->ports[i], wanted))
			return &s->ports[i];
	if (s->n_ports == s->cap_ports) {
		p = grown(s->arena, s->ports, s->n_ports, &s->cap_ports, sizeof(*p));
		if (!p)
			return NULL;
		s->ports = p;
	}
	p = &s->ports[s->n_ports++];
	*p = (struct port){ .none = !wanted };
	if (wanted)
		p->port = *wanted;
	return p;
}

static int add_member(struct subsets *s, const struct slice_port *wanted, uint32_t member)
{
	struct port *p = obtain(s, wanted);
	size_t cap = p ? p->cap : 0;
	uint32_t *more;

	if (!p)
		return -ENOMEM;
	if (p->n == p->cap) {
		more = grown(s->arena, p->members, p->n, &cap, sizeof(*more));
		if (!more)
			return -ENOMEM;
		p->members = more;
		p->cap = (uint32_t)cap;
	}
	p->members[p->n++] = member;
	return 0;
}

int subsets_add(struct subsets *s, const struct subset_address *address, const struct slice_port *ports, size_t n_ports)
{
	struct subset_address *more;
	int r = 0;

	if (s->n == s->cap) {
		more = grown(s->arena, s->addresses, s->n, &s->cap, sizeof(*more));
		if (!more)
			return -ENOMEM;
		s->addresses = more;
	}
	s->addresses[s->n] = *address;
	if (!ports)
		r = add_member(s, NULL, (uint32_t)s->n);
	for (size_t i = 0; ports && !r && i < n_ports; i++)
		r = add_member(s, &ports[i], (uint32_t)s->n);
	s->n++;
	return r;
}

/* --- subsets --- */

static int by_port(const void *a, const void *b)
{
	const struct port *x = a, *y = b;
	int r = xb_sv_cmp(x->port.name, y->port.name);

	if (!r)
		r = xb_sv_cmp(x->port.protocol, y->port.protocol);
	return r ? r : (x->port.number > y->port.number) - (x->port.number < y->port.number);
}

static bool same_members(const struct port *a, const struct port *b)
{
	return !a->none && !b->none && a->n == b->n && !memcmp(a->members, b->members, a->n * sizeof(*a->members));
}

/* Members stand in the order in which they were added, in each port; ports in an order of their own, so that the same pods give
 * the same subsets in whatever order they come. */
static void join(struct subsets *s)
{
	if (s->n_ports)
		qsort(s->ports, s->n_ports, sizeof(*s->ports), by_port);
	for (size_t i = 0; i < s->n_ports; i++) {
		struct port *p = &s->ports[i];

		p->with = p;
		for (size_t j = 0; j < i && p->with == p; j++) {
			const struct port *q = &s->ports[j];

			if (q->with == q && same_members(p, q))
				p->with = q;
		}
	}
}

static int by_address(const void *a, const void *b, void *arg)
{
	const struct subset_address *all = arg, *x = &all[*(const uint32_t *)a], *y = &all[*(const uint32_t *)b];
	int r = xb_sv_cmp(x->ip, y->ip);

	return r ? r : xb_sv_cmp(x->uid, y->uid);
}

static void write_address(const struct subset_address *a, struct xb_jw *w)
{
	xb_jw_object(w);
	xb_jw_ksv(w, "ip", a->ip);
	if (a->hostname.n)
		xb_jw_ksv(w, "hostname", a->hostname);
	if (a->node.n)
		xb_jw_ksv(w, "nodeName", a->node);
	xb_jw_key(w, "targetRef");
	xb_jw_object(w);
	xb_jw_kstr(w, "kind", "Pod");
	xb_jw_ksv(w, "namespace", a->namespace_);
	xb_jw_ksv(w, "name", a->name);
	xb_jw_ksv(w, "uid", a->uid);
	xb_jw_end(w);
	xb_jw_end(w);
}

static size_t count(const struct subsets *s, const struct port *p, bool ready)
{
	size_t n = 0;

	for (uint32_t i = 0; i < p->n; i++)
		n += s->addresses[p->members[i]].ready == ready;
	return n;
}

static void write_addresses(const struct subsets *s, const struct port *p, bool ready, size_t most, struct xb_jw *w)
{
	if (!MIN(most, count(s, p, ready)))
		return;
	xb_jw_key(w, ready ? "addresses" : "notReadyAddresses");
	xb_jw_array(w);
	for (uint32_t i = 0; most && i < p->n; i++) {
		const struct subset_address *a = &s->addresses[p->members[i]];

		if (a->ready != ready)
			continue;
		write_address(a, w);
		most--;
	}
	xb_jw_end(w);
}

static void write_ports(const struct subsets *s, const struct port *first, struct xb_jw *w)
{
	if (first->none)
		return;
	xb_jw_key(w, "ports");
	xb_jw_array(w);
	for (size_t i = 0; i < s->n_ports; i++) {
		const struct slice_port *p = &s->ports[i].port;

		if (s->ports[i].with != first)
			continue;
		xb_jw_object(w);
		if (p->name.n)
			xb_jw_ksv(w, "name", p->name);
		xb_jw_kint(w, "port", p->number);
		xb_jw_ksv(w, "protocol", p->protocol);
		if (p->app_protocol.n)
			xb_jw_ksv(w, "appProtocol", p->app_protocol);
		xb_jw_end(w);
	}
	xb_jw_end(w);
}

/* How many of each kind a subset may have: its part of what there is room for, rounded up, while there is room. */
struct share {
	size_t total, room, left;
};

static size_t take(struct share *h, size_t n)
{
	size_t part = h->total > h->room ? MIN((n * h->room + h->total - 1) / h->total, h->left) : n;

	h->left -= MIN(part, h->left);
	return part;
}

int subsets_write(struct subsets *s, size_t max, struct xb_buf *out, bool *ret_cut)
{
	struct share ready = {}, unready = {};
	struct xb_jw w = XB_JW(out);

	join(s);
	for (size_t i = 0; i < s->n_ports; i++) {
		if (s->ports[i].with != &s->ports[i])
			continue;
		qsort_r(s->ports[i].members, s->ports[i].n, sizeof(*s->ports[i].members), by_address, s->addresses);
		ready.total += count(s, &s->ports[i], true);
		unready.total += count(s, &s->ports[i], false);
	}
	ready.room = ready.left = max;
	unready.room = unready.left = max - MIN(ready.total, max);
	xb_jw_array(&w);
	for (size_t i = 0; i < s->n_ports; i++) {
		const struct port *p = &s->ports[i];
		size_t n_ready, n_unready;

		if (p->with != p)
			continue;
		n_ready = take(&ready, count(s, p, true));
		n_unready = take(&unready, count(s, p, false));
		if (!n_ready && !n_unready)
			continue;
		xb_jw_object(&w);
		write_addresses(s, p, true, n_ready, &w);
		write_addresses(s, p, false, n_unready, &w);
		write_ports(s, p, &w);
		xb_jw_end(&w);
	}
	xb_jw_end(&w);
	if (xb_jw_finish(&w) < 0)
		return -ENOMEM;
	*ret_cut = ready.total + unready.total > max;
	return 0;
}

/* --- what there is --- */
static bool same_value(struct xb_jv a, struct xb_jv b);

static bool same_object(struct xb_jv a, struct xb_jv b)
{
	size_t n_a = 0, n_b = xb_jv_count(b) - xb_jv_is(xb_jv_get(b, "resourceVersion"));

	for (struct xb_jit it = xb_jv_iter(a); xb_jit_next(&it);) {
		if (xb_sv_is(it.key, "resourceVersion"))
			continue;
		if (!same_value(it.value, xb_jv_getsv(b, it.key)))
			return false;
		n_a++;
	}
	return n_a == n_b;
}

static bool same_value(struct xb_jv a, struct xb_jv b)
{
	if (xb_jv_type(a) == XB_JSON_OBJECT && xb_jv_type(b) == XB_JSON_OBJECT)
		return same_object(a, b);
	if (xb_jv_type(a) == XB_JSON_ARRAY && xb_jv_type(b) == XB_JSON_ARRAY)
		return subsets_same(a, b);
	return xb_sv_eq(xb_jv_bytes(a), xb_jv_bytes(b));
}

bool subsets_same(struct xb_jv a, struct xb_jv b)
{
	struct xb_jit x = xb_jv_iter(a), y = xb_jv_iter(b);

	if (xb_jv_count(a) != xb_jv_count(b))
		return false;
	while (xb_jit_next(&x) && xb_jit_next(&y))
		if (!same_value(x.value, y.value))
			return false;
	return true;
}

static const char *key(bool ready, struct xb_sv ip, struct xb_sv uid, struct xb_buf *out)
{
	xb_buf_clear(out);
	xb_buf_addf(out, "%d/%.*s/%.*s", ready, XB_SV_ARG(ip), XB_SV_ARG(uid));
	return out->err ? NULL : out->p;
}

static int note(struct xb_map *map, struct xb_jv addresses, bool ready)
{
	_cleanup_buf_ struct xb_buf text = {};
	int r = 0;

	for (struct xb_jit it = xb_jv_iter(addresses); !r && xb_jit_next(&it);) {
		struct xb_sv uid = xb_jv_text(xb_jv_path(it.value, "targetRef", "uid"));

		r = key(ready, xb_jv_text(xb_jv_get(it.value, "ip")), uid, &text) ? xb_map_set(map, xb_buf_sv(&text), map, NULL) : -ENOMEM;
	}
	return r;
}

int subsets_since(const struct subsets *s, struct xb_jv old, int64_t *ret)
{
	_cleanup_(xb_map_freep) struct xb_map *map = xb_map_new(XB_MAP_COPY);
	_cleanup_buf_ struct xb_buf text = {};
	int64_t since = 0;
	int r = map ? 0 : -ENOMEM;

	for (struct xb_jit it = xb_jv_iter(old); !r && xb_jit_next(&it);) {
		r = note(map, xb_jv_get(it.value, "addresses"), true);
		if (!r)
			r = note(map, xb_jv_get(it.value, "notReadyAddresses"), false);
	}
	for (size_t i = 0; !r && i < s->n; i++) {
		const struct subset_address *a = &s->addresses[i];

		if (!key(a->ready, a->ip, a->uid, &text))
			return -ENOMEM;
		if (a->since && (!since || a->since < since) && !xb_map_get(map, xb_buf_sv(&text)))
			since = a->since;
	}
	if (!r)
		*ret = since;
	return r;
}
