/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Containers' variables, with the API's objects played by a table. */
#include "fixture.h"

/* "a2V5" is "key", "b25l" "one", "dHdv" "two", "AP8=" two bytes that are no text */
static const char objects[] =
	"{'configmaps':{'shop/settings':{'data':{'COLOR':'blue','with.dot':'1','uni':'\\u00e9\\n'},'binaryData':{'BIN':'AA=='}},"
	"'shop/other':{'data':{'COLOR':'red'}},'shop/empty':{}},"
	"'secrets':{'shop/login':{'data':{'user':'b25l','pass':'dHdv'}},'shop/raw':{'data':{'k':'AP8='}},'shop/zero':{'data':{'k':'AA=='}}},"
	"'services':[{'metadata':{'name':'my-db','namespace':'shop'},'spec':{'clusterIP':'10.96.0.7','ports':["
	"{'name':'sql','port':5432,'protocol':'TCP'},{'name':'dns-u','port':53,'protocol':'UDP'}]}},"
	"{'metadata':{'name':'six','namespace':'shop'},'spec':{'clusterIP':'fd00::7','ports':[{'port':80}]}},"
	"{'metadata':{'name':'headless','namespace':'shop'},'spec':{'clusterIP':'None','ports':[{'port':80}]}},"
	"{'metadata':{'name':'elsewhere','namespace':'shop'},'spec':{'type':'ExternalName','externalName':'x'}},"
	"{'metadata':{'name':'kubernetes','namespace':'default'},'spec':{'clusterIP':'10.96.0.1','ports':[{'name':'https','port':443,'protocol':'TCP'}]}}]}";
static struct xb_json *world;
static bool services_known = true;

int objects_get(const struct objects *o, enum objects_kind kind, const char *namespace_, const char *name, struct xb_jv *ret,
		const char **ret_why)
{
	struct xb_jv of = xb_jv_get(xb_json_root(world), kind == OBJECTS_SECRET ? "secrets" : "configmaps");
	char key[200];

	if (!strcmp(name, "later"))
		return -EAGAIN;
	if (!strcmp(name, "closed")) {
		*ret_why = "secrets \"closed\" is forbidden: no relationship found between node 'node-1' and this object";
		return -EACCES;
	}
	snprintf(key, sizeof(key), "%s/%s", namespace_, name);
	of = xb_jv_get(of, key);
	if (!xb_jv_is(of))
		return -ENOENT;
	*ret = of;
	return 0;
}

bool objects_services_known(const struct objects *o)
{
	return services_known;
}

void objects_each_service(const struct objects *o, const char *namespace_, void (*each)(void *arg, struct xb_jv service), void *arg)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(xb_json_root(world), "services")); xb_jit_next(&it);)
		each(arg, it.value);
}

#define NOLINKS "'enableServiceLinks':false,"
#define NONE NOLINKS "'unlinked':true,"         /* with the kubernetes Service left out of what is compared */
#define ENV(list) ",'env':[" list "]"
#define REF(name, from, more) "{'name':'" name "','valueFrom':{'" from "':{" more "}}}"
#define KUBERNETES \
	"KUBERNETES_SERVICE_HOST=10.96.0.1 KUBERNETES_SERVICE_PORT=443 KUBERNETES_SERVICE_PORT_HTTPS=443 " \
	"KUBERNETES_PORT=tcp://10.96.0.1:443 KUBERNETES_PORT_443_TCP=tcp://10.96.0.1:443 KUBERNETES_PORT_443_TCP_PROTO=tcp " \
	"KUBERNETES_PORT_443_TCP_PORT=443 KUBERNETES_PORT_443_TCP_ADDR=10.96.0.1"

static const struct {
	const char *what, *pod, *env;   /* after a '!': the fault */
} cases[] = {
	{ "nothing but the API server", POD(NOLINKS, ""), KUBERNETES },
	{ "services of its namespace", POD("'enableServiceLinks':true,", ""),
	  "MY_DB_SERVICE_HOST=10.96.0.7 MY_DB_SERVICE_PORT=5432 MY_DB_SERVICE_PORT_SQL=5432 MY_DB_SERVICE_PORT_DNS_U=53 "
	  "MY_DB_PORT=tcp://10.96.0.7:5432 MY_DB_PORT_5432_TCP=tcp://10.96.0.7:5432 MY_DB_PORT_5432_TCP_PROTO=tcp "
	  "MY_DB_PORT_5432_TCP_PORT=5432 MY_DB_PORT_5432_TCP_ADDR=10.96.0.7 MY_DB_PORT_53_UDP=udp://10.96.0.7:53 "
	  "MY_DB_PORT_53_UDP_PROTO=udp MY_DB_PORT_53_UDP_PORT=53 MY_DB_PORT_53_UDP_ADDR=10.96.0.7 "
	  "SIX_SERVICE_HOST=fd00::7 SIX_SERVICE_PORT=80 SIX_PORT=tcp://[fd00::7]:80 SIX_PORT_80_TCP=tcp://[fd00::7]:80 "
	  "SIX_PORT_80_TCP_PROTO=tcp SIX_PORT_80_TCP_PORT=80 SIX_PORT_80_TCP_ADDR=fd00::7 " KUBERNETES },
	{ "one's own variable goes before a service's", POD(NOLINKS, ENV("{'name':'KUBERNETES_SERVICE_HOST','value':'x'},{'name':'P','value':'$(KUBERNETES_PORT)'}")),
	  "KUBERNETES_SERVICE_HOST=x P=tcp://10.96.0.1:443 KUBERNETES_SERVICE_PORT=443 KUBERNETES_SERVICE_PORT_HTTPS=443 "
	  "KUBERNETES_PORT=tcp://10.96.0.1:443 KUBERNETES_PORT_443_TCP=tcp://10.96.0.1:443 KUBERNETES_PORT_443_TCP_PROTO=tcp "
	  "KUBERNETES_PORT_443_TCP_PORT=443 KUBERNETES_PORT_443_TCP_ADDR=10.96.0.1" },

	/* values */
	{ "in order, and expanded from what is before", POD(NONE, ENV("{'name':'A','value':'1'},{'name':'B','value':'$(A)$(C)$$(A)'},{'name':'C','value':'3'}")),
	  "A=1 B=1$(C)$(A) C=3" },
	{ "the last of a name counts, at the place of the first", POD(NONE, ENV("{'name':'A','value':'1'},{'name':'B','value':'2'},{'name':'A','value':'$(A)3'}")), "A=13 B=2" },
	{ "empty, null and no value", POD(NONE, ENV("{'name':'A','value':''},{'name':'B'},{'name':'C','value':null}")), "A= B= C=" },
	{ "escapes", POD(NONE, ENV("{'name':'A','value':'\\u00e9\\t'}")), "A=\xc3\xa9\t" },
	{ "fields", POD(NONE "'nodeName':'node-1',", ENV(REF("N", "fieldRef", "'fieldPath':'metadata.name'") "," REF("H", "fieldRef", "'fieldPath':'spec.nodeName'") ","
		REF("I", "fieldRef", "'apiVersion':'v1','fieldPath':'status.podIP'"))), "N=web H=node-1 I=10.244.1.7" },
	{ "a field that is none", POD(NONE, ENV(REF("N", "fieldRef", "'fieldPath':'status.x'"))), "!unsupported fieldPath: status.x" },
	{ "resources of itself", POD(NONE, ",'resources':{'limits':{'cpu':'2'}}" ENV(REF("C", "resourceFieldRef", "'resource':'limits.cpu'"))), "C=2" },
	{ "resources of nobody", POD(NONE, ENV(REF("C", "resourceFieldRef", "'resource':'limits.cpu','containerName':'z'"))), "!container z not found" },

	/* keys */
	{ "keys", POD(NONE, ENV(REF("A", "configMapKeyRef", "'name':'settings','key':'COLOR'") "," REF("B", "secretKeyRef", "'name':'login','key':'pass'"))),
	  "A=blue B=two" },
	{ "a key's value is not expanded; a value that names it is", POD(NONE, ENV(REF("A", "secretKeyRef", "'name':'login','key':'user'") ",{'name':'B','value':'$(A)!'}")), "A=one B=one!" },
	{ "no ConfigMap", POD(NONE, ENV(REF("A", "configMapKeyRef", "'name':'x','key':'k'"))), "!configmap \"x\" not found" },
	{ "no Secret", POD(NONE, ENV(REF("A", "secretKeyRef", "'name':'x','key':'k'"))), "!secret \"x\" not found" },
	{ "no key", POD(NONE, ENV(REF("A", "configMapKeyRef", "'name':'settings','key':'k'"))), "!couldn't find key k in ConfigMap shop/settings" },
	{ "no key of a Secret", POD(NONE, ENV(REF("A", "secretKeyRef", "'name':'login','key':'k'"))), "!couldn't find key k in Secret shop/login" },
	{ "no data at all", POD(NONE, ENV(REF("A", "configMapKeyRef", "'name':'empty','key':'k'"))), "!couldn't find key k in ConfigMap shop/empty" },
	{ "optional: left out", POD(NONE, ENV(REF("A", "configMapKeyRef", "'name':'x','key':'k','optional':true") "," REF("B", "secretKeyRef", "'name':'login','key':'k','optional':true")
		",{'name':'C','value':'$(A)'}")), "C=$(A)" },
	{ "the server refuses", POD(NONE, ENV(REF("A", "secretKeyRef", "'name':'closed','key':'k','optional':true"))),
	  "!secrets \"closed\" is forbidden: no relationship found between node 'node-1' and this object" },
	{ "bytes that are no text", POD(NONE, ENV(REF("A", "secretKeyRef", "'name':'raw','key':'k'"))), "!key k in Secret shop/raw is not text, so it cannot be an environment variable" },
	{ "a zero byte", POD(NONE, ENV(REF("A", "secretKeyRef", "'name':'zero','key':'k'"))), "!key k in Secret shop/zero is not text, so it cannot be an environment variable" },

	/* envFrom */
	{ "all of a ConfigMap", POD(NONE, ",'envFrom':[{'configMapRef':{'name':'settings'}}]"), "COLOR=blue with.dot=1 uni=\xc3\xa9\n" },
	{ "a prefix, and more than one", POD(NONE, ",'envFrom':[{'prefix':'L_','secretRef':{'name':'login'}},{'configMapRef':{'name':'settings'}},{'configMapRef':{'name':'other'}}]"),
	  "L_user=one L_pass=two COLOR=red with.dot=1 uni=\xc3\xa9\n" },
	{ "env goes before envFrom", POD(NONE, ",'envFrom':[{'configMapRef':{'name':'other'}}]" ENV("{'name':'COLOR','value':'not $(COLOR)'}")), "COLOR=not red" },
	{ "envFrom of nothing", POD(NONE, ",'envFrom':[{'configMapRef':{'name':'x'}}]"), "!configmap \"x\" not found" },
	{ "envFrom of no Secret", POD(NONE, ",'envFrom':[{'secretRef':{'name':'x'}}]"), "!secret \"x\" not found" },
	{ "optional envFrom", POD(NONE, ",'envFrom':[{'configMapRef':{'name':'x','optional':true}},{'secretRef':{'name':'x','optional':true}}]" ENV("{'name':'A','value':'1'}")), "A=1" },
};

/* NONE marks a case that is about the container's own: what the Service kubernetes adds at the end is taken off. */
static void drop_services(const struct given *g, struct xb_buf *text)
{
	char *at = xb_jv_true(xb_jv_path(g->in.pod, "spec", "unlinked")) && text->p ? strstr(text->p, "KUBERNETES_SERVICE_HOST") : NULL;

	if (!at)
		return;
	text->n = at - text->p;
	while (text->n && text->p[text->n - 1] == ' ')
		text->n--;
	text->p[text->n] = '\0';
}

static void test_cases(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_given_ struct given g = given(cases[i].pod);
		_cleanup_buf_ struct xb_buf text = {};
		_cleanup_free_ char *why = NULL;
		Runtime__V1__KeyValue **env = NULL;
		size_t n = 0;
		bool fault = *cases[i].env == '!';
		int r = spec_env(&g.in, g.arena, &env, &n, &why);
		const char *got;

		add_pairs(&text, env, n);
		drop_services(&g, &text);
		got = r ? why : text.p ?: "";
		if (!r == fault || strcmp(got, cases[i].env + fault))
			fail_msg("%s: %d\n%s, not\n%s", cases[i].what, r, got, cases[i].env);
	}
}

static int env_of(const char *pod, char **ret_why)
{
	_cleanup_given_ struct given g = given(pod);
	Runtime__V1__KeyValue **env;
	size_t n;

	return spec_env(&g.in, g.arena, &env, &n, ret_why);
}

static void test_not_known_yet(void **state)
{
	_cleanup_free_ char *why = NULL;

	assert_int_equal(env_of(POD(NONE, ENV(REF("A", "configMapKeyRef", "'name':'later','key':'k','optional':true"))), &why), -EAGAIN);
	services_known = false;
	assert_int_equal(env_of(POD(NONE, ""), &why), -EAGAIN);
	assert_string_equal(why, "services have not yet been read at least once, cannot construct envvars");
	/* a static pod may be the API server itself */
	assert_int_equal(env_of("{'metadata':{'name':'p','namespace':'n','annotations':{'kubernetes.io/config.source':'file'}},'spec':{'containers':[{'name':'c'}]}}", &why), 0);
	services_known = true;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases), cmocka_unit_test(test_not_known_yet) };
	int failed;

	world = parse(objects);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	xb_json_unref(world);
	return failed;
}
