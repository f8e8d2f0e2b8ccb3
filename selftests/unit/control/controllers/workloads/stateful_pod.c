/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../../../../control/controllers/workloads/stateful_pod.h"

static struct xb_json *docs[8];
static size_t n_docs;
static const struct xb_kind set_kind = { .group = "apps", .version = "v1", .kind = "StatefulSet" };

static struct xb_jv json(const char *text)
{
	_cleanup_free_ char *copy = strdup(text);

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	assert_true(n_docs < ARRAY_SIZE(docs));
	assert_int_equal(xb_json_parse(xb_sv(copy), NULL, &docs[n_docs], NULL), 0);
	return xb_json_root(docs[n_docs++]);
}

static int forget(void **state)
{
	while (n_docs)
		xb_json_unref(docs[--n_docs]);
	return 0;
}

static void ordinals(void **state)
{
	static const struct { const char *set, *pod; int64_t ordinal; } cases[] = {
		{ "web", "web-0", 0 }, { "web", "web-12", 12 }, { "a-1", "a-1-2", 2 }, { "web", "web-2147483647", 2147483647 },
		{ "web", "web-", -1 }, { "web", "web", -1 }, { "web", "web-01", -1 }, { "web", "web-x", -1 }, { "web", "web--1", -1 },
		{ "web", "web-2147483648", -1 }, { "web", "web-1x", -1 }, { "a", "a-1-2", -1 }, { "web", "wax-1", -1 }, { "web", "webs-1", -1 },
		{ "web", "web-99999999999999999999", -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(stateful_ordinal(xb_sv(cases[i].set), xb_sv(cases[i].pod)), cases[i].ordinal);
}

#define WEB "{'metadata':{'name':'web','uid':'s1'},'spec':{'serviceName':'front','volumeClaimTemplates':[{'metadata':{'name':'data'}}]}}"

static void a_pod_is_what_its_revision_says(void **state)
{
	struct xb_jv revision = json("{'metadata':{'name':'web-abc'},'data':{'spec':{'template':{'$patch':'replace','metadata':{'labels':{'app':'web',"
		"'controller-revision-hash':'x'},'annotations':{'a':'b'},'creationTimestamp':null},'spec':{'containers':[{'name':'c'}],'hostname':'h',"
		"'volumes':[{'name':'data','emptyDir':{}},{'name':'tmp','emptyDir':{}}]}}}}}");
	_cleanup_buf_ struct xb_buf body = {};

	stateful_pod_write(json(WEB), &set_kind, revision, 3, &body);
	assert_int_equal(body.err, 0);
	assert_string_equal(body.p, "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"web-3\",\"generateName\":\"web-\",\"labels\":{\"app\":\"web\","
		"\"controller-revision-hash\":\"web-abc\",\"statefulset.kubernetes.io/pod-name\":\"web-3\",\"apps.kubernetes.io/pod-index\":\"3\"},"
		"\"annotations\":{\"a\":\"b\"},\"ownerReferences\":[{\"apiVersion\":\"apps/v1\",\"kind\":\"StatefulSet\",\"name\":\"web\",\"uid\":\"s1\","
		"\"controller\":true,\"blockOwnerDeletion\":true}]},\"spec\":{\"containers\":[{\"name\":\"c\"}],\"hostname\":\"web-3\","
		"\"subdomain\":\"front\",\"volumes\":[{\"name\":\"data\",\"persistentVolumeClaim\":{\"claimName\":\"data-web-3\"}},"
		"{\"name\":\"tmp\",\"emptyDir\":{}}]}}");
}

static void without_a_service_there_is_no_subdomain(void **state)
{
	_cleanup_buf_ struct xb_buf body = {};

	stateful_pod_write(json("{'metadata':{'name':'web','uid':'s1'},'spec':{'serviceName':''}}"), &set_kind,
			   json("{'metadata':{'name':'web-abc'},'data':{'spec':{'template':{'spec':{}}}}}"), 0, &body);
	assert_null(strstr(body.p, "subdomain"));
	assert_non_null(strstr(body.p, "\"volumes\":[]"));
}

#define POD(name, label, claim) "{'metadata':{'name':'" name "','uid':'p','labels':{'statefulset.kubernetes.io/pod-name':'" label "'}}," \
	"'spec':{'volumes':[{'name':'tmp','emptyDir':{}},{'name':'data','persistentVolumeClaim':{'claimName':'" claim "'}}]}}"

static void what_is_not_as_it_should_be(void **state)
{
	struct xb_jv set = json(WEB), lost = json(POD("web-1", "web-2", "data-web-1")), moved = json(POD("web-1", "web-1", "data-web-2"));
	_cleanup_buf_ struct xb_buf identity = {}, storage = {};

	assert_false(stateful_identity_matches(lost));
	assert_true(stateful_storage_matches(set, lost, 1));
	assert_true(stateful_identity_matches(moved));
	assert_false(stateful_storage_matches(set, moved, 1));
	assert_false(stateful_storage_matches(set, json("{'metadata':{'name':'web-1'}}"), 1));
	stateful_pod_patch(set, lost, 1, &identity);
	assert_string_equal(identity.p, "{\"metadata\":{\"uid\":\"p\",\"labels\":{\"statefulset.kubernetes.io/pod-name\":\"web-1\","
					"\"apps.kubernetes.io/pod-index\":\"1\"}}}");
	stateful_pod_patch(set, moved, 1, &storage);
	assert_non_null(strstr(storage.p, "\"spec\":{\"volumes\":[{\"name\":\"data\",\"$retainKeys\":[\"name\",\"persistentVolumeClaim\"],"
					  "\"persistentVolumeClaim\":{\"claimName\":\"data-web-1\"}}]}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinals),
		cmocka_unit_test_teardown(a_pod_is_what_its_revision_says, forget),
		cmocka_unit_test_teardown(without_a_service_there_is_no_subdomain, forget),
		cmocka_unit_test_teardown(what_is_not_as_it_should_be, forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
