/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "xb/owner.h"

static struct xb_json *parse(const char *text)
{
	struct xb_json *d = NULL;

	assert_int_equal(xb_json_parse(xb_sv(text), NULL, &d, NULL), 0);
	return d;
}

static void the_controller_is_found(void **state)
{
	struct xb_json *d = parse("{\"metadata\":{\"ownerReferences\":[{\"uid\":\"u1\"},{\"uid\":\"u2\",\"controller\":false},"
				  "{\"uid\":\"u3\",\"controller\":true}]}}");

	assert_true(xb_sv_is(xb_owner_uid(xb_json_root(d)), "u3"));
	xb_json_unref(d);
}

static void an_orphan_has_none(void **state)
{
	struct xb_json *d = parse("{\"metadata\":{\"ownerReferences\":[{\"uid\":\"u1\"}]}}");

	assert_false(xb_jv_is(xb_owner_controller(xb_json_root(d))));
	assert_int_equal(xb_owner_uid(xb_json_root(d)).n, 0);
	assert_int_equal(xb_owner_uid((struct xb_jv){}).n, 0);
	xb_json_unref(d);
}

static void a_reference_names_group_and_version(void **state)
{
	struct xb_json *d = parse("{\"metadata\":{\"name\":\"web\",\"uid\":\"u1\"}}");
	_cleanup_buf_ struct xb_buf out = {};
	struct xb_jw w = XB_JW(&out);

	xb_jw_array(&w);
	xb_owner_write(&w, xb_kind_by_resource(XB_SV("apps"), XB_SV("v1"), XB_SV("replicasets")), xb_json_root(d));
	xb_owner_write(&w, xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("replicationcontrollers")), xb_json_root(d));
	xb_jw_end(&w);
	assert_int_equal(xb_jw_finish(&w), 0);
	assert_string_equal(out.p, "[{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\",\"name\":\"web\",\"uid\":\"u1\",\"controller\":true,"
				   "\"blockOwnerDeletion\":true},{\"apiVersion\":\"v1\",\"kind\":\"ReplicationController\",\"name\":\"web\","
				   "\"uid\":\"u1\",\"controller\":true,\"blockOwnerDeletion\":true}]");
	xb_json_unref(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_controller_is_found),
		cmocka_unit_test(an_orphan_has_none),
		cmocka_unit_test(a_reference_names_group_and_version),
	};

	return cmocka_run_group_tests_name("userspace/lib/client/owner", tests, NULL, NULL);
}
