/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

static struct xb_tree *pod_with(const char *policy, const char *status)
{
	struct xb_tree *pod = created(xb_arena_printf(arena, "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'p','namespace':'n'},'spec':"
		"{'restartPolicy':'%s','containers':[{'name':'c','image':'i'}],'initContainers':[{'name':'s','image':'i','restartPolicy':'Always'}]}}",
		policy));

	xb_tree_setc(pod, "status", xb_tree_parse(arena, quoted(status)));
	return pod;
}

#define ENDED(key, name, code) "{'" key "':[{'name':'" name "','state':{'terminated':{'exitCode':" code "}}}]}"
#define RUNS(key, name) "{'" key "':[{'name':'" name "','state':{'running':{}}}]}"

static void what_ended_stays_so(void **state)
{
	static const char forbidden[] = "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state";
	const char *runs = RUNS("containerStatuses", "c");

	assert_string_equal(fault_of_status(pod_with("Never", ENDED("containerStatuses", "c", "1")), runs), forbidden);
	assert_string_equal(fault_of_status(pod_with("OnFailure", ENDED("containerStatuses", "c", "0")), runs), forbidden);
	assert_string_equal(fault_of_status(pod_with("OnFailure", ENDED("containerStatuses", "c", "1")), runs), "");
	assert_string_equal(fault_of_status(pod_with("Always", ENDED("containerStatuses", "c", "0")), runs), "");
	assert_string_equal(fault_of_status(pod_with("Never", runs), ENDED("containerStatuses", "c", "0")), "");
	assert_string_equal(fault_of_status(pod_with("Never", ENDED("initContainerStatuses", "s", "0")), RUNS("initContainerStatuses", "s")), "");
	assert_string_equal(fault_of_status(pod_with("Never", ENDED("ephemeralContainerStatuses", "e", "1")), RUNS("ephemeralContainerStatuses", "e")),
			    "status.ephemeralContainerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state");
}

static void other_rules(void **state)
{
	struct xb_tree *pod = pod_with("Always", "{'qosClass':'BestEffort'}");

	assert_string_equal(fault_of_status(pod, "{'qosClass':'BestEffort','conditions':[{'type':'Ready'},{'type':'example.com/x'}],"
					    "'podIPs':[{'ip':'10.0.0.1'},{'ip':'fd00::1'}]}"), "");
	assert_string_equal(fault_of_status(pod, "{'qosClass':'Burstable'}"), "status.qosClass: Invalid value: \"Burstable\": field is immutable");
	assert_string_equal(fault_of_status(pod, "{'qosClass':'BestEffort','conditions':[{'type':'a b'}]}"),
		"metadata.conditions[0].Type: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and"
		" end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is"
		" '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')");
	assert_string_equal(fault_of_status(pod, "{'qosClass':'BestEffort','podIPs':[{'ip':'10.0.0.1'},{'ip':'10.0.0.2'}]}"),
		"status.podIPs: Invalid value: [{\"ip\":\"10.0.0.1\"},{\"ip\":\"10.0.0.2\"}]: may specify no more than one IP for each IP family");
	assert_string_equal(fault_of_status(pod, "{'qosClass':'BestEffort','nominatedNodeName':'-'}"),
		"status.nominatedNodeName: Invalid value: \"-\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or"
		" '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is"
		" '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')");
}

static void the_class_is_given_back(void **state)
{
	struct xb_tree *pod = pod_with("Always", "{'qosClass':'BestEffort'}"), *object = pod_with("Always", "{'phase':'Running'}");
	struct write w = write_of(pod);

	pod_strategy.prepare_status(&w, object, pod);
	assert_string_equal(text_of(xb_tree_get(object, "status")), "{'phase':'Running','qosClass':'BestEffort'}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_ended_stays_so),
		cmocka_unit_test(other_rules),
		cmocka_unit_test(the_class_is_given_back),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
