/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api_fixture.h"
#include "xb/recorder.h"

#define EVENTS "/api/v1/namespaces/ns/events"

static struct test {
	struct fixture f;
	struct xb_recorder *recorder;
	struct xb_json *object;
	unsigned posts, patches;
	int code;
	char name[256];                 /* of the event made last */
} t;

static void answer(struct fixture *f, struct fake_conn *c, const char *method, const char *path)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;

	assert_int_equal(xb_json_parse(xb_sv(f->body), NULL, &doc, NULL), 0);
	if (!strcmp(method, "POST")) {
		t.posts++;
		snprintf(t.name, sizeof(t.name), "%.*s", XB_SV_ARG(xb_jv_text(xb_jv_path(xb_json_root(doc), "metadata", "name"))));
	} else {
		t.patches++;
	}
	fake_reply(c, t.code, "{}");
}

static int setup(void **state)
{
	static const char service[] = "{\"metadata\":{\"name\":\"web\",\"namespace\":\"ns\",\"uid\":\"u1\",\"resourceVersion\":\"7\"}}";

	t = (struct test){ .code = 201 };
	fixture_start(&t.f);
	t.f.answer = answer;
	t.recorder = xb_recorder_new(t.f.rest, "node-1");
	assert_non_null(t.recorder);
	assert_int_equal(xb_json_parse(xb_sv(service), NULL, &t.object, NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	xb_recorder_free(t.recorder);
	xb_json_unref(t.object);
	fixture_stop(&t.f);
	return 0;
}

static void tell_of(const char *part, const char *reason, const char *message)
{
	struct xb_event e = {
		.component = "some-controller",
		.kind = xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("services")),
		.object = xb_json_root(t.object),
		.type = XB_EVENT_WARNING,
		.reason = reason,
		.field_path = part,
	};

	xb_recorder_event(t.recorder, &e, "%s", message);
}

static void tell(const char *reason, const char *message)
{
	tell_of(NULL, reason, message);
}

static bool idle(void)
{
	struct xb_recorder_stats s;

	xb_recorder_stats(t.recorder, &s);
	return t.posts + t.patches == s.sent;
}

static void an_event_tells_what_happened(void **state)
{
	static const char *const parts[] = {
		"\"involvedObject\":{\"kind\":\"Service\",\"apiVersion\":\"v1\",\"namespace\":\"ns\",\"name\":\"web\",\"uid\":\"u1\",\"resourceVersion\":\"7\"}",
		"\"type\":\"Warning\",\"reason\":\"Broken\",\"message\":\"it \\\"broke\\\"\"",
		"\"source\":{\"component\":\"some-controller\",\"host\":\"node-1\"}", "\"count\":1",
		"\"reportingComponent\":\"some-controller\",\"reportingInstance\":\"node-1\"", "\"metadata\":{\"namespace\":\"ns\",\"name\":\"web.",
	};

	tell("Broken", "it \"broke\"");
	run_until(&t.f.loop, t.posts);
	assert_string_equal(t.f.log.p, "POST " EVENTS "\n");
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (!strstr(t.f.body, parts[i]))
			fail_msg("missing %s in %s", parts[i], t.f.body);
}

static void the_same_again_counts_up(void **state)
{
	char patch[512];

	tell("Broken", "a");
	run_until(&t.f.loop, t.posts);
	run_until(&t.f.loop, idle());
	tell("Broken", "a");
	run_until(&t.f.loop, t.patches);
	snprintf(patch, sizeof(patch), "POST " EVENTS "\nPATCH " EVENTS "/%s\n", t.name);
	assert_string_equal(t.f.log.p, patch);
	assert_true(xb_sv_starts(xb_sv(t.f.body), "{\"count\":2,\"lastTimestamp\":\""));
	assert_non_null(strstr(t.f.body, "\"message\":\"a\""));
}

/* Of two containers of one pod each has its own, though the words are the same. */
static void parts_of_an_object_are_apart(void **state)
{
	tell_of("spec.containers{a}", "Broken", "a");
	run_until(&t.f.loop, t.posts);
	assert_non_null(strstr(t.f.body, "\"resourceVersion\":\"7\",\"fieldPath\":\"spec.containers{a}\"}"));
	tell_of("spec.containers{b}", "Broken", "a");
	run_until(&t.f.loop, t.posts == 2);
	assert_non_null(strstr(t.f.body, "\"count\":1"));
}

/* What comes while the event is on its way is one write more, whatever their number. */
static void a_burst_is_two_writes(void **state)
{
	for (int i = 0; i < 10; i++)
		tell("Broken", "a");
	run_until(&t.f.loop, t.patches);
	run_until(&t.f.loop, idle());
	assert_int_equal(t.posts, 1);
	assert_int_equal(t.patches, 1);
	assert_true(xb_sv_starts(xb_sv(t.f.body), "{\"count\":10,"));
}

static void an_event_that_expired_is_made_again(void **state)
{
	tell("Broken", "a");
	run_until(&t.f.loop, t.posts);
	t.code = 404;
	tell("Broken", "a");
	run_until(&t.f.loop, t.posts == 2);
	assert_non_null(strstr(t.f.body, "\"count\":2"));
}

static void many_that_are_alike_become_one(void **state)
{
	char message[32];

	for (int i = 0; i < 14; i++) {
		snprintf(message, sizeof(message), "pod %d", i);
		tell("Broken", message);
	}
	run_until(&t.f.loop, t.patches && idle());
	assert_int_equal(t.posts, 11);
	assert_int_equal(t.patches, 1);
	assert_non_null(strstr(t.f.body, "\"message\":\"(combined from similar events): pod 13\""));
	assert_non_null(strstr(t.f.body, "\"count\":4"));
}

static void one_object_may_not_flood(void **state)
{
	struct xb_recorder_stats s;
	char reason[32];

	for (int i = 0; i < 100; i++) {
		snprintf(reason, sizeof(reason), "Reason%d", i);
		tell(reason, "a");
	}
	run_until(&t.f.loop, t.posts == 25);
	xb_recorder_stats(t.recorder, &s);
	assert_int_equal(s.sent, 25);
	assert_int_equal(s.limited, 75);
}

static void few_are_under_way_at_once(void **state)
{
	char reason[32];

	t.f.answer = fixture_hold;
	for (int i = 0; i < 20; i++) {
		snprintf(reason, sizeof(reason), "Reason%d", i);
		tell(reason, "a");
	}
	run_until(&t.f.loop, t.f.n_held == 16);
	t.f.answer = answer;
	fake_reply(t.f.held[0], 201, "{}");
	run_until(&t.f.loop, t.posts == 4);
}

static void what_is_held_is_sent_later(void **state)
{
	xb_recorder_hold(t.recorder, true);
	tell("A", "a");
	tell("A", "a");
	tell("B", "b");
	assert_true(idle());
	xb_recorder_hold(t.recorder, false);
	run_until(&t.f.loop, t.posts == 2);
	assert_int_equal(t.patches, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_event_tells_what_happened), TEST(the_same_again_counts_up),	   TEST(a_burst_is_two_writes),
		TEST(parts_of_an_object_are_apart),
		TEST(an_event_that_expired_is_made_again), TEST(many_that_are_alike_become_one), TEST(one_object_may_not_flood),
		TEST(few_are_under_way_at_once), TEST(what_is_held_is_sent_later),
	};

	return cmocka_run_group_tests_name("userspace/lib/client/recorder", tests, NULL, NULL);
}
