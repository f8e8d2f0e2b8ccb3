/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define OBJECT(spec) "{'apiVersion':'autoscaling/v2','kind':'HorizontalPodAutoscaler','metadata':{'name':'h','namespace':'n'},'spec':{'scaleTargetRef':{'kind':'Deployment','name':'d'}," spec "}}"
#define CPU(target) "'metrics':[{'type':'Resource','resource':{'name':'cpu','target':{" target "}}}]"

static void defaults(void **state)
{
	struct xb_tree *h = created(OBJECT("'maxReplicas':3,'behavior':{'scaleUp':{'stabilizationWindowSeconds':7}}")), *spec = xb_tree_get(h, "spec");

	assert_string_equal(text_of(xb_tree_get(spec, "minReplicas")), "1");
	assert_string_equal(text_of(xb_tree_get(spec, "metrics")), "[{'resource':{'name':'cpu','target':{'averageUtilization':80,'type':'Utilization'}},'type':'Resource'}]");
	assert_string_equal(text_of(xb_tree_path(spec, "behavior", "scaleUp", "stabilizationWindowSeconds")), "7");
	assert_string_equal(text_of(xb_tree_path(spec, "behavior", "scaleDown")), "{'policies':[{'periodSeconds':15,'type':'Percent','value':100}],'selectPolicy':'Max'}");
}

static void bad_specs(void **state)
{
	static const struct example examples[] = {
		{ OBJECT("'maxReplicas':0"),
		  "spec.maxReplicas: Invalid value: 0: must be greater than 0\n"
		  "spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`" },
		{ OBJECT("'minReplicas':0,'maxReplicas':1"),
		  "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1" },
		{ OBJECT("'maxReplicas':1," CPU("'type':'Utilization'")),
		  "spec.metrics[0].resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization" },
		{ OBJECT("'maxReplicas':1," CPU("'type':'Odd','averageUtilization':0,'averageValue':'-1'")),
		  "spec.metrics[0].resource.target.type: Invalid value: \"Odd\": must be either Utilization, Value, or AverageValue\n"
		  "spec.metrics[0].resource.target.averageValue: Invalid value: \"-1\": must be positive\n"
		  "spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0\n"
		  "spec.metrics[0].resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization" },
		{ OBJECT("'maxReplicas':1,'metrics':[{'type':'Moon'},{'type':'Pods','resource':{'name':'cpu','target':{'type':'Value'}}}]"),
		  "spec.metrics[0].type: Unsupported value: \"Moon\": supported values: \"ContainerResource\", \"External\", \"Object\", \"Pods\", \"Resource\"\n"
		  "spec.metrics[1].pods: Required value: must populate information for the given metric source\n"
		  "spec.metrics[1].resource: Forbidden: must populate the given metric source only" },
		{ OBJECT("'maxReplicas':1,'behavior':{'scaleDown':{'selectPolicy':'Any','stabilizationWindowSeconds':3601,'policies':[{'type':'Cups','value':0,'periodSeconds':1801}]}}"),
		  "spec.behavior.scaleDown.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600\n"
		  "spec.behavior.scaleDown.selectPolicy: Unsupported value: \"Any\": supported values: \"Disabled\", \"Max\", \"Min\"\n"
		  "spec.behavior.scaleDown.policies[0].type: Unsupported value: \"Cups\": supported values: \"Percent\", \"Pods\"\n"
		  "spec.behavior.scaleDown.policies[0].value: Invalid value: 0: must be greater than zero\n"
		  "spec.behavior.scaleDown.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800" },
		{ "{'apiVersion':'autoscaling/v2','kind':'HorizontalPodAutoscaler','metadata':{'name':'h','namespace':'n'},'spec':{'maxReplicas':2,'scaleTargetRef':{'kind':'a/b'}}}",
		  "spec.scaleTargetRef.kind: Invalid value: \"a/b\": may not contain '/'\n"
		  "spec.scaleTargetRef.name: Required value" },
	};

	EACH_CREATE(examples);
}

static void rows(void **state)
{
	static const struct example examples[] = {
		{ "{'apiVersion':'autoscaling/v2','kind':'HorizontalPodAutoscaler','metadata':{'name':'h'},'spec':{'scaleTargetRef':{'kind':'Deployment','name':'d'},'minReplicas':2,'maxReplicas':5,"
		  "'metrics':[{'type':'Resource','resource':{'name':'cpu','target':{'averageUtilization':80}}},{'type':'Pods','pods':{'target':{'averageValue':'5'}}},{'type':'Pods'}]},"
		  "'status':{'currentReplicas':3,'currentMetrics':[{'type':'Resource','resource':{'current':{'averageUtilization':40}}}]}}",
		  "['h','Deployment/d','cpu: 40%/80%, <unknown>/5 (avg) + 1 more...','2',5,3,'<unknown>']" },
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
