/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api_fixture.h"
#include "xb/cache.h"

static struct test {
	struct fixture f;
	struct xb_cache *cache;
	struct xb_buf told;             /* "1+web 2+web ..." by follower */
	int synced;
	bool hold_services;
	struct fake_conn *service_list, *pod_watch;
} t;

static const struct xb_kind *pods, *services;

static void answer(struct fixture *f, struct fake_conn *c, const char *method, const char *path)
{
	if (strstr(path, "watch=true")) {
		fake_stream(c);
		if (strstr(path, "pods"))
			t.pod_watch = c;
	} else if (strstr(path, "services") && t.hold_services) {
		t.service_list = c;
	} else if (strstr(path, "pods")) {
		fake_reply(c, 200, "{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[{\"metadata\":{\"name\":\"web\",\"namespace\":\"ns\","
				   "\"resourceVersion\":\"3\",\"managedFields\":[{\"manager\":\"m\"}]}}]}");
	} else if (strstr(path, "configmaps")) {
		fake_reply(c, 200, "{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[{\"metadata\":{\"name\":\"big\",\"namespace\":\"ns\","
				   "\"resourceVersion\":\"3\"},\"data\":{\"a\":\"b\"},\"immutable\":true}]}");
	} else {
		fake_reply(c, 200, "{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[]}");
	}
}

static void on_synced(void *arg)
{
	t.synced++;
}

static void on_changed(void *arg, struct xb_jv old, struct xb_jv object)
{
	xb_buf_addf(&t.told, "%s%c ", (const char *)arg, !xb_jv_is(old) ? '+' : xb_jv_is(object) ? '~' : '-');
}

static int setup(void **state)
{
	static const char *const leave_out[] = { "metadata.managedFields", "data", NULL };
	static const struct xb_cache_lean lean[] = { { .group = "", .plural = "configmaps", .leave_out = leave_out }, {} };
	struct xb_cache_config c = { .synced = on_synced, .lean = lean };

	t = (struct test){};
	pods = xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("pods"));
	services = xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("services"));
	fixture_start(&t.f);
	t.f.answer = answer;
	c.rest = t.f.rest;
	assert_int_equal(xb_cache_new(&c, &t.cache), 0);
	return 0;
}

static int teardown(void **state)
{
	xb_cache_free(t.cache);
	fixture_stop(&t.f);
	xb_buf_done(&t.told);
	return 0;
}

static void a_kind_is_copied_once(void **state)
{
	assert_int_equal(xb_cache_follow(t.cache, pods, on_changed, "1"), 0);
	assert_int_equal(xb_cache_follow(t.cache, pods, on_changed, "2"), 0);
	assert_ptr_equal(xb_cache_of(t.cache, pods), xb_cache_of(t.cache, pods));
	run_until(&t.f.loop, t.pod_watch);
	assert_true(xb_sv_starts(xb_buf_sv(&t.f.log), "GET /api/v1/pods?limit=500\nGET /api/v1/pods?watch=true"));
	assert_int_equal(t.f.api.requests, 2);
	assert_string_equal(t.told.p, "1+ 2+ ");
}

static void every_follower_hears_each_change_in_order(void **state)
{
	assert_int_equal(xb_cache_follow(t.cache, pods, on_changed, "1"), 0);
	assert_int_equal(xb_cache_follow(t.cache, pods, on_changed, "2"), 0);
	run_until(&t.f.loop, t.pod_watch);
	fake_chunk(t.pod_watch, "{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":\"web\",\"namespace\":\"ns\",\"resourceVersion\":\"6\"}}}\n");
	fake_chunk(t.pod_watch, "{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":\"web\",\"namespace\":\"ns\",\"resourceVersion\":\"7\"}}}\n");
	run_until(&t.f.loop, t.told.n >= strlen("1+ 2+ 1~ 2~ 1- 2- "));
	assert_string_equal(t.told.p, "1+ 2+ 1~ 2~ 1- 2- ");
}

static void who_follows_later_is_told_what_is_there(void **state)
{
	assert_null(xb_cache_find(t.cache, pods));
	assert_int_equal(xb_cache_follow(t.cache, pods, on_changed, "1"), 0);
	assert_ptr_equal(xb_cache_find(t.cache, pods), xb_cache_of(t.cache, pods));
	run_until(&t.f.loop, t.pod_watch);
	assert_int_equal(xb_cache_follow(t.cache, pods, on_changed, "2"), 0);
	assert_string_equal(t.told.p, "1+ 2+ ");
	assert_int_equal(t.f.api.requests, 2);
}

static void managed_fields_are_not_kept(void **state)
{
	struct xb_informer *copy = xb_cache_of(t.cache, pods);

	run_until(&t.f.loop, xb_informer_synced(copy));
	assert_true(xb_jv_is(xb_jv_get(xb_informer_get(copy, "ns", "web"), "metadata")));
	assert_false(xb_jv_is(xb_jv_path(xb_informer_get(copy, "ns", "web"), "metadata", "managedFields")));
}

static void of_a_kind_that_is_lean_only_the_rest_is_kept(void **state)
{
	struct xb_informer *copy = xb_cache_of(t.cache, xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("configmaps")));

	run_until(&t.f.loop, xb_informer_synced(copy));
	assert_true(xb_jv_true(xb_jv_get(xb_informer_get(copy, "ns", "big"), "immutable")));
	assert_false(xb_jv_is(xb_jv_get(xb_informer_get(copy, "ns", "big"), "data")));
}

static void is_synced_once_when_all_are(void **state)
{
	t.hold_services = true;
	assert_non_null(xb_cache_of(t.cache, pods));
	assert_non_null(xb_cache_of(t.cache, services));
	run_until(&t.f.loop, t.pod_watch && t.service_list);
	assert_int_equal(t.synced, 0);
	assert_false(xb_cache_synced(t.cache));
	fake_reply(t.service_list, 200, "{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[]}");
	run_until(&t.f.loop, t.synced);
	assert_int_equal(t.synced, 1);
	assert_true(xb_cache_synced(t.cache));
}

static void some_are_a_copy_of_their_own(void **state)
{
	struct xb_informer *some = NULL, *same = NULL;

	assert_int_equal(xb_cache_follow_some(t.cache, pods, "metadata.name=web", on_changed, "1", &some), 0);
	assert_int_equal(xb_cache_follow_some(t.cache, pods, "metadata.name=web", on_changed, "2", &same), 0);
	assert_ptr_equal(some, same);
	assert_ptr_not_equal(some, xb_cache_of(t.cache, pods));
	run_until(&t.f.loop, t.f.api.requests == 4);
	assert_non_null(strstr(t.f.log.p, "GET /api/v1/pods?fieldSelector=metadata.name%3Dweb&limit=500\n"));
	assert_non_null(strstr(t.f.log.p, "GET /api/v1/pods?limit=500\n"));
	assert_string_equal(t.told.p, "1+ 2+ ");
}

static void paths_of_kinds(void **state)
{
	const struct xb_kind *sets = xb_kind_by_resource(XB_SV("apps"), XB_SV("v1"), XB_SV("replicasets"));
	const struct xb_kind *nodes = xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("nodes"));
	_cleanup_buf_ struct xb_buf out = {};

	xb_kind_path(sets, XB_SV("ns"), XB_SV("web"), "status", &out);
	assert_string_equal(out.p, "/apis/apps/v1/namespaces/ns/replicasets/web/status");
	xb_buf_clear(&out);
	xb_kind_path(pods, XB_SV("ns"), (struct xb_sv){}, NULL, &out);
	assert_string_equal(out.p, "/api/v1/namespaces/ns/pods");
	xb_buf_clear(&out);
	xb_kind_path(nodes, (struct xb_sv){}, XB_SV("n1"), NULL, &out);
	assert_string_equal(out.p, "/api/v1/nodes/n1");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_kind_is_copied_once), TEST(every_follower_hears_each_change_in_order), TEST(who_follows_later_is_told_what_is_there),
		TEST(managed_fields_are_not_kept),
		TEST(of_a_kind_that_is_lean_only_the_rest_is_kept),
		TEST(is_synced_once_when_all_are), TEST(some_are_a_copy_of_their_own), TEST(paths_of_kinds),
	};

	return cmocka_run_group_tests_name("userspace/lib/client/cache", tests, NULL, NULL);
}
