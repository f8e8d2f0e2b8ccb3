/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "memory.h"
#include "../../../../../tools/xebec/print.c"
#include "../../../../../tools/xebec/print_table.c"
#include "../../../../../tools/xebec/dataplane/events.c"

#define SIZE 8u
static const __u32 sizes[N_TABLES] = { [TABLE_DROP] = SIZE, [TABLE_NEW] = SIZE, [TABLE_CURSOR] = 2 };

int target_tables(const struct target *t, struct tables **ret, char **reterr_why)
{
	return -ENOENT; /* nothing is followed here */
}

/* As a program does it; whole: it has come to the end of it. */
static void write_event(struct tables *t, enum table_id ring, enum xb_reason reason, bool whole)
{
	__u64 *cursor = element(t, TABLE_CURSOR, ring == TABLE_NEW), n = (*cursor)++;
	struct xb_event *slot = element(t, ring, n & (SIZE - 1));

	*slot = (struct xb_event){ .seq = whole ? n + 1 : 0, .reason = reason };
}

static unsigned count(struct events *e)
{
	struct xb_event event;
	unsigned n = 0;

	while (events_next(e, &event))
		n++;
	return n;
}

static void the_latest_in_order(void **state)
{
	_cleanup_(tables_freep) struct tables *t = memory_tables(sizes);
	struct xb_event event;
	struct events e;

	for (unsigned i = 0; i < SIZE + 3; i++)
		write_event(t, TABLE_DROP, i, true);
	events_begin(t, TABLE_DROP, true, &e);
	for (unsigned i = 3; i < SIZE + 3; i++) {
		assert_true(events_next(&e, &event));
		assert_int_equal(event.reason, i);
	}
	assert_false(events_next(&e, &event));
	assert_int_equal(e.lost, 0);
}

static void only_those_that_come(void **state)
{
	_cleanup_(tables_freep) struct tables *t = memory_tables(sizes);
	struct events e;

	write_event(t, TABLE_NEW, XB_FLOW_MADE, true);
	events_begin(t, TABLE_NEW, false, &e);
	assert_int_equal(count(&e), 0);
	write_event(t, TABLE_NEW, XB_FLOW_MADE, true);
	write_event(t, TABLE_DROP, XB_FLOW_MADE, true); /* of the other ring */
	assert_int_equal(count(&e), 1);
}

static void one_that_is_being_written_is_waited_for(void **state)
{
	_cleanup_(tables_freep) struct tables *t = memory_tables(sizes);
	struct events e;

	events_begin(t, TABLE_DROP, true, &e);
	write_event(t, TABLE_DROP, XB_REFUSED_NO_PORT, true);
	write_event(t, TABLE_DROP, XB_REFUSED_NO_PORT, false);
	write_event(t, TABLE_DROP, XB_REFUSED_NO_PORT, true);
	assert_int_equal(count(&e), 1);
	((struct xb_event *)element(t, TABLE_DROP, 1))->seq = 2;
	assert_int_equal(count(&e), 2);
	assert_int_equal(e.lost, 0);
}

/* Its writer found the slot busy. */
static void one_that_was_never_written_is_passed_over(void **state)
{
	_cleanup_(tables_freep) struct tables *t = memory_tables(sizes);
	struct events e;

	events_begin(t, TABLE_DROP, true, &e);
	write_event(t, TABLE_DROP, XB_REFUSED_NO_PORT, false);
	write_event(t, TABLE_DROP, XB_REFUSED_NO_PORT, true);
	assert_int_equal(count(&e), 0);
	assert_int_equal(count(&e), 1);
	assert_int_equal(e.lost, 1);
}

static void what_was_overwritten_is_counted(void **state)
{
	_cleanup_(tables_freep) struct tables *t = memory_tables(sizes);
	struct events e;

	events_begin(t, TABLE_DROP, true, &e);
	for (unsigned i = 0; i < 2 * SIZE + 1; i++)
		write_event(t, TABLE_DROP, XB_REFUSED_NO_PORT, true);
	assert_int_equal(count(&e), SIZE);
	assert_int_equal(e.lost, SIZE + 1);
}

static void who_the_client_is(void **state)
{
	struct xb_event e = { .path = XB_PATH_TC, .was.src = address("198.51.100.9"), .was.sport = 5, .netns = 12 };

	assert_string_equal(event_client(&e).s, "198.51.100.9:5");
	e.path = XB_PATH_SOCKET;
	assert_string_equal(event_client(&e).s, "netns:12");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_latest_in_order), cmocka_unit_test(only_those_that_come),
		cmocka_unit_test(one_that_is_being_written_is_waited_for),
		cmocka_unit_test(one_that_was_never_written_is_passed_over), cmocka_unit_test(what_was_overwritten_is_counted),
		cmocka_unit_test(who_the_client_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
