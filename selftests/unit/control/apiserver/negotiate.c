/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../control/apiserver/negotiate.h"

#define OBJECTS (1u << ACCEPT_OBJECT | 1u << ACCEPT_TABLE | 1u << ACCEPT_METADATA)
#define DISCOVERY (1u << ACCEPT_OBJECT | 1u << ACCEPT_DISCOVERY)

static struct accept accepted(const char *header, unsigned forms)
{
	struct accept a = {};

	assert_int_equal(negotiate_accept(xb_sv(header), forms, &a), 0);
	return a;
}

static void json_is_what_most_want(void **state)
{
	static const char *const headers[] = { "", "*/*", "application/json", "application/*", "text/html, */*;q=0.8", "Application/JSON ; charset=utf-8" };

	for (unsigned i = 0; i < ARRAY_SIZE(headers); i++) {
		struct accept a = accepted(headers[i], OBJECTS);

		assert_int_equal(a.form, ACCEPT_OBJECT);
		assert_string_equal(negotiate_content_type(&a), "application/json");
	}
}

static void nothing_that_is_offered(void **state)
{
	struct accept a;

	assert_int_equal(negotiate_accept(XB_SV("text/html"), OBJECTS, &a), -ENOENT);
	assert_int_equal(negotiate_accept(XB_SV("application/vnd.kubernetes.protobuf"), OBJECTS, &a), -ENOENT);
	assert_int_equal(negotiate_accept(XB_SV("application/json;q=0"), OBJECTS, &a), -ENOENT);
	assert_int_equal(negotiate_accept(XB_SV("application/json;as=Table;v=v9;g=meta.k8s.io"), OBJECTS, &a), -ENOENT);
}

static void tables(void **state)
{
	const char *kubectl = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";

	assert_int_equal(accepted(kubectl, OBJECTS).form, ACCEPT_TABLE);
	assert_false(accepted(kubectl, OBJECTS).beta);
	assert_int_equal(accepted(kubectl, 1u << ACCEPT_OBJECT).form, ACCEPT_OBJECT);
	assert_true(accepted("application/json;as=Table;v=v1beta1;g=meta.k8s.io", OBJECTS).beta);
	assert_int_equal(accepted("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", OBJECTS).form, ACCEPT_METADATA);
}

static void order_and_quality(void **state)
{
	assert_int_equal(accepted("application/vnd.kubernetes.protobuf,application/json", OBJECTS).form, ACCEPT_OBJECT);
	assert_true(accepted("application/json;q=0.5, application/yaml", OBJECTS).yaml);
	assert_false(accepted("application/json, application/yaml", OBJECTS).yaml);
	assert_true(accepted("application/json;q=0.899,application/yaml;q=0.9", OBJECTS).yaml);
}

static void aggregated_discovery(void **state)
{
	const char *kubectl = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
	struct accept a = accepted(kubectl, DISCOVERY);

	assert_int_equal(a.form, ACCEPT_DISCOVERY);
	assert_string_equal(negotiate_content_type(&a), "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
	assert_int_equal(accepted(kubectl, OBJECTS).form, ACCEPT_OBJECT);
}

static void bodies(void **state)
{
	assert_int_equal(negotiate_body((struct xb_sv){}), BODY_JSON);
	assert_int_equal(negotiate_body(XB_SV("application/json; charset=utf-8")), BODY_JSON);
	assert_int_equal(negotiate_body(XB_SV("application/yaml")), BODY_YAML);
	assert_int_equal(negotiate_body(XB_SV("application/strategic-merge-patch+json")), BODY_STRATEGIC_PATCH);
	assert_int_equal(negotiate_body(XB_SV("application/apply-patch+yaml")), BODY_APPLY);
	assert_int_equal(negotiate_body(XB_SV("text/plain")), BODY_OTHER);
	assert_int_equal(negotiate_body(XB_SV("application/vnd.kubernetes.protobuf")), BODY_PROTOBUF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_what_most_want), cmocka_unit_test(nothing_that_is_offered), cmocka_unit_test(tables),
		cmocka_unit_test(order_and_quality), cmocka_unit_test(aggregated_discovery), cmocka_unit_test(bodies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
