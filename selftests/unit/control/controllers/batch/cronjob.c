/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A CronJob that died between making a Job and telling so, and one that was made anew by the same name. */
#include "../loop_fixture.h"

#define JOBS   "/apis/batch/v1/namespaces/ns/jobs"
#define EXISTS "{\"kind\":\"Status\",\"message\":\"is there\",\"reason\":\"AlreadyExists\",\"code\":409}"

/* Due once: at the first minute of 2026. */
static const char cron[] = "{\"metadata\":{\"name\":\"c\",\"namespace\":\"ns\",\"uid\":\"u1\",\"resourceVersion\":\"5\",\"creationTimestamp\":"
			   "\"2025-12-31T23:59:30Z\"},\"spec\":{\"schedule\":\"0 0 1 1 *\",\"timeZone\":\"Etc/UTC\",\"concurrencyPolicy\":\"Allow\","
			   "\"jobTemplate\":{\"spec\":{}}},\"status\":{}}";

static bool asked_for_a_job(void)
{
	return t.log.p && strstr(t.log.p, "POST " JOBS "\n");
}

static const char *path_of_job(char path[static 128])
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;

	assert_int_equal(xb_json_parse(xb_sv(t.body), NULL, &doc, NULL), 0);
	snprintf(path, 128, JOBS "/%.*s", XB_SV_ARG(xb_jv_text(xb_jv_path(xb_json_root(doc), "metadata", "name"))));
	return path;
}

static void start(void)
{
	copy_is("cronjobs", cron);
	copy_is("jobs", NULL);
	t.code = 409;
	t.reply = EXISTS;
	start_loop("--controllers=cronjob-controller");
}

/* The copy does not show the Job that the process before made. */
static void a_job_that_is_there_is_counted_not_made_again(void **state)
{
	static char path[128];

	start();
	run_until(&t.f.loop, asked_for_a_job());
	really(path_of_job(path), "{\"metadata\":{\"name\":\"c-1\",\"namespace\":\"ns\",\"uid\":\"j1\",\"resourceVersion\":\"4\",\"ownerReferences\":[{\"apiVersion\":"
				  "\"batch/v1\",\"kind\":\"CronJob\",\"name\":\"c\",\"uid\":\"u1\",\"controller\":true}]}}");
	run_until(&t.f.loop, strstr(t.body, "lastScheduleTime"));
	assert_non_null(strstr(t.body, "\"uid\":\"j1\""));
}

static void a_job_of_its_predecessor_is_not_its_own(void **state)
{
	static char path[128];

	start();
	run_until(&t.f.loop, asked_for_a_job());
	really(path_of_job(path), "{\"metadata\":{\"name\":\"c-1\",\"namespace\":\"ns\",\"uid\":\"j1\",\"resourceVersion\":\"4\",\"ownerReferences\":[{\"apiVersion\":"
				  "\"batch/v1\",\"kind\":\"CronJob\",\"name\":\"c\",\"uid\":\"u0\",\"controller\":true}]}}");
	run_until(&t.f.loop, strstr(t.body, "lastScheduleTime"));
	assert_null(strstr(t.body, "\"uid\":\"j1\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_job_that_is_there_is_counted_not_made_again),
		TEST(a_job_of_its_predecessor_is_not_its_own),
	};

	return cmocka_run_group_tests_name("control/controllers/batch/cronjob", tests, NULL, NULL);
}
