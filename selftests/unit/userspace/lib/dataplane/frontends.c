/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include <string.h>
#include "xb/frontends.h"
#include "xb/macro.h"

#define BUCKETS 64
#define SEED 0x1234567890abcdefull

static struct xb_fe_key key4(__u32 addr, __u16 port)
{
	return (struct xb_fe_key){ .addr.be32 = { 0, 0, htonl(0xffff), htonl(addr) }, .port = port, .proto = XB_PROTO_TCP };
}

static struct xb_fe_key key6(__u32 low, __u16 port)
{
	return (struct xb_fe_key){ .addr.be32 = { htonl(0xfd001096), 0, 0, htonl(low) }, .port = port, .proto = XB_PROTO_TCP };
}

static void test_put_get_delete(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		_cleanup_free_ void *mem = calloc(BUCKETS, v6 ? sizeof(struct xb_fe6_bucket) : sizeof(struct xb_fe4_bucket));
		struct xb_fe_key a = v6 ? key6(1, 80) : key4(0x0a600001, 80), b = a, c = a;
		struct xb_frontends f;

		b.port = 81;
		c.proto = XB_PROTO_UDP;
		assert_int_equal(xb_frontends_init(&f, mem, BUCKETS, v6 ? XB_IPV6 : XB_IPV4, SEED, -1), 0);
		assert_int_equal(xb_frontends_get(&f, &a).kind, XB_FRONTEND_NONE);
		assert_int_equal(xb_frontends_put(&f, &a, XB_FRONTEND_CLUSTER_IP, 7), 0);
		assert_int_equal(xb_frontends_put(&f, &c, XB_FRONTEND_CLUSTER_IP, 9), 0);
		assert_int_equal(xb_frontends_get(&f, &a).svc, 7);
		assert_int_equal(xb_frontends_get(&f, &c).svc, 9);
		assert_int_equal(xb_frontends_get(&f, &b).kind, XB_FRONTEND_NONE);
		assert_int_equal(xb_frontends_put(&f, &a, XB_FRONTEND_EXTERNAL_IP, 8), 0);
		assert_int_equal(xb_frontends_get(&f, &a).svc, 8);
		assert_int_equal(xb_frontends_get(&f, &a).kind, XB_FRONTEND_EXTERNAL_IP);
		assert_int_equal(f.used, 2);
		assert_true(xb_frontends_delete(&f, &a));
		assert_false(xb_frontends_delete(&f, &a));
		assert_int_equal(xb_frontends_get(&f, &a).kind, XB_FRONTEND_NONE);
		assert_int_equal(f.used, 1);
		xb_frontends_done(&f);
	}
}

/* A slot keeps its address until a grace period has passed: a reader may have matched its head already. */
static void test_deleted_slot_waits(void **state)
{
	struct xb_fe4_bucket bucket = {};
	struct xb_frontends f;
	struct xb_fe_key k[6];

	assert_int_equal(xb_frontends_init(&f, &bucket, 1, XB_IPV4, SEED, -1), 0);
	for (__u16 i = 0; i < 6; i++)
		k[i] = key4(0x0a600001u + i, 80);
	for (__u32 i = 0; i < 4; i++)
		assert_int_equal(xb_frontends_put(&f, &k[i], XB_FRONTEND_CLUSTER_IP, i), 0);
	assert_int_equal(xb_frontends_put(&f, &k[4], XB_FRONTEND_CLUSTER_IP, 4), -ENOSPC);
	assert_true(xb_frontends_delete(&f, &k[1]));
	assert_int_equal(xb_frontends_put(&f, &k[4], XB_FRONTEND_CLUSTER_IP, 4), -ENOSPC);
	xb_frontends_release(&f);
	assert_int_equal(xb_frontends_put(&f, &k[4], XB_FRONTEND_CLUSTER_IP, 4), 0);
	assert_int_equal(xb_frontends_get(&f, &k[4]).svc, 4);
	xb_frontends_done(&f);
}

static int count(void *arg, const struct xb_fe_key *key, struct xb_fe fe)
{
	(*(int *)arg)++;
	return 0;
}

static __u32 marks(const struct xb_fe4_bucket *b)
{
	__u32 sum = 0;

	for (int i = 0; i < BUCKETS; i++)
		sum += b[i].way[0].spilled;
	return sum;
}

/* Up to half full, as the agent keeps it: what does not fit its first bucket is marked there, and the marks go with it. */
static void test_spills_are_marked(void **state)
{
	static struct xb_fe4_bucket mem[BUCKETS], larger[2 * BUCKETS];
	struct xb_frontends f, g;
	__u32 before, n = BUCKETS * XB_FE_WAYS / 2;
	int seen = 0;

	assert_int_equal(xb_frontends_init(&f, mem, BUCKETS, XB_IPV4, SEED, -1), 0);
	for (__u32 i = 0; i < n; i++) {
		struct xb_fe_key k = key4(0x0a600000u + i, 80);

		assert_int_equal(xb_frontends_put(&f, &k, XB_FRONTEND_CLUSTER_IP, i), 0);
	}
	before = marks(mem);
	assert_true(before > 0);
	assert_int_equal(xb_frontends_walk(&f, count, &seen), 0);
	assert_int_equal(seen, n);

	mem[3].way[0].spilled += 5;
	assert_int_equal(xb_frontends_adopt(&f), 0);
	assert_int_equal(marks(mem), before);
	assert_int_equal(f.used, n);

	assert_int_equal(xb_frontends_init(&g, larger, 2 * BUCKETS, XB_IPV4, SEED, -1), 0);
	assert_int_equal(xb_frontends_copy(&f, &g), 0);
	assert_int_equal(g.used, n);
	for (__u32 i = 0; i < n; i++) {
		struct xb_fe_key k = key4(0x0a600000u + i, 80);

		assert_int_equal(xb_frontends_get(&g, &k).svc, i);
		assert_int_equal(xb_frontends_get(&f, &k).svc, i);
		assert_true(xb_frontends_delete(&f, &k));
	}
	assert_int_equal(marks(mem), 0);
	assert_int_equal(f.used, 0);
	xb_frontends_done(&f);
	xb_frontends_done(&g);
}

/* Service ranges are runs of addresses with a few ports: both halves of the hash must spread them as if at random. */
static void test_hash_spreads(void **state)
{
	enum { N = 4096 };
	static int load[2][N];
	int empty[2] = {};

	for (__u32 i = 0; i < N; i++) {
		struct xb_fe_key k = key4(0x0a600000u + i / 4, (__u16)(80 + i % 4));
		__u64 h = xb_fe_hash(&k.addr, k.port, k.proto, SEED);

		load[0][h % N]++;
		load[1][(h >> 32) % N]++;
	}
	for (int half = 0; half < 2; half++) {
		for (int i = 0; i < N; i++) {
			empty[half] += !load[half][i];
			assert_true(load[half][i] < 12);
		}
		/* 1/e of the bins stay empty when balls are thrown at random: 1507 of 4096 */
		assert_in_range(empty[half], 1400, 1610);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put_get_delete),
		cmocka_unit_test(test_deleted_slot_waits),
		cmocka_unit_test(test_spills_are_marked),
		cmocka_unit_test(test_hash_spreads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
