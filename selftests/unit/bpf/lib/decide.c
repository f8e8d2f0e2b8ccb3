/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "lib/model_packet.h"
#include "lib/decide.h"
#include "xb/frontends.h"
#include "xb/model.h"

/* --- a packet of nobody's, TCP, and the address that it goes to */

struct sent {
	__u8 bytes[128] __attribute__((aligned(8)));
	__u32 len;
};

static struct sent packet(bool v4, __u8 last)
{
	const struct ip4_header ip4 = {
		.version_ihl = 0x45, .len = bpf_htons(IP4_BYTES + sizeof(struct tcp_header)), .proto = XB_PROTO_TCP,
		.src = bpf_htonl(0x0a000001), .dst = bpf_htonl(0xcb007100u | last),
	};
	const struct ip6_header ip6 = {
		.version_class = 0x60, .payload = bpf_htons(sizeof(struct tcp_header)), .next = XB_PROTO_TCP,
		.src = { bpf_htonl(0xfd000001) }, .dst = { bpf_htonl(0x20010db8), 0, 0, bpf_htonl(last) },
	};
	const struct tcp_header tcp = { .src = bpf_htons(1000), .dst = bpf_htons(80) };
	__u32 l4 = v4 ? IP4_BYTES : IP6_BYTES;
	struct sent s = { .len = l4 + sizeof(tcp) };

	memcpy(s.bytes, v4 ? (const void *)&ip4 : &ip6, l4);
	memcpy(s.bytes + l4, &tcp, sizeof(tcp));
	return s;
}

static struct xb_tuple tuple(bool v4, __u8 last)
{
	struct sent s = packet(v4, last);
	struct xb_tuple t = {};

	plain_tuple(s.bytes, v4, &t);
	return t;
}

static bool passes(bool v4, const struct sent *s)
{
	struct sent copy = *s;
	struct model_packet ctx = { copy.bytes, copy.len };

	return is_bystander(&ctx, 0, v4);
}

static bool passes_to(bool v4, __u8 last)
{
	struct sent s = packet(v4, last);

	return passes(v4, &s);
}

static struct xb_frontends frontends(bool v4)
{
	struct xb_frontends f;
	__u32 size;

	assert_int_equal(xb_frontends_init(&f, xb_model_array(v4 ? "xb_fe4" : "xb_fe6", &size), 64, v4 ? XB_IPV4 : XB_IPV6, fe_seed, -1), 0);
	return f;
}

static void put(bool v4, __u8 last, __u16 port, enum xb_frontend_kind kind)
{
	struct xb_frontends f = frontends(v4);
	struct xb_fe_key key = { .addr = tuple(v4, last).dst, .port = port, .proto = port ? XB_PROTO_TCP : XB_PROTO_NONE };

	assert_int_equal(xb_frontends_put(&f, &key, kind, 1), 0);
	xb_frontends_done(&f);
}

static int set_up(void **state)
{
	assert_int_equal(xb_model_new(NULL), 0);
	xb_model_set_jiffies(1 << 20);
	return 0;
}

/* --- */

static void plain_packets_of_nobody_pass(void **state)
{
	for (int v4 = 0; v4 < 2; v4++)
		for (int last = 0; last < 256; last++)
			assert_true(passes_to(v4, (__u8)last));
}

/* What says more than an address and ports is looked at by others, whoever it is for. */
static void others_are_looked_at(void **state)
{
	static const struct {
		bool v4;
		__u8 at, value;
	} rows[] = {
		{ true, 0, 0x46 }, { true, 0, 0x65 }, { true, 6, 0x20 }, { true, 7, 1 }, { true, 6, 0x1f }, { true, 9, XB_PROTO_ICMP },
		{ true, 9, PROTO_IPIP }, { false, 0, 0x45 }, { false, 6, 0 }, { false, 6, 43 }, { false, 6, 44 }, { false, 6, 60 },
		{ false, 6, XB_PROTO_ICMPV6 }, { false, 6, PROTO_IPV6 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct sent s = packet(rows[i].v4, 1);

		s.bytes[rows[i].at] = rows[i].value;
		assert_false(passes(rows[i].v4, &s));
	}
}

static void what_is_not_in_one_piece_is_looked_at(void **state)
{
	for (int v4 = 0; v4 < 2; v4++) {
		struct sent s = packet(v4, 1);

		s.len = (v4 ? IP4_BYTES : IP6_BYTES) + 4;
		assert_true(passes(v4, &s));
		s.len--;
		assert_false(passes(v4, &s));
	}
}

static void addresses_of_frontends_do_not_pass(void **state)
{
	for (int v4 = 0; v4 < 2; v4++) {
		for (int kind = XB_FRONTEND_NODE_ADDR; kind <= XB_FRONTEND_SHARED; kind++)
			put(v4, (__u8)kind, 0, (enum xb_frontend_kind)kind);
		for (int last = 0; last < 32; last++)
			assert_int_equal(passes_to(v4, (__u8)last), last < XB_FRONTEND_NODE_ADDR || last > XB_FRONTEND_SHARED);
	}
}

/* Where a bucket is full, the address may be in another one. */
static void addresses_behind_a_full_bucket_do_not_pass(void **state)
{
	for (int v4 = 0; v4 < 2; v4++) {
		int passed = 0;

		for (int last = 0; last < 128; last++)
			put(v4, (__u8)last, 0, XB_FRONTEND_VIP);
		for (int last = 0; last < 128; last++)
			assert_false(passes_to(v4, (__u8)last));
		for (int last = 128; last < 256; last++)
			passed += passes_to(v4, (__u8)last);
		assert_in_range(passed, 64, 127);
	}
}

static void networks_of_services_do_not_pass(void **state)
{
	struct xb_node *node = lookup(&xb_node, 0);

	node->services4[0] = (struct xb_net4){ .addr.be32 = bpf_htonl(0x0a600000), .mask.be32 = bpf_htonl(0xfff00000) };
	node->services4[1] = (struct xb_net4){ .addr.be32 = bpf_htonl(0xcb007180), .mask.be32 = bpf_htonl(0xfffffff0) };
	node->services6[0].addr.be32[0] = bpf_htonl(0x20010db8);
	node->services6[0].mask = (union xb_ip6){ .be32 = { -1u, -1u, -1u, bpf_htonl(0xfffffff0) } };
	for (int v4 = 0; v4 < 2; v4++) {
		assert_false(passes_to(v4, v4 ? 0x85 : 0x05));
		assert_true(passes_to(v4, v4 ? 0x95 : 0x15));
	}
}

static void flows_do_not_pass(void **state)
{
	for (int v4 = 0; v4 < 2; v4++) {
		struct xb_tuple key = tuple(v4, 9);
		struct flow f = { .now = key, .direction = XB_FLOW_REPLY };

		assert_int_equal(flow_insert(&key, &f, 30), 0);
		assert_false(passes_to(v4, 9));
		assert_true(passes_to(v4, 10));
		/* of one that is open the tag has another bit */
		flow_refresh(&key, XB_FLOW_OPEN, 100);
		assert_false(passes_to(v4, 9));
		flow_remove(&key);
		assert_true(passes_to(v4, 9));
	}
}

static int insert(bool v4, __u8 last, __u16 sport)
{
	struct xb_tuple key = tuple(v4, last);
	struct flow f = { .now = key, .direction = XB_FLOW_REPLY, .state = XB_FLOW_OPEN };

	key.sport = sport;
	return flow_insert(&key, &f, 100);
}

static void flows_in_their_second_set_do_not_pass(void **state)
{
	for (int v4 = 0; v4 < 2; v4++) {
		int inserted = 0;

		/* 64 sets of seven */
		for (__u16 i = 0; i < 330; i++)
			insert(v4, (__u8)i, (__u16)(2000 + i));
		for (int last = 0; last < 100; last++) {
			if (insert(v4, (__u8)last, 1000))
				continue;
			inserted++;
			assert_false(passes_to(v4, (__u8)last));
		}
		assert_in_range(inserted, 50, 100);
	}
}

/* --- entries of a pair whose other one gave way, and whose key is another flow's now */

static const struct xb_tuple *answer_key(__u16 port)
{
	static struct xb_tuple t;

	t = tuple(true, 1);
	t.sport = 8080;
	t.dport = port;
	return &t;
}

/* The entry for the answers of a client that sends from a port, at a port of masquerading. */
static void answers_go_to(__u16 client, __u16 port, enum xb_flow_state flow_state)
{
	struct xb_tuple client_sends = tuple(true, 9);
	struct flow f = { .direction = XB_FLOW_REPLY, .state = flow_state };

	client_sends.sport = client;
	f.now = reversed(&client_sends);
	assert_int_equal(flow_insert(answer_key(port), &f, 30), 0);
}

static bool is_there(const struct xb_tuple *key)
{
	struct flow f;
	__u32 left;

	return flow_find(key, 0, &f, &left);
}

static void client_sends_from(__u16 client, __u16 port, enum xb_flow_state flow_state, struct packet *ret)
{
	struct flow f = { .now = reversed(answer_key(port)), .direction = XB_FLOW_FORWARD, .state = flow_state };

	*ret = (struct packet){ .v4 = true, .kind = PACKET_TRANSPORT, .t = tuple(true, 9) };
	ret->t.sport = client;
	assert_int_equal(flow_insert(&ret->t, &f, 30), 0);
}

static void a_client_that_comes_again_takes_away_its_own_answers_alone(void **state)
{
	for (__u16 other = 1000; other < 1002; other++) {
		struct answer a = {};
		struct packet p;

		set_up(state);
		client_sends_from(1000, 2000, XB_FLOW_CLOSED, &p);
		answers_go_to(other, 2000, XB_FLOW_NEW);
		p.tcp_flags = TCP_SYN;
		assert_false(decide_known(&p, &a));
		assert_false(is_there(&p.t));
		assert_int_equal(is_there(answer_key(2000)), other != 1000);
	}
}

static void a_packet_refreshes_its_own_answers_alone(void **state)
{
	for (__u16 other = 1000; other < 1002; other++) {
		struct answer a = {};
		struct packet p;
		struct flow f;
		__u32 left;

		set_up(state);
		client_sends_from(1000, 2000, XB_FLOW_OPEN, &p);
		answers_go_to(other, 2000, XB_FLOW_NEW);
		p.tcp_flags = TCP_RST;
		assert_true(decide_known(&p, &a));
		assert_true(flow_find(answer_key(2000), 0, &f, &left));
		assert_int_equal(f.state, other == 1000 ? XB_FLOW_CLOSED : XB_FLOW_NEW);
	}
}

static void a_port_that_is_taken_takes_its_own_client_alone(void **state)
{
	for (__u16 port = 2000; port < 2002; port++) {
		struct packet p = { .v4 = true, .kind = PACKET_TRANSPORT, .t = tuple(true, 5) }, other;
		struct answer a = {};

		set_up(state);
		client_sends_from(1000, port, XB_FLOW_OPEN, &other);
		answers_go_to(1000, 2000, XB_FLOW_CLOSED);
		a.f.now = reversed(answer_key(2000));
		decide_release(&p, &a);
		assert_false(is_there(answer_key(2000)));
		assert_int_equal(is_there(&other.t), port != 2000);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, set_up)
	static const struct CMUnitTest tests[] = {
		T(plain_packets_of_nobody_pass), T(others_are_looked_at), T(what_is_not_in_one_piece_is_looked_at),
		T(addresses_of_frontends_do_not_pass), T(addresses_behind_a_full_bucket_do_not_pass), T(networks_of_services_do_not_pass),
		T(flows_do_not_pass), T(flows_in_their_second_set_do_not_pass),
		T(a_client_that_comes_again_takes_away_its_own_answers_alone), T(a_packet_refreshes_its_own_answers_alone),
		T(a_port_that_is_taken_takes_its_own_client_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
