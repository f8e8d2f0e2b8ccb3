/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "flows.h"
#include "xb/model.h"

#define LIFE 50

/* One jiffy a tick; now is any tick. */
static void tables(__u32 sets, __u32 now)
{
	const struct xb_model_size sizes[] = { { "xb_flow4", sets }, { "xb_flow6", sets }, {} };

	assert_int_equal(xb_model_new(sizes), 0);
	tick_shift = 0;
	xb_model_set_jiffies(now);
}

static void test_finds_what_was_put(void **state)
{
	enum xb_flow_state is;

	for (int v4 = 0; v4 < 2; v4++) {
		tables(64, 1000);
		for (__u32 n = 0; n < 100; n++)
			assert_int_equal(put(n, v4, n % 3, LIFE + n), 0);
		for (__u32 n = 0; n < 100; n++) {
			assert_int_equal(left_of(n, v4, &is), LIFE + n);
			assert_int_equal(is, n % 3);
		}
		for (__u32 n = 100; n < 1000; n++)
			assert_int_equal(left_of(n, v4, NULL), 0);
	}
}

static void test_every_part_of_the_key_counts(void **state)
{
	for (int v4 = 0; v4 < 2; v4++) {
		struct xb_tuple key = key_of(1, v4), other[6];
		struct flow f = {};
		__u32 left;

		tables(2, 1000);
		for (int i = 0; i < 6; i++)
			other[i] = key;
		other[0].src.b[15] ^= 1;
		other[1].dst.b[15] ^= 0x80;
		other[2].sport ^= 0x100;
		other[3].dport ^= 1;
		other[4].proto = XB_PROTO_SCTP;
		other[5].src.b[0] ^= v4 ? 0 : 1;
		other[5].dst.b[12] ^= v4 ? 1 : 0;
		assert_int_equal(put(1, v4, XB_FLOW_OPEN, LIFE), 0);
		assert_true(flow_find(&key, 0, &f, &left));
		for (int i = 0; i < 6; i++)
			assert_false(flow_find(&other[i], 0, &f, &left));
	}
}

/* The same addresses and ports, written the other way round, or exchanged between the two ends, are other flows elsewhere. */
static void test_keys_spread(void **state)
{
	static __u32 in[1024];
	__u32 full = 0;

	for (int v4 = 0; v4 < 2; v4++) {
		tables(1024, 1000);
		memset(in, 0, sizeof(in));
		for (__u32 n = 0; n < 3500; n++)
			in[home_of(n, v4)]++;
		for (int i = 0; i < 1024; i++)
			full += in[i] > XB_FLOW_WAYS;
		/* Poisson with 3.4 a set: 2.6 % of sets have more than seven */
		assert_in_range(full, 5, 60);
		full = 0;
	}
}

static void test_counts(void **state)
{
	struct xb_tuple key = key_of(4, true);
	const struct xb_flow4_set *set;
	const struct xb_flow4 *e;
	struct flow f = {};
	__u32 left;

	tables(2, 1000);
	put(4, true, XB_FLOW_NEW, LIFE);
	left_of(4, true, NULL);
	left_of(4, true, NULL);
	assert_true(flow_find(&key, 0, &f, &left));
	set = lookup(&xb_flow4, home_of(4, true));
	e = &set->way[0];
	assert_int_equal(e->packets, 2);
	assert_int_equal(e->bytes, 200);
	/* the record is what its type says, for those who read it without this text */
	assert_int_equal(e->src.be32, key.src.be32[3]);
	assert_int_equal(e->dport, key.dport);
	assert_int_equal(e->new_src.be32, flow_of(4, true, 0).now.src.be32[3]);
	assert_int_equal(e->new_sport, flow_of(4, true, 0).now.sport);
	assert_int_equal(e->svc, 11);
	assert_int_equal(e->set.base, 5);
	assert_int_equal(e->scope, XB_SCOPE_OUTSIDE);
	assert_int_equal(e->made, 1000);
	assert_int_equal(set->head.way[0].expires, 1000 + LIFE);
}

static void test_a_key_is_put_once(void **state)
{
	tables(64, 1000);
	assert_int_equal(put(1, true, XB_FLOW_NEW, LIFE), 0);
	assert_int_equal(put(1, true, XB_FLOW_OPEN, LIFE), -EEXIST);
	assert_int_equal(copies_of(1, true), 1);
	xb_model_set_jiffies(1000 + LIFE - 1);
	assert_int_equal(put(1, true, XB_FLOW_NEW, LIFE), -EEXIST);
	/* it expires, and may be put again, in one place */
	for (__u32 late = 0; late < 4; late++) {
		xb_model_set_jiffies(1000 + LIFE * (late + 1) + late * late);
		assert_int_equal(put(1, true, XB_FLOW_NEW, LIFE - late), 0);
		assert_int_equal(copies_of(1, true), 1);
	}
}

/* The first n keys whose home is a set. */
static void keys_at_home(__u32 set, bool v4, __u32 from, __u32 *ret, int n)
{
	for (; n > 0; from++)
		if (home_of(from, v4) == set)
			ret[--n] = from;
}

static void test_spills_and_returns(void **state)
{
	__u32 key[20];

	for (int v4 = 0; v4 < 2; v4++) {
		struct xb_flow_head *home;

		tables(64, 1000);
		keys_at_home(5, v4, 0, key, 20);
		home = v4 ? lookup(&xb_flow4, 5) : lookup(&xb_flow6, 5);
		for (int i = 0; i < XB_FLOW_WAYS; i++)
			assert_int_equal(put(key[i], v4, XB_FLOW_OPEN, LIFE), 0);
		assert_int_equal(home->spilled_until, 0);
		for (int i = XB_FLOW_WAYS; i < 20; i++)
			assert_int_equal(put(key[i], v4, XB_FLOW_OPEN, LIFE + i), 0);
		assert_int_equal(home->spilled_until, 1000 + LIFE + 19 + XB_FLOW_SLACK);
		for (int i = 0; i < 20; i++) {
			assert_true(left_of(key[i], v4, NULL) > 0);
			assert_int_equal(put(key[i], v4, XB_FLOW_OPEN, LIFE), -EEXIST);
		}
		/* one that lives in its second set lives on, and is found as long */
		refresh(key[19], v4, XB_FLOW_OPEN, 1000);
		xb_model_set_jiffies(1900);
		assert_int_equal(left_of(key[19], v4, NULL), 100);
		assert_int_equal(put(key[19], v4, XB_FLOW_OPEN, LIFE), -EEXIST);
		drop(key[19], v4);
		assert_int_equal(left_of(key[19], v4, NULL), 0);
		/* home again, while what it left elsewhere is long dead */
		assert_int_equal(put(key[18], v4, XB_FLOW_OPEN, LIFE), 0);
		assert_int_equal(copies_of(key[18], v4), 1);
		assert_int_equal(left_of(key[18], v4, NULL), LIFE);
	}
}

static void test_full_of_open_flows(void **state)
{
	__u32 n, all = 0;

	for (int v4 = 0; v4 < 2; v4++) {
		tables(2, 1000);
		for (n = 0; n < 2 * XB_FLOW_WAYS; n++)
			assert_int_equal(put(n, v4, XB_FLOW_OPEN, LIFE), 0);
		for (; n < 200; n++)
			assert_int_equal(put(n, v4, XB_FLOW_OPEN, LIFE), -ENOSPC);
		for (n = 0; n < 200; n++)
			all += left_of(n, v4, NULL) == LIFE;
		assert_int_equal(all, 2 * XB_FLOW_WAYS);
		all = 0;
	}
}

/* Fourteen flows in two sets, some open: the others go in the order of their expiry, wherever they are. */
static void test_who_gives_way(void **state)
{
	static const __u32 life[14] = { 40, 10, 90, 30, 70, 20, 60, 80, 50, 25, 35, 95, 15, 65 };
	__u32 next = 1000;

	tables(2, 5000);
	for (__u32 n = 0; n < 14; n++)
		assert_int_equal(put(n, true, n % 4 == 0 ? XB_FLOW_OPEN : n % 4 == 1 ? XB_FLOW_FIN : XB_FLOW_NEW, life[n]), 0);
	for (int gone = 0; gone < 10; gone++) {
		__u32 least = 14;

		for (__u32 n = 0; n < 14; n++)
			if (n % 4 && left_of(n, true, NULL) && (least == 14 || life[n] < life[least]))
				least = n;
		assert_int_equal(put(next++, true, XB_FLOW_OPEN, LIFE), 0);
		assert_int_equal(left_of(least, true, NULL), 0);
		for (__u32 n = 0; n < 14; n += 4)
			assert_int_equal(left_of(n, true, NULL), life[n]);
	}
	assert_int_equal(put(next, true, XB_FLOW_NEW, LIFE), -ENOSPC);
	for (__u32 n = 1000; n < next; n++)
		assert_int_equal(left_of(n, true, NULL), LIFE);
}

static void test_expired_before_new(void **state)
{
	tables(2, 1000);
	for (__u32 n = 0; n < 14; n++)
		put(n, true, n == 6 ? XB_FLOW_OPEN : XB_FLOW_NEW, n == 6 ? 5 : 50 + n);
	xb_model_set_jiffies(1005);
	assert_int_equal(put(100, true, XB_FLOW_NEW, LIFE), 0);
	for (__u32 n = 0; n < 14; n++)
		assert_int_equal(left_of(n, true, NULL), n == 6 ? 0 : 45 + n);
}

static void test_refresh(void **state)
{
	struct xb_tuple key = key_of(3, false);
	enum xb_flow_state is;

	tables(64, 1000);
	flow_refresh(&key, XB_FLOW_OPEN, LIFE);
	assert_int_equal(left_of(3, false, NULL), 0);
	put(3, false, XB_FLOW_NEW, LIFE);
	xb_model_set_jiffies(1020);
	flow_refresh(&key, XB_FLOW_OPEN, 500);
	assert_int_equal(left_of(3, false, &is), 500);
	assert_int_equal(is, XB_FLOW_OPEN);
	flow_refresh(&key, XB_FLOW_FIN, 10);
	assert_int_equal(left_of(3, false, &is), 10);
	assert_int_equal(is, XB_FLOW_FIN);
	/* the dead stay dead */
	xb_model_set_jiffies(1030);
	flow_refresh(&key, XB_FLOW_OPEN, LIFE);
	assert_int_equal(left_of(3, false, NULL), 0);
}

static void test_refreshed_is_answered(void **state)
{
	tables(2, 1000);
	for (__u32 n = 0; n < 14; n++)
		put(n, true, XB_FLOW_NEW, LIFE);
	for (__u32 n = 0; n < 14; n++)
		if (n != 5)
			refresh(n, true, XB_FLOW_OPEN, 10 + n);
	assert_int_equal(put(50, true, XB_FLOW_OPEN, LIFE), 0);
	assert_int_equal(left_of(5, true, NULL), 0);
	assert_int_equal(put(51, true, XB_FLOW_OPEN, LIFE), -ENOSPC);
}

static void test_ticks_wrap(void **state)
{
	static const __u32 starts[] = { 0, 0xffffffff - 20, 0x7fffffff - 20, 0x80000000 - 20, 0xffffffff - LIFE - 10 };
	__u32 key[20];

	for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++) {
		__u32 start = starts[i];

		tables(2, start);
		keys_at_home(1, true, 0, key, 20);
		for (__u32 n = 0; n < 14; n++)
			assert_int_equal(put(key[n], true, n & 1, LIFE + n), 0);
		for (__u32 later = 0; later < LIFE; later++) {
			xb_model_set_jiffies((__u64)start + later);
			for (__u32 n = 0; n < 14; n++)
				assert_int_equal(left_of(key[n], true, NULL), LIFE + n - later);
		}
		xb_model_set_jiffies((__u64)start + LIFE + 5);
		for (__u32 n = 0; n < 14; n++)
			assert_int_equal(left_of(key[n], true, NULL), n > 5 ? n - 5 : 0);
		for (__u32 n = 14; n < 20; n++)
			assert_int_equal(put(key[n], true, XB_FLOW_OPEN, LIFE), 0);
		for (__u32 n = 6; n < 20; n++)
			assert_int_equal(left_of(key[n], true, NULL), n < 14 ? n - 5 : LIFE);
	}
}

static void test_remove(void **state)
{
	for (int v4 = 0; v4 < 2; v4++) {
		tables(2, 1000);
		for (__u32 n = 0; n < 14; n++)
			put(n, v4, XB_FLOW_OPEN, LIFE);
		for (__u32 n = 0; n < 14; n++) {
			drop(n, v4);
			drop(n, v4);
			for (__u32 k = 0; k < 14; k++)
				assert_int_equal(left_of(k, v4, NULL), k > n ? LIFE : 0);
		}
		for (__u32 n = 100; n < 114; n++)
			assert_int_equal(put(n, v4, XB_FLOW_OPEN, LIFE), 0);
	}
}

/* A way that another processor writes: not read, not taken, and in the way only of its own key. */
static void test_busy(void **state)
{
	struct xb_tuple key = key_of(1, true);
	struct flow_wanted w;
	struct xb_flow_head *home;

	tables(2, 1000);
	w = flow_wanted(&key, true);
	home = lookup(&xb_flow4, w.hash & flow4_mask);
	home->way[6] = (struct xb_flow_way){ .tag = w.tag | XB_FLOW_BUSY, .expires = 1000 + LIFE };
	assert_int_equal(left_of(1, true, NULL), 0);
	assert_int_equal(put(1, true, XB_FLOW_OPEN, LIFE), -EEXIST);
	for (__u32 n = 2; n < 15; n++)
		assert_int_equal(put(n, true, XB_FLOW_OPEN, LIFE), 0);
	assert_int_equal(put(20, true, XB_FLOW_OPEN, LIFE), -ENOSPC);
	assert_int_equal(home->way[6].tag, w.tag | XB_FLOW_BUSY);
}

static void test_rate(void **state)
{
	tables(2, 1000);
	flow_rate_max = 3;
	for (__u32 processor = 0; processor < 2; processor++) {
		xb_model_set_processor(processor);
		for (int i = 0; i < 3; i++)
			assert_true(flow_rate());
		assert_false(flow_rate());
		assert_false(flow_rate());
	}
	xb_model_set_jiffies(1001);
	assert_true(flow_rate());
	xb_model_set_processor(0);
	flow_rate_max = 131072;
}

/* A long life against a list of what should be there. Sets are never full, so nothing is displaced. */
static void test_against_a_list(void **state)
{
	enum { KEYS = 100, STEPS = 200000 };
	static __u32 until[KEYS];
	__u32 now = 0xffff0000;

	for (int v4 = 0; v4 < 2; v4++) {
		tables(64, now);
		xb_model_set_random(v4 + 3);
		memset(until, 0, sizeof(until));
		for (int i = 0; i < STEPS; i++) {
			__u32 n = xb_model_random() % KEYS, ticks = 1 + xb_model_random() % 40, *u = &until[n];
			bool lives = (__s32)(*u - now) > 0 && *u;

			switch (xb_model_random() % 8) {
			case 0: case 1: case 2:
				assert_int_equal(put(n, v4, XB_FLOW_OPEN, ticks), lives ? -EEXIST : 0);
				*u = lives ? *u : now + ticks;
				break;
			case 3:
				drop(n, v4);
				*u = 0;
				break;
			case 4:
				refresh(n, v4, XB_FLOW_OPEN, ticks);
				*u = lives ? now + ticks : 0;
				break;
			case 5:
				xb_model_set_jiffies(++now);
				break;
			default:
				assert_int_equal(left_of(n, v4, NULL), lives ? *u - now : 0);
			}
			if (i % 1000 == 0)
				assert_true(copies_of(n, v4) <= 1);
		}
	}
}

static int end(void **state)
{
	xb_model_close();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_what_was_put),
		cmocka_unit_test(test_every_part_of_the_key_counts),
		cmocka_unit_test(test_keys_spread),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_a_key_is_put_once),
		cmocka_unit_test(test_spills_and_returns),
		cmocka_unit_test(test_full_of_open_flows),
		cmocka_unit_test(test_who_gives_way),
		cmocka_unit_test(test_expired_before_new),
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_refreshed_is_answered),
		cmocka_unit_test(test_ticks_wrap),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_against_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, end);
}
