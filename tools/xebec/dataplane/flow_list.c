/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "flow_list.h"
#include "text.h"
#include "../xalloc.h"

void flow_list_done(struct flow_list *l)
{
	xb_vec_done(&l->rows);
}

static struct xb_tuple reversed(const struct xb_tuple *t)
{
	return (struct xb_tuple){
		.src = t->dst, .dst = t->src, .sport = t->dport, .dport = t->sport, .proto = t->proto, .family = t->family,
	};
}

/* As the other family's entry, which has room for it. */
static struct xb_flow6 widened(const struct xb_flow4 *e)
{
	return (struct xb_flow6){
		.src = addr_of4(e->src), .dst = addr_of4(e->dst), .sport = e->sport, .dport = e->dport, .proto = e->proto,
		.direction = e->direction, .state = e->state, .new_src = addr_of4(e->new_src), .new_dst = addr_of4(e->new_dst),
		.new_sport = e->new_sport, .new_dport = e->new_dport, .svc = e->svc, .bytes = e->bytes, .packets = e->packets,
		.made = e->made, .scope = e->scope,
	};
}

static struct flow_row row_of(const struct xb_flow6 *e, enum xb_family family)
{
	struct xb_tuple at = { .src = e->src, .dst = e->dst, .sport = e->sport, .dport = e->dport, .proto = e->proto, .family = family };
	struct xb_tuple on = { .src = e->new_src, .dst = e->new_dst, .sport = e->new_sport, .dport = e->new_dport, .proto = e->proto,
			       .family = family };
	bool reply = e->direction == XB_FLOW_REPLY;
	struct flow_row row = { .was = reply ? reversed(&on) : at, .now = reply ? reversed(&at) : on, .svc = e->svc, .made = e->made,
				.state = e->state, .scope = e->scope, .tunnelled = e->direction == XB_FLOW_TUNNEL };

	row.seen[reply] = true;
	row.packets[reply] = e->packets;
	row.bytes[reply] = e->bytes;
	return row;
}

static const struct xb_flow_head *head_at(const struct tables *t, enum table_id id, __u32 set)
{
	return table_at(t, id, set); /* either kind of set begins with it */
}

static bool lives(__u32 tag, __u32 expires, __u32 now)
{
	return tag && !(tag & XB_FLOW_BUSY) && (__s32)(expires - now) >= 0;
}

/* Tag, entry, tag again. */
static bool read_way(const struct xb_flow_head *head, bool v4, int way, __u32 now, struct flow_row *ret)
{
	__u32 tag = __atomic_load_n(&head->way[way].tag, __ATOMIC_ACQUIRE), expires = head->way[way].expires;
	struct xb_flow6 entry;

	if (!lives(tag, expires, now))
		return false;
	if (v4) {
		struct xb_flow4 e = ((const struct xb_flow4_set *)head)->way[way];

		entry = widened(&e);
	} else {
		entry = ((const struct xb_flow6_set *)head)->way[way];
	}
	*ret = row_of(&entry, v4 ? XB_IPV4 : XB_IPV6);
	ret->expires = expires;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&head->way[way].tag, __ATOMIC_RELAXED) == tag;
}

int flow_compare(const struct flow_row *a, const struct flow_row *b)
{
	int r = memcmp(&a->was, &b->was, sizeof(a->was));

	return r ? r : memcmp(&a->now, &b->now, sizeof(a->now));
}

static int compare(const void *a, const void *b)
{
	return flow_compare(a, b);
}

/* Another entry of a flow, into the first: the younger state of the two, as one may have been written after the other was read. A copy of
 * an entry counts on. */
static void merge(struct flow_row *into, const struct flow_row *other)
{
	for (int d = 0; d < 2; d++) {
		if (!other->seen[d])
			continue;
		into->seen[d] = true;
		into->packets[d] = MAX(into->packets[d], other->packets[d]);
		into->bytes[d] = MAX(into->bytes[d], other->bytes[d]);
	}
	into->state = MAX(into->state, other->state);
	if ((__s32)(other->expires - into->expires) > 0)
		into->expires = other->expires;
}

static void join(struct flow_list *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->rows.n; i++) {
		if (n && !flow_compare(&l->rows.v[n - 1], &l->rows.v[i]))
			merge(&l->rows.v[n - 1], &l->rows.v[i]);
		else
			l->rows.v[n++] = l->rows.v[i];
	}
	l->rows.n = n;
}

static void read_table(const struct tables *t, enum table_id id, bool v4, __u32 now, struct flow_list *l)
{
	for (__u32 set = 0; t->t[id].mem && set < t->t[id].size; set++) {
		for (int way = 0; way < XB_FLOW_WAYS; way++) {
			struct flow_row row;

			if (read_way(head_at(t, id, set), v4, way, now, &row))
				xalloc(xb_vec_push(&l->rows, row) ? NULL : l->rows.v);
		}
	}
}

void flow_list_read(const struct tables *t, __u32 now, struct flow_list *ret)
{
	const struct xb_hdr *hdr = t->t[TABLE_HDR].mem;
	struct flow_list l = {};

	read_table(t, TABLE_FLOW4, true, now, &l);
	read_table(t, TABLE_FLOW6, false, now, &l);
	/* what is left there when all has been moved is of the past */
	if (hdr && hdr->flow4_growth != XB_FLOW_MOVED)
		read_table(t, TABLE_FLOW4_OLD, true, now, &l);
	if (hdr && hdr->flow6_growth != XB_FLOW_MOVED)
		read_table(t, TABLE_FLOW6_OLD, false, now, &l);
	if (l.rows.n)
		qsort(l.rows.v, l.rows.n, sizeof(*l.rows.v), compare);
	join(&l);
	*ret = l;
}

void flow_usage_read(const struct tables *t, enum table_id id, __u32 now, struct flow_usage *ret)
{
	struct flow_usage u = {};

	for (__u32 set = 0; t->t[id].mem && set < t->t[id].size; set++) {
		const struct xb_flow_head *head = head_at(t, id, set);

		for (int way = 0; way < XB_FLOW_WAYS; way++) {
			__u32 tag = head->way[way].tag;

			u.live += lives(tag, head->way[way].expires, now);
			u.expired += tag && !(tag & XB_FLOW_BUSY) && !lives(tag, head->way[way].expires, now);
		}
		u.spilling += head->spilled_until && (__s32)(head->spilled_until - now) >= 0;
	}
	*ret = u;
}
