/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define NODE(rest) "{'apiVersion':'v1','kind':'Node','metadata':{'name':'n1'}," rest "}"

static void defaults(void **state)
{
	struct xb_tree *n = created(NODE("'spec':{'podCIDR':'10.244.1.0/24'},'status':{'capacity':{'cpu':4}}"));

	assert_string_equal(text_of(xb_tree_path(n, "spec", "podCIDRs")), "['10.244.1.0/24']");
	assert_string_equal(text_of(xb_tree_path(n, "status", "allocatable")), "{'cpu':'4'}");
	n = created(NODE("'spec':{'podCIDRs':['10.244.1.0/24','fd00::/64']}"));
	assert_string_equal(text_of(xb_tree_path(n, "spec", "podCIDR")), "'10.244.1.0/24'");
}

static void bad_nodes(void **state)
{
	static const struct example examples[] = {
		{ NODE("'spec':{'taints':[{'key':'a','effect':'x'}]}"),
		  "metadata.taints[0].effect: Unsupported value: \"x\": supported values: \"NoSchedule\", \"PreferNoSchedule\", \"NoExecute\"" },
		{ NODE("'spec':{'taints':[{'key':'a','effect':'NoExecute'},{'key':'a','value':'b','effect':'NoExecute'}]}"), "metadata.taints[1]: Duplicate value: \"a\"" },
		{ NODE("'spec':{'podCIDRs':['10.0.0.0/24','10.0.1.0/24']}"),
		  "spec.podCIDRs: Invalid value: []string{\"10.0.0.0/24\", \"10.0.1.0/24\"}: may specify no more than one CIDR for each IP family" },
		{ NODE("'status':{'capacity':{'cpu':'-1'}}"),
		  "status.capacity[cpu]: Invalid value: \"-1\": must be greater than or equal to 0\n"
		  "status.allocatable[cpu]: Invalid value: \"-1\": must be greater than or equal to 0" },
	};

	EACH_CREATE(examples);
}

static void some_fields_stay(void **state)
{
	struct xb_tree *n = created(NODE("'spec':{'podCIDR':'10.244.1.0/24','providerID':'a://b'}"));

	assert_string_equal(fault_of_update(n, "{'spec':{'podCIDR':null,'podCIDRs':['10.244.2.0/24'],'providerID':'c://d'}}"),
		"spec.podCIDRs: Forbidden: node updates may not change podCIDR except from \"\" to valid\n"
		"spec.providerID: Forbidden: node updates may not change providerID except from \"\" to valid");
	updated(n, "{'spec':{'unschedulable':true,'taints':[{'key':'a','effect':'NoExecute'}]}}");
	updated(created(NODE("'spec':{}")), "{'spec':{'podCIDR':'10.244.2.0/24','providerID':'c://d'}}");
}

static void addresses_differ(void **state)
{
	assert_string_equal(fault_of_status(created(NODE("'spec':{}")), "{'addresses':[{'type':'InternalIP','address':'1.1.1.1'},{'type':'InternalIP','address':'1.1.1.1'}]}"),
		"status.addresses[1]: Duplicate value: \"1.1.1.1\"");
}

static void a_heartbeat_changes_no_condition(void **state)
{
	static const char old[] = "{'status':{'conditions':[{'type':'Ready','status':'False','reason':'a'},{'type':'DiskPressure','status':'False'}]}}";
	static const struct {
		const char *conditions;
		bool is;
	} rows[] = {
		{ "[{'type':'Ready','status':'False','reason':'b'},{'type':'DiskPressure','status':'False'}]", true },
		{ "[{'type':'Ready','status':'True','reason':'a'},{'type':'DiskPressure','status':'False'}]", false },
		{ "[{'type':'DiskPressure','status':'False'},{'type':'Ready','status':'False'}]", false },
		{ "[{'type':'Ready','status':'False'},{'type':'DiskPressure','status':'False'},{'type':'New','status':'False'}]", false },
	};
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;

	assert_int_equal(xb_json_parse(xb_sv(quoted(old)), NULL, &doc, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct xb_tree *object = xb_tree_object(arena), *status = xb_tree_object(arena);

		xb_tree_setc(status, "conditions", xb_tree_parse(arena, quoted(rows[i].conditions)));
		xb_tree_setc(object, "status", status);
		assert_int_equal(node_strategy.is_heartbeat(xb_json_root(doc), object), rows[i].is);
	}
}

static void rows(void **state)
{
	static const struct example examples[] = {
		{ NODE("'spec':{}"), "['n1','Unknown','<none>','<unknown>','','<none>','<none>','<unknown>','<unknown>','<unknown>']" },
		{ "{'apiVersion':'v1','kind':'Node','metadata':{'name':'n1','labels':{'node-role.kubernetes.io/control-plane':'','node-role.kubernetes.io/worker':''}},'spec':{'unschedulable':true},"
		  "'status':{'conditions':[{'type':'Ready','status':'True'}],'addresses':[{'type':'Hostname','address':'h'},{'type':'InternalIP','address':'1.1.1.1'}],"
		  "'nodeInfo':{'kubeletVersion':'v1.33.0','osImage':'Debian','kernelVersion':'6.1','containerRuntimeVersion':'containerd://1.6'}}}",
		  "['n1','Ready,SchedulingDisabled','control-plane,worker','<unknown>','v1.33.0','1.1.1.1','<none>','Debian','6.1','containerd://1.6']" },
		{ NODE("'spec':{},'status':{'conditions':[{'type':'Ready','status':'Unknown'}]}"),
		  "['n1','NotReady','<none>','<unknown>','','<none>','<none>','<unknown>','<unknown>','<unknown>']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(defaults, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_nodes, setup, teardown),
		cmocka_unit_test_setup_teardown(some_fields_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(addresses_differ, setup, teardown),
		cmocka_unit_test_setup_teardown(a_heartbeat_changes_no_condition, setup, teardown),
		cmocka_unit_test_setup_teardown(rows, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
