/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a user of an informer sees while its server behaves well, badly and not at all. */
#include "fake_api.h"
#include "xb/informer.h"
#include "xb/time.h"

struct test {
	uv_loop_t loop;
	struct fake_api api;
	struct xb_rest *rest;
	struct xb_informer *informer;
	struct xb_buf told;             /* "+a@1 ~a@2 -a@2 synced " */
	struct xb_buf trouble;
	char path[512];                 /* of the last request */
	struct fake_conn *watch;        /* the last watch, open */
	unsigned lists, watches;
	void (*on_list)(struct test *t, struct fake_conn *c, const char *path);
	void (*on_watch)(struct test *t, struct fake_conn *c, const char *path);
};

static void on_request(struct fake_conn *c, const char *method, const char *path, const char *headers, const char *body)
{
	struct test *t = c->api->arg;

	snprintf(t->path, sizeof(t->path), "%s", path);
	if (strstr(path, "watch=true")) {
		t->watches++;
		t->watch = c;
		t->on_watch(t, c, path);
	} else {
		t->lists++;
		t->on_list(t, c, path);
	}
}

static void on_changed(void *arg, struct xb_jv old, struct xb_jv object)
{
	struct test *t = arg;
	struct xb_jv meta = xb_jv_get(xb_jv_is(object) ? object : old, "metadata");

	xb_buf_addf(&t->told, "%c%.*s@%.*s ", !xb_jv_is(old) ? '+' : xb_jv_is(object) ? '~' : '-',
		    XB_SV_ARG(xb_jv_text(xb_jv_get(meta, "name"))), XB_SV_ARG(xb_jv_text(xb_jv_get(meta, "resourceVersion"))));
}

static void on_synced(void *arg)
{
	struct test *t = arg;

	xb_buf_adds(&t->told, "synced ");
}

static void on_trouble(void *arg, const char *path, const char *why)
{
	struct test *t = arg;

	xb_buf_adds(&t->trouble, why ? (strstr(why, "onnect") ? "refused " : "other ") : "over ");
}

static bool told(struct test *t, const char *what)
{
	return !strcmp(t->told.p ? t->told.p : "", what);
}

/* names: "a@1 b@2" */
static void list(struct fake_conn *c, const char *names, const char *version, const char *continue_)
{
	struct xb_buf body = {};
	struct xb_sv rest = xb_sv(names), one;

	xb_buf_addf(&body, "{\"kind\":\"ServiceList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"%s\",\"continue\":\"%s\"},"
		    "\"items\":[", version, continue_);
	for (bool comma = false; rest.n && xb_sv_split(&rest, ' ', &one); comma = true) {
		struct xb_sv name;

		xb_sv_split(&one, '@', &name);
		xb_buf_addf(&body, "%s{\"metadata\":{\"name\":\"%.*s\",\"namespace\":\"ns\",\"resourceVersion\":\"%.*s\"}}",
			    comma ? "," : "", XB_SV_ARG(name), XB_SV_ARG(one));
	}
	xb_buf_adds(&body, "]}");
	fake_reply(c, 200, body.p);
	xb_buf_done(&body);
}

static void event(struct test *t, const char *type, const char *name, const char *version)
{
	char line[512];

	snprintf(line, sizeof(line),
		 "{\"type\":\"%s\",\"object\":{\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\",\"resourceVersion\":\"%s\"}}}\n", type, name,
		 version);
	fake_chunk(t->watch, line);
}

static const char gone[] = "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"reason\":\"Expired\",\"code\":410,"
			   "\"message\":\"too old resource version\"}";

static void list_ab(struct test *t, struct fake_conn *c, const char *path)
{
	list(c, "a@1 b@2", "10", "");
}
static void keep_open(struct test *t, struct fake_conn *c, const char *path)
{
	fake_stream(c);
}

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));
	struct xb_kubeconfig k = {};
	char *why = NULL;

	assert_non_null(t);
	uv_loop_init(&t->loop);
	t->api = (struct fake_api){ .loop = &t->loop, .handler = on_request, .arg = t };
	fake_start(&t->api);
	assert_true(asprintf(&k.server, "http://127.0.0.1:%d", t->api.port) > 0);
	assert_int_equal(xb_rest_new(&t->loop, &k, "test", &t->rest, &why), 0);
	xb_kubeconfig_done(&k);
	t->on_list = list_ab;
	t->on_watch = keep_open;
	*state = t;
	return 0;
}

static bool is_running(struct xb_jv object)
{
	return xb_jv_streq(xb_jv_get(object, "phase"), XB_SV("Running"));
}

static void start_with(struct test *t, bool may_lack)
{
	static const char *const leave_out[] = { "metadata.managedFields", "endpoints.targetRef", "spec.ports.name",
						 "spec.kind=\"none\"", "spec.of={}", "spec.ports.names=2", NULL };
	static const char *const leave_out_then[] = { "spec.image", "conditions.[Ready]", "conditions.[Old].a", "conditions.[]", NULL };
	struct xb_informer_config c = {
		.leave_out = leave_out, .leave_out_then = leave_out_then, .when = is_running,
		.rest = t->rest, .path = "/api/v1/services", .label_selector = "!a,b=c", .changed = on_changed,
		.synced = on_synced, .trouble = on_trouble, .arg = t, .backoff_min_ms = 10, .backoff_max_ms = 40,
		.may_lack = may_lack,
	};

	assert_int_equal(xb_informer_new(&c, &t->informer), 0);
}

static void start(struct test *t)
{
	start_with(t, false);
}

static int teardown(void **state)
{
	struct test *t = *state;

	xb_informer_free(t->informer);
	xb_rest_free(t->rest);
	fake_stop(&t->api);
	uv_run(&t->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&t->loop), 0);
	xb_buf_done(&t->told);
	xb_buf_done(&t->trouble);
	free(t);
	return 0;
}

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
	snprintf(line, sizeof(line), "{\"type\":\"ERROR\",\"object\":%s}\n", gone);
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
	snprintf(line, sizeof(line), "{\"type\":\"ERROR\",\"object\":%s}\n", gone);
	fake_chunk(t->watch, line);
	run_until(&t->loop, t->watches == 2);
	assert_string_equal(t->told.p, "+a@1 synced -a@1 +a@20 ");
	assert_int_equal(xb_informer_count(t->informer), 1);
}

static void answer_410(struct test *t, struct fake_conn *c, const char *path)
{
	if (t->watches == 1)
		fake_reply(c, 410, gone);
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
		fake_reply(c, 410, gone);
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
	snprintf(line, sizeof(line), "{\"type\":\"ERROR\",\"object\":%s}\n", gone);
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
#define FAT "{\"metadata\":{\"name\":\"fat\",\"managedFields\":[{\"a\":[1]}],\"labels\":{\"managedFields\":\"x\",\"spec.ports.name\":\"y\"}," \
	    "\"namespace\":\"ns\",\"resourceVersion\":\"%s\"},\"spec\":{\"name\":1,\"kind\":\"none\",\"of\":{\"kind\":\"none\"}," \
	    "\"ports\":[{\"name\":\"a\",\"names\":2},{\"name\":\"b\",\"names\":22}]}," \
	    "\"endpoints\":[{\"targetRef\":{\"kind\":\"Pod\"},\"k\\u0041\":\"\\n\"},{},null]}"
#define LEAN "{\"metadata\":{\"name\":\"fat\",\"labels\":{\"managedFields\":\"x\",\"spec.ports.name\":\"y\"}," \
	     "\"namespace\":\"ns\",\"resourceVersion\":\"%s\"},\"spec\":{\"name\":1,\"of\":{\"kind\":\"none\"},\"ports\":[{},{\"names\":22}]}," \
	     "\"endpoints\":[{\"k\\u0041\":\"\\n\"},{},null]}"

static void list_fat(struct test *t, struct fake_conn *c, const char *path)
{
	char body[512];

	snprintf(body, sizeof(body), "{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[" FAT "]}", "4");
	fake_reply(c, 200, body);
}

static void what_nobody_reads_is_not_kept(void **state)
{
	struct test *t = *state;
	char text[512];

	t->on_list = list_fat;
	start(t);
	run_until(&t->loop, t->watches == 1);
	snprintf(text, sizeof(text), LEAN, "4");
	assert_true(xb_sv_is(xb_jv_bytes(xb_informer_get(t->informer, "ns", "fat")), text));
	snprintf(text, sizeof(text), "{\"type\":\"MODIFIED\",\"object\":" FAT "}\n", "6");
	fake_chunk(t->watch, text);
	run_until(&t->loop, strstr(t->told.p, "~fat@6"));
	snprintf(text, sizeof(text), LEAN, "6");
	assert_true(xb_sv_is(xb_jv_bytes(xb_informer_get(t->informer, "ns", "fat")), text));
}

/* Of a list only the items of the types that are named, by the whole name. */
#define IN_PHASE "{\"metadata\":{\"name\":\"a\",\"namespace\":\"ns\",%s\"resourceVersion\":\"%s\"},\"phase\":\"%s\",\"spec\":{%s\"n\":1}," \
		 "\"conditions\":[%s{\"type\":\"ReadyToo\"},{\"type\":\"Read\"},{\"type\":\"Old\",\"a\":1},{\"type\":\"\"},{\"type\":[]},{},null,\"Ready\"]}"

static void tell_phase(struct test *t, const char *version, const char *phase)
{
	char text[1024], object[512], seen[32];

	snprintf(object, sizeof(object), IN_PHASE, "\"managedFields\":[],", version, phase, "\"image\":\"i\",", "{\"type\":\"Ready\"},");
	snprintf(text, sizeof(text), "{\"type\":\"MODIFIED\",\"object\":%s}\n", object);
	fake_chunk(t->watch, text);
	snprintf(seen, sizeof(seen), "~a@%s", version);
	run_until(&t->loop, strstr(t->told.p, seen));
}

static void what_nobody_reads_then_is_not_kept_then(void **state)
{
	struct test *t = *state;
	char text[512];

	start(t);
	run_until(&t->loop, t->watches == 1);
	tell_phase(t, "12", "Pending");
	snprintf(text, sizeof(text), IN_PHASE, "", "12", "Pending", "\"image\":\"i\",", "{\"type\":\"Ready\"},");
	assert_true(xb_sv_is(xb_jv_bytes(xb_informer_get(t->informer, "ns", "a")), text));
	tell_phase(t, "13", "Running");
	snprintf(text, sizeof(text), IN_PHASE, "", "13", "Running", "", "");
	assert_true(xb_sv_is(xb_jv_bytes(xb_informer_get(t->informer, "ns", "a")), text));
	tell_phase(t, "14", "Failed");
	snprintf(text, sizeof(text), IN_PHASE, "", "14", "Failed", "\"image\":\"i\",", "{\"type\":\"Ready\"},");
	assert_true(xb_sv_is(xb_jv_bytes(xb_informer_get(t->informer, "ns", "a")), text));
}

/* Kept is the number alone: neither name nor version. */
static int keep_number(void *arg, struct xb_jv object, struct xb_json **ret)
{
	return xb_json_parse(xb_jv_bytes(xb_jv_get(object, "number")), NULL, ret, NULL);
}

static void on_number(void *arg, struct xb_jv old, struct xb_jv object)
{
	struct test *t = arg;

	xb_buf_addf(&t->told, "%.*s>%.*s ", XB_SV_ARG(xb_jv_bytes(old)), XB_SV_ARG(xb_jv_bytes(object)));
}

#define NUMBERED(name, uid, version, number) "{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"ns\",\"uid\":\"" uid "\"," \
	"\"resourceVersion\":\"" version "\"},\"number\":" number "}"

static void list_numbered(struct test *t, struct fake_conn *c, const char *path)
{
	fake_reply(c, 200, t->lists == 1 ?
		   "{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[" NUMBERED("a", "1", "1", "1") "," NUMBERED("b", "2", "2", "2") "]}" :
		   "{\"metadata\":{\"resourceVersion\":\"30\"},\"items\":[" NUMBERED("a", "1", "10", "6") "," NUMBERED("b", "3", "20", "7") "]}");
}

static void what_is_kept_may_be_made_of_the_object(void **state)
{
	struct test *t = *state;
	struct xb_informer_config c = {
		.rest = t->rest, .path = "/api/v1/services", .transform = keep_number, .changed = on_number, .arg = t,
		.backoff_min_ms = 10, .backoff_max_ms = 40,
	};
	struct xb_informer_stats s;
	char line[512];

	t->on_list = list_numbered;
	assert_int_equal(xb_informer_new(&c, &t->informer), 0);
	run_until(&t->loop, t->watches == 1);
	fake_chunk(t->watch, "{\"type\":\"MODIFIED\",\"object\":" NUMBERED("a", "1", "1", "5") "}\n");
	fake_chunk(t->watch, "{\"type\":\"MODIFIED\",\"object\":" NUMBERED("a", "1", "10", "6") "}\n");
	fake_chunk(t->watch, "{\"type\":\"DELETED\",\"object\":" NUMBERED("none", "8", "11", "8") "}\n");
	snprintf(line, sizeof(line), "{\"type\":\"ERROR\",\"object\":%s}\n", gone);
	fake_chunk(t->watch, line);
	run_until(&t->loop, t->watches == 2);
	assert_string_equal(t->told.p, ">1 >2 1>6 2> >7 ");
	assert_true(xb_sv_is(xb_jv_bytes(xb_informer_get(t->informer, "ns", "b")), "7"));
	xb_informer_stats(t->informer, &s);
	assert_true(s.bytes > 0 && s.bytes < 200);
}

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

/* --- indexes --- */

/* The namespace, and whether the version is odd, which changes with it; "" has everything, twice over. */
static void by_parts(struct xb_jv object, struct xb_index_entry *e)
{
	struct xb_sv version = xb_jv_text(xb_jv_path(object, "metadata", "resourceVersion"));

	xb_index_add(e, xb_jv_text(xb_jv_path(object, "metadata", "namespace")));
	xb_index_add(e, version.p[version.n - 1] % 2 ? XB_SV("odd") : XB_SV("even"));
	xb_index_add(e, XB_SV(""));
	xb_index_add(e, XB_SV(""));
}

static void by_name(struct xb_jv object, struct xb_index_entry *e)
{
	xb_index_add(e, xb_jv_text(xb_jv_path(object, "metadata", "name")));
}

/* What the index has under a key: names in their order. */
static void assert_holds(const struct xb_index *x, const char *key, const char *want)
{
	char got[64] = "";

	for (char name = 'a'; name <= 'z'; name++)
		for (struct xb_index_it it = {}; xb_index_next(x, xb_sv(key), &it);)
			if (*xb_jv_text(xb_jv_path(it.object, "metadata", "name")).p == name)
				strncat(got, &name, 1);
	assert_string_equal(got, want);
	assert_int_equal(xb_index_count(x, xb_sv(key)), strlen(want));
}

static void indexes_follow_the_copy(void **state)
{
	struct test *t = *state;
	struct xb_index *parts, *names;

	start(t);
	parts = xb_informer_index(t->informer, by_parts);
	names = xb_informer_index(t->informer, by_name);
	run_until(&t->loop, t->watches == 1);
	assert_holds(parts, "ns", "ab");
	assert_holds(parts, "odd", "a");
	assert_holds(parts, "even", "b");
	assert_holds(names, "ns", "");
	event(t, "ADDED", "c", "11");
	event(t, "MODIFIED", "a", "12");
	event(t, "DELETED", "b", "13");
	event(t, "ADDED", "d", "15");
	run_until(&t->loop, xb_jv_is(xb_informer_get(t->informer, "ns", "d")));
	assert_holds(parts, "", "acd");
	assert_holds(parts, "odd", "cd");
	assert_holds(parts, "even", "a");
	assert_holds(names, "b", "");
	assert_holds(names, "c", "c");
	/* and a list that takes the place of all */
	fake_chunk(t->watch, "{\"type\":\"ERROR\",\"object\":{\"code\":410,\"message\":\"gone\"}}\n");
	run_until(&t->loop, t->lists == 2 && t->watches == 2);
	assert_holds(parts, "", "ab");
	assert_holds(parts, "odd", "a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(lists_then_watches), T(events_may_come_in_pieces), T(repeated_and_old_events_are_ignored), T(resumes_where_it_was),
		T(what_is_kept_may_be_made_of_the_object),
		T(bookmarks_move_the_version), T(error_410_lists_anew_and_tells_the_difference), T(watch_refused_with_410_lists_anew),
		T(bookmarks_move_the_version), T(one_made_anew_by_the_same_name_is_another), T(watch_refused_with_410_lists_anew),
		T(unavailable_server_is_asked_again_without_a_list), T(refusal_that_takes_long_is_trouble_too),
		T(server_restart_keeps_the_copy), T(half_a_list_is_not_shown),
		T(late_page_keeps_the_old_copy_until_the_list_is_whole), T(watch_that_ends_at_once_is_not_a_busy_loop),
		T(broken_event_lists_anew), T(bad_lists_are_asked_for_again),
		T(what_may_lack_is_empty_without_it), T(what_may_lack_is_gone_when_it_goes),
		T(may_be_freed_in_the_middle), T(what_nobody_reads_is_not_kept), T(what_nobody_reads_then_is_not_kept_then),
		T(indexes_follow_the_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
