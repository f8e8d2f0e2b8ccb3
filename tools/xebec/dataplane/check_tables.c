/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "findings.h"
#include "text.h"
#include "../xalloc.h"

/* --- frontends --- */
static char *frontend_entry(const struct frontend *f)
{
	return xprintf("%s %s %s", f->family == XB_IPV4 ? "xb_fe4" : "xb_fe6", frontend_text(&f->addr, f->port).s,
		       f->proto ? proto_text(f->proto) : "(address)");
}

static struct xb_fe_key key_of(const struct frontend *f)
{
	return (struct xb_fe_key){ .addr = f->addr, .port = f->port, .proto = f->proto };
}

static bool same_key(const struct frontend *a, const struct frontend *b)
{
	return a->family == b->family && a->port == b->port && a->proto == b->proto && !memcmp(&a->addr, &b->addr, sizeof(a->addr));
}

static int compare_keys(const void *a, const void *b)
{
	const struct frontend *x = a, *y = b;
	int r = (int)x->family - (int)y->family;

	if (!r)
		r = memcmp(&x->addr, &y->addr, sizeof(x->addr));
	if (!r)
		r = (int)x->port - (int)y->port;
	return r ? r : (int)x->proto - (int)y->proto;
}

static void check_leads(const struct tables *t, const struct frontend *f, struct findings *found)
{
	const struct xb_svc *svc = f->svc ? svc_at(t, f->svc) : NULL;
	const struct xb_name *name = table_at(t, TABLE_NAME, f->svc);

	if (!svc)
		findings_add(found, frontend_entry(f), 0, "leads to service %u, and xb_svc has 1 to %u", f->svc, t->t[TABLE_SVC].size - 1);
	else if (!name || !name->name[0])
		findings_add(found, frontend_entry(f), 0, "leads to service %u, which has no name", f->svc);
	else if (svc->family != f->family || svc->proto != f->proto)
		findings_add(found, frontend_entry(f), 0, "leads to %s, which is %s of %s", name_of(t, f->svc).s, proto_text(svc->proto),
			     family_text(svc->family));
}

static void check_address(const struct frontend *sorted, size_t n, const struct frontend *f, struct findings *found)
{
	size_t at = f - sorted, from = at;
	__u32 other = xb_fe_unit(XB_FRONTEND_EXTERNAL_IP), count = 0;

	while (from && !memcmp(&sorted[from - 1].addr, &f->addr, sizeof(f->addr)) && sorted[from - 1].family == f->family)
		from--;
	for (size_t i = from; i < n && !memcmp(&sorted[i].addr, &f->addr, sizeof(f->addr)) && sorted[i].family == f->family; i++)
		count += xb_fe_is_address(sorted[i].kind) ? 0 : xb_fe_unit(sorted[i].kind);
	if (f->svc != count)
		findings_add(found, frontend_entry(f), 0, "counts %u ports of cluster IPs and %u others, and %u and %u are there",
			     f->svc % other, f->svc / other, count % other, count / other);
	else if (f->kind != XB_FRONTEND_NODE_ADDR && (f->kind == XB_FRONTEND_VIP) != !!(count % other))
		findings_add(found, frontend_entry(f), 0, "is %s, and the address has %u ports of cluster IPs", kind_text(f->kind), count % other);
}

/* A program looks no further where the address by itself is not there. */
static void check_has_address(const struct tables *t, const struct frontend *f, struct findings *found)
{
	struct xb_fe_key key = { .addr = f->addr };
	bool any = f->kind == XB_FRONTEND_NODE_PORT && !f->addr.word[0] && !f->addr.be32[3] && (f->family == XB_IPV4 || !f->addr.be32[2]);

	if (!any && !xb_frontends_get(&t->fe[f->family == XB_IPV6], &key).kind)
		findings_add(found, frontend_entry(f), 0, "is not looked for: its address has no entry");
}

static void check_frontends(const struct tables *t, const struct index *x, struct findings *found)
{
	size_t n = x->frontends.n;
	_cleanup_free_ struct frontend *sorted = xalloc(malloc((n + 1) * sizeof(*sorted)));

	if (n)
		memcpy(sorted, x->frontends.v, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare_keys);
	for (size_t i = 0; i < n; i++) {
		const struct frontend *f = &sorted[i];
		struct xb_fe_key key = key_of(f);
		struct xb_fe fe = xb_frontends_get(&t->fe[f->family == XB_IPV6], &key);

		if (f->kind > XB_FRONTEND_SHARED)
			findings_add(found, frontend_entry(f), 0, "is of kind %d, which there is not", f->kind);
		else if (i && same_key(f, f - 1))
			findings_add(found, frontend_entry(f), 0, "is there twice");
		else if (fe.kind != f->kind || fe.svc != f->svc)
			findings_add(found, frontend_entry(f), 0, "is not found by a lookup: it lies where it does not belong");
		if (xb_fe_is_address(f->kind)) {
			check_address(sorted, n, f, found);
		} else {
			check_has_address(t, f, found);
			check_leads(t, f, found);
		}
	}
}

/* --- ports and their sets --- */
static char *slot_entry(const struct slot *s)
{
	return xprintf("%s %s %s", s->name, proto_text(s->proto), family_text(s->family));
}

static int compare_peers(const struct xb_peer *a, const struct xb_peer *b)
{
	int r = memcmp(&a->addr, &b->addr, sizeof(a->addr));

	return r ? r : (int)a->port - (int)b->port;
}

static void check_set(const struct tables *t, const struct slot *slot, enum xb_scope scope, struct findings *found)
{
	struct xb_set set = set_at(svc_at(t, slot->svc), scope);
	struct xb_peer last = {}, backend;

	for (__u32 i = 0; i < set.count; i++) {
		if (!backend_at(t, slot->family, set.base + i, &backend)) {
			findings_add(found, slot_entry(slot), 0, "its %s set is backends %u to %u, and the table has 0 to %u", set_text(scope),
				     set.base, set.base + set.count - 1,
				     t->t[slot->family == XB_IPV4 ? TABLE_BE4 : TABLE_BE6].size - 1);
			return;
		}
		if (i && compare_peers(&last, &backend) >= 0) {
			findings_add(found, slot_entry(slot), 0, "its %s set is not sorted at %s", set_text(scope),
				     endpoint_text(&backend.addr, backend.port).s);
			return;
		}
		last = backend;
	}
}

static void check_maglev(const struct tables *t, const struct slot *slot, struct findings *found)
{
	const struct xb_svc *svc = svc_at(t, slot->svc);
	struct xb_set set = set_at(svc, XB_SCOPE_OUTSIDE);

	for (__u32 i = 0; i < svc->maglev.size; i++) {
		const struct xb_mag *line = table_at(t, TABLE_MAG, svc->maglev.base + i / XB_MAG_LINE);

		if (line && line->position[i % XB_MAG_LINE] < set.count)
			continue;
		findings_add(found, slot_entry(slot), 0, line ? "its Maglev table leads beyond its outside set at %u" :
							       "its Maglev table lies beyond xb_mag at %u", i);
		return;
	}
}

static void check_slots(const struct tables *t, const struct index *x, struct findings *found)
{
	for (size_t i = 0; i < x->slots.n; i++) {
		const struct slot *s = &x->slots.v[i], *last = i ? s - 1 : NULL;

		if ((s->family != XB_IPV4 && s->family != XB_IPV6) ||
		    (s->proto != XB_PROTO_TCP && s->proto != XB_PROTO_UDP && s->proto != XB_PROTO_SCTP)) {
			findings_add(found, slot_entry(s), 0, "service %u has no protocol or family", s->svc);
			continue;
		}
		if (last && last->family == s->family && last->proto == s->proto && !strcmp(last->name, s->name))
			findings_add(found, slot_entry(s), 0, "is there twice: services %u and %u", last->svc, s->svc);
		for (int scope = 0; scope < XB_SETS; scope++)
			check_set(t, s, scope, found);
		check_maglev(t, s, found);
	}
}

/* What is in a slot without a name is nobody's. */
static void check_nameless(const struct tables *t, struct findings *found)
{
	for (__u32 i = 0; i < t->t[TABLE_SVC].size; i++) {
		const struct xb_name *name = table_at(t, TABLE_NAME, i);
		const struct xb_svc *svc = svc_at(t, i);
		bool full = false;

		for (int scope = 0; scope < XB_SETS; scope++)
			full |= set_at(svc, scope).count != 0;
		if (full && (!name || !name->name[0]))
			findings_add(found, xprintf("xb_svc %u", i), 0, "has backends, and no name");
	}
}

/* --- blocks of backends: sets of one port may share one, of two ports never --- */
struct block {
	struct xb_set set;
	const struct slot *slot;
};

static int compare_blocks(const void *a, const void *b)
{
	const struct block *x = a, *y = b;

	return (x->set.base > y->set.base) - (x->set.base < y->set.base);
}

static void check_blocks(const struct tables *t, const struct index *x, enum xb_family family, struct findings *found)
{
	_cleanup_free_ struct block *blocks = xalloc(malloc((x->slots.n * XB_SETS + 1) * sizeof(*blocks)));
	size_t n = 0;

	for (size_t i = 0; i < x->slots.n; i++) {
		const struct slot *slot = &x->slots.v[i];

		for (int scope = 0; scope < XB_SETS && slot->family == family; scope++) {
			struct xb_set set = set_at(svc_at(t, slot->svc), scope);

			if (set.count)
				blocks[n++] = (struct block){ set, slot };
		}
	}
	qsort(blocks, n, sizeof(*blocks), compare_blocks);
	for (size_t i = 1; i < n; i++) {
		const struct block *a = &blocks[i - 1], *b = &blocks[i];

		if (a->slot != b->slot && a->set.base + a->set.count > b->set.base)
			findings_add(found, slot_entry(b->slot), 0, "shares backends %u on with %s", b->set.base, a->slot->name);
	}
}

/* --- source ranges --- */
static int compare_ids(const void *a, const void *b)
{
	__u32 x = *(const __u32 *)a, y = *(const __u32 *)b;

	return (x > y) - (x < y);
}

static void check_ranges(const struct tables *t, const struct index *x, struct findings *found)
{
	_cleanup_free_ __u32 *ids = xalloc(malloc((x->slots.n + 1) * sizeof(*ids)));
	size_t n = 0;

	for (size_t i = 0; i < x->slots.n; i++)
		ids[n++] = svc_at(t, x->slots.v[i].svc)->source_ranges;
	qsort(ids, n, sizeof(*ids), compare_ids);
	for (size_t i = 0; i < x->ranges.n; i++) {
		__u32 id = x->ranges.v[i].id;

		if (i && x->ranges.v[i - 1].id == id)
			continue;
		if (!bsearch(&id, ids, n, sizeof(*ids), compare_ids))
			findings_add(found, xprintf("xb_src %u", id), 0, "has source ranges that are no service's");
	}
}

void check_tables(const struct tables *t, const struct index *x, struct findings *found)
{
	check_frontends(t, x, found);
	check_slots(t, x, found);
	check_nameless(t, found);
	check_blocks(t, x, XB_IPV4, found);
	check_blocks(t, x, XB_IPV6, found);
	check_ranges(t, x, found);
}
