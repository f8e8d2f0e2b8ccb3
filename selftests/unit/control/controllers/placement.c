/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../../../control/controllers/placement.h"

static struct xb_json *a, *b;

static int teardown(void **state)
{
	a = xb_json_unref(a);
	b = xb_json_unref(b);
	return 0;
}

static void given(const char *first, const char *second)
{
	teardown(NULL);
	assert_int_equal(xb_json_parse(xb_sv(first), NULL, &a, NULL), 0);
	assert_int_equal(xb_json_parse(xb_sv(second), NULL, &b, NULL), 0);
}

static bool tolerates(const char *toleration, const char *taint)
{
	given(toleration, taint);
	return xb_jv_is(placement_toleration(xb_json_root(a), xb_json_root(b)));
}

static void tolerates_by_key_value_and_effect(void **state)
{
	const char *taint = "{\"key\":\"k\",\"value\":\"v\",\"effect\":\"NoSchedule\"}";

	assert_true(tolerates("[{\"key\":\"k\",\"value\":\"v\",\"effect\":\"NoSchedule\"}]", taint));
	assert_true(tolerates("[{\"key\":\"k\",\"operator\":\"Equal\",\"value\":\"v\"}]", taint));
	assert_true(tolerates("[{\"key\":\"k\",\"operator\":\"Exists\"}]", taint));
	assert_true(tolerates("[{\"operator\":\"Exists\"}]", taint));
	assert_false(tolerates("[{\"operator\":\"Exists\",\"effect\":\"NoExecute\"}]", taint));
	assert_false(tolerates("[{\"key\":\"k\"}]", taint));
	assert_false(tolerates("[{\"key\":\"other\",\"operator\":\"Exists\"}]", taint));
	assert_false(tolerates("[{\"key\":\"k\",\"value\":\"w\"}]", taint));
	assert_false(tolerates("[{\"key\":\"k\",\"operator\":\"Unknown\",\"value\":\"v\"}]", taint));
	assert_false(tolerates("[]", taint));
	assert_true(tolerates("[{\"key\":\"k\"}]", "{\"key\":\"k\",\"effect\":\"NoSchedule\"}"));
}

static void tells_how_long_a_toleration_lasts(void **state)
{
	const char *taint = "{\"key\":\"b\",\"effect\":\"NoExecute\"}";
	int64_t seconds = -7;

	given("[{\"key\":\"a\",\"tolerationSeconds\":1},{\"key\":\"b\",\"tolerationSeconds\":300},{\"operator\":\"Exists\"}]", taint);
	assert_true(placement_toleration_ends(placement_toleration(xb_json_root(a), xb_json_root(b)), &seconds));
	assert_int_equal(seconds, 300);
	given("[{\"operator\":\"Exists\",\"tolerationSeconds\":-5}]", taint);
	assert_true(placement_toleration_ends(placement_toleration(xb_json_root(a), xb_json_root(b)), &seconds));
	assert_int_equal(seconds, 0);
	given("[{\"operator\":\"Exists\"}]", taint);
	assert_false(placement_toleration_ends(placement_toleration(xb_json_root(a), xb_json_root(b)), &seconds));
}

#define NODE "{\"metadata\":{\"name\":\"n1\",\"labels\":{\"zone\":\"a\",\"cpus\":\"8\",\"empty\":\"\"}}}"
#define TERMS(terms) "{\"affinity\":{\"nodeAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":{\"nodeSelectorTerms\":[" terms "]}}}}"
#define EXPR(key, op, values) "{\"key\":\"" key "\",\"operator\":\"" op "\",\"values\":[" values "]}"
#define TERM(expressions) "{\"matchExpressions\":[" expressions "]}"
#define FIELD(op, name) "{\"matchFields\":[" EXPR("metadata.name", op, "\"" name "\"") "]}"

static bool matches(const char *spec)
{
	given(spec, NODE);
	return placement_matches(xb_json_root(a), xb_json_root(b));
}

static void matches_by_node_selector(void **state)
{
	assert_true(matches("{}"));
	assert_true(matches("{\"nodeSelector\":{\"zone\":\"a\",\"empty\":\"\"}}"));
	assert_false(matches("{\"nodeSelector\":{\"zone\":\"a\",\"cpus\":\"4\"}}"));
	assert_false(matches("{\"nodeSelector\":{\"absent\":\"\"}}"));
}

static void each_operator_means_what_it_says(void **state)
{
	assert_true(matches(TERMS(TERM(EXPR("zone", "In", "\"b\",\"a\"")))));
	assert_false(matches(TERMS(TERM(EXPR("zone", "In", "\"b\"")))));
	assert_false(matches(TERMS(TERM(EXPR("absent", "In", "\"\"")))));
	assert_true(matches(TERMS(TERM(EXPR("zone", "NotIn", "\"b\"")))));
	assert_false(matches(TERMS(TERM(EXPR("zone", "NotIn", "\"b\",\"a\"")))));
	assert_true(matches(TERMS(TERM(EXPR("absent", "NotIn", "\"a\"")))));
	assert_true(matches(TERMS(TERM(EXPR("empty", "Exists", "")))));
	assert_false(matches(TERMS(TERM(EXPR("absent", "Exists", "")))));
	assert_true(matches(TERMS(TERM(EXPR("absent", "DoesNotExist", "")))));
	assert_false(matches(TERMS(TERM(EXPR("empty", "DoesNotExist", "")))));
	assert_true(matches(TERMS(TERM(EXPR("cpus", "Gt", "\"7\"")))));
	assert_false(matches(TERMS(TERM(EXPR("cpus", "Gt", "\"8\"")))));
	assert_true(matches(TERMS(TERM(EXPR("cpus", "Lt", "\"10\"")))));
	assert_false(matches(TERMS(TERM(EXPR("cpus", "Lt", "\"8\"")))));
	assert_false(matches(TERMS(TERM(EXPR("zone", "Lt", "\"8\"")))));
	assert_false(matches(TERMS(TERM(EXPR("absent", "Lt", "\"8\"")))));
	assert_false(matches(TERMS(TERM(EXPR("cpus", "Gt", "\"many\"")))));
	assert_false(matches(TERMS(TERM(EXPR("cpus", "Unknown", "\"7\"")))));
}

static void one_term_must_match_as_a_whole(void **state)
{
	assert_true(matches(TERMS(FIELD("In", "n1"))));
	assert_false(matches(TERMS(FIELD("In", "n2"))));
	assert_true(matches(TERMS(FIELD("NotIn", "n2"))));
	assert_false(matches(TERMS("{\"matchFields\":[" EXPR("metadata.uid", "In", "\"n1\"") "]}")));
	assert_true(matches(TERMS(FIELD("In", "n2") "," FIELD("In", "n1"))));
	assert_false(matches(TERMS(TERM(EXPR("zone", "Exists", "") "," EXPR("absent", "Exists", "")))));
	assert_false(matches(TERMS("{\"matchFields\":[" EXPR("metadata.name", "In", "\"n1\"") "],\"matchExpressions\":[" EXPR("zone", "In", "\"b\"") "]}")));
	assert_false(matches(TERMS("{}")));
	assert_false(matches(TERMS("")));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, teardown)
	const struct CMUnitTest tests[] = {
		TEST(tolerates_by_key_value_and_effect), TEST(tells_how_long_a_toleration_lasts),
		TEST(matches_by_node_selector), TEST(each_operator_means_what_it_says),
		TEST(one_term_must_match_as_a_whole),
	};

	return cmocka_run_group_tests_name("control/controllers/placement", tests, NULL, NULL);
}
