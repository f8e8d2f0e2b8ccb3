/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define SVC(spec) "{'apiVersion':'v1','kind':'Service','metadata':{'name':'s','namespace':'n'},'spec':{" spec "}}"
#define PORT "'ports':[{'port':80}]"

static int setup_dual(void **state)
{
	struct registry_config c = { .service_ranges = "10.96.0.0/12,fd00:10:96::/108", .node_port_first = 30000, .node_port_last = 30001 };

	arena = xb_arena_new(0);
	return registry_new(&c, &registry, NULL);
}

static const char *member(const struct xb_tree *object, const char *key)
{
	return text_of(xb_tree_path(object, "spec", key));
}

static void end_of(struct xb_tree *old)
{
	struct write w = write_of(old);
	struct xb_field_errors e = { .arena = arena };

	assert_int_equal(strategy_of(w.kind)->begin(&w, NULL, old, &e), 0);
	strategy_of(w.kind)->end(&w, true);
}

static void an_address_has_one_owner(void **state)
{
	struct xb_tree *first = created(SVC("'clusterIP':'10.100.0.1'," PORT));

	assert_string_equal(fault_of(SVC("'clusterIP':'10.100.0.1'," PORT)),
		"spec.clusterIPs: Invalid value: []string{\"10.100.0.1\"}: failed to allocate IP 10.100.0.1: provided IP is already allocated");
	end_of(first);
	created(SVC("'clusterIP':'10.100.0.1'," PORT));
}

static void ranges_are_kept_to(void **state)
{
	assert_string_equal(fault_of(SVC("'clusterIP':'192.168.1.1'," PORT)),
		"spec.clusterIPs: Invalid value: []string{\"192.168.1.1\"}: failed to allocate IP 192.168.1.1: the provided IP (192.168.1.1) is not in the valid range. The range of valid IPs is 10.96.0.0/12");
	assert_string_equal(fault_of(SVC("'type':'NodePort','ports':[{'port':80,'nodePort':80}]")),
		"spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767");
}

/* What a refused write took is free again. */
static void a_refused_write_takes_nothing(void **state)
{
	assert_string_not_equal(fault_of(SVC("'type':'NodePort','clusterIP':'10.100.0.9','ports':[{'port':80,'nodePort':30001},{'name':'x','port':0,'nodePort':30002}]")), "");
	created(SVC("'type':'NodePort','clusterIP':'10.100.0.9','ports':[{'name':'a','port':80,'nodePort':30001},{'name':'x','port':1,'nodePort':30002}]"));
	assert_string_equal(fault_of(SVC("'type':'NodePort','clusterIP':'10.100.0.10','ports':[{'port':80,'nodePort':30001}]")),
		"spec.ports[0].nodePort: Invalid value: 30001: provided port is already allocated");
	created(SVC("'clusterIP':'10.100.0.10'," PORT));
}

static void a_dry_run_takes_nothing(void **state)
{
	struct xb_tree *s = decoded(xb_tree_parse(arena, quoted(SVC("'type':'NodePort','clusterIP':'10.100.0.9','clusterIPs':['10.100.0.9'],'ports':[{'port':80,'nodePort':30001}]"))));
	struct write w = write_of(s);
	struct xb_field_errors e = { .arena = arena };

	w.dry_run = true;
	assert_int_equal(strategy_of(w.kind)->begin(&w, s, NULL, &e), 0);
	strategy_of(w.kind)->end(&w, true);
	created(SVC("'type':'NodePort','clusterIP':'10.100.0.9','ports':[{'port':80,'nodePort':30001}]"));
}

static void protocols_share_a_node_port(void **state)
{
	struct xb_tree *s = created(SVC("'type':'NodePort','ports':[{'name':'a','port':53,'protocol':'UDP'},{'name':'b','port':53,'protocol':'TCP','nodePort':30053}]"));
	const struct xb_tree *ports = xb_tree_path(s, "spec", "ports");

	assert_int_equal(xb_tree_geti64(ports->first, "nodePort", 0), 30053);
	assert_int_equal(xb_tree_geti64(ports->last, "nodePort", 0), 30053);
}

static void node_ports_only_where_wanted(void **state)
{
	struct xb_tree *s = created(SVC("'type':'LoadBalancer','allocateLoadBalancerNodePorts':false," PORT));

	assert_string_equal(member(s, "ports"), "[{'port':80,'protocol':'TCP','targetPort':80}]");
}

static void health_check_port(void **state)
{
	struct xb_tree *s = created(SVC("'type':'LoadBalancer','externalTrafficPolicy':'Local','healthCheckNodePort':30009," PORT));

	assert_string_equal(member(s, "healthCheckNodePort"), "30009");
	assert_string_equal(fault_of_update(s, "{'spec':{'healthCheckNodePort':30010}}"), "spec.healthCheckNodePort: Invalid value: 30010: field is immutable");
	s = updated(s, "{'spec':{'externalTrafficPolicy':'Cluster'}}");
	assert_string_equal(member(s, "healthCheckNodePort"), "");
	created(SVC("'type':'NodePort','ports':[{'port':80,'nodePort':30009}]"));
}

static void two_families(void **state)
{
	struct xb_tree *s = created(SVC("'ipFamilyPolicy':'PreferDualStack','clusterIP':'10.100.0.1'," PORT));

	assert_string_equal(member(s, "ipFamilies"), "['IPv4','IPv6']");
	assert_int_equal(xb_tree_path(s, "spec", "clusterIPs")->count, 2);
	s = updated(s, "{'spec':{'ipFamilyPolicy':'SingleStack'}}");
	assert_string_equal(member(s, "clusterIPs"), "['10.100.0.1']");
	assert_string_equal(member(s, "ipFamilies"), "['IPv4']");
	s = updated(s, "{'spec':{'ipFamilyPolicy':'RequireDualStack','clusterIPs':['10.100.0.1','fd00:10:96::9']}}");
	assert_string_equal(member(s, "ipFamilies"), "['IPv4','IPv6']");
	assert_string_equal(fault_of(SVC("'ipFamilies':['IPv6'],'clusterIP':'fd00:10:96::9'," PORT)),
		"spec.clusterIPs: Invalid value: []string{\"fd00:10:96::9\"}: failed to allocate IP fd00:10:96::9: provided IP is already allocated");
	s = created(SVC("'ipFamilies':['IPv6']," PORT));
	assert_string_equal(member(s, "ipFamilyPolicy"), "'SingleStack'");
	assert_string_equal(fault_of(SVC("'ipFamilyPolicy':'SingleStack','ipFamilies':['IPv4','IPv6']," PORT)),
		"spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be RequireDualStack or PreferDualStack when multiple ipFamilies are specified");
}

static void one_family_only(void **state)
{
	assert_string_equal(fault_of(SVC("'ipFamilyPolicy':'RequireDualStack'," PORT)),
		"spec.ipFamilyPolicy: Invalid value: \"RequireDualStack\": this cluster is not configured for dual-stack services");
	assert_string_equal(fault_of(SVC("'ipFamilies':['IPv6']," PORT)),
		"spec.ipFamilies[0]: Invalid value: \"IPv6\": not configured on this cluster");
	assert_string_equal(fault_of(SVC("'clusterIP':'fd00::1'," PORT)),
		"spec.clusterIPs[0]: Invalid value: []string{\"fd00::1\"}: IPv6 is not configured on this cluster");
	assert_string_equal(member(created(SVC("'ipFamilyPolicy':'PreferDualStack'," PORT)), "ipFamilies"), "['IPv4']");
}

static void ranges_run_out(void **state)
{
	struct xb_tree *s;
	struct xb_field_errors e = { .arena = arena };
	struct write w;

	created(SVC("'type':'NodePort','ports':[{'name':'a','port':80},{'name':'b','port':81}]"));
	s = decoded(xb_tree_parse(arena, quoted(SVC("'type':'NodePort','clusterIP':'10.100.0.7','clusterIPs':['10.100.0.7']," PORT))));
	w = write_of(s);
	assert_int_equal(strategy_of(w.kind)->begin(&w, s, NULL, &e), -ENOSPC);
	created(SVC("'clusterIP':'10.100.0.7'," PORT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_address_has_one_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(ranges_are_kept_to, setup, teardown),
		cmocka_unit_test_setup_teardown(a_refused_write_takes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_dry_run_takes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(protocols_share_a_node_port, setup, teardown),
		cmocka_unit_test_setup_teardown(node_ports_only_where_wanted, setup, teardown),
		cmocka_unit_test_setup_teardown(health_check_port, setup, teardown),
		cmocka_unit_test_setup_teardown(two_families, setup_dual, teardown),
		cmocka_unit_test_setup_teardown(one_family_only, setup, teardown),
		cmocka_unit_test_setup_teardown(ranges_run_out, setup_dual, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
