/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../../../control/controllers/resources.h"

#define RESOURCE(plural, kind, verbs) \
	"{\"resource\":\"" plural "\",\"responseKind\":{\"group\":\"\",\"version\":\"\",\"kind\":\"" kind "\"},\"scope\":\"Namespaced\",\"verbs\":[" verbs "]}"
#define GROUP(name, versions) "{\"metadata\":{\"name\":\"" name "\"},\"versions\":[" versions "]}"
#define VERSION(v, fresh, resources) "{\"version\":\"" v "\",\"freshness\":\"" fresh "\",\"resources\":[" resources "]}"
#define LIST(groups) "{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/v2\",\"items\":[" groups "]}"

static struct resources r;

static int setup(void **state)
{
	r = (struct resources){ .arena = xb_arena_new(0) };
	return r.arena ? 0 : -1;
}

static int teardown(void **state)
{
	r.arena = xb_arena_free(r.arena);
	return 0;
}

static void knows_verbs_scope_and_preference(void **state)
{
	const char *text = LIST(GROUP("x", VERSION("v2", "Current", RESOURCE("as", "A", "\"get\",\"delete\"")) ","
					   VERSION("v1", "Current", RESOURCE("as", "A", "") "," RESOURCE("bs", "B", "\"list\""))));

	assert_int_equal(resources_add(&r, xb_sv(text)), 0);
	assert_int_equal(r.n, 3);
	assert_true(r.v[0].preferred && !r.v[1].preferred && r.v[2].preferred);
	assert_int_equal(r.v[0].kind.verbs, XB_VERB_GET | XB_VERB_DELETE);
	assert_true(r.v[0].kind.namespaced);
	assert_ptr_equal(resources_find(&r, XB_SV("x/v1"), XB_SV("A")), &r.v[1].kind);
	assert_null(resources_find(&r, XB_SV("x/v3"), XB_SV("A")));
	assert_null(resources_find(&r, XB_SV("v1"), XB_SV("A")));
}

static void finds_the_core_group(void **state)
{
	assert_int_equal(resources_add(&r, xb_sv(LIST("{\"versions\":[" VERSION("v1", "Current", RESOURCE("pods", "Pod", "")) "]}"))), 0);
	assert_string_equal(resources_find(&r, XB_SV("v1"), XB_SV("Pod"))->plural, "pods");
}

static void tells_what_is_stale(void **state)
{
	assert_int_equal(resources_add(&r, xb_sv(LIST(GROUP("m", VERSION("v1", "Stale", "")) "," GROUP("n", VERSION("v1", "Stale", ""))))), 0);
	assert_int_equal(r.n_failed, 2);
	assert_string_equal(r.failed, "m/v1: stale GroupVersion discovery: m/v1, n/v1: stale GroupVersion discovery: n/v1");
}

static void refuses_what_is_no_discovery(void **state)
{
	assert_int_equal(resources_add(&r, XB_SV("{\"kind\":\"APIVersions\"}")), -EBADMSG);
	assert_int_equal(resources_add(&r, XB_SV("<html>")), -EBADMSG);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(knows_verbs_scope_and_preference), T(finds_the_core_group), T(tells_what_is_stale), T(refuses_what_is_no_discovery),
	};

	return cmocka_run_group_tests_name("control/controllers/resources", tests, NULL, NULL);
}
