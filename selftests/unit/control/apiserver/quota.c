/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "admission_fixture.h"
#include "../../../../control/apiserver/quota.h"

#define QUOTA(name, spec) store("", "resourcequotas", "n", name, "{" META(name) ",'spec':{" spec "}}")
#define POD(cpu) "{" META("x") ",'spec':{'containers':[{'name':'c','resources':{'requests':{'cpu':'" cpu "'}}}]},'status':{'qosClass':'Burstable'}}"

static const char *create(const char *plural, const char *json)
{
	struct write *w = creation("", plural);

	return said(quota_admit(request, w, xb_tree_parse(request->arena, quoted(json)), NULL));
}

static void without_a_quota_nothing_is_claimed(void **state)
{
	assert_string_equal(create("pods", POD("1")), "");
	assert_null(request->write.claim);
	assert_null(server.claims);
}

static void committed_objects_and_those_on_their_way_count(void **state)
{
	struct write first, second;

	QUOTA("rq", "'hard':{'pods':'3'}");
	store("", "pods", "n", "there", POD("1"));
	store("", "pods", "n", "over", "{" META("over") ",'status':{'phase':'Succeeded'}}");
	store("", "pods", "m", "elsewhere", POD("1"));
	assert_string_equal(create("pods", POD("1")), "");
	first = request->write;
	assert_string_equal(create("pods", POD("1")), "");
	second = request->write;
	assert_string_equal(create("pods", POD("1")), "pods \"x\" is forbidden: exceeded quota: rq, requested: pods=1, used: pods=3, limited: pods=3");
	assert_null(request->write.claim);
	quota_release(&first);
	assert_string_equal(create("pods", POD("1")), "");
	quota_release(&request->write);
	quota_release(&second);
	assert_null(server.claims);
}

static void take_away(const char *key)
{
	_cleanup_(xb_json_unrefp) struct xb_json *last = NULL;
	struct store_object *o = store_head(fixture.s, key);
	struct store_value value = {};
	bool done = false;

	assert_non_null(o);
	last = xb_json_ref(o->doc);
	value.bytes = xb_json_bytes(last);
	value.hole = (size_t)(strstr(value.bytes.p, "\"resourceVersion\":\"") - value.bytes.p) + strlen("\"resourceVersion\":\"");
	assert_int_equal(store_delete(fixture.s, key, o->revision, &value, stored, &done), 0);
	while (!done)
		uv_run(&fixture.loop, UV_RUN_ONCE);
}

/* It was counted once, and is kept. */
static void what_is_used_follows_the_store(void **state)
{
	static const char full[] = "pods \"x\" is forbidden: exceeded quota: rq, requested: pods=1, used: pods=2, limited: pods=2";

	QUOTA("rq", "'hard':{'pods':'2'}");
	store("", "pods", "n", "a", POD("1"));
	assert_string_equal(create("pods", POD("1")), "");
	quota_release(&request->write);
	store("", "pods", "n", "b", POD("1"));
	assert_string_equal(create("pods", POD("1")), full);
	take_away("pods/n/a");
	store("", "pods", "m", "elsewhere", POD("1"));
	assert_string_equal(create("pods", POD("1")), "");
	quota_release(&request->write);
	store("", "pods", "n", "c", POD("1"));
	assert_string_equal(create("pods", POD("1")), full);
	take_away("resourcequotas/n/rq");
	QUOTA("rq", "'hard':{'pods':'3'}");
	assert_string_equal(create("pods", POD("1")), "");
	quota_release(&request->write);
}

static void amounts_add_up(void **state)
{
	QUOTA("rq", "'hard':{'count/configmaps':'0','requests.cpu':'1','services.nodeports':'1'}");
	store("", "pods", "n", "there", POD("600m"));
	assert_string_equal(create("pods", POD("600m")),
			    "pods \"x\" is forbidden: exceeded quota: rq, requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1");
	assert_string_equal(create("pods", "{'spec':{'containers':[{'name':'a'},{'name':'b','resources':{'requests':{'cpu':'1m'}}},{'name':'c'}]}}"),
			    "pods \"x\" is forbidden: failed quota: rq: must specify requests.cpu for: a,c");
	assert_string_equal(create("pods", "{'spec':{'containers':[{'name':'a','resources':{'requests':{'cpu':'1m'}}}],"
					   "'initContainers':[{'name':'i','resources':{'requests':{'cpu':'2'}}}]}}"),
			    "pods \"x\" is forbidden: exceeded quota: rq, requested: requests.cpu=2, used: requests.cpu=600m, limited: requests.cpu=1");
	assert_string_equal(create("configmaps", "{}"),
			    "configmaps \"x\" is forbidden: exceeded quota: rq, requested: count/configmaps=1, used: count/configmaps=0, limited: count/configmaps=0");
	assert_string_equal(create("services", "{'spec':{'type':'NodePort','ports':[{'nodePort':1},{'nodePort':2}]}}"),
			    "services \"x\" is forbidden: exceeded quota: rq, requested: services.nodeports=2, used: services.nodeports=0, limited: services.nodeports=1");
	assert_string_equal(create("secrets", "{}"), "");
	quota_release(&request->write);
}

/* What an update says; the old object is in the store. */
static const char *update(const char *plural, const char *sub, const char *old, const char *now)
{
	struct write *w = creation("", plural);
	struct xb_json *doc;
	const char *why;

	w->sub = sub ? xb_kind_subresource(w->kind, xb_sv(sub)) : NULL;
	assert_int_equal(xb_json_parse(xb_sv(quoted(old)), NULL, &doc, NULL), 0);
	why = said(quota_admit(request, w, xb_tree_parse(request->arena, quoted(now)), doc));
	xb_json_unref(doc);
	return why;
}

#define SERVICE(type, ports) "{" META("x") ",'spec':{'type':'" type "','ports':[" ports "]}}"
#define CLAIM(class, size) "{" META("x") ",'spec':{'storageClassName':'" class "','resources':{'requests':{'storage':'" size "'}}}}"

static void updates_count_what_they_add(void **state)
{
	struct write first;

	QUOTA("rq", "'hard':{'services.nodeports':'2','pods':'1','requests.cpu':'2','requests.storage':'5Gi'}");
	store("", "services", "n", "x", SERVICE("ClusterIP", "{}"));
	store("", "pods", "n", "x", POD("1"));
	store("", "persistentvolumeclaims", "n", "x", CLAIM("", "2Gi"));
	assert_string_equal(update("services", NULL, SERVICE("ClusterIP", "{}"), SERVICE("NodePort", "{'nodePort':1},{'nodePort':2}")), "");
	first = request->write;
	assert_string_equal(update("services", NULL, SERVICE("NodePort", "{'nodePort':1}"), SERVICE("NodePort", "{'nodePort':1},{'nodePort':3}")),
		"services \"x\" is forbidden: exceeded quota: rq, requested: services.nodeports=1, used: services.nodeports=2, limited: services.nodeports=2");
	assert_string_equal(update("services", NULL, SERVICE("NodePort", "{'nodePort':1}"), SERVICE("ClusterIP", "{}")), "");
	quota_release(&request->write);
	quota_release(&first);
	assert_string_equal(update("persistentvolumeclaims", NULL, CLAIM("", "2Gi"), CLAIM("", "6Gi")),
		"persistentvolumeclaims \"x\" is forbidden: exceeded quota: rq, requested: requests.storage=4Gi, used: requests.storage=2Gi, limited: requests.storage=5Gi");
	assert_string_equal(update("pods", "resize", POD("1"), POD("3")),
			    "pods \"x\" is forbidden: exceeded quota: rq, requested: requests.cpu=2, used: requests.cpu=1, limited: requests.cpu=2");
	assert_string_equal(update("pods", NULL, POD("1"), POD("3")), "");
	assert_null(request->write.claim);
	assert_null(server.claims);
}

static void claims_count_by_their_class(void **state)
{
	QUOTA("rq", "'hard':{'gold.storageclass.storage.k8s.io/requests.storage':'1Gi','gold.storageclass.storage.k8s.io/persistentvolumeclaims':'0'}");
	assert_string_equal(create("persistentvolumeclaims", CLAIM("silver", "2Gi")), "");
	quota_release(&request->write);
	assert_string_equal(create("persistentvolumeclaims", CLAIM("gold", "2Gi")), "persistentvolumeclaims \"x\" is forbidden: exceeded quota: rq, requested: "
		"gold.storageclass.storage.k8s.io/requests.storage=2Gi,gold.storageclass.storage.k8s.io/persistentvolumeclaims=1, used: "
		"gold.storageclass.storage.k8s.io/requests.storage=0,gold.storageclass.storage.k8s.io/persistentvolumeclaims=0, limited: "
		"gold.storageclass.storage.k8s.io/requests.storage=1Gi,gold.storageclass.storage.k8s.io/persistentvolumeclaims=0");
}

static void sidecars_count_with_the_containers(void **state)
{
	QUOTA("rq", "'hard':{'cpu':'1'}");
	assert_string_equal(create("pods", "{'spec':{'containers':[{'name':'a','resources':{'requests':{'cpu':'500m'}}}],'initContainers':["
					   "{'name':'s','restartPolicy':'Always','resources':{'requests':{'cpu':'600m'}}}]}}"),
			    "pods \"x\" is forbidden: exceeded quota: rq, requested: cpu=1100m, used: cpu=0, limited: cpu=1");
}

static void scopes_choose_pods(void **state)
{
	QUOTA("best", "'hard':{'pods':'0'},'scopes':['BestEffort']");
	QUOTA("high", "'hard':{'pods':'0'},'scopeSelector':{'matchExpressions':[{'scopeName':'PriorityClass','operator':'In','values':['high']}]}");
	assert_string_equal(create("pods", POD("1")), "");
	quota_release(&request->write);
	assert_string_equal(create("pods", "{'status':{'qosClass':'BestEffort'}}"),
			    "pods \"x\" is forbidden: exceeded quota: best, requested: pods=1, used: pods=0, limited: pods=0");
	assert_string_equal(create("pods", "{'spec':{'priorityClassName':'high'}}"),
			    "pods \"x\" is forbidden: exceeded quota: high, requested: pods=1, used: pods=0, limited: pods=0");
	QUOTA("abroad", "'hard':{'pods':'0'},'scopeSelector':{'matchExpressions':[{'scopeName':'CrossNamespacePodAffinity','operator':'Exists'}]}");
	assert_string_equal(create("pods", "{'spec':{'affinity':{'podAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':[{'namespaces':['m']}]}}}}"),
			    "pods \"x\" is forbidden: exceeded quota: abroad, requested: pods=1, used: pods=0, limited: pods=0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(without_a_quota_nothing_is_claimed, setup, teardown),
		cmocka_unit_test_setup_teardown(committed_objects_and_those_on_their_way_count, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_used_follows_the_store, setup, teardown),
		cmocka_unit_test_setup_teardown(amounts_add_up, setup, teardown),
		cmocka_unit_test_setup_teardown(updates_count_what_they_add, setup, teardown),
		cmocka_unit_test_setup_teardown(claims_count_by_their_class, setup, teardown),
		cmocka_unit_test_setup_teardown(sidecars_count_with_the_containers, setup, teardown),
		cmocka_unit_test_setup_teardown(scopes_choose_pods, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
