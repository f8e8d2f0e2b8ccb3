/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "memory.h"
#include "../../../../../tools/xebec/dataplane/flow_list.c"

#define NOW 1000u

static const __u32 sizes[N_TABLES] = { [TABLE_FLOW4] = 4, [TABLE_FLOW6] = 2, [TABLE_FLOW4_OLD] = 2, [TABLE_HDR] = 1 };

static union xb_ip4 ip4(const char *text)
{
	return (union xb_ip4){ .be32 = address(text).be32[3] };
}

/* What the programs leave for a client's masqueraded connection by a service to a backend. */
static struct xb_flow4 forward4(void)
{
	return (struct xb_flow4){
		.src = ip4("198.51.100.9"), .sport = 40000, .dst = ip4("192.0.2.1"), .dport = 30080, .proto = XB_PROTO_TCP,
		.direction = XB_FLOW_FORWARD, .state = XB_FLOW_OPEN, .new_src = ip4("192.0.2.1"), .new_sport = 61000,
		.new_dst = ip4("10.244.2.5"), .new_dport = 8080, .svc = 7, .packets = 10, .bytes = 1000, .made = NOW - 5,
		.scope = XB_SCOPE_OUTSIDE,
	};
}

static struct xb_flow4 reply4(void)
{
	struct xb_flow4 f = forward4();

	return (struct xb_flow4){
		.src = f.new_dst, .sport = f.new_dport, .dst = f.new_src, .dport = f.new_sport, .proto = f.proto,
		.direction = XB_FLOW_REPLY, .state = XB_FLOW_NEW, .new_src = f.dst, .new_sport = f.dport, .new_dst = f.src,
		.new_dport = f.sport, .svc = f.svc, .packets = 8, .bytes = 9000, .made = f.made, .scope = f.scope,
	};
}

static void put4_in(struct tables *t, enum table_id id, __u32 set, int way, __u32 tag, __u32 expires, struct xb_flow4 e)
{
	struct xb_flow4_set *s = element(t, id, set);

	s->head.way[way].tag = tag;
	s->head.way[way].expires = expires;
	s->way[way] = e;
}

static void put4(struct tables *t, __u32 set, int way, __u32 tag, __u32 expires, struct xb_flow4 e)
{
	put4_in(t, TABLE_FLOW4, set, way, tag, expires, e);
}

static void two_entries_are_one_flow(void **state)
{
	_cleanup_(tables_freep) struct tables *t = memory_tables(sizes);
	_cleanup_flow_list_ struct flow_list l = {};
	const struct flow_row *f;

	put4(t, 3, 6, 96, NOW + 20, reply4());
	put4(t, 0, 0, 42, NOW + 30, forward4());
	flow_list_read(t, NOW, &l);
	assert_int_equal(l.rows.n, 1);
	f = &l.rows.v[0];
	assert_string_equal(endpoint_text(&f->was.src, f->was.sport).s, "198.51.100.9:40000");
	assert_string_equal(endpoint_text(&f->was.dst, f->was.dport).s, "192.0.2.1:30080");
	assert_string_equal(endpoint_text(&f->now.src, f->now.sport).s, "192.0.2.1:61000");
	assert_string_equal(endpoint_text(&f->now.dst, f->now.dport).s, "10.244.2.5:8080");
	assert_int_equal(f->packets[XB_FLOW_FORWARD], 10);
	assert_int_equal(f->bytes[XB_FLOW_REPLY], 9000);
	assert_int_equal(f->state, XB_FLOW_OPEN);
	assert_int_equal(f->expires, NOW + 30);
	assert_int_equal(f->svc, 7);
}

static void one_entry_is_a_flow_too(void **state)
{
	_cleanup_(tables_freep) struct tables *t = memory_tables(sizes);
	_cleanup_flow_list_ struct flow_list l = {};

	put4(t, 1, 1, 96, NOW, reply4());
	flow_list_read(t, NOW, &l);
	assert_int_equal(l.rows.n, 1);
	assert_string_equal(endpoint_text(&l.rows.v[0].was.src, l.rows.v[0].was.sport).s, "198.51.100.9:40000");
	assert_true(l.rows.v[0].seen[XB_FLOW_REPLY] && !l.rows.v[0].seen[XB_FLOW_FORWARD]);
}

static void what_does_not_live_is_not_shown(void **state)
{
	_cleanup_(tables_freep) struct tables *t = memory_tables(sizes);
	_cleanup_flow_list_ struct flow_list l = {};
	struct flow_usage u;

	put4(t, 0, 0, 0, NOW + 30, forward4());                 /* free */
	put4(t, 0, 1, 42 | XB_FLOW_BUSY, NOW + 30, forward4()); /* being written */
	put4(t, 0, 2, 42, NOW - 1, forward4());                 /* expired */
	put4(t, 0, 3, 42, NOW + 1, forward4());
	((struct xb_flow4_set *)element(t, TABLE_FLOW4, 2))->head.spilled_until = NOW + 4;
	flow_list_read(t, NOW, &l);
	assert_int_equal(l.rows.n, 1);
	flow_usage_read(t, TABLE_FLOW4, NOW, &u);
	assert_int_equal(u.live, 1);
	assert_int_equal(u.expired, 1);
	assert_int_equal(u.spilling, 1);
}

/* Ticks are compared by their signed difference. */
static void ticks_wrap(void **state)
{
	_cleanup_(tables_freep) struct tables *t = memory_tables(sizes);
	_cleanup_flow_list_ struct flow_list l = {};

	put4(t, 0, 0, 42, 5, forward4());
	put4(t, 0, 1, 42, UINT32_MAX - 20, forward4());
	flow_list_read(t, UINT32_MAX - 3, &l);
	assert_int_equal(l.rows.n, 1);
	assert_int_equal(l.rows.v[0].expires, 5);
}

static void both_families(void **state)
{
	_cleanup_(tables_freep) struct tables *t = memory_tables(sizes);
	_cleanup_flow_list_ struct flow_list l = {};
	struct xb_flow6_set *s = element(t, TABLE_FLOW6, 1);

	put4(t, 0, 0, 42, NOW + 30, forward4());
	s->head.way[2].tag = 44;
	s->head.way[2].expires = NOW + 9;
	s->way[2] = (struct xb_flow6){
		.src = address("2001:db8::9"), .sport = 1, .dst = address("fd00:10:96::5"), .dport = 53, .proto = XB_PROTO_UDP,
		.new_src = address("2001:db8::9"), .new_sport = 1, .new_dst = address("fd00:10:244::7"), .new_dport = 5353,
	};
	flow_list_read(t, NOW, &l);
	assert_int_equal(l.rows.n, 2);
	assert_string_equal(endpoint_text(&l.rows.v[1].now.dst, l.rows.v[1].now.dport).s, "[fd00:10:244::7]:5353");
	assert_int_equal(l.rows.v[1].was.family, XB_IPV6);
}

/* A flow of which one entry has been copied, and counted on; and, when all is in the new table, what is left in the old one. */
static void while_a_table_grows(void **state)
{
	_cleanup_(tables_freep) struct tables *t = memory_tables(sizes);
	_cleanup_flow_list_ struct flow_list l = {}, moved = {};
	struct xb_flow4 copy = forward4();

	put4_in(t, TABLE_FLOW4_OLD, 1, 3, 42, NOW + 30, forward4());
	put4_in(t, TABLE_FLOW4_OLD, 0, 0, 96, NOW + 30, reply4());
	copy.packets = 15;
	copy.bytes = 1500;
	put4(t, 2, 0, 42, NOW + 40, copy);
	flow_list_read(t, NOW, &l);
	assert_int_equal(l.rows.n, 1);
	assert_int_equal(l.rows.v[0].packets[XB_FLOW_FORWARD], 15);
	assert_int_equal(l.rows.v[0].bytes[XB_FLOW_REPLY], 9000);
	assert_int_equal(l.rows.v[0].expires, NOW + 40);
	((struct xb_hdr *)element(t, TABLE_HDR, 0))->flow4_growth = XB_FLOW_MOVED;
	flow_list_read(t, NOW, &moved);
	assert_int_equal(moved.rows.n, 1);
	assert_false(moved.rows.v[0].seen[XB_FLOW_REPLY]);
}

static void tables_that_are_not_there(void **state)
{
	const __u32 none[N_TABLES] = {};
	_cleanup_(tables_freep) struct tables *t = memory_tables(none);
	_cleanup_flow_list_ struct flow_list l = {};

	flow_list_read(t, NOW, &l);
	assert_int_equal(l.rows.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_entries_are_one_flow), cmocka_unit_test(one_entry_is_a_flow_too),
		cmocka_unit_test(what_does_not_live_is_not_shown), cmocka_unit_test(ticks_wrap), cmocka_unit_test(both_families),
		cmocka_unit_test(while_a_table_grows),
		cmocka_unit_test(tables_that_are_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
