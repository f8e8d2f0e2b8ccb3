/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a user of an informer sees while its server behaves well, badly and not at all. */
#include "informer_fixture.h"
#include "xb/time.h"

static void lists_then_watches(void **state)
{
	struct test *t = *state;

	start(t);
	assert_false(xb_informer_synced(t->informer));
	run_until(&t->loop, t->watches == 1);
	assert_string_equal(t->told.p, "+a@1 +b@2 synced ");
	assert_true(xb_informer_synced(t->informer));
	assert_non_null(strstr(t->path, "labelSelector=%21a%2Cb%3Dc"));
	assert_non_null(strstr(t->path, "resourceVersion=10&"));
	assert_non_null(strstr(t->path, "allowWatchBookmarks=true"));
	event(t, "ADDED", "c", "11");
	event(t, "MODIFIED", "a", "12");
	event(t, "DELETED", "b", "13");
	run_until(&t->loop, told(t, "+a@1 +b@2 synced +c@11 ~a@12 -b@2 "));
	assert_int_equal(xb_informer_count(t->informer), 2);
	assert_true(xb_jv_is(xb_informer_get(t->informer, "ns", "c")));
	assert_false(xb_jv_is(xb_informer_get(t->informer, "ns", "b")));
}

static void events_may_come_in_pieces(void **state)
{
	struct test *t = *state;

	start(t);
	run_until(&t->loop, t->watches == 1);
	fake_chunk(t->watch, "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"na");
	for (int i = 0; i < 20; i++)
		uv_run(&t->loop, UV_RUN_NOWAIT);
	fake_chunk(t->watch, "me\":\"c\",\"namespace\":\"ns\",\"resourceVersion\":\"11\"}}}\n{\"type\":\"DEL");
	run_until(&t->loop, told(t, "+a@1 +b@2 synced +c@11 "));
	fake_chunk(t->watch, "ETED\",\"object\":{\"metadata\":{\"name\":\"c\",\"namespace\":\"ns\",\"resourceVersion\":\"12\"}}}\n");
	run_until(&t->loop, told(t, "+a@1 +b@2 synced +c@11 -c@11 "));
}

static void repeated_and_old_events_are_ignored(void **state)
{
	struct test *t = *state;

	start(t);
	run_until(&t->loop, t->watches == 1);
	event(t, "MODIFIED", "a", "12");
	event(t, "MODIFIED", "a", "12");
	event(t, "MODIFIED", "a", "11");
	event(t, "DELETED", "a", "11");
	event(t, "DELETED", "never", "11");
	event(t, "ADDED", "z", "14");
	run_until(&t->loop, strstr(t->told.p, "+z@14"));
	assert_string_equal(t->told.p, "+a@1 +b@2 synced ~a@12 +z@14 ");
}

static void resumes_where_it_was(void **state)
{
	struct test *t = *state;

	start(t);
	run_until(&t->loop, t->watches == 1);
	event(t, "ADDED", "c", "11");
	run_until(&t->loop, xb_informer_count(t->informer) == 3);
	fake_drop(t->watch);
	run_until(&t->loop, t->watches == 2);
	assert_non_null(strstr(t->path, "resourceVersion=11&"));
	fake_stream_end(t->watch);
	run_until(&t->loop, t->watches == 3);
	assert_non_null(strstr(t->path, "resourceVersion=11&"));
	assert_int_equal(t->lists, 1);
}

static void bookmarks_move_the_version(void **state)
{
	struct test *t = *state;

	start(t);
	run_until(&t->loop, t->watches == 1);
	fake_chunk(t->watch, "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"99\"}}}\n");
	fake_stream_end(t->watch);
	assert_int_equal(xb_informer_version(t->informer), 10);
	run_until(&t->loop, t->watches == 2);
	assert_int_equal(xb_informer_version(t->informer), 99);
	assert_non_null(strstr(t->path, "resourceVersion=99&"));
	assert_string_equal(t->told.p, "+a@1 +b@2 synced ");
}

static void list_bc(struct test *t, struct fake_conn *c, const char *path)
{
	list(c, "b@2 c@20", "30", "");
}

static void error_410_lists_anew_and_tells_the_difference(void **state)
{
	struct test *t = *state;
	char line[512];

	start(t);
	run_until(&t->loop, t->watches == 1);
	t->on_list = list_bc;
	snprintf(line, sizeof(line), "{\"type\":\"ERROR\",\"object\":%s}\n", INFORMER_GONE);
	fake_chunk(t->watch, line);
	run_until(&t->loop, t->watches == 2);
	assert_string_equal(t->told.p, "+a@1 +b@2 synced +c@20 -a@1 ");
	assert_non_null(strstr(t->path, "resourceVersion=30&"));
}

static void list_one_of_two(struct test *t, struct fake_conn *c, const char *path)
{
	bool first = t->lists == 1;
	char body[512];

	snprintf(body, sizeof(body), "{\"metadata\":{\"resourceVersion\":\"30\"},\"items\":[{\"metadata\":{\"name\":\"a\",\"namespace\":\"ns\","
		 "\"uid\":\"%s\",\"resourceVersion\":\"%s\"}}]}", first ? "u1" : "u2", first ? "1" : "20");
	fake_reply(c, 200, body);
}

static void one_made_anew_by_the_same_name_is_another(void **state)
{
	struct test *t = *state;
	char line[512];

	t->on_list = list_one_of_two;
	start(t);
	run_until(&t->loop, t->watches == 1);
	snprintf(line, sizeof(line), "{\"type\":\"ERROR\",\"object\":%s}\n", INFORMER_GONE);
	fake_chunk(t->watch, line);
	run_until(&t->loop, t->watches == 2);
	assert_string_equal(t->told.p, "+a@1 synced -a@1 +a@20 ");
	assert_int_equal(xb_informer_count(t->informer), 1);
}

static void answer_410(struct test *t, struct fake_conn *c, const char *path)
{
	if (t->watches == 1)
		fake_reply(c, 410, INFORMER_GONE);
	else
		fake_stream(c);
}

static void watch_refused_with_410_lists_anew(void **state)
{
	struct test *t = *state;

	t->on_watch = answer_410;
	start(t);
	run_until(&t->loop, t->watches == 2);
	assert_int_equal(t->lists, 2);
	assert_string_equal(t->told.p, "+a@1 +b@2 synced ");
}

static void answer_503(struct test *t, struct fake_conn *c, const char *path)
{
	if (t->watches < 4)
		fake_reply(c, 503, "<html>a proxy says no</html>");
	else
		fake_stream(c);
}

static void unavailable_server_is_asked_again_without_a_list(void **state)
{
	struct test *t = *state;

	t->on_watch = answer_503;
	start(t);
	run_until(&t->loop, t->watches == 4);
	assert_int_equal(t->lists, 1);
}

static void refuse_late(uv_timer_t *timer)
{
	struct fake_conn *c = timer->data;

	fake_reply(c, 503, "{}");
	uv_close((uv_handle_t *)timer, (uv_close_cb)free);
}

static void answer_503_late(struct test *t, struct fake_conn *c, const char *path)
{
	uv_timer_t *timer = calloc(1, sizeof(*timer));

	assert_non_null(timer);
	uv_timer_init(&t->loop, timer);
	timer->data = c;
	uv_timer_start(timer, refuse_late, 100, 0);
}

static void refusal_that_takes_long_is_trouble_too(void **state)
{
	struct test *t = *state;

	t->on_watch = answer_503_late;
	start(t);
	run_until(&t->loop, t->trouble.n);
	assert_string_equal(t->trouble.p, "other ");
	assert_int_equal(t->watches, 1);
	t->on_watch = keep_open;
	run_until(&t->loop, t->watches == 2);
	assert_int_equal(t->lists, 1);
}

static void server_restart_keeps_the_copy(void **state)
{
	struct test *t = *state;
	struct xb_informer_stats before, after;

	start(t);
	run_until(&t->loop, t->watches == 1);
	xb_informer_stats(t->informer, &before);
	fake_stop(&t->api);
	run_until(&t->loop, (xb_informer_stats(t->informer, &after), after.faults > before.faults + 3));
	assert_int_equal(xb_informer_count(t->informer), 2);
	fake_start(&t->api);
	run_until(&t->loop, t->watches == 2);
	event(t, "ADDED", "c", "11");
	run_until(&t->loop, told(t, "+a@1 +b@2 synced +c@11 "));
	assert_int_equal(t->lists, 1);
	assert_string_equal(t->trouble.p, "refused over ");
}

/* Two pages; the second is cut off the first time. */
static void list_in_pages(struct test *t, struct fake_conn *c, const char *path)
{
	assert_non_null(strstr(path, "limit=500"));
	if (!strstr(path, "continue="))
		list(c, "a@1 b@2", "10", "page/2");
	else if (t->lists == 2)
		fake_sendf(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"items\":[");
	else
		list(c, "c@3", "10", "");
}

static void half_a_list_is_not_shown(void **state)
{
	struct test *t = *state;

	t->on_list = list_in_pages;
	start(t);
	run_until(&t->loop, t->lists == 2);
	assert_null(t->told.p);
	fake_drop(t->api.conns);
	run_until(&t->loop, t->watches == 1);
	assert_int_equal(t->lists, 4);
	assert_string_equal(t->told.p, "+a@1 +b@2 +c@3 synced ");
}

/* The first list is whole; of the later ones the second page comes too late, so the whole is asked for at once. */
static void list_expires(struct test *t, struct fake_conn *c, const char *path)
{
	if (t->lists == 1)
		list_ab(t, c, path);
	else if (strstr(path, "continue=page%2F2"))
		fake_reply(c, 410, INFORMER_GONE);
	else if (strstr(path, "limit="))
		list(c, "b@2", "20", "page/2");
	else
		list(c, "b@2 c@3", "21", "");
}

static void late_page_keeps_the_old_copy_until_the_list_is_whole(void **state)
{
	struct test *t = *state;
	char line[512];

	t->on_list = list_expires;
	start(t);
	run_until(&t->loop, t->watches == 1);
	snprintf(line, sizeof(line), "{\"type\":\"ERROR\",\"object\":%s}\n", INFORMER_GONE);
	fake_chunk(t->watch, line);
	run_until(&t->loop, t->lists == 3);
	assert_int_equal(xb_informer_count(t->informer), 2);
	run_until(&t->loop, t->watches == 2);
	assert_string_equal(t->told.p, "+a@1 +b@2 synced +c@3 -a@1 ");
	assert_int_equal(t->lists, 4);
}

static void end_at_once(struct test *t, struct fake_conn *c, const char *path)
{
	fake_stream(c);
	fake_stream_end(c);
}

static void watch_that_ends_at_once_is_not_a_busy_loop(void **state)
{
	struct test *t = *state;
	int64_t began = xb_time_ms();

	t->on_watch = end_at_once;
	start(t);
	run_until(&t->loop, t->watches == 12);
	/* 10 + 20 * 10 ms is the least that eleven delays from 10 to 40 ms add up to */
	assert_true(xb_time_ms() - began >= 200);
	assert_int_equal(t->lists, 1);
}

static void broken_event_lists_anew(void **state)
{
	struct test *t = *state;

	start(t);
	run_until(&t->loop, t->watches == 1);
	fake_chunk(t->watch, "{\"type\":\"ADDED\",\"object\":{\n");
	run_until(&t->loop, t->watches == 2);
	assert_int_equal(t->lists, 2);
	fake_chunk(t->watch, "{\"type\":\"ADDED\",\"object\":{}}\n");
	run_until(&t->loop, t->watches == 3);
	assert_int_equal(t->lists, 3);
	assert_string_equal(t->told.p, "+a@1 +b@2 synced ");
}

static void list_without_a_version(struct test *t, struct fake_conn *c, const char *path)
{
	if (t->lists == 1)
		fake_reply(c, 200, "{\"items\":[{\"metadata\":{\"name\":\"x\"}}]}");
	else if (t->lists == 2)
		fake_reply(c, 200, "not JSON");
	else if (t->lists == 3)
		fake_reply(c, 403, "{\"kind\":\"Status\",\"message\":\"forbidden\",\"reason\":\"Forbidden\",\"code\":403}");
	else
		list_ab(t, c, path);
}

static void bad_lists_are_asked_for_again(void **state)
{
	struct test *t = *state;

	t->on_list = list_without_a_version;
	start(t);
	run_until(&t->loop, t->watches == 1);
	assert_int_equal(t->lists, 4);
	assert_string_equal(t->told.p, "+a@1 +b@2 synced ");
}

static void list_lacks(struct test *t, struct fake_conn *c, const char *path)
{
	fake_reply(c, 404, "404 page not found");
}

static void list_then_lacks(struct test *t, struct fake_conn *c, const char *path)
{
	if (t->lists == 1)
		list_ab(t, c, path);
	else
		fake_reply(c, 403, "{\"kind\":\"Status\",\"message\":\"forbidden\",\"reason\":\"Forbidden\",\"code\":403}");
}

static void what_may_lack_is_empty_without_it(void **state)
{
	struct test *t = *state;

	t->on_list = list_lacks;
	start_with(t, true);
	run_until(&t->loop, told(t, "synced "));
	assert_null(t->trouble.p);
	assert_int_equal(t->watches, 0);
}

static void what_may_lack_is_gone_when_it_goes(void **state)
{
	struct test *t = *state;

	t->on_list = list_then_lacks;
	start_with(t, true);
	run_until(&t->loop, t->watches == 1);
	fake_chunk(t->watch, "{\"type\":\"ERROR\",\"object\":{\"code\":410,\"message\":\"gone\"}}\n");
	run_until(&t->loop, told(t, "+a@1 +b@2 synced -a@1 -b@2 ") || told(t, "+a@1 +b@2 synced -b@2 -a@1 "));
	assert_int_equal(t->lists, 2);
	assert_int_equal(xb_informer_count(t->informer), 0);
}

/* Only members of the paths go, and with a value only those of just that one: a label of that name stays, and so does what merely begins
 * like one. */
static void say_nothing(struct test *t, struct fake_conn *c, const char *path)
{
}

static void may_be_freed_in_the_middle(void **state)
{
	struct test *t = *state;

	t->on_list = say_nothing;
	start(t);
	run_until(&t->loop, t->lists == 1);
	t->informer = xb_informer_free(t->informer);
	uv_run(&t->loop, UV_RUN_NOWAIT);
	assert_null(t->told.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(lists_then_watches), T(events_may_come_in_pieces), T(repeated_and_old_events_are_ignored), T(resumes_where_it_was),
		T(bookmarks_move_the_version), T(error_410_lists_anew_and_tells_the_difference), T(watch_refused_with_410_lists_anew),
		T(one_made_anew_by_the_same_name_is_another), T(unavailable_server_is_asked_again_without_a_list),
		T(refusal_that_takes_long_is_trouble_too), T(server_restart_keeps_the_copy), T(half_a_list_is_not_shown),
		T(late_page_keeps_the_old_copy_until_the_list_is_whole), T(watch_that_ends_at_once_is_not_a_busy_loop),
		T(broken_event_lists_anew), T(bad_lists_are_asked_for_again), T(what_may_lack_is_empty_without_it),
		T(what_may_lack_is_gone_when_it_goes), T(may_be_freed_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
