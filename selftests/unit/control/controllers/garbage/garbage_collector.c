/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The graph is behind: what it takes for garbage is looked at once more, with its owners, before it goes. */
#include "../loop_fixture.h"

#define MAPS "/api/v1/namespaces/ns/configmaps"

static const char dependent[] = "{\"metadata\":{\"name\":\"d\",\"namespace\":\"ns\",\"uid\":\"d1\",\"resourceVersion\":\"5\",\"ownerReferences\":[{\"apiVersion\":\"v1\","
				"\"kind\":\"ConfigMap\",\"name\":\"o\",\"uid\":\"o1\"}]}}";

static void start(void)
{
	copy_is("configmaps", dependent);
	discovery();
	start_loop("--controllers=garbage-collector-controller");
}

static bool asked(const char *line)
{
	return t.f.log.p && strstr(t.f.log.p, line);
}

static void what_has_its_owner_stays(void **state)
{
	really(MAPS "/d", dependent);
	really(MAPS "/o", "{\"metadata\":{\"name\":\"o\",\"namespace\":\"ns\",\"uid\":\"o1\",\"resourceVersion\":\"9\"}}");
	start();
	run_until(&t.f.loop, asked("GET " MAPS "/o\n"));
	settle();
	assert_int_equal(t.writes, 0);
}

static void an_owner_made_anew_is_none(void **state)
{
	really(MAPS "/d", dependent);
	really(MAPS "/o", "{\"metadata\":{\"name\":\"o\",\"namespace\":\"ns\",\"uid\":\"o2\",\"resourceVersion\":\"9\"}}");
	start();
	run_until(&t.f.loop, t.writes == 1);
	assert_string_equal(t.log.p, "DELETE " MAPS "/d\n");
	assert_non_null(strstr(t.body, "\"preconditions\":{\"uid\":\"d1\",\"resourceVersion\":\"5\"}"));
}

static void a_dependent_made_anew_stays(void **state)
{
	really(MAPS "/d", "{\"metadata\":{\"name\":\"d\",\"namespace\":\"ns\",\"uid\":\"d2\",\"resourceVersion\":\"9\"}}");
	start();
	run_until(&t.f.loop, asked("GET " MAPS "/d\n"));
	settle();
	assert_int_equal(t.writes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_has_its_owner_stays),
		TEST(an_owner_made_anew_is_none),
		TEST(a_dependent_made_anew_stays),
	};

	return cmocka_run_group_tests_name("control/controllers/garbage/garbage_collector", tests, NULL, NULL);
}
