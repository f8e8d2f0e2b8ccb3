/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define EVENT(ns, rest) "{'apiVersion':'v1','kind':'Event','metadata':{'name':'e','namespace':'" ns "'}," rest "}"

static void bad_events(void **state)
{
	static const struct example examples[] = {
		{ EVENT("n", "'involvedObject':{'kind':'Pod','namespace':'n'}"), "" },
		{ EVENT("n", "'involvedObject':{'kind':'Pod','namespace':'m'}"), "involvedObject.namespace: Invalid value: \"m\": does not match event.namespace" },
		{ EVENT("default", "'involvedObject':{'kind':'Node'}"), "" },
		{ EVENT("n", "'involvedObject':{'kind':'Node'}"), "involvedObject.namespace: Invalid value: \"\": does not match event.namespace" },
		{ EVENT("kube-system", "'involvedObject':{'kind':'Node'},'eventTime':'2026-01-01T00:00:00.000000Z'"),
		  "reportingComponent: Required value\n"
		  "reportingComponent: Invalid value: \"\": name part must be non-empty\n"
		  "reportingComponent: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')\n"
		  "reportingInstance: Required value\naction: Required value\nreason: Required value" },
		{ EVENT("n", "'involvedObject':{'namespace':'n'},'eventTime':'2026-01-01T00:00:00.000000Z','reportingComponent':'a.b/c','reportingInstance':'i','action':'a','reason':'r'"), "" },
	};

	EACH_CREATE(examples);
}

static void rows(void **state)
{
	static const struct example examples[] = {
		{ EVENT("n", "'involvedObject':{'kind':'Pod','name':'p'},'reason':'Scheduled','message':' ok\\n','type':'Normal','count':3,"
			"'firstTimestamp':'2025-12-31T23:00:00Z','lastTimestamp':'2025-12-31T23:59:00Z','source':{'component':'x','host':'h'}"),
		  "['60s','Normal','Scheduled','pod/p','','x, h','ok','60m',3,'e']" },
		{ EVENT("n", "'involvedObject':{'kind':'Pod','fieldPath':'spec.containers{c}'},'eventTime':'2025-12-31T23:59:30.000000Z','reportingComponent':'r'"),
		  "['30s','','','pod','spec.containers{c}','r','','30s',1,'e']" },
		{ EVENT("n", "'involvedObject':{'kind':'Pod','name':'p'},'eventTime':'2025-12-31T23:59:30.000000Z','series':{'count':9,'lastObservedTime':'2025-12-31T23:59:50.000000Z'}"),
		  "['10s','','','pod/p','','','','30s',9,'e']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_events, setup, teardown),
		cmocka_unit_test_setup_teardown(rows, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
