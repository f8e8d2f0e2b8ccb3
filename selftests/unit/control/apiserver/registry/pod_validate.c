/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define POD(spec) "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'p','namespace':'n'},'spec':{" spec "}}"
#define C(rest) "{'name':'c','image':'i'" rest "}"

#define CS "'containers':[" C("") "]"

static void bad_specs(void **state)
{
	static const struct example examples[] = {
		{ POD(""), "spec.containers: Required value" },
		{ POD("'restartPolicy':'Sometimes'," CS), "spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"OnFailure\", \"Never\"" },
		{ POD("'dnsPolicy':'X'," CS),
		  "spec.dnsPolicy: Unsupported value: \"X\": supported values: \"ClusterFirstWithHostNet\", \"ClusterFirst\", \"Default\", \"None\"" },
		{ POD("'dnsPolicy':'None'," CS), "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None" },
		{ POD("'dnsPolicy':'None','dnsConfig':{'searches':['a.b.']}," CS),
		  "spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None" },
		{ POD("'dnsConfig':{'nameservers':['1.1.1.1','2.2.2.2','3.3.3.3','4.4.4.4'],'options':[{'value':'x'}]}," CS),
		  "spec.dnsConfig.nameservers: Invalid value: []string{\"1.1.1.1\", \"2.2.2.2\", \"3.3.3.3\", \"4.4.4.4\"}: must not have more than 3 nameservers\n"
		  "spec.dnsConfig.options[0]: Required value: must not be empty" },
		{ POD("'nodeSelector':{'-a':'b'}," CS),
		  "spec.nodeSelector: Invalid value: \"-a\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')" },
		{ POD("'securityContext':{'runAsUser':-1,'supplementalGroups':[4294967296],'fsGroupChangePolicy':'x','seccompProfile':{'type':'Localhost'}}," CS),
		  "spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive\n"
		  "spec.securityContext.supplementalGroups[0]: Invalid value: 4294967296: must be between 0 and 2147483647, inclusive\n"
		  "spec.securityContext.fsGroupChangePolicy: Unsupported value: \"x\": supported values: \"OnRootMismatch\", \"Always\"\n"
		  "spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost" },
		{ POD("'hostPID':true,'shareProcessNamespace':true," CS),
		  "spec.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled" },
		{ POD("'activeDeadlineSeconds':0," CS), "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive" },
		{ POD("'hostAliases':[{'ip':'x','hostnames':['a']}]," CS),
		  "spec.hostAliases[0].ip: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)" },
		{ POD("'preemptionPolicy':'x','os':{'name':'plan9'}," CS),
		  "spec.preemptionPolicy: Unsupported value: \"x\": supported values: \"Never\", \"PreemptLowerPriority\"\n"
		  "spec.os.name: Unsupported value: \"plan9\": supported values: \"linux\", \"windows\"" },
		{ POD("'hostNetwork':true,'containers':[" C(",'ports':[{'containerPort':80,'hostPort':81}]") "]"),
		  "spec.containers[0].ports[0].containerPort: Invalid value: 80: must match `hostPort` when `hostNetwork` is true" },
		{ POD("'activeDeadlineSeconds':5,'hostname':'h','subdomain':'s','hostAliases':[{'ip':'::1','hostnames':['a.b']}],'tolerations':[{'operator':'Exists'}]," CS), "" },
	};

	EACH_CREATE(examples);
}

#define NO_OTHER "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`," \
	"`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations)," \
	"`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"

static void what_updates_may_change(void **state)
{
	static const struct { const char *patch, *comes_to; } examples[] = {
		{ "{'metadata':{'labels':{'a':'b'}}}", "" },
		{ "{'spec':{'containers':[{'name':'c','image':'j','imagePullPolicy':'Always'}]}}", "" },
		{ "{'spec':{'containers':[{'name':'d','image':'i','imagePullPolicy':'Always'}]}}", NO_OTHER },
		{ "{'spec':{'containers':[{'name':'c','image':'i'},{'name':'d','image':'i'}]}}", "spec.containers: Forbidden: pod updates may not add or remove containers" },
		{ "{'spec':{'nodeName':'n2'}}", NO_OTHER },
		{ "{'spec':{'activeDeadlineSeconds':50}}", "" },
		{ "{'spec':{'activeDeadlineSeconds':200}}", "spec.activeDeadlineSeconds: Invalid value: 200: must be less than or equal to previous value" },
		{ "{'spec':{'activeDeadlineSeconds':null}}", "spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value" },
		{ "{'spec':{'tolerations':[{'key':'b','operator':'Exists'},{'key':'a','operator':'Exists','effect':'NoExecute','tolerationSeconds':9}]}}", "" },
		{ "{'spec':{'tolerations':[]}}", "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds" },
		{ "{'spec':{'schedulingGates':[{'name':'new/gate'}]}}",
		  "spec.schedulingGates[0]: Forbidden: only deletion is allowed, but found new scheduling gate 'new/gate'" },
	};
	struct xb_tree *pod = created(POD("'activeDeadlineSeconds':100,'tolerations':[{'key':'a','operator':'Exists','effect':'NoExecute'}]," CS));

	for (size_t i = 0; i < ARRAY_SIZE(examples); i++)
		assert_string_equal(fault_of_update(pod, examples[i].patch), examples[i].comes_to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_specs, setup, teardown),
		cmocka_unit_test_setup_teardown(what_updates_may_change, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
