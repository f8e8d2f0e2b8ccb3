/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../../../../control/controllers/services/slices.h"

#define MAX_ENDPOINTS 4

static struct xb_arena *arena;
static struct xb_json *docs[8];
static struct slice_old old[8];
static size_t n_old;
static struct slice_group *groups;

static int setup(void **state)
{
	arena = xb_arena_new(0);
	n_old = 0;
	groups = NULL;
	return arena ? 0 : -1;
}

static int teardown(void **state)
{
	for (; n_old; n_old--)
		docs[n_old - 1] = xb_json_unref(docs[n_old - 1]);
	arena = xb_arena_free(arena);
	return 0;
}

static struct slice_endpoint endpoint(int i, bool ready)
{
	char *ip = xb_arena_printf(arena, "10.0.0.%d", i), *name = xb_arena_printf(arena, "pod-%d", i);

	return (struct slice_endpoint){
		.address = xb_sv(ip), .ready = ready, .serving = ready, .terminating = 0, .since = 1000 + i,
		.ref = { XB_SV("Pod"), XB_SV("default"), xb_sv(name), XB_SV("u") },
	};
}

static void want(int from, int to, int64_t port)
{
	struct slice_port p = { .protocol = XB_SV("TCP"), .number = port };

	for (int i = from; i <= to; i++) {
		struct slice_endpoint e = endpoint(i, true);

		assert_int_equal(slice_group_add(&groups, arena, &p, 1, &e), 0);
	}
}

/* A slice with endpoints from..to, none when to < from; port 0: no ports. */
static struct slice_old *there(int from, int to, int64_t port)
{
	struct slice_port p = { .protocol = XB_SV("TCP"), .number = port };
	struct slice_group group = { .ports = &p, .n_ports = port != 0 };
	const struct slice_endpoint *endpoints[8];
	struct slice s = { .group = &group, .endpoints = endpoints };
	struct slice_endpoint all[8];
	_cleanup_buf_ struct xb_buf text = {};
	struct xb_jw w = XB_JW(&text);

	for (int i = from; i <= to; i++) {
		all[s.n] = endpoint(i, true);
		endpoints[s.n] = &all[s.n];
		s.n++;
	}
	xb_jw_object(&w);
	slice_write(&s, &w);
	xb_jw_end(&w);
	assert_int_equal(xb_jw_finish(&w), 0);
	assert_int_equal(xb_json_parse(xb_buf_sv(&text), NULL, &docs[n_old], NULL), 0);
	old[n_old] = (struct slice_old){ .slice = xb_json_root(docs[n_old]), .own = true };
	return &old[n_old++];
}

/* "update 0: 4" and the like, a line for each that is not kept; sorted by the slice that was there, new ones last. */
static void plan_is(const char *expected, bool placeholder, int64_t since)
{
	static const char *const actions[] = { "keep", "create", "update", "delete" };
	struct slice_wanted wanted = { .groups = groups, .old = old, .n_old = n_old, .max = MAX_ENDPOINTS, .placeholder = placeholder };
	_cleanup_buf_ struct xb_buf text = {};
	struct slice_plan plan;

	assert_int_equal(slices_plan(arena, &wanted, &plan), 0);
	for (size_t at = 0; at <= n_old; at++)
		for (size_t i = 0; i < plan.n; i++) {
			const struct slice *s = &plan.slices[i];

			if (s->action == SLICE_KEEP || (s->old ? (size_t)(s->old - old) : n_old) != at)
				continue;
			xb_buf_addf(&text, "%s", actions[s->action]);
			if (s->old)
				xb_buf_addf(&text, " %zu", at);
			if (s->action != SLICE_DELETE)
				xb_buf_addf(&text, ": %zu", s->n);
			xb_buf_adds(&text, "\n");
		}
	assert_string_equal(text.p ? text.p : "", expected);
	assert_int_equal(plan.since, since);
}

static void what_is_right_stays(void **state)
{
	there(1, 4, 80);
	there(5, 6, 80);
	want(1, 6, 80);
	plan_is("", true, 0);
}

static void one_change_is_one_write(void **state)
{
	there(1, 4, 80);
	there(5, 6, 80);
	want(1, 6, 80);
	groups->endpoints[1].ready = 0;
	plan_is("update 0: 4\n", true, 1002);
}

static void new_ones_go_where_is_written_anyway(void **state)
{
	there(1, 3, 80);
	there(4, 6, 80);
	want(2, 7, 80);
	plan_is("update 0: 3\n", true, 1007);
}

/* Not to one with room for some of them: that would be two writes. */
static void new_ones_go_to_the_fullest_that_has_room(void **state)
{
	there(1, 3, 80);
	there(4, 5, 80);
	there(6, 6, 80);
	want(1, 8, 80);
	plan_is("update 1: 4\n", true, 1007);
}

static void many_fill_new_slices_and_the_rest_fits(void **state)
{
	there(1, 3, 80);
	want(1, 12, 80);
	plan_is("update 0: 4\ncreate: 4\ncreate: 4\n", true, 1004);
}

static void an_empty_slice_goes(void **state)
{
	there(1, 3, 80);
	there(4, 4, 80);
	want(1, 3, 80);
	plan_is("delete 1\n", true, 0);
}

static void other_ports_take_over_a_slice(void **state)
{
	there(1, 3, 80);
	want(1, 3, 81);
	plan_is("update 0: 3\n", true, 1001);
}

static void different_ports_are_different_slices(void **state)
{
	want(1, 2, 80);
	want(3, 3, 81);
	plan_is("create: 1\ncreate: 2\n", true, 1001);
}

static void the_last_one_stays_empty(void **state)
{
	there(1, 3, 80);
	plan_is("update 0: 0\n", true, 0);
}

static void an_empty_one_is_made_once(void **state)
{
	plan_is("create: 0\n", true, 0);
	there(1, 0, 0);
	plan_is("", true, 0);
	plan_is("delete 0\n", false, 0);
}

static void labels_are_put_right(void **state)
{
	there(1, 2, 80)->stale = true;
	want(1, 2, 80);
	plan_is("update 0: 2\n", true, 0);
}

/* One of a Service by the same name that is gone is not taken over: it goes with that one. */
static void somebody_elses_goes(void **state)
{
	there(1, 2, 80)->own = false;
	want(1, 2, 80);
	plan_is("delete 0\ncreate: 2\n", true, 1001);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_right_stays),
		TEST(one_change_is_one_write),
		TEST(new_ones_go_where_is_written_anyway),
		TEST(new_ones_go_to_the_fullest_that_has_room),
		TEST(many_fill_new_slices_and_the_rest_fits),
		TEST(an_empty_slice_goes),
		TEST(other_ports_take_over_a_slice),
		TEST(different_ports_are_different_slices),
		TEST(the_last_one_stays_empty),
		TEST(an_empty_one_is_made_once),
		TEST(labels_are_put_right),
		TEST(somebody_elses_goes),
	};

	return cmocka_run_group_tests_name("control/controllers/slices", tests, NULL, NULL);
}
