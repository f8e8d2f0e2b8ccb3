/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A Job whose copies are behind, or that was made anew by the same name. */
#include "../loop_fixture.h"

#define PODS "/api/v1/namespaces/ns/pods"

static const char *job(const char *uid)
{
	static char text[1024];

	snprintf(text, sizeof(text), "{\"metadata\":{\"name\":\"j\",\"namespace\":\"ns\",\"uid\":\"%s\",\"generation\":1,\"resourceVersion\":\"5\"},\"spec\":{"
		 "\"completions\":1,\"parallelism\":1,\"backoffLimit\":6,\"selector\":{\"matchLabels\":{\"job\":\"j\"}},\"template\":{\"metadata\":{"
		 "\"labels\":{\"job\":\"j\"}},\"spec\":{\"restartPolicy\":\"Never\"}}}}", uid);
	return text;
}

/* owner: "": it has none, and no finalizer */
static const char *pod(const char *owner, const char *phase, const char *version)
{
	static char text[1024];
	char reference[256] = "";

	if (*owner)
		snprintf(reference, sizeof(reference), ",\"finalizers\":[\"batch.kubernetes.io/job-tracking\"],\"ownerReferences\":[{\"apiVersion\":\"batch/v1\",\"kind\":\"Job\",\"name\":\"j\",\"uid\":\"%s\","
			 "\"controller\":true}]", owner);
	snprintf(text, sizeof(text), "{\"metadata\":{\"name\":\"p\",\"namespace\":\"ns\",\"uid\":\"p1\",\"resourceVersion\":\"%s\",\"labels\":{\"job\":\"j\"}"
		 "%s},\"spec\":{},\"status\":{\"phase\":\"%s\"}}", version, reference, phase);
	return text;
}

static unsigned made(void)
{
	unsigned n = 0;

	for (const char *at = t.log.p; at && (at = strstr(at, "POST " PODS "\n")); at++)
		n++;
	return n;
}

static void a_pod_whose_making_got_no_answer_is_looked_for(void **state)
{
	static char list[2048];

	snprintf(list, sizeof(list), "{\"metadata\":{\"resourceVersion\":\"20\"},\"items\":[%s]}", pod("u1", "Pending", "12"));
	really(PODS "?labelSelector=job%3Dj", list);
	t.code = 0;
	copy_is("pods", NULL);
	copy_is("jobs", job("u1"));
	start_loop("--controllers=job-controller");
	run_until(&t.f.loop, made() == 1);
	run_until(&t.f.loop, t.reads == 1);
	t.code = 200;
	settle();
	assert_int_equal(made(), 1);
	show("pods", "ADDED", pod("u1", "Pending", "12"));
	run_until(&t.f.loop, strstr(t.body, "\"active\":1"));
	assert_int_equal(made(), 1);
}

/* What another one's pod achieved is none of its own. */
static void one_made_anew_does_its_work_itself(void **state)
{
	copy_is("pods", pod("u1", "Succeeded", "4"));
	copy_is("jobs", job("u2"));
	start_loop("--controllers=job-controller");
	run_until(&t.f.loop, made() == 1);
	settle();
	assert_null(strstr(t.body, "\"succeeded\":1"));
}

static void nothing_is_adopted_for_one_that_is_gone(void **state)
{
	copy_is("pods", pod("", "Running", "4"));
	copy_is("jobs", job("u1"));
	really("/apis/batch/v1/namespaces/ns/jobs/j", "{\"metadata\":{\"name\":\"j\",\"namespace\":\"ns\",\"uid\":\"u2\"}}");
	start_loop("--controllers=job-controller");
	run_until(&t.f.loop, t.reads >= 3);
	assert_int_equal(t.writes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_pod_whose_making_got_no_answer_is_looked_for),
		TEST(one_made_anew_does_its_work_itself),
		TEST(nothing_is_adopted_for_one_that_is_gone),
	};

	return cmocka_run_group_tests_name("control/controllers/batch/job", tests, NULL, NULL);
}
