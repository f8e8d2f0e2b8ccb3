/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../../../../control/controllers/workloads/daemon_status.h"

static struct xb_json *set;

static int teardown(void **state)
{
	set = xb_json_unref(set);
	return 0;
}

static struct xb_jv parsed(const char *text)
{
	teardown(NULL);
	assert_int_equal(xb_json_parse(xb_sv(text), NULL, &set, NULL), 0);
	return xb_json_root(set);
}

/* Of a node's pods the first counts; a node that is to have none counts apart. */
static void nodes_are_counted(void **state)
{
	struct daemon_pod pods[] = {
		{ .ready = true, .available = true, .current = true }, { .current = true },
		{ .ready = true },
		{ .ready = true, .available = true },
	};
	struct daemon_node nodes[] = {
		{ .run = true, .first = 0, .n = 2 }, { .run = true, .first = 2, .n = 1 }, { .run = true, .first = 3 },
		{ .first = 3, .n = 1 }, {},
	};
	struct daemon_facts f = { .nodes = { .v = nodes, .n = 5 }, .pods = { .v = pods, .n = 4 }, .desired = 3 };
	struct daemon_status s;

	daemon_count(&f, &s);
	assert_int_equal(s.desired, 3);
	assert_int_equal(s.scheduled, 2);
	assert_int_equal(s.misscheduled, 1);
	assert_int_equal(s.ready, 2);
	assert_int_equal(s.available, 1);
	assert_int_equal(s.updated, 1);
}

static void nothing_new_is_not_written(void **state)
{
	struct daemon_status s = { .desired = 3, .scheduled = 2, .misscheduled = 1, .ready = 2, .available = 1, .updated = 2 };
	_cleanup_buf_ struct xb_buf out = {}, again = {};
	struct xb_jv old = parsed("{\"metadata\":{\"generation\":4},\"status\":{\"currentNumberScheduled\":2,\"numberMisscheduled\":1,"
				  "\"desiredNumberScheduled\":3,\"numberReady\":2,\"updatedNumberScheduled\":2,\"numberAvailable\":1,"
				  "\"numberUnavailable\":2,\"observedGeneration\":4,\"collisionCount\":5}}");

	daemon_status_write(old, &s, &out);
	assert_int_equal(out.n, 0);
	s.available = 3;
	daemon_status_write(old, &s, &out);
	assert_string_equal(out.p, "{\"currentNumberScheduled\":2,\"numberMisscheduled\":1,\"desiredNumberScheduled\":3,\"numberReady\":2,"
				   "\"updatedNumberScheduled\":2,\"numberAvailable\":3,\"numberUnavailable\":0,\"observedGeneration\":4,"
				   "\"collisionCount\":5}");
	daemon_status_write(parsed("{\"metadata\":{\"generation\":1},\"status\":{\"currentNumberScheduled\":0}}"), &(struct daemon_status){}, &again);
	assert_non_null(strstr(again.p, "\"observedGeneration\":1"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, teardown)
	const struct CMUnitTest tests[] = { TEST(nodes_are_counted), TEST(nothing_new_is_not_written) };

	return cmocka_run_group_tests_name("control/controllers/daemon_status", tests, NULL, NULL);
}
