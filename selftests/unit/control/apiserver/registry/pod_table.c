/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define POD(meta, spec, status) "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'p','creationTimestamp':'2025-12-31T23:59:00Z'" meta "},'spec':{" spec "},'status':{" status "}}"
#define ROW(ready, status, restarts) "['p','" ready "','" status "'," restarts ",'60s','<none>','<none>','<none>','<none>']"
#define CS "'containers':[{'name':'a'},{'name':'b'}]"
#define INIT "'initContainers':[{'name':'x'},{'name':'y'}]," CS

static void rows(void **state)
{
	static const struct example examples[] = {
		{ POD("", CS, "'phase':'Pending'"), ROW("0/2", "Pending", "0") },
		{ POD("", CS, "'phase':'Failed','reason':'Evicted'"), ROW("0/2", "Evicted", "0") },
		{ POD("", CS, "'phase':'Pending','conditions':[{'type':'PodScheduled','status':'False','reason':'SchedulingGated'}]"), ROW("0/2", "SchedulingGated", "0") },
		{ POD("", CS, "'phase':'Running','containerStatuses':[{'name':'a','ready':true,'restartCount':0,'state':{'running':{}}},{'name':'b','ready':true,'restartCount':0,'state':{'running':{}}}]"),
		  ROW("2/2", "Running", "0") },
		{ POD("", CS, "'phase':'Pending','containerStatuses':[{'name':'a','restartCount':0,'state':{'waiting':{'reason':'ContainerCreating'}}}]"),
		  ROW("0/2", "ContainerCreating", "0") },
		{ POD("", CS, "'phase':'Running','containerStatuses':[{'name':'a','restartCount':3,'state':{'waiting':{'reason':'CrashLoopBackOff'}},"
			"'lastState':{'terminated':{'exitCode':1,'finishedAt':'2025-12-31T23:55:00Z'}}},{'name':'b','restartCount':1,'ready':true,'state':{'running':{}}}]"),
		  ROW("1/2", "CrashLoopBackOff", "'4 (5m ago)'") },
		{ POD("", CS, "'phase':'Succeeded','containerStatuses':[{'name':'a','restartCount':0,'state':{'terminated':{'exitCode':0,'reason':'Completed'}}}]"),
		  ROW("0/2", "Completed", "0") },
		{ POD("", CS, "'phase':'Running','conditions':[{'type':'Ready','status':'True'}],'containerStatuses':[{'name':'a','restartCount':0,'state':{'terminated':{'exitCode':0,'reason':'Completed'}}},"
			"{'name':'b','ready':true,'restartCount':0,'state':{'running':{}}}]"), ROW("1/2", "Running", "0") },
		{ POD("", CS, "'phase':'Failed','containerStatuses':[{'name':'a','restartCount':0,'state':{'terminated':{'exitCode':2}}}]"), ROW("0/2", "ExitCode:2", "0") },
		{ POD("", CS, "'phase':'Failed','containerStatuses':[{'name':'a','restartCount':0,'state':{'terminated':{'exitCode':137,'signal':9}}}]"), ROW("0/2", "Signal:9", "0") },
		{ POD(",'deletionTimestamp':'2026-01-01T00:00:10Z'", CS, "'phase':'Running'"), ROW("0/2", "Terminating", "0") },
		{ POD(",'deletionTimestamp':'2026-01-01T00:00:10Z'", CS, "'phase':'Running','reason':'NodeLost'"), ROW("0/2", "Unknown", "0") },
		{ POD(",'deletionTimestamp':'2026-01-01T00:00:10Z'", CS, "'phase':'Succeeded'"), ROW("0/2", "Succeeded", "0") },
		{ POD("", INIT, "'phase':'Pending','initContainerStatuses':[{'name':'x','restartCount':0,'state':{'running':{}}},{'name':'y','restartCount':0,'state':{'waiting':{'reason':'PodInitializing'}}}]"),
		  ROW("0/2", "Init:0/2", "0") },
		{ POD("", INIT, "'phase':'Pending','initContainerStatuses':[{'name':'x','restartCount':0,'state':{'terminated':{'exitCode':0}}},{'name':'y','restartCount':0,'state':{'waiting':{'reason':'PodInitializing'}}}]"),
		  ROW("0/2", "Init:1/2", "0") },
		{ POD("", INIT, "'phase':'Pending','initContainerStatuses':[{'name':'x','restartCount':2,'state':{'waiting':{'reason':'CrashLoopBackOff'}}}]"),
		  ROW("0/2", "Init:CrashLoopBackOff", "2") },
		{ POD("", INIT, "'phase':'Pending','initContainerStatuses':[{'name':'x','restartCount':0,'state':{'terminated':{'exitCode':1,'reason':'Error'}}}]"),
		  ROW("0/2", "Init:Error", "0") },
		{ POD("", "'initContainers':[{'name':'x','restartPolicy':'Always'}]," CS, "'phase':'Running','initContainerStatuses':[{'name':'x','restartCount':2,'started':true,'ready':true,'state':{'running':{}}}],"
			"'containerStatuses':[{'name':'a','ready':true,'restartCount':1,'state':{'running':{}}}]"), ROW("2/3", "Running", "3") },
		{ POD("", INIT, "'phase':'Running','initContainerStatuses':[{'name':'x','restartCount':2,'state':{'terminated':{'exitCode':0}}}],"
			"'containerStatuses':[{'name':'a','ready':true,'restartCount':1,'state':{'running':{}}}]"), ROW("1/2", "Running", "1") },
	};

	EACH_ROW(examples);
}

static void wide_cells(void **state)
{
	assert_string_equal(row_of(POD("", CS ",'nodeName':'n1','readinessGates':[{'conditionType':'a/b'},{'conditionType':'c/d'}]",
		"'phase':'Running','nominatedNodeName':'n2','podIPs':[{'ip':'10.1.1.1'}],'conditions':[{'type':'a/b','status':'True'},{'type':'c/d','status':'False'}]")),
		"['p','0/2','Running',0,'60s','10.1.1.1','n1','n2','1/2']");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rows, setup, teardown),
		cmocka_unit_test_setup_teardown(wide_cells, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
