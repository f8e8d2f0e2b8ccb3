/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The copy shows a namespace that goes: nothing is deleted in one that was made anew by its name. */
#include "../loop_fixture.h"

static const char goes[] = "{\"metadata\":{\"name\":\"ns\",\"uid\":\"u1\",\"resourceVersion\":\"5\",\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"},"
			   "\"spec\":{\"finalizers\":[\"kubernetes\"]},\"status\":{\"phase\":\"Terminating\"}}";

static void start(void)
{
	copy_is("namespaces", goes);
	discovery();
}

static void one_made_anew_is_left_alone(void **state)
{
	start();
	really("/api/v1/namespaces/ns", "{\"metadata\":{\"name\":\"ns\",\"uid\":\"u2\",\"resourceVersion\":\"9\"},\"spec\":{\"finalizers\":[\"kubernetes\"]},"
					"\"status\":{\"phase\":\"Active\"}}");
	start_loop("--controllers=namespace-controller");
	run_until(&t.f.loop, t.reads >= 3);
	settle();
	assert_int_equal(t.writes, 0);
}

/* As it was read, or not at all. */
static void the_last_step_names_what_it_is_about(void **state)
{
	start();
	really("/api/v1/namespaces/ns", goes);
	t.reply = goes;
	start_loop("--controllers=namespace-controller");
	run_until(&t.f.loop, t.log.p && strstr(t.log.p, "PUT /api/v1/namespaces/ns/finalize\n"));
	assert_non_null(strstr(t.log.p, "DELETE /api/v1/namespaces/ns/configmaps\n"));
	assert_non_null(strstr(t.body, "\"uid\":\"u1\""));
	assert_non_null(strstr(t.body, "\"resourceVersion\":\"5\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_made_anew_is_left_alone),
		TEST(the_last_step_names_what_it_is_about),
	};

	return cmocka_run_group_tests_name("control/controllers/namespaces/namespace", tests, NULL, NULL);
}
