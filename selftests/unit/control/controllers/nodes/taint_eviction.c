/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A pod that is to go for a taint of its node, while the server may know better. */
#include "../loop_fixture.h"

#define NODE(taint) "{\"metadata\":{\"name\":\"n\",\"uid\":\"n1\"},\"spec\":{\"taints\":[" taint "]}}"
#define TAINT(key)  "{\"key\":\"" key "\",\"effect\":\"NoExecute\"}"

static const char pod[] = "{\"metadata\":{\"name\":\"p\",\"namespace\":\"ns\",\"uid\":\"u1\"},\"spec\":{\"nodeName\":\"n\",\"tolerations\":["
			  "{\"key\":\"later\",\"operator\":\"Exists\",\"tolerationSeconds\":300}]}}";

static void start(const char *node)
{
	copy_is("nodes", NODE(TAINT("now")));
	copy_is("pods", pod);
	really("/api/v1/nodes/n", node);
	start_loop("--controllers=taint-eviction-controller");
	run_until(&t.f.loop, t.reads);
	settle();
}

static void it_goes(void **state)
{
	start(NODE(TAINT("now")));
	assert_string_equal(t.log.p, "PATCH /api/v1/namespaces/ns/pods/p/status\nDELETE /api/v1/namespaces/ns/pods/p\n");
	assert_non_null(strstr(t.body, "\"uid\":\"u1\""));
}

static void it_stays_when_the_taint_went(void **state)
{
	start(NODE(""));
	assert_int_equal(t.writes, 0);
}

static void it_stays_when_it_tolerates_what_came_instead(void **state)
{
	start(NODE(TAINT("later")));
	assert_int_equal(t.writes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_goes), TEST(it_stays_when_the_taint_went), TEST(it_stays_when_it_tolerates_what_came_instead),
	};

	return cmocka_run_group_tests_name("control/controllers/nodes/taint_eviction", tests, NULL, NULL);
}
