/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define POD(spec) "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'p','namespace':'n'},'spec':{" spec ",'containers':[{'name':'c','image':'i'}]}}"
#define REQUIRED "requiredDuringSchedulingIgnoredDuringExecution"
#define PREFERRED "preferredDuringSchedulingIgnoredDuringExecution"

static void affinity(void **state)
{
	static const struct example examples[] = {
		{ POD("'affinity':{'nodeAffinity':{'" REQUIRED "':{}}}"),
		  "spec.affinity.nodeAffinity." REQUIRED ".nodeSelectorTerms: Required value: must have at least one node selector term" },
		{ POD("'affinity':{'nodeAffinity':{'" REQUIRED "':{'nodeSelectorTerms':[{'matchExpressions':[{'key':'a','operator':'Gt','values':['1','2']},{'key':'b','operator':'In'},{'key':'c','operator':'Is'}]}]}}}"),
		  "spec.affinity.nodeAffinity." REQUIRED ".nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified single value when `operator` is 'Lt' or 'Gt'\n"
		  "spec.affinity.nodeAffinity." REQUIRED ".nodeSelectorTerms[0].matchExpressions[1].values: Required value: must be specified when `operator` is 'In' or 'NotIn'\n"
		  "spec.affinity.nodeAffinity." REQUIRED ".nodeSelectorTerms[0].matchExpressions[2].operator: Invalid value: \"Is\": not a valid selector operator" },
		{ POD("'affinity':{'podAffinity':{'" PREFERRED "':[{'weight':101,'podAffinityTerm':{}}]}}"),
		  "spec.affinity.podAffinity." PREFERRED "[0].weight: Invalid value: 101: must be in the range 1-100\n"
		  "spec.affinity.podAffinity." PREFERRED "[0].podAffinityTerm.topologyKey: Required value: can not be empty" },
		{ POD("'affinity':{'podAntiAffinity':{'" REQUIRED "':[{'topologyKey':'z','labelSelector':{'matchExpressions':[{'key':'a','operator':'Exists','values':['x']}]}}]}}"),
		  "spec.affinity.podAntiAffinity." REQUIRED "[0].labelSelector.matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'" },
	};

	EACH_CREATE(examples);
}

static void tolerations(void **state)
{
	static const struct example examples[] = {
		{ POD("'tolerations':[{'value':'x'}]"),
		  "spec.tolerations[0].operator: Invalid value: \"\": operator must be Exists when `key` is empty, which means \"match all values and all keys\"" },
		{ POD("'tolerations':[{'key':'a','operator':'Exists','tolerationSeconds':5}]"),
		  "spec.tolerations[0].effect: Invalid value: \"\": effect must be 'NoExecute' when `tolerationSeconds` is set" },
		{ POD("'tolerations':[{'key':'a','operator':'Is','effect':'x'}]"),
		  "spec.tolerations[0].operator: Unsupported value: \"Is\": supported values: \"Equal\", \"Exists\"\n"
		  "spec.tolerations[0].effect: Unsupported value: \"x\": supported values: \"NoSchedule\", \"PreferNoSchedule\", \"NoExecute\"" },
		{ POD("'tolerations':[{'key':'a','value':'b','effect':'NoSchedule'},{'operator':'Exists'}]"), "" },
	};

	EACH_CREATE(examples);
}

static void spreading(void **state)
{
	static const struct example examples[] = {
		{ POD("'topologySpreadConstraints':[{'maxSkew':0,'topologyKey':'','whenUnsatisfiable':'x'}]"),
		  "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero\n"
		  "spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty\n"
		  "spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: \"x\": supported values: \"DoNotSchedule\", \"ScheduleAnyway\"" },
		{ POD("'topologySpreadConstraints':[{'maxSkew':1,'topologyKey':'z','whenUnsatisfiable':'ScheduleAnyway','minDomains':2,'nodeTaintsPolicy':'x'}]"),
		  "spec.topologySpreadConstraints[0].minDomains: Invalid value: 2: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway\n"
		  "spec.topologySpreadConstraints[0].nodeTaintsPolicy: Unsupported value: \"x\": supported values: \"Honor\", \"Ignore\"" },
		{ POD("'topologySpreadConstraints':[{'maxSkew':1,'topologyKey':'z','whenUnsatisfiable':'DoNotSchedule'},{'maxSkew':2,'topologyKey':'z','whenUnsatisfiable':'DoNotSchedule'}]"),
		  "spec.topologySpreadConstraints[1].{topologyKey, whenUnsatisfiable}: Duplicate value: \"{z, DoNotSchedule}\"" },
	};

	EACH_CREATE(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(affinity, setup, teardown),
		cmocka_unit_test_setup_teardown(tolerations, setup, teardown),
		cmocka_unit_test_setup_teardown(spreading, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
