/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define SVC(spec) "{'apiVersion':'v1','kind':'Service','metadata':{'name':'s','namespace':'n'},'spec':{" spec "}}"
#define PORT "'ports':[{'port':80}]"

static void bad_specs(void **state)
{
	static const struct example examples[] = {
		{ SVC(""), "spec.ports: Required value" },
		{ SVC("'ports':[{'port':0}]"),
		  "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive\n"
		  "spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive" },
		{ SVC("'ports':[{'port':80},{'port':81}]"), "spec.ports[0].name: Required value\nspec.ports[1].name: Required value" },
		{ SVC("'ports':[{'name':'a','port':80},{'name':'a','port':81}]"), "spec.ports[1].name: Duplicate value: \"a\"" },
		{ SVC("'ports':[{'name':'a','port':80},{'name':'b','port':80}]"),
		  "spec.ports[1]: Duplicate value: core.ServicePort{Name:\"\", Protocol:\"TCP\", AppProtocol:(*string)(nil), Port:80, TargetPort:intstr.IntOrString{Type:0, IntVal:0, StrVal:\"\"}, NodePort:0}" },
		{ SVC("'type':'Magic'," PORT), "spec.type: Unsupported value: \"Magic\": supported values: \"ClusterIP\", \"ExternalName\", \"LoadBalancer\", \"NodePort\"" },
		{ SVC("'sessionAffinity':'Maybe'," PORT), "spec.sessionAffinity: Unsupported value: \"Maybe\": supported values: \"ClientIP\", \"None\"" },
		{ SVC("'sessionAffinity':'ClientIP','sessionAffinityConfig':{'clientIP':{'timeoutSeconds':86401}}," PORT),
		  "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400" },
		{ SVC("'ports':[{'port':80,'protocol':'HTTP'}]"), "spec.ports[0].protocol: Unsupported value: \"HTTP\": supported values: \"SCTP\", \"TCP\", \"UDP\"" },
		{ SVC("'ports':[{'port':80,'targetPort':99999}]"), "spec.ports[0].targetPort: Invalid value: 99999: must be between 1 and 65535, inclusive" },
		{ SVC("'externalName':'x','type':'ExternalName','clusterIP':'10.96.0.5'"), "spec.clusterIPs: Forbidden: may not be set for ExternalName services" },
		{ SVC("'type':'ExternalName'"), "spec.externalName: Required value" },
		{ SVC("'clusterIP':'None','type':'NodePort'," PORT), "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services" },
		{ SVC("'type':'LoadBalancer','ports':[{'port':10250}]"),
		  "spec.ports[0]: Invalid value: 10250: may not expose port 10250 externally since it is used by kubelet" },
		{ SVC("'ports':[{'port':80,'nodePort':30001}]"), "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'" },
		{ SVC("'externalTrafficPolicy':'Local'," PORT),
		  "spec.externalTrafficPolicy: Invalid value: \"Local\": may only be set for externally-accessible services" },
		{ SVC("'type':'NodePort','externalTrafficPolicy':'Far'," PORT),
		  "spec.externalTrafficPolicy: Unsupported value: \"Far\": supported values: \"Cluster\", \"Local\"" },
		{ SVC("'healthCheckNodePort':30001," PORT),
		  "spec.healthCheckNodePort: Invalid value: 30001: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'" },
		{ SVC("'internalTrafficPolicy':'Far'," PORT), "spec.internalTrafficPolicy: Unsupported value: \"Far\": supported values: \"Cluster\", \"Local\"" },
		{ SVC("'trafficDistribution':'Far'," PORT), "spec.trafficDistribution: Unsupported value: \"Far\": supported values: \"PreferClose\"" },
		{ SVC("'allocateLoadBalancerNodePorts':true,'loadBalancerClass':'a/b'," PORT),
		  "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'\n"
		  "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'" },
		{ SVC("'loadBalancerSourceRanges':['10.0.0.0/8']," PORT), "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'" },
		{ SVC("'clusterIPs':['10.96.0.5']," PORT),
		  "spec.clusterIPs: Invalid value: []string{\"10.96.0.5\"}: must be empty when `clusterIP` is not specified" },
		{ SVC("'clusterIP':'None','clusterIPs':['None','10.96.0.5']," PORT),
		  "spec.clusterIPs: Invalid value: []string{\"None\", \"10.96.0.5\"}: 'None' must be the first and only value" },
		{ SVC("'clusterIP':'10.96.0.5','clusterIPs':['10.96.0.5','10.96.0.6']," PORT),
		  "spec.clusterIPs: Invalid value: []string{\"10.96.0.5\", \"10.96.0.6\"}: may specify no more than one IP for each IP family" },
		{ SVC("'ipFamilies':['IPv6'],'clusterIP':'10.96.0.5'," PORT),
		  "spec.clusterIPs[0]: Invalid value: \"10.96.0.5\": expected an IPv6 value as indicated by `ipFamilies[0]`" },
		{ SVC("'ipFamilies':['IPv4','IPv4'],'ipFamilyPolicy':'Some'," PORT),
		  "spec.ipFamilies[1]: Duplicate value: \"IPv4\"\n"
		  "spec.ipFamilyPolicy: Unsupported value: \"Some\": supported values: \"PreferDualStack\", \"RequireDualStack\", \"SingleStack\"" },
	};

	EACH_CREATE(examples);
}

static void balancer_status(void **state)
{
	struct xb_tree *s = created(SVC("'type':'LoadBalancer'," PORT)), *plain = created(SVC(PORT));

	assert_string_equal(fault_of_status(s, "{'loadBalancer':{'ingress':[{'ip':'203.0.113.9','ipMode':'VIP'},{'hostname':'a.example'}]}}"), "");
	assert_string_equal(fault_of_status(s, "{'loadBalancer':{'ingress':[{'hostname':'1.2.3.4'}]}}"),
		"status.loadBalancer.ingress[0].hostname: Invalid value: \"1.2.3.4\": must be a DNS name, not an IP address");
	assert_string_equal(fault_of_status(plain, "{'loadBalancer':{'ingress':[{'ip':'203.0.113.9'}]}}"),
		"status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is \"LoadBalancer\"");
}

static void class_stays(void **state)
{
	struct xb_tree *s = created(SVC("'type':'LoadBalancer','loadBalancerClass':'a/b'," PORT));

	assert_string_equal(fault_of_update(s, "{'spec':{'loadBalancerClass':'a/c'}}"), "spec.loadBalancerClass: Invalid value: \"a/c\": may not change once set");
	updated(s, "{'spec':{'type':'ClusterIP'}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_specs, setup, teardown),
		cmocka_unit_test_setup_teardown(balancer_status, setup, teardown),
		cmocka_unit_test_setup_teardown(class_stays, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
