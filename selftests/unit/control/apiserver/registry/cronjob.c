/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define OBJECT(spec) "{'apiVersion':'batch/v1','kind':'CronJob','metadata':{'name':'c','namespace':'n'},'spec':{" spec "}}"
#define JOB(spec) "'jobTemplate':{'spec':{" spec "'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}"

static void defaults(void **state)
{
	struct xb_tree *c = created(OBJECT("'schedule':'* * * * *'," JOB(""))), *spec = xb_tree_get(c, "spec");

	assert_string_equal(text_of(xb_tree_get(spec, "concurrencyPolicy")), "'Allow'");
	assert_string_equal(text_of(xb_tree_get(spec, "successfulJobsHistoryLimit")), "3");
	assert_string_equal(text_of(xb_tree_get(spec, "failedJobsHistoryLimit")), "1");
	spec = xb_tree_path(spec, "jobTemplate", "spec");
	assert_string_equal(text_of(xb_tree_path(spec, "template", "spec", "dnsPolicy")), "'ClusterFirst'");
	assert_null(xb_tree_get(spec, "template")->next); /* a Job's own defaults come with the Job */
	assert_ptr_equal(spec->first, xb_tree_get(spec, "template"));
}

static void bad_specs(void **state)
{
	static const struct example examples[] = {
		{ OBJECT(JOB("")),
		  "spec.schedule: Required value" },
		{ OBJECT("'schedule':'* * * *'," JOB("")),
		  "spec.schedule: Invalid value: \"* * * *\": expected exactly 5 fields, found 4: [* * * *]" },
		{ OBJECT("'schedule':'TZ=UTC * * * * *'," JOB("")),
		  "spec.schedule: Invalid value: \"TZ=UTC * * * * *\": cannot use TZ or CRON_TZ in schedule, use timeZone field instead" },
		{ OBJECT("'schedule':'@hourly','timeZone':'Local'," JOB("")),
		  "spec.timeZone: Invalid value: \"Local\": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones" },
		{ OBJECT("'schedule':'@hourly','timeZone':'../x'," JOB("")),
		  "spec.timeZone: Invalid value: \"../x\": unknown time zone ../x" },
		{ OBJECT("'schedule':'@hourly','concurrencyPolicy':'Maybe','startingDeadlineSeconds':-1," JOB("")),
		  "spec.startingDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0\n"
		  "spec.concurrencyPolicy: Unsupported value: \"Maybe\": supported values: \"Allow\", \"Forbid\", \"Replace\"" },
		{ OBJECT("'schedule':'@hourly'," JOB("'manualSelector':true,")),
		  "spec.jobTemplate.spec.manualSelector: Unsupported value: \"true\": supported values: \"nil\", \"false\"" },
		{ "{'apiVersion':'batch/v1','kind':'CronJob','metadata':{'name':'a12345678901234567890123456789012345678901234567890123','namespace':'n'},'spec':{'schedule':'@daily'," JOB("") "}}",
		  "metadata.name: Invalid value: \"a12345678901234567890123456789012345678901234567890123\": must be no more than 52 characters" },
	};

	EACH_CREATE(examples);
}

static void rows(void **state)
{
	static const struct example examples[] = {
		{ "{'apiVersion':'batch/v1','kind':'CronJob','metadata':{'name':'c'},'spec':{'schedule':'* * * * *','suspend':true},'status':{'active':[{'name':'x'}],'lastScheduleTime':'2025-12-31T23:59:00Z'}}",
		  "['c','* * * * *','<none>','True',1,'60s','<unknown>','','','<none>']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(defaults, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_specs, setup, teardown),
		cmocka_unit_test_setup_teardown(rows, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
