/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define POD(spec) "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'p','namespace':'n'},'spec':{" spec "}}"
#define C(rest) "{'name':'c','image':'i'" rest "}"

#define ONE(rest) POD("'containers':[" C(rest) "]")

static void names_and_images(void **state)
{
	static const struct example examples[] = {
		{ POD("'containers':[{'image':'i'}]"), "spec.containers[0].name: Required value" },
		{ POD("'containers':[{'name':'c'}]"), "spec.containers[0].image: Required value" },
		{ POD("'containers':[" C("") "," C("") "]"), "spec.containers[1].name: Duplicate value: \"c\"" },
		{ POD("'containers':[" C("") "],'initContainers':[" C("") "]"), "spec.initContainers[0].name: Duplicate value: \"c\"" },
		{ POD("'containers':[" C("") "],'initContainers':[{'name':'i','image':'i','livenessProbe':{'exec':{'command':['true']}}}]"),
		  "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always" },
		{ POD("'containers':[" C("") "],'initContainers':[{'name':'i','image':'i','restartPolicy':'Always','livenessProbe':{'exec':{'command':['true']}}}]"), "" },
		{ POD("'containers':[" C("") "],'initContainers':[{'name':'i','image':'i','restartPolicy':'Never'}]"),
		  "spec.initContainers[0].restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"" },
		{ ONE(",'restartPolicy':'Always'"), "spec.containers[0].restartPolicy: Forbidden: may not be set for non-init containers" },
		{ ONE(",'imagePullPolicy':'x','terminationMessagePolicy':'y'"),
		  "spec.containers[0].terminationMessagePolicy: Unsupported value: \"y\": supported values: \"File\", \"FallbackToLogsOnError\"\n"
		  "spec.containers[0].imagePullPolicy: Unsupported value: \"x\": supported values: \"Always\", \"IfNotPresent\", \"Never\"" },
	};

	EACH_CREATE(examples);
}

static void ports(void **state)
{
	static const struct example examples[] = {
		{ ONE(",'ports':[{'containerPort':70000}]"), "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive" },
		{ ONE(",'ports':[{'name':'p'}]"), "spec.containers[0].ports[0].containerPort: Required value" },
		{ ONE(",'ports':[{'containerPort':80,'protocol':'HTTP'}]"),
		  "spec.containers[0].ports[0].protocol: Unsupported value: \"HTTP\": supported values: \"SCTP\", \"TCP\", \"UDP\"" },
		{ ONE(",'ports':[{'name':'a','containerPort':80},{'name':'a','containerPort':81}]"), "spec.containers[0].ports[1].name: Duplicate value: \"a\"" },
		{ POD("'containers':[" C(",'ports':[{'containerPort':1,'hostPort':80}]") ",{'name':'d','image':'i','ports':[{'containerPort':2,'hostPort':80},{'containerPort':3,'hostPort':80,'protocol':'UDP'}]}]"),
		  "spec.containers[1].ports[0].hostPort: Duplicate value: \"TCP//80\"" },
	};

	EACH_CREATE(examples);
}

static void environment(void **state)
{
	static const struct example examples[] = {
		{ ONE(",'env':[{'value':'x'}]"), "spec.containers[0].env[0].name: Required value" },
		{ ONE(",'env':[{'name':'A','valueFrom':{}}]"),
		  "spec.containers[0].env[0].valueFrom: Invalid value: \"\": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`" },
		{ ONE(",'env':[{'name':'A','value':'x','valueFrom':{'fieldRef':{'fieldPath':'metadata.name'}}}]"),
		  "spec.containers[0].env[0].valueFrom: Invalid value: \"\": may not be specified when `value` is not empty" },
		{ ONE(",'env':[{'name':'A','valueFrom':{'configMapKeyRef':{'key':'k'}}}]"), "spec.containers[0].env[0].valueFrom.configMapKeyRef.name: Required value" },
		{ ONE(",'env':[{'name':'A','valueFrom':{'fieldRef':{'fieldPath':'spec.bogus'}}}]"),
		  "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: \"spec.bogus\": error converting fieldPath: field label not supported: spec.bogus" },
		{ ONE(",'env':[{'name':'A','valueFrom':{'fieldRef':{'fieldPath':'status.phase'}}}]"),
		  "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: \"status.phase\": supported values: \"metadata.name\", \"metadata.namespace\", \"metadata.uid\", \"spec.nodeName\", \"spec.serviceAccountName\", \"status.hostIP\", \"status.hostIPs\", \"status.podIP\", \"status.podIPs\"" },
		{ ONE(",'env':[{'name':'A','valueFrom':{'fieldRef':{'fieldPath':'metadata.labels[\\u0027a/b\\u0027]'}}}]"), "" },
		{ ONE(",'env':[{'name':'A','valueFrom':{'resourceFieldRef':{'resource':'limits.cpu','divisor':'2'}}}]"),
		  "spec.containers[0].env[0].valueFrom.resourceFieldRef.divisor: Invalid value: \"limits.cpu\": only divisor's values 1m and 1 are supported with the cpu resource" },
		{ ONE(",'envFrom':[{'prefix':'A_'}]"), "spec.containers[0].envFrom: Invalid value: \"\": must specify one of: `configMapRef` or `secretRef`" },
		{ ONE(",'envFrom':[{'secretRef':{}}]"), "spec.containers[0].envFrom[0].secretRef.name: Required value" },
	};

	EACH_CREATE(examples);
}

#define MOUNTED(rest) POD("'volumes':[{'name':'v'}],'containers':[" C(",'volumeMounts':[" rest "]") "]")

static void mounts(void **state)
{
	static const struct example examples[] = {
		{ ONE(",'volumeMounts':[{'name':'v','mountPath':'/v'}]"), "spec.containers[0].volumeMounts[0].name: Not found: \"v\"" },
		{ MOUNTED("{'name':'v','mountPath':'/v'},{'name':'v','mountPath':'/v'}"),
		  "spec.containers[0].volumeMounts[1].mountPath: Invalid value: \"/v\": must be unique" },
		{ MOUNTED("{'name':'v'}"), "spec.containers[0].volumeMounts[0].mountPath: Required value" },
		{ MOUNTED("{'name':'v','mountPath':'/v','subPath':'/a/../b'}"),
		  "spec.containers[0].volumeMounts.subPath: Invalid value: \"/a/../b\": must be a relative path\n"
		  "spec.containers[0].volumeMounts.subPath: Invalid value: \"/a/../b\": must not contain '..'" },
		{ MOUNTED("{'name':'v','mountPath':'/v','mountPropagation':'Bidirectional'}"),
		  "spec.containers[0].volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers" },
	};

	EACH_CREATE(examples);
}

static void resources(void **state)
{
	static const struct example examples[] = {
		{ ONE(",'resources':{'requests':{'cpu':'2'},'limits':{'cpu':'1'}}"),
		  "spec.containers[0].resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit of 1" },
		{ ONE(",'resources':{'limits':{'memory':'-1'}}"),
		  "spec.containers[0].resources.limits[memory]: Invalid value: \"-1\": must be greater than or equal to 0\n"
		  "spec.containers[0].resources.requests[memory]: Invalid value: \"-1\": must be greater than or equal to 0" },
		{ ONE(",'resources':{'requests':{'x.y/z':'1'},'limits':{'x.y/z':'2'}}"),
		  "spec.containers[0].resources.requests: Invalid value: \"1\": must be equal to x.y/z limit of 2" },
		{ ONE(",'resources':{'requests':{'x.y/z':'1'}}"), "spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources" },
		{ ONE(",'resources':{'limits':{'x.y/z':'500m'}}"),
		  "spec.containers[0].resources.limits[x.y/z]: Invalid value: \"500m\": must be an integer\n"
		  "spec.containers[0].resources.requests[x.y/z]: Invalid value: \"500m\": must be an integer" },
		{ ONE(",'resources':{'limits':{'hugepages-2Mi':'2Mi'}}"), "spec.containers[0].resources: Forbidden: HugePages require cpu or memory" },
		{ ONE(",'resources':{'limits':{'cpus':'1'},'requests':{'cpus':'1'}}"),
		  "spec.containers[0].resources.limits[cpus]: Invalid value: \"cpus\": must be a standard resource for containers\n"
		  "spec.containers[0].resources.requests[cpus]: Invalid value: \"cpus\": must be a standard resource for containers" },
	};

	EACH_CREATE(examples);
}

static void handlers(void **state)
{
	static const struct example examples[] = {
		{ ONE(",'livenessProbe':{}"), "spec.containers[0].livenessProbe: Required value: must specify a handler type" },
		{ ONE(",'livenessProbe':{'exec':{}}"), "spec.containers[0].livenessProbe.exec.command: Required value" },
		{ ONE(",'readinessProbe':{'exec':{'command':['a']},'tcpSocket':{'port':1}}"),
		  "spec.containers[0].readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type" },
		{ ONE(",'startupProbe':{'successThreshold':2,'periodSeconds':-1,'httpGet':{'port':0,'scheme':'FTP'}}"),
		  "spec.containers[0].startupProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive\n"
		  "spec.containers[0].startupProbe.httpGet.scheme: Unsupported value: \"FTP\": supported values: \"HTTP\", \"HTTPS\"\n"
		  "spec.containers[0].startupProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0\n"
		  "spec.containers[0].startupProbe.successThreshold: Invalid value: 2: must be 1" },
		{ ONE(",'readinessProbe':{'terminationGracePeriodSeconds':5,'grpc':{'port':5}}"),
		  "spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes" },
		{ ONE(",'lifecycle':{'preStop':{'sleep':{'seconds':31}}}"),
		  "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)" },
	};

	EACH_CREATE(examples);
}

static void security(void **state)
{
	static const struct example examples[] = {
		{ ONE(",'securityContext':{'privileged':true}"), "spec.containers[0].securityContext.privileged: Forbidden: disallowed by cluster policy" },
		{ ONE(",'securityContext':{'runAsGroup':-5,'procMount':'x'}"),
		  "spec.containers[0].securityContext.runAsGroup: Invalid value: -5: must be between 0 and 2147483647, inclusive\n"
		  "spec.containers[0].securityContext.procMount: Unsupported value: \"x\": supported values: \"Default\", \"Unmasked\"" },
		{ ONE(",'securityContext':{'allowPrivilegeEscalation':false,'capabilities':{'add':['NET_ADMIN']}}"), "" },
	};

	EACH_CREATE(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names_and_images, setup, teardown),
		cmocka_unit_test_setup_teardown(ports, setup, teardown),
		cmocka_unit_test_setup_teardown(environment, setup, teardown),
		cmocka_unit_test_setup_teardown(mounts, setup, teardown),
		cmocka_unit_test_setup_teardown(resources, setup, teardown),
		cmocka_unit_test_setup_teardown(handlers, setup, teardown),
		cmocka_unit_test_setup_teardown(security, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
