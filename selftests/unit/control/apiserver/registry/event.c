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
		  "reportingController: Required value\n"
		  "reportingController: Invalid value: \"\": name part must be non-empty\n"
		  "reportingController: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')\n"
		  "reportingInstance: Required value\naction: Required value\nreason: Required value" },
		{ EVENT("n", "'involvedObject':{'namespace':'n'},'eventTime':'2026-01-01T00:00:00.000000Z','reportingComponent':'a.b/c','reportingInstance':'i','action':'a','reason':'r'"), "" },
	};

	EACH_CREATE(examples);
}

#define STRICT(rest) "{'apiVersion':'events.k8s.io/v1','kind':'Event','metadata':{'name':'e','namespace':'n'},'regarding':{'namespace':'n'}," rest "}"
#define NEW "'eventTime':'2026-01-01T00:00:00.000000Z','reportingController':'a.b/c','reportingInstance':'i','action':'a','reason':'r'"

static void events_k8s_io_takes_the_new_form_only(void **state)
{
	static const struct example examples[] = {
		{ STRICT(NEW ",'type':'Normal'"), "" },
		{ STRICT("'type':'Normal'"), "eventTime: Required value" },
		{ STRICT(NEW ",'type':'Odd'"), "type: Invalid value: \"\": has invalid value: Odd" },
		{ STRICT(NEW ",'type':'Normal','deprecatedCount':1,'deprecatedSource':{'host':'h'}"),
		  "count: Invalid value: \"\": needs to be unset\nsource: Invalid value: \"\": needs to be unset" },
		{ STRICT(NEW ",'type':'Normal','series':{'count':1}"),
		  "series.count: Invalid value: \"\": should be at least 2\nseries.lastObservedTime: Required value" },
	};

	EACH_CREATE(examples);
}

static void it_is_stored_as_cores(void **state)
{
	struct xb_tree *e = created(STRICT(NEW ",'type':'Normal','note':'hello'"));

	assert_string_equal(text_of(e), "{'action':'a','apiVersion':'v1','eventTime':'2026-01-01T00:00:00.000000Z','involvedObject':{'namespace':'n'},"
			    "'kind':'Event','message':'hello','metadata':{'name':'e','namespace':'n'},'reason':'r','reportingComponent':'a.b/c',"
			    "'reportingInstance':'i','source':{},'type':'Normal'}");
}

static void only_its_series_goes_on(void **state)
{
	struct xb_tree *old = created(STRICT(NEW ",'type':'Normal','note':'hello'")), *now = xb_tree_copy(arena, old);
	struct xb_field_errors errors = { .arena = arena }, more = { .arena = arena };
	struct write w = write_of(old);

	w.kind = xb_kind_by_name(XB_SV("events.k8s.io"), XB_SV("v1"), XB_SV("Event"));
	xb_tree_setc(now, "series", xb_tree_parse(arena, quoted("{'count':2,'lastObservedTime':'2026-01-01T00:00:00.000000Z'}")));
	event_strategy.validate_update(&w, now, old, &errors);
	assert_string_equal(causes_of(&w, &errors), "");
	xb_tree_setc(now, "message", xb_tree_str(arena, XB_SV("other")));
	event_strategy.validate_update(&w, now, old, &more);
	assert_string_equal(causes_of(&w, &more), "message: Invalid value: \"other\": field is immutable");
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
		cmocka_unit_test_setup_teardown(events_k8s_io_takes_the_new_form_only, setup, teardown),
		cmocka_unit_test_setup_teardown(it_is_stored_as_cores, setup, teardown),
		cmocka_unit_test_setup_teardown(only_its_series_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(rows, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
