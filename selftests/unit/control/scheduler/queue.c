/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cluster.h"
#include "../../../../control/scheduler/queue.h"

static struct sched_queue *make(void)
{
	struct sched_queue *q = sched_queue_new(&(struct sched_queue_config){});

	assert_non_null(q);
	return q;
}

static void important_pods_come_first_then_old_ones(void **state)
{
	_cleanup_(sched_queue_freep) struct sched_queue *q = make();
	struct sched_pod pods[50] = {};

	for (int i = 0; i < 50; i++) {
		pods[i].priority = i % 3;
		assert_int_equal(sched_queue_add(q, &pods[i], 1), 0);
	}
	for (int i = 0; i < 50; i++) {
		struct sched_pod *p = sched_queue_pop(q);

		assert_int_equal(p->priority, i < 16 ? 2 : i < 33 ? 1 : 0);
		assert_int_equal((p - pods - p->priority) / 3, i < 16 ? i : i < 33 ? i - 16 : i - 33);
	}
	assert_null(sched_queue_pop(q));
}

static void what_is_taken_out_does_not_come(void **state)
{
	_cleanup_(sched_queue_freep) struct sched_queue *q = make();
	struct sched_pod pods[20] = {};

	for (int i = 0; i < 20; i++)
		sched_queue_add(q, &pods[i], 1);
	for (int i = 0; i < 20; i += 2)
		sched_queue_del(q, &pods[i]);
	for (int i = 1; i < 20; i += 2)
		assert_ptr_equal(sched_queue_pop(q), &pods[i]);
	assert_false(sched_queue_has(q));
}

static void a_pod_that_failed_is_parked_until_it_is_woken(void **state)
{
	_cleanup_(sched_queue_freep) struct sched_queue *q = make();
	struct sched_pod p = {};

	sched_queue_add(q, &p, 0);
	assert_ptr_equal(sched_queue_pop(q), &p);
	assert_int_equal(p.attempts, 1);
	sched_queue_failed(q, &p, 100);
	assert_int_equal(sched_queue_count(q, SCHED_PARKED), 1);
	assert_false(sched_queue_has(q));
	sched_queue_tick(q, 100 + 299999);
	assert_int_equal(sched_queue_count(q, SCHED_PARKED), 1);
	sched_queue_tick(q, 100 + 300000);
	assert_ptr_equal(sched_queue_pop(q), &p);
	sched_queue_failed(q, &p, 300100);
	sched_queue_wake(q, &p, 302100);
	assert_int_equal(p.place, SCHED_ACTIVE);
}

static void a_woken_pod_waits_out_its_back_off_while_others_are_active(void **state)
{
	_cleanup_(sched_queue_freep) struct sched_queue *q = make();
	struct sched_pod p = {}, other = {};

	sched_queue_add(q, &p, 0);
	sched_queue_pop(q);
	sched_queue_failed(q, &p, 0);
	sched_queue_add(q, &other, 1);
	sched_queue_wake(q, &p, 1);
	assert_int_equal(p.place, SCHED_BACKOFF);
	assert_ptr_equal(sched_queue_pop(q), &other);
	assert_ptr_equal(sched_queue_pop(q), &p);
}

static void after_faults_the_back_off_doubles(void **state)
{
	_cleanup_(sched_queue_freep) struct sched_queue *q = make();
	static const int64_t waits[] = { 1000, 2000, 4000, 8000, 10000, 10000 };
	struct sched_pod p = {};
	int64_t now = 0;

	sched_queue_add(q, &p, now);
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		assert_ptr_equal(sched_queue_pop(q), &p);
		p.faulted = true;
		sched_queue_failed(q, &p, now);
		sched_queue_tick(q, now + waits[i] - 1);
		assert_false(sched_queue_has(q));
		now += waits[i];
		sched_queue_tick(q, now);
	}
}

static bool is_second(void *arg, const struct sched_pod *p)
{
	return p == arg;
}

static void only_those_worth_it_are_woken(void **state)
{
	_cleanup_(sched_queue_freep) struct sched_queue *q = make();
	struct sched_pod pods[3] = {};

	for (int i = 0; i < 3; i++)
		sched_queue_add(q, &pods[i], 0);
	for (int i = 0; i < 3; i++)
		sched_queue_failed(q, sched_queue_pop(q), 0);
	sched_queue_wake_if(q, is_second, &pods[1], 5000);
	assert_ptr_equal(sched_queue_pop(q), &pods[1]);
	assert_int_equal(sched_queue_count(q, SCHED_PARKED), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(important_pods_come_first_then_old_ones),
		cmocka_unit_test(what_is_taken_out_does_not_come),
		cmocka_unit_test(a_pod_that_failed_is_parked_until_it_is_woken),
		cmocka_unit_test(a_woken_pod_waits_out_its_back_off_while_others_are_active),
		cmocka_unit_test(after_faults_the_back_off_doubles),
		cmocka_unit_test(only_those_worth_it_are_woken),
	};

	return cmocka_run_group_tests_name("control/scheduler/queue", tests, NULL, NULL);
}
