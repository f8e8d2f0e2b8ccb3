/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define ING(spec) "{'apiVersion':'networking.k8s.io/v1','kind':'Ingress','metadata':{'name':'i','namespace':'n'},'spec':{" spec "}}"
#define BACKEND(b) ING("'defaultBackend':{" b "}")
#define PATH(p) ING("'rules':[{'http':{'paths':[{" p ",'backend':{'service':{'name':'s','port':{'number':80}}}}]}}]")
#define HOST(h) ING("'rules':[{'host':'" h "'}]")
#define SUBDOMAIN "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"

static void bad_inputs_are_refused(void **state)
{
	static const struct example examples[] = {
		{ ING(""),
		  "spec: Invalid value: []networking.IngressRule(nil): either `defaultBackend` or `rules` must be specified" },
		{ BACKEND(""),
		  "spec.defaultBackend: Invalid value: \"\": resource or service backend is required" },
		{ BACKEND("'service':{'name':'s'}"),
		  "spec.defaultBackend: Required value: port name or number is required" },
		{ BACKEND("'service':{'name':'s','port':{'name':'a','number':1}}"),
		  "spec.defaultBackend: Invalid value: \"\": cannot set both port name & port number" },
		{ BACKEND("'service':{'port':{'number':70000}}"),
		  "spec.defaultBackend.service.name: Required value\n"
		  "spec.defaultBackend.service.port.number: Invalid value: 70000: must be between 1 and 65535, inclusive" },
		{ BACKEND("'service':{'name':'s','port':{'number':1}},'resource':{'kind':'K','name':'n'}"),
		  "spec.defaultBackend: Invalid value: \"\": cannot set both resource and service backends" },
		{ BACKEND("'resource':{'kind':'a/b','name':''}"),
		  "spec.defaultBackend.resource.kind: Invalid value: \"a/b\": may not contain '/'\n"
		  "spec.defaultBackend.resource.name: Required value: name is required" },
		{ PATH("'path':'/'"),
		  "spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified" },
		{ PATH("'path':'x','pathType':'Prefix'"),
		  "spec.rules[0].http.paths[0].path: Invalid value: \"x\": must be an absolute path" },
		{ PATH("'path':'/a//b/..','pathType':'Exact'"),
		  "spec.rules[0].http.paths[0].path: Invalid value: \"/a//b/..\": must not contain '//'\n"
		  "spec.rules[0].http.paths[0].path: Invalid value: \"/a//b/..\": cannot end with '/..'" },
		{ PATH("'path':'/','pathType':'Regex'"),
		  "spec.rules[0].http.paths[0].pathType: Unsupported value: \"Regex\": supported values: \"Exact\", \"ImplementationSpecific\", \"Prefix\"" },
		{ PATH("'pathType':'ImplementationSpecific'"),
		  "" },
		{ HOST("10.0.0.1"),
		  "spec.rules[0].host: Invalid value: \"10.0.0.1\": must be a DNS name, not an IP address" },
		{ HOST("*.example.com"),
		  "" },
		{ HOST("Foo"),
		  "spec.rules[0].host: Invalid value: \"Foo\": " SUBDOMAIN },
		{ ING("'rules':[{'http':{}}]"),
		  "spec.rules[0].http.paths: Required value" },
		{ ING("'rules':[{}],'tls':[{'hosts':['a_b'],'secretName':''}]"),
		  "spec.tls[0].hosts[0]: Invalid value: \"a_b\": " SUBDOMAIN },
	};

	EACH_CREATE(examples);
}

static void wildcards_stand_at_the_front(void **state)
{
	const char *fault = fault_of(HOST("a.*.b"));

	assert_non_null(strstr(fault, "spec.rules[0].host: Invalid value: \"a.*.b\": a wildcard DNS-1123 subdomain must start with '*.'"));
}

static void class_and_annotation_exclude_each_other(void **state)
{
	assert_string_equal(fault_of("{'apiVersion':'networking.k8s.io/v1','kind':'Ingress','metadata':{'name':'i','namespace':'n','annotations':"
				     "{'kubernetes.io/ingress.class':'a'}},'spec':{'ingressClassName':'b','rules':[{}]}}"),
			    "annotations.kubernetes.io/ingress.class: Invalid value: \"a\": can not be set when the class field is also set");
}

static void status_addresses(void **state)
{
	struct xb_tree *i = created(HOST("a"));

	assert_string_equal(text_of(xb_tree_get(i, "status")), "{'loadBalancer':{}}");
	assert_string_equal(fault_of_status(i, "{'loadBalancer':{'ingress':[{'ip':'10.0.0.1'},{'hostname':'a.b'}]}}"), "");
	assert_string_equal(fault_of_status(i, "{'loadBalancer':{'ingress':[{'hostname':'10.0.0.1'}]}}"),
			    "status.loadBalancer.ingress[0].hostname: Invalid value: \"10.0.0.1\": must be a DNS name, not an IP address");
}

static void tables(void **state)
{
	static const struct example examples[] = {
		{ HOST("a.example"),
		  "['i','<none>','a.example','','80','<unknown>']" },
		{ ING("'ingressClassName':'c','tls':[{}],'rules':[{'host':'a'},{'host':'b'},{'host':'c'},{'host':'d'}]"),
		  "['i','c','a,b,c + 1 more...','','80, 443','<unknown>']" },
		{ ING("'rules':[{}]},'status':{'loadBalancer':{'ingress':[{'ip':'1.2.3.4'},{'hostname':'h'}]}"),
		  "['i','<none>','*','1.2.3.4,h','80','<unknown>']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_inputs_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(wildcards_stand_at_the_front, setup, teardown),
		cmocka_unit_test_setup_teardown(class_and_annotation_exclude_each_other, setup, teardown),
		cmocka_unit_test_setup_teardown(status_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(tables, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
