/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The flow table under many writers. Threads take the part of processors on a table of two sets, so that they meet all the time;
 * selftests/soak/flow_race.t runs the same under ThreadSanitizer, and for longer (FLOW_RACE_STEPS, of each thread).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Between any two accesses it may be another's turn, also where there are fewer processors than threads. */
static void turn(void);
#define WORD_POINT() turn()
#include "flows.h"
#include "lib/flow_copy.h"
#include "xb/macro.h"
#include "xb/model.h"

#define THREADS 4
#define KEYS 40         /* half of each family, for fourteen ways */
#define HELD 8          /* of each thread, so that the sets are full now and then */
#define NONE (~0u)
#define ROUNDS 500      /* after each the table is looked through */

static long steps = 100000;
static atomic_long faults, made, found, refused;
static atomic_int owner[KEYS];
static atomic_long progress[THREADS];
static atomic_int running, lives;

static void turn(void)
{
	static _Thread_local __u32 state = 1;

	state = state * 1664525 + 1013904223;
	if (state >> 26 == 0)
		sched_yield();
}

/* old 1: the tables do not grow. */
static void tables(__u32 sets, __u32 old)
{
	const struct xb_model_size sizes[] = {
		{ "xb_flow4", sets }, { "xb_flow6", sets }, { "xb_flow4_old", old }, { "xb_flow6_old", old }, {},
	};

	assert_int_equal(xb_model_new(sizes), 0);
	tick_shift = 0;
	xb_model_set_jiffies(1000);
	atomic_store(&faults, 0);
	atomic_store(&made, 0);
	atomic_store(&found, 0);
	atomic_store(&refused, 0);
}

static void start(void *(*run)(void *arg))
{
	pthread_t thread[THREADS];

	for (long i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, run, (void *)i), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
}

static void begin(long self)
{
	xb_model_set_processor((__u32)self);
	xb_model_set_random((__u64)atomic_fetch_add(&lives, 1) * 77 + 5);
}

/* Whoever could insert a key has it alone, and finds it until he removes it, whatever others do. */
static void claim_or_leave(long self, __u32 *held)
{
	__u32 n = xb_model_random() % KEYS;
	int nobody = 0;

	if (*held != NONE) {
		if (left_of(*held, *held & 1, NULL) != 50)
			atomic_fetch_add(&faults, 1);
		atomic_store(&owner[*held], 0);
		drop(*held, *held & 1);
		*held = NONE;
	} else if (put(n, n & 1, XB_FLOW_OPEN, 50)) {
		atomic_fetch_add(&refused, 1);
	} else {
		if (!atomic_compare_exchange_strong(&owner[n], &nobody, (int)self + 1))
			atomic_fetch_add(&faults, 1);
		atomic_fetch_add(&made, 1);
		*held = n;
	}
}

static void *claims(void *arg)
{
	long self = (long)arg;
	__u32 held[HELD], n;

	begin(self);
	for (int i = 0; i < HELD; i++)
		held[i] = NONE;
	for (long i = 0; i < steps; i++) {
		claim_or_leave(self, &held[xb_model_random() % HELD]);
		n = xb_model_random() % KEYS;
		refresh(n, n & 1, XB_FLOW_OPEN, 50);
		if (left_of(n, n & 1, NULL) < 0)
			atomic_fetch_add(&faults, 1);
		atomic_fetch_add(&progress[self], 1);
	}
	for (int i = 0; i < HELD; i++)
		if (held[i] != NONE)
			claim_or_leave(self, &held[i]);
	atomic_fetch_add(&progress[self], steps);
	return NULL;
}

static void test_two_never_hold_one_key(void **state)
{
	tables(2, 1);
	start(claims);
	assert_int_equal(atomic_load(&faults), 0);
	assert_true(atomic_load(&made) > steps / 100);
	assert_true(atomic_load(&refused) > 0);
	for (__u32 n = 0; n < KEYS; n++)
		assert_int_equal(copies_of(n, n & 1), 0);
}

/* Until what each thread did when it was called, and a little more, is done. */
static void wait_for_all(void)
{
	long seen[THREADS];

	for (int i = 0; i < THREADS; i++)
		seen[i] = MIN(atomic_load(&progress[i]), steps);
	for (int i = 0; i < THREADS; i++)
		while (atomic_load(&progress[i]) < seen[i] + 5)
			sched_yield();
}

static void copy_all(bool v4)
{
	for (__u32 i = 0; i <= (v4 ? flow4_old_mask : flow6_old_mask); i++)
		for (__u32 way = 0; way < XB_FLOW_WAYS; way++)
			while (flow_copy_way(v4 ? lookup(&xb_flow4_old, i) : lookup(&xb_flow6_old, i), way, v4, flow_tick()))
				sched_yield();
}

/* What the agent does, over and over. */
static void *grows(void *arg)
{
	struct xb_hdr *hdr = lookup(&xb_hdr, 0);

	for (__u64 g = XB_FLOW_TO_NEW; g <= XB_FLOW_MOVED; g++) {
		wait_for_all();
		store_word(&hdr->flow4_growth, g);
		store_word(&hdr->flow6_growth, g);
		wait_for_all();
		for (int v4 = 0; v4 < 2 && g == XB_FLOW_TO_NEW; v4++)
			copy_all(v4);
	}
	return NULL;
}

/* Sixteen sets, for nothing that is copied may find them full. */
static void test_so_it_is_while_the_tables_grow(void **state)
{
	long all = steps;
	pthread_t thread;

	steps /= ROUNDS;
	for (int round = 0; round < ROUNDS; round++) {
		tables(16, 2);
		for (int i = 0; i < THREADS; i++)
			atomic_store(&progress[i], 0);
		assert_int_equal(pthread_create(&thread, NULL, grows, NULL), 0);
		start(claims);
		pthread_join(thread, NULL);
		assert_int_equal(atomic_load(&faults), 0);
		for (__u32 n = 0; n < KEYS; n++)
			assert_int_equal(copies_of(n, n & 1), 0);
	}
	steps = all;
}

/* Everything at once, with flows that give way and expire. What is read must be one flow's own numbers. */
static void *anything(void *arg)
{
	long self = (long)arg;

	begin(self);
	for (long i = 0; i < steps / ROUNDS; i++) {
		__u32 n = xb_model_random() % KEYS, ticks = 1 + xb_model_random() % 6;
		bool v4 = n & 1;
		int left;

		switch (xb_model_random() % 8) {
		case 0: case 1: case 2:
			atomic_fetch_add(&made, !put(n, v4, xb_model_random() % 4 ? XB_FLOW_NEW : XB_FLOW_OPEN, ticks));
			break;
		case 3:
			refresh(n, v4, xb_model_random() % 2 ? XB_FLOW_NEW : XB_FLOW_OPEN, ticks);
			break;
		case 4:
			drop(n, v4);
			break;
		default:
			left = left_of(n, v4, NULL);
			atomic_fetch_add(&found, left > 0);
			/* it was put by one whose clock was a tick ahead, at most */
			if (left < 0 || left > 7)
				atomic_fetch_add(&faults, 1);
		}
		atomic_fetch_add(&progress[self], 1);
	}
	atomic_fetch_sub(&running, 1);
	return NULL;
}

/* Time goes on when each thread has done something since: a program never runs for as long as a tick. */
static void *clock_ticks(void *arg)
{
	long seen[THREADS] = {};
	__u64 now = xb_model_jiffies();

	while (atomic_load(&running)) {
		bool all = true;

		for (int i = 0; i < THREADS; i++)
			all = all && (atomic_load(&progress[i]) >= seen[i] + 20 || atomic_load(&progress[i]) == steps / ROUNDS);
		if (!all) {
			sched_yield();
			continue;
		}
		for (int i = 0; i < THREADS; i++)
			seen[i] = atomic_load(&progress[i]);
		xb_model_set_jiffies(++now);
	}
	return NULL;
}

static void test_anything_at_once(void **state)
{
	pthread_t clock;

	tables(2, 1);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < THREADS; i++)
			atomic_store(&progress[i], 0);
		atomic_store(&running, THREADS);
		assert_int_equal(pthread_create(&clock, NULL, clock_ticks, NULL), 0);
		start(anything);
		pthread_join(clock, NULL);
		assert_int_equal(atomic_load(&faults), 0);
		for (__u32 n = 0; n < KEYS; n++) {
			assert_true(copies_of(n, n & 1) <= 1);
			assert_int_equal(left_of(n, n & 1, NULL) > 0, copies_left(n, n & 1, 0));
		}
	}
	assert_true(atomic_load(&made) > steps / 100);
	assert_true(atomic_load(&found) > steps / 100);
}

static int end(void **state)
{
	xb_model_close();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_never_hold_one_key),
		cmocka_unit_test(test_so_it_is_while_the_tables_grow),
		cmocka_unit_test(test_anything_at_once),
	};
	const char *n = getenv("FLOW_RACE_STEPS");

	if (n)
		steps = strtol(n, NULL, 10);
	return cmocka_run_group_tests(tests, NULL, end);
}
