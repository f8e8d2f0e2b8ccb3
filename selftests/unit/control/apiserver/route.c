/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../control/apiserver/route.h"

static struct xb_arena *arena;

static int parse(const char *method, const char *path, struct route *ret, struct xb_status *reterr)
{
	return route_parse(arena, xb_sv(method), xb_sv(path), ret, reterr);
}

/* What a request is about, in one line: "verb plural[/sub] namespace name". */
static const char *about(const char *method, const char *path)
{
	_cleanup_status_ struct xb_status s = {};
	struct route t;

	if (parse(method, path, &t, &s))
		return xb_arena_printf(arena, "%d", s.code);
	if (t.type != ROUTE_OBJECTS)
		return xb_arena_printf(arena, "%s %.*s/%.*s", t.type == ROUTE_GROUP ? "group" : "version", XB_SV_ARG(t.group), XB_SV_ARG(t.version));
	return xb_arena_printf(arena, "%s %s%s%s %.*s %.*s", xb_verb_name(t.verb), t.kind->plural, t.sub ? "/" : "", t.sub ? t.sub->name : "",
			       XB_SV_ARG(t.namespace_), XB_SV_ARG(t.name));
}

static void objects(void **state)
{
	assert_string_equal(about("GET", "/api/v1/pods"), "list pods  ");
	assert_string_equal(about("GET", "/api/v1/namespaces/a/pods"), "list pods a ");
	assert_string_equal(about("POST", "/api/v1/namespaces/a/pods"), "create pods a ");
	assert_string_equal(about("DELETE", "/api/v1/namespaces/a/pods"), "deletecollection pods a ");
	assert_string_equal(about("PATCH", "/api/v1/namespaces/a/pods/p"), "patch pods a p");
	assert_string_equal(about("PUT", "/api/v1/nodes/n"), "update nodes  n");
	assert_string_equal(about("DELETE", "/apis/coordination.k8s.io/v1/namespaces/a/leases/l"), "delete leases a l");
}

static void subresources(void **state)
{
	assert_string_equal(about("PUT", "/api/v1/namespaces/a/pods/p/status"), "update pods/status a p");
	assert_string_equal(about("POST", "/api/v1/namespaces/a/pods/p/binding"), "create pods/binding a p");
	assert_string_equal(about("GET", "/api/v1/namespaces/a/replicationcontrollers/r/scale"), "get replicationcontrollers/scale a r");
	assert_string_equal(about("DELETE", "/api/v1/namespaces/a/pods/p/status"), "405");
	assert_string_equal(about("GET", "/api/v1/namespaces/a/pods/p/nope"), "404");
}

/* A namespace is an object, and also what others are in. */
static void namespaces(void **state)
{
	assert_string_equal(about("GET", "/api/v1/namespaces"), "list namespaces  ");
	assert_string_equal(about("GET", "/api/v1/namespaces/a"), "get namespaces  a");
	assert_string_equal(about("PATCH", "/api/v1/namespaces/a/status"), "patch namespaces/status  a");
	assert_string_equal(about("PUT", "/api/v1/namespaces/a/finalize"), "update namespaces/finalize  a");
	assert_string_equal(about("GET", "/api/v1/namespaces/a/configmaps"), "list configmaps a ");
	assert_string_equal(about("GET", "/api/v1/namespaces/status/configmaps"), "list configmaps status ");
}

static void what_is_not_there(void **state)
{
	assert_string_equal(about("GET", "/api/v2"), "404");
	assert_string_equal(about("GET", "/api/v2/pods"), "404");
	assert_string_equal(about("GET", "/apis/nope/v1/things"), "404");
	assert_string_equal(about("GET", "/api/v1/nopes"), "404");
	assert_string_equal(about("GET", "/api/v1/pods/p"), "404");
	assert_string_equal(about("GET", "/api/v1/namespaces/a/nodes"), "404");
	assert_string_equal(about("GET", "/api/v1/namespaces/a/pods/p/status/x/y/z"), "404");
}

static void methods(void **state)
{
	_cleanup_status_ struct xb_status s = {};
	struct route t;

	assert_string_equal(about("PUT", "/api/v1/namespaces/a/pods"), "405");
	assert_string_equal(about("POST", "/api/v1/pods"), "405");
	assert_string_equal(about("DELETE", "/api/v1/namespaces"), "405");
	assert_string_equal(about("BREW", "/api/v1/namespaces/a/pods"), "405");
	assert_int_not_equal(parse("PUT", "/api/v1/namespaces/a/pods", &t, &s), 0);
	assert_string_equal(s.message, "the server does not allow this method on the requested resource");
}

static void discovery(void **state)
{
	assert_string_equal(about("GET", "/api/v1"), "version /v1");
	assert_string_equal(about("GET", "/apis/coordination.k8s.io"), "group coordination.k8s.io/");
	assert_string_equal(about("GET", "/apis/coordination.k8s.io/v1"), "version coordination.k8s.io/v1");
	assert_string_equal(about("POST", "/api/v1"), "405");
}

/* A name never reaches into another collection's keys. */
static void escapes(void **state)
{
	assert_string_equal(about("GET", "/api/v1/namespaces/a/pods/x%2Dy"), "get pods a x-y");
	assert_string_equal(about("GET", "/api/v1/namespaces/a%2Fpods/pods/x"), "404");
	assert_string_equal(about("GET", "/api/v1/namespaces/a/pods/x%2Fstatus"), "404");
	assert_string_equal(about("GET", "/api/v1/namespaces/a/pods/x%00"), "400");
	assert_string_equal(about("GET", "/api/v1/namespaces/a/pods/x%zz"), "400");
}

static void keys(void **state)
{
	const struct xb_kind *pod = xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("pods"));
	const struct xb_kind *lease = xb_kind_by_resource(XB_SV("coordination.k8s.io"), XB_SV("v1"), XB_SV("leases"));
	const struct xb_kind *node = xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("nodes"));
	struct xb_sv none = {};

	assert_string_equal(route_key(arena, pod, XB_SV("a"), XB_SV("p")), "pods/a/p");
	assert_string_equal(route_key(arena, pod, XB_SV("a"), none), "pods/a/");
	assert_string_equal(route_key(arena, pod, none, none), "pods/");
	assert_string_equal(route_key(arena, lease, XB_SV("a"), XB_SV("l")), "leases.coordination.k8s.io/a/l");
	assert_string_equal(route_key(arena, node, none, XB_SV("n")), "nodes/n");
}

static int make_arena(void **state)
{
	arena = xb_arena_new(0);
	return arena ? 0 : -1;
}

static int free_arena(void **state)
{
	arena = xb_arena_free(arena);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_arena, free_arena)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(objects), TEST(subresources), TEST(namespaces), TEST(what_is_not_there),
		TEST(methods), TEST(discovery), TEST(escapes), TEST(keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
