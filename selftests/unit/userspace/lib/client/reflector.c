/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What goes beyond an informer, whose tests are this one's as well: the form that is asked for, pages as they come, how long is waited. */
#include "api_fixture.h"
#include "xb/reflector.h"
#include "xb/time.h"

struct test {
	uv_loop_t loop;
	struct fake_api api;
	struct xb_rest *rest;
	struct xb_reflector *reflector;
	struct xb_buf told;             /* "a b . -a " */
	unsigned lists;
	bool metadata;                  /* of every request */
};

static void on_request(struct fake_conn *c, const char *method, const char *path, const char *headers, const char *body)
{
	struct test *t = c->api->arg;

	t->metadata &= strstr(headers, "as=PartialObjectMetadata;g=meta.k8s.io;v=v1") != NULL;
	if (strstr(path, "watch=true"))
		fake_stream(c), fake_chunk(c, "{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"11\"}}}\n");
	else if (!t->lists++)
		fake_reply(c, 200, "{\"metadata\":{\"resourceVersion\":\"10\",\"continue\":\"x\"},\"items\":[{\"metadata\":{\"name\":\"a\"}}]}");
	else if (strstr(path, "continue=x") && t->lists == 2)
		fake_reply(c, 500, "{}");
	else
		fake_reply(c, 200, "{\"metadata\":{\"resourceVersion\":\"10\"},\"items\":[{\"metadata\":{\"name\":\"b\"}}]}");
}

static int on_listed(void *arg, struct xb_jv object)
{
	struct test *t = arg;

	xb_buf_addf(&t->told, "%.*s ", XB_SV_ARG(xb_jv_text(xb_jv_path(object, "metadata", "name"))));
	return 0;
}

static int on_list_end(void *arg, bool whole)
{
	struct test *t = arg;

	xb_buf_adds(&t->told, whole ? "whole " : "nothing ");
	return 0;
}

static int on_event(void *arg, struct xb_jv object, bool deleted)
{
	struct test *t = arg;

	xb_buf_addf(&t->told, "%c%.*s", deleted ? '-' : '+', XB_SV_ARG(xb_jv_text(xb_jv_path(object, "metadata", "name"))));
	uv_stop(&t->loop);
	return 0;
}

static void tells_pages_as_they_come_and_when_they_came_to_nothing(void **state)
{
	struct test t = { .metadata = true };
	struct xb_kubeconfig k = {};
	char *why = NULL;
	struct xb_reflector_config c = {
		.path = "/api/v1/pods", .accept = XB_ACCEPT_METADATA, .listed = on_listed, .list_end = on_list_end, .event = on_event,
		.arg = &t, .backoff_min_ms = 10, .backoff_max_ms = 40,
	};

	uv_loop_init(&t.loop);
	t.api = (struct fake_api){ .loop = &t.loop, .handler = on_request, .arg = &t };
	fake_start(&t.api);
	assert_true(asprintf(&k.server, "http://127.0.0.1:%d", t.api.port) > 0);
	assert_int_equal(xb_rest_new(&t.loop, &k, "test", &t.rest, &why), 0);
	xb_kubeconfig_done(&k);
	c.rest = t.rest;
	assert_int_equal(xb_reflector_new(&c, &t.reflector), 0);
	uv_run(&t.loop, UV_RUN_DEFAULT);
	assert_string_equal(t.told.p, "a nothing b whole -a");
	assert_true(t.metadata);
	xb_reflector_free(t.reflector);
	xb_rest_free(t.rest);
	fake_stop(&t.api);
	uv_run(&t.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&t.loop), 0);
	xb_buf_done(&t.told);
}

/* --- a server that dies now and then --- */
static struct fake_conn *watch;

static void answer(struct fixture *f, struct fake_conn *c, const char *method, const char *path)
{
	if (!strstr(path, "watch=true")) {
		fake_reply(c, 200, "{\"metadata\":{\"resourceVersion\":\"10\"},\"items\":[]}");
		return;
	}
	fake_stream(c);
	fake_chunk(c, "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"11\"}}}\n");
	watch = c;
}

static void on_lived(uv_timer_t *timer)
{
	fake_drop(TAKE_PTR(watch));
}

/* How long it is until the next watch comes, in ms, after one that lived so long. */
static int64_t wait_after(struct fixture *f, uint64_t lived)
{
	uv_timer_t timer;
	int64_t from;

	uv_timer_init(&f->loop, &timer);
	run_until(&f->loop, watch);
	uv_timer_start(&timer, on_lived, lived, 0);
	run_until(&f->loop, !watch);
	from = xb_time_ms();
	run_until(&f->loop, watch);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(&f->loop, UV_RUN_NOWAIT);
	return xb_time_ms() - from;
}

static void does_not_wait_longer_each_time_for_a_server_that_serves_in_between(void **state)
{
	static struct fixture f;
	struct test t = {};
	struct xb_reflector_config c = {
		.path = "/api/v1/pods", .listed = on_listed, .list_end = on_list_end, .event = on_event, .arg = &t,
		.backoff_min_ms = 5, .backoff_max_ms = 5000,
	};
	int64_t wait = 0;

	fixture_start(&f);
	f.answer = answer;
	c.rest = f.rest;
	assert_int_equal(xb_reflector_new(&c, &t.reflector), 0);
	for (int i = 0; i < 8; i++)
		assert_true(wait_after(&f, 20) < 200);
	/* on a slow machine some of these live longer than that, too */
	for (int i = 0; i < 40 && wait < 5 << 5; i++)
		wait = wait_after(&f, 0);
	assert_true(wait >= 5 << 5);
	xb_reflector_free(t.reflector);
	fixture_stop(&f);
	xb_buf_done(&t.told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_pages_as_they_come_and_when_they_came_to_nothing),
		cmocka_unit_test(does_not_wait_longer_each_time_for_a_server_that_serves_in_between),
	};

	return cmocka_run_group_tests_name("userspace/lib/client/reflector", tests, NULL, NULL);
}
