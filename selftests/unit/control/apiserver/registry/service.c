/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define SVC(spec) "{'apiVersion':'v1','kind':'Service','metadata':{'name':'s','namespace':'n'},'spec':{" spec "}}"
#define PORT "'ports':[{'port':80}]"

static struct xb_tree *spec_of(const struct xb_tree *object)
{
	return xb_tree_get(object, "spec");
}

static const char *member(const struct xb_tree *object, const char *key)
{
	return text_of(xb_tree_get(spec_of(object), key));
}

static void defaults_follow_type(void **state)
{
	struct xb_tree *plain = created(SVC(PORT)), *lb = created(SVC("'type':'LoadBalancer'," PORT));
	struct xb_tree *name = created(SVC("'type':'ExternalName','externalName':'example.com.'"));
	struct xb_tree *sticky = created(SVC("'sessionAffinity':'ClientIP','ports':[{'port':53,'protocol':'UDP','targetPort':'dns'}]"));

	assert_string_equal(member(plain, "type"), "'ClusterIP'");
	assert_string_equal(member(plain, "internalTrafficPolicy"), "'Cluster'");
	assert_string_equal(member(plain, "externalTrafficPolicy"), "");
	assert_string_equal(member(plain, "ipFamilies"), "['IPv4']");
	assert_string_equal(member(plain, "ipFamilyPolicy"), "'SingleStack'");
	assert_string_equal(text_of(xb_tree_get(spec_of(plain), "ports")), "[{'port':80,'protocol':'TCP','targetPort':80}]");
	assert_string_equal(member(lb, "externalTrafficPolicy"), "'Cluster'");
	assert_string_equal(member(lb, "allocateLoadBalancerNodePorts"), "true");
	assert_string_equal(member(name, "clusterIPs"), "");
	assert_string_equal(member(name, "ipFamilies"), "");
	assert_string_equal(member(name, "internalTrafficPolicy"), "");
	assert_string_equal(member(sticky, "sessionAffinityConfig"), "{'clientIP':{'timeoutSeconds':10800}}");
	assert_string_equal(member(sticky, "ports"), "[{'port':53,'protocol':'UDP','targetPort':'dns'}]");
	assert_string_equal(text_of(xb_tree_get(plain, "status")), "{'loadBalancer':{}}");
}

static void headless_has_no_address(void **state)
{
	struct xb_tree *s = created(SVC("'clusterIP':'None','selector':{'a':'b'}," PORT));

	assert_string_equal(member(s, "clusterIPs"), "['None']");
	assert_string_equal(member(s, "ipFamilyPolicy"), "'SingleStack'");
	s = created(SVC("'clusterIP':'None'"));
	assert_string_equal(member(s, "ipFamilyPolicy"), "'RequireDualStack'");
	assert_string_equal(member(s, "ipFamilies"), "['IPv4','IPv6']");
}

static void type_changes_and_back(void **state)
{
	struct xb_tree *s = created(SVC("'clusterIP':'10.100.0.1'," PORT)), *np, *name;

	np = updated(s, "{'spec':{'type':'NodePort'}}");
	assert_true(xb_tree_geti64(spec_of(np)->first ? xb_tree_get(spec_of(np), "ports")->first : NULL, "nodePort", 0) >= 30000);
	assert_string_equal(member(np, "externalTrafficPolicy"), "'Cluster'");
	s = updated(np, "{'spec':{'type':'ClusterIP'}}");
	assert_string_equal(member(s, "ports"), "[{'port':80,'protocol':'TCP','targetPort':80}]");
	assert_string_equal(member(s, "externalTrafficPolicy"), "");
	assert_string_equal(member(s, "clusterIP"), "'10.100.0.1'");
	name = updated(s, "{'spec':{'type':'ExternalName','externalName':'x.y'}}");
	assert_string_equal(member(name, "clusterIP"), "");
	assert_string_equal(member(name, "ipFamilies"), "");
	created(SVC("'clusterIP':'10.100.0.1'," PORT));
	s = updated(name, "{'spec':{'type':'ClusterIP','externalName':null,'clusterIP':'10.100.0.2'}}");
	assert_string_equal(member(s, "clusterIPs"), "['10.100.0.2']");
}

static void ports_keep_their_node_ports(void **state)
{
	struct xb_tree *s = created(SVC("'type':'NodePort','ports':[{'name':'a','port':80,'nodePort':30080},{'name':'b','port':443,'nodePort':30443}]"));

	s = updated(s, "{'spec':{'ports':[{'name':'b','port':444},{'name':'c','port':81,'nodePort':30080}]}}");
	assert_string_equal(member(s, "ports"),
		"[{'name':'b','port':444,'protocol':'TCP','targetPort':444,'nodePort':30443},{'name':'c','nodePort':30080,'port':81,'protocol':'TCP','targetPort':81}]");
}

static void an_old_client_changes_one_of_two(void **state)
{
	struct xb_tree *s = created(SVC("'clusterIP':'10.100.3.1'," PORT));

	assert_string_equal(fault_of_update(s, "{'spec':{'clusterIP':'10.100.3.2'}}"),
		"spec.clusterIPs[0]: Invalid value: []string{\"10.100.3.2\"}: may not change once set");
	s = updated(s, "{'spec':{'clusterIP':null,'clusterIPs':null}}");
	assert_string_equal(member(s, "clusterIPs"), "['10.100.3.1']");
	s = updated(s, "{'spec':{'clusterIPs':null}}");
	assert_string_equal(member(s, "clusterIPs"), "['10.100.3.1']");
}

static void rows(void **state)
{
	static const struct example examples[] = {
		{ "{'apiVersion':'v1','kind':'Service','metadata':{'name':'a','creationTimestamp':'2025-12-31T23:58:00Z'},'spec':{'type':'ClusterIP',"
		  "'clusterIPs':['10.0.0.1'],'ports':[{'port':80,'protocol':'TCP'},{'port':53,'protocol':'UDP'}],'selector':{'a':'b','c':'d'}}}",
		  "['a','ClusterIP','10.0.0.1','<none>','80/TCP,53/UDP','2m','a=b,c=d']" },
		{ "{'apiVersion':'v1','kind':'Service','metadata':{'name':'a'},'spec':{'type':'ExternalName','externalName':'x.y'}}",
		  "['a','ExternalName','<none>','x.y','<none>','<unknown>','<none>']" },
		{ "{'apiVersion':'v1','kind':'Service','metadata':{'name':'a'},'spec':{'type':'LoadBalancer','clusterIPs':['10.0.0.1'],"
		  "'ports':[{'port':80,'protocol':'TCP','nodePort':30001}]}}",
		  "['a','LoadBalancer','10.0.0.1','<pending>','80:30001/TCP','<unknown>','<none>']" },
		{ "{'apiVersion':'v1','kind':'Service','metadata':{'name':'a'},'spec':{'type':'LoadBalancer','clusterIPs':['10.0.0.1'],'externalIPs':['1.2.3.4']},"
		  "'status':{'loadBalancer':{'ingress':[{'ip':'203.0.113.9'},{'hostname':'lb.example'}]}}}",
		  "['a','LoadBalancer','10.0.0.1','203.0.113.9,lb.example,1.2.3.4','<none>','<unknown>','<none>']" },
		{ "{'apiVersion':'v1','kind':'Service','metadata':{'name':'a'},'spec':{'type':'NodePort','clusterIPs':['None'],'externalIPs':['1.2.3.4','::1']}}",
		  "['a','NodePort','None','1.2.3.4,::1','<none>','<unknown>','<none>']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(defaults_follow_type, setup, teardown),
		cmocka_unit_test_setup_teardown(headless_has_no_address, setup, teardown),
		cmocka_unit_test_setup_teardown(type_changes_and_back, setup, teardown),
		cmocka_unit_test_setup_teardown(ports_keep_their_node_ports, setup, teardown),
		cmocka_unit_test_setup_teardown(an_old_client_changes_one_of_two, setup, teardown),
		cmocka_unit_test_setup_teardown(rows, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
