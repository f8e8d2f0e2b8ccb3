/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../userspace/kubelet/server/target.h"

static int parse(const char *method, const char *path, struct target *r)
{
	return target_parse(xb_sv(method), xb_sv(path), r);
}

static void paths(void **state)
{
	static const struct { const char *method, *path; int error; enum endpoint endpoint; } t[] = {
		{ "GET", "/healthz", 0, ENDPOINT_HEALTHZ }, { "GET", "/healthz/syncloop", 0, ENDPOINT_HEALTHZ },
		{ "GET", "/healthz/none", -ENOENT, 0 }, { "POST", "/healthz", -EOPNOTSUPP, 0 },
		{ "GET", "/pods", 0, ENDPOINT_PODS }, { "GET", "/pods/", 0, ENDPOINT_PODS }, { "GET", "/runningpods/", 0, ENDPOINT_RUNNING_PODS },
		{ "GET", "/metrics", 0, ENDPOINT_METRICS }, { "GET", "/metrics/resource", 0, ENDPOINT_METRICS_RESOURCE },
		{ "GET", "/stats/summary", 0, ENDPOINT_STATS_SUMMARY }, { "GET", "/", -ENOENT, 0 }, { "GET", "", -ENOENT, 0 },
		{ "GET", "/containerLogs/ns/p/c", 0, ENDPOINT_LOGS }, { "POST", "/containerLogs/ns/p/c", -EOPNOTSUPP, 0 },
		{ "GET", "/containerLogs/ns/p", -ENOENT, 0 }, { "GET", "/containerLogs/ns/p/uid/c", -ENOENT, 0 },
		{ "GET", "/containerLogs/ns//c", -ENOENT, 0 }, { "GET", "/containerLogsX/ns/p/c", -ENOENT, 0 }, { "GET", "/exec", -ENOENT, 0 },
		{ "GET", "/exec/ns/p/c", 0, ENDPOINT_EXEC }, { "POST", "/exec/ns/p/uid/c", 0, ENDPOINT_EXEC }, { "GET", "/exec/a/b/c/d/e", -ENOENT, 0 },
		{ "POST", "/attach/ns/p/c", 0, ENDPOINT_ATTACH }, { "POST", "/portForward/ns/p", 0, ENDPOINT_PORT_FORWARD },
		{ "GET", "/portForward/ns/p/uid", 0, ENDPOINT_PORT_FORWARD }, { "GET", "/portForward/ns", -ENOENT, 0 },
		{ "POST", "/run/ns/p/c", 0, ENDPOINT_RUN }, { "GET", "/run/ns/p/c", -EOPNOTSUPP, 0 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		struct target r = {};

		assert_int_equal(parse(t[i].method, t[i].path, &r), t[i].error);
		if (!t[i].error)
			assert_int_equal(r.endpoint, t[i].endpoint);
		target_done(&r);
	}
}

static void names(void **state)
{
	struct target r = {};

	assert_int_equal(parse("GET", "/exec/ns/pod/uid/c", &r), 0);
	assert_string_equal(r.namespace_, "ns");
	assert_string_equal(r.pod, "pod");
	assert_string_equal(r.uid, "uid");
	assert_string_equal(r.container, "c");
	target_done(&r);
	assert_int_equal(parse("GET", "/exec/ns/pod/c", &r), 0);
	assert_null(r.uid);
	assert_string_equal(r.container, "c");
	target_done(&r);
	assert_int_equal(parse("GET", "/portForward/ns/pod/uid", &r), 0);
	assert_string_equal(r.uid, "uid");
	assert_null(r.container);
	target_done(&r);
}

static void asked_of_the_authorizer(void **state)
{
	static const struct { const char *path, *first, *second; } t[] = {
		{ "/stats/summary", "stats", NULL }, { "/stats", "stats", NULL }, { "/statsX", "proxy", NULL },
		{ "/metrics", "metrics", NULL }, { "/metrics/cadvisor", "metrics", NULL }, { "/logs/", "log", NULL },
		{ "/checkpoint/a/b/c", "checkpoint", NULL }, { "/pods", "pods", "proxy" }, { "/runningpods/", "pods", "proxy" },
		{ "/healthz/ping", "healthz", "proxy" }, { "/configz", "configz", "proxy" }, { "/statusz", "statusz", "proxy" },
		{ "/exec/ns/p/c", "proxy", NULL }, { "/containerLogs/ns/p/c", "proxy", NULL }, { "/", "proxy", NULL }, { "", "proxy", NULL },
	};
	const char *s[TARGET_SUBRESOURCES];

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		target_subresources(xb_sv(t[i].path), s);
		assert_string_equal(s[0], t[i].first);
		if (t[i].second)
			assert_string_equal(s[1], t[i].second);
		assert_null(s[t[i].second ? 2 : 1]);
	}
	assert_string_equal(target_verb(XB_SV("GET")), "get");
	assert_string_equal(target_verb(XB_SV("POST")), "create");
	assert_string_equal(target_verb(XB_SV("PUT")), "update");
	assert_string_equal(target_verb(XB_SV("HEAD")), "");
}

static void queries(void **state)
{
	char *text = NULL, **all;

	assert_int_equal(query_text(XB_SV("a=1&b=x%20y+z&b=2"), "b", &text), 0);
	assert_string_equal(text, "x y z");
	free(text);
	text = NULL;
	assert_int_equal(query_text(XB_SV("a=1"), "b", &text), 0);
	assert_null(text);
	assert_int_equal(query_text(XB_SV("b=%zz"), "b", &text), -EINVAL);
	assert_int_equal(query_text(XB_SV("b=%00"), "b", &text), -EINVAL);
	assert_int_equal(query_all(XB_SV("c=a&x=1&c=&c=b%26"), "c", &all), 0);
	assert_string_equal(all[0], "a");
	assert_string_equal(all[1], "");
	assert_string_equal(all[2], "b&");
	assert_null(all[3]);
	query_free_all(all);
	assert_int_equal(query_all(XB_SV("c=a&c=%"), "c", &all), -EINVAL);
}

static void log_options(void **state)
{
	static const struct { const char *query; int error; struct log_wanted w; bool previous; } t[] = {
		{ "", 0, { .tail_lines = -1, .limit_bytes = -1 }, false },
		{ "follow=true&timestamps=1&previous=True", 0, { true, true, -1, -1, 0 }, true },
		{ "follow=false&timestamps=0&previous=False", 0, { .tail_lines = -1, .limit_bytes = -1 }, false },
		{ "tailLines=0&limitBytes=5", 0, { .tail_lines = 0, .limit_bytes = 5 }, false },
		{ "sinceSeconds=10", 0, { .tail_lines = -1, .limit_bytes = -1, .since_us = 990000000 }, false },
		{ "sinceSeconds=9223372036854775807", 0, { .tail_lines = -1, .limit_bytes = -1 }, false },
		{ "sinceTime=1970-01-01T00:00:05Z", 0, { .tail_lines = -1, .limit_bytes = -1, .since_us = 5000000 }, false },
		{ "tailLines=x", -EINVAL, {}, false }, { "tailLines=-1", -EDOM, {}, false }, { "limitBytes=0", -EDOM, {}, false },
		{ "sinceSeconds=0", -EDOM, {}, false }, { "sinceTime=now", -EINVAL, {}, false },
		{ "sinceSeconds=1&sinceTime=1970-01-01T00:00:05Z", -EDOM, {}, false }, { "tailLines=99999999999999999999", -EINVAL, {}, false },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		struct log_wanted w = {};
		bool previous = false;

		assert_int_equal(query_log_options(xb_sv(t[i].query), 1000000000, &previous, &w), t[i].error);
		assert_int_equal(previous, t[i].previous);
		assert_int_equal(w.follow, t[i].w.follow);
		assert_int_equal(w.timestamps, t[i].w.timestamps);
		assert_int_equal(w.tail_lines, t[i].w.tail_lines);
		assert_int_equal(w.limit_bytes, t[i].w.limit_bytes);
		assert_int_equal(w.since_us, t[i].w.since_us);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths), cmocka_unit_test(names), cmocka_unit_test(asked_of_the_authorizer), cmocka_unit_test(queries),
		cmocka_unit_test(log_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
