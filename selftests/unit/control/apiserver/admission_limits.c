/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "admission_fixture.h"

#define RANGE(limits) store("", "limitranges", "n", "lr", "{" META("lr") ",'spec':{'limits':[" limits "]}}")
#define POD(resources) "{" META("x") ",'spec':{'containers':[{'name':'c','resources':{" resources "}}]}}"
#define CLAIM(storage) "{" META("x") ",'spec':{'resources':{'requests':{'storage':'" storage "'}}}}"

static struct xb_tree *object;

static const char *pod(const char *json)
{
	return admit(admission_limit_ranger, "", "pods", json, &object);
}

static void without_ranges_all_pass(void **state)
{
	assert_string_equal(pod(POD("")), "");
	assert_string_equal(text_of(xb_tree_path(object, "metadata", "annotations")), "");
}

static void defaults_are_filled_in_and_noted(void **state)
{
	RANGE("{'type':'Container','default':{'cpu':'500m'},'defaultRequest':{'cpu':'100m','memory':'1Mi'}}");
	assert_string_equal(pod(POD("'requests':{'memory':'2Mi'}")), "");
	assert_string_equal(text_of(xb_tree_get(xb_tree_path(object, "spec", "containers")->first, "resources")),
			    "{'requests':{'memory':'2Mi','cpu':'100m'},'limits':{'cpu':'500m'}}");
	assert_string_equal(text_of(xb_tree_path(object, "metadata", "annotations", "kubernetes.io/limit-ranger")),
			    "'LimitRanger plugin set: cpu request for container c; cpu limit for container c'");
	assert_string_equal(text_of(xb_tree_path(object, "status", "qosClass")), "'Burstable'");
}

static void containers_stay_within_their_limits(void **state)
{
	RANGE("{'type':'Container','min':{'cpu':'100m'},'max':{'cpu':'500m'},'maxLimitRequestRatio':{'cpu':'2'}}");
	assert_string_equal(pod(POD("'requests':{'cpu':'200m'},'limits':{'cpu':'400m'}")), "");
	assert_string_equal(pod(POD("'requests':{'cpu':'100m'},'limits':{'cpu':'500m'}")),
			    "pods \"x\" is forbidden: cpu max limit to request ratio per Container is 2, but provided ratio is 5.000000");
	assert_string_equal(pod(POD("'requests':{'cpu':'50m'},'limits':{'cpu':'100m'}")),
			    "pods \"x\" is forbidden: minimum cpu usage per Container is 100m, but request is 50m");
	assert_string_equal(pod(POD("'requests':{'cpu':'400m'},'limits':{'cpu':'600m'}")),
			    "pods \"x\" is forbidden: maximum cpu usage per Container is 500m, but limit is 600m");
	assert_string_equal(pod(POD("")), "pods \"x\" is forbidden: [minimum cpu usage per Container is 100m.  No request is specified, "
			    "maximum cpu usage per Container is 500m.  No limit is specified, "
			    "cpu max limit to request ratio per Container is 2, but no request is specified or request is 0]");
}

static void a_pod_is_the_sum_of_its_containers(void **state)
{
	RANGE("{'type':'Pod','max':{'memory':'1Gi'}}");
	assert_string_equal(pod("{" META("x") ",'spec':{'containers':[{'name':'a','resources':{'limits':{'memory':'512Mi'}}},"
				"{'name':'b','resources':{'limits':{'memory':'512Mi'}}}]}}"), "");
	assert_string_equal(pod("{" META("x") ",'spec':{'containers':[{'name':'a','resources':{'limits':{'memory':'512Mi'}}},"
				"{'name':'b','resources':{'limits':{'memory':'1Gi'}}}]}}"),
			    "pods \"x\" is forbidden: maximum memory usage per Pod is 1Gi, but limit is 1536Mi");
	assert_string_equal(pod("{" META("x") ",'spec':{'containers':[{'name':'a','resources':{'limits':{'memory':'512Mi'}}},{'name':'b'}]}}"), "");
	assert_string_equal(pod("{" META("x") ",'spec':{'containers':[{'name':'a','resources':{'limits':{'memory':'512Mi'}}}],'initContainers':["
				"{'name':'i','resources':{'limits':{'memory':'1Gi'}}},"
				"{'name':'s','restartPolicy':'Always','resources':{'limits':{'memory':'640Mi'}}}]}}"),
			    "pods \"x\" is forbidden: maximum memory usage per Pod is 1Gi, but limit is 1152Mi");
}

static void a_resize_is_checked_and_gets_no_defaults(void **state)
{
	struct attempt t = { .request = request, .write = creation("", "pods") };

	RANGE("{'type':'Container','default':{'memory':'1Gi'},'max':{'cpu':'500m'}}");
	t.write->sub = xb_kind_subresource(t.write->kind, XB_SV("resize"));
	t.old = t.object = xb_tree_parse(request->arena, quoted(POD("'limits':{'cpu':'600m'}")));
	assert_string_equal(said(admission_limit_ranger(&t)), "pods \"x\" is forbidden: maximum cpu usage per Container is 500m, but limit is 600m");
	xb_status_done(&request->fault);
	t.old = t.object = xb_tree_parse(request->arena, quoted(POD("'limits':{'cpu':'400m'}")));
	assert_string_equal(said(admission_limit_ranger(&t)), "");
	assert_null(xb_tree_path(xb_tree_path(t.object, "spec", "containers")->first, "resources", "limits", "memory"));
	t.write->sub = NULL;
	assert_string_equal(said(admission_limit_ranger(&t)), "");
}

static void claims_need_no_limits(void **state)
{
	RANGE("{'type':'PersistentVolumeClaim','min':{'storage':'1Gi'},'max':{'storage':'2Gi'}}");
	assert_string_equal(admit(admission_limit_ranger, "", "persistentvolumeclaims", CLAIM("2Gi"), &object), "");
	assert_string_equal(admit(admission_limit_ranger, "", "persistentvolumeclaims", CLAIM("3Gi"), &object),
			    "persistentvolumeclaims \"x\" is forbidden: maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi");
	assert_string_equal(admit(admission_limit_ranger, "", "persistentvolumeclaims", CLAIM("1Mi"), &object),
			    "persistentvolumeclaims \"x\" is forbidden: minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(without_ranges_all_pass, setup, teardown),
		cmocka_unit_test_setup_teardown(defaults_are_filled_in_and_noted, setup, teardown),
		cmocka_unit_test_setup_teardown(containers_stay_within_their_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(a_pod_is_the_sum_of_its_containers, setup, teardown),
		cmocka_unit_test_setup_teardown(a_resize_is_checked_and_gets_no_defaults, setup, teardown),
		cmocka_unit_test_setup_teardown(claims_need_no_limits, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
