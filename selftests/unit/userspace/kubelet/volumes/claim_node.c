/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include "../../../../../userspace/kubelet/volumes/claim.h"

#define NODE "{\"metadata\":{\"name\":\"n1\",\"labels\":{\"zone\":\"a\",\"cpus\":\"8\"}}}"

static bool matches(const char *terms)
{
	_cleanup_(xb_json_unrefp) struct xb_json *node = NULL, *selector = NULL;
	_cleanup_buf_ struct xb_buf text = {};

	xb_buf_addf(&text, "{\"nodeSelectorTerms\":%s}", terms);
	assert_int_equal(xb_json_parse(XB_SV(NODE), NULL, &node, NULL), 0);
	assert_int_equal(xb_json_parse(xb_buf_sv(&text), NULL, &selector, NULL), 0);
	return claim_node_matches(xb_json_root(selector), xb_json_root(node));
}

static bool meets(const char *key, const char *op, const char *values)
{
	char text[256];

	snprintf(text, sizeof(text), "[{\"matchExpressions\":[{\"key\":\"%s\",\"operator\":\"%s\",\"values\":%s}]}]", key, op, values);
	return matches(text);
}

static void operators(void **state)
{
	assert_true(meets("zone", "In", "[\"b\",\"a\"]"));
	assert_false(meets("zone", "In", "[\"b\"]"));
	assert_false(meets("none", "In", "[\"b\"]"));
	assert_false(meets("zone", "NotIn", "[\"a\"]"));
	assert_true(meets("none", "NotIn", "[\"a\"]"));
	assert_true(meets("zone", "Exists", "[]"));
	assert_false(meets("none", "Exists", "[]"));
	assert_true(meets("none", "DoesNotExist", "[]"));
	assert_true(meets("cpus", "Gt", "[\"7\"]"));
	assert_false(meets("cpus", "Gt", "[\"8\"]"));
	assert_true(meets("cpus", "Lt", "[\"9\"]"));
	assert_false(meets("zone", "Lt", "[\"9\"]"));
	assert_false(meets("zone", "Near", "[\"a\"]"));
}

static void one_term_is_enough(void **state)
{
	assert_true(matches("[{\"matchExpressions\":[{\"key\":\"x\",\"operator\":\"Exists\"}]},"
			    "{\"matchFields\":[{\"key\":\"metadata.name\",\"operator\":\"In\",\"values\":[\"n1\"]}]}]"));
	assert_false(matches("[{\"matchExpressions\":[{\"key\":\"zone\",\"operator\":\"Exists\"}],"
			     "\"matchFields\":[{\"key\":\"metadata.name\",\"operator\":\"In\",\"values\":[\"n2\"]}]}]"));
	assert_false(matches("[{}]"));
	assert_false(matches("[]"));
	assert_true(claim_node_matches((struct xb_jv){}, (struct xb_jv){}));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(operators), cmocka_unit_test(one_term_is_enough) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
