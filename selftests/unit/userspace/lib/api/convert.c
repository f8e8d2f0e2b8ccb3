/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "xb/kinds.h"

static const char served[] =
	"{\"action\":\"a\",\"apiVersion\":\"events.k8s.io/v1\",\"deprecatedCount\":3,\"deprecatedFirstTimestamp\":\"2026-01-01T00:00:00Z\","
	"\"deprecatedLastTimestamp\":\"2026-01-01T00:00:01Z\",\"deprecatedSource\":{\"component\":\"x\"},\"eventTime\":\"2026-01-01T00:00:00.000000Z\","
	"\"kind\":\"Event\",\"metadata\":{\"name\":\"e\"},\"note\":\"hello\",\"regarding\":{\"kind\":\"Pod\",\"name\":\"p\"},"
	"\"reportingController\":\"c\",\"series\":{\"count\":2,\"lastObservedTime\":\"2026-01-01T00:00:00.000000Z\"}}";
static const char stored[] =
	"{\"action\":\"a\",\"apiVersion\":\"v1\",\"count\":3,\"eventTime\":\"2026-01-01T00:00:00.000000Z\",\"firstTimestamp\":\"2026-01-01T00:00:00Z\","
	"\"involvedObject\":{\"kind\":\"Pod\",\"name\":\"p\"},\"kind\":\"Event\",\"lastTimestamp\":\"2026-01-01T00:00:01Z\",\"message\":\"hello\","
	"\"metadata\":{\"name\":\"e\"},\"reportingComponent\":\"c\",\"series\":{\"count\":2,\"lastObservedTime\":\"2026-01-01T00:00:00.000000Z\"},"
	"\"source\":{\"component\":\"x\"}}";

static void assert_tree(const struct xb_tree *n, const char *want)
{
	_cleanup_buf_ struct xb_buf b = {};

	xb_tree_write(n, &b);
	assert_int_equal(b.err, 0);
	assert_string_equal(b.p, want);
}

static void an_event_goes_both_ways(void **state)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
	const struct xb_kind *k = xb_kind_by_name(XB_SV("events.k8s.io"), XB_SV("v1"), XB_SV("Event"));
	struct xb_tree *event = xb_tree_parse(a, served);

	assert_int_equal(xb_kind_to_stored(k, a, event), 0);
	assert_tree(event, stored);
	assert_int_equal(xb_kind_from_stored(k, a, event), 0);
	assert_tree(event, served);
}

static void the_stored_version_is_left_alone(void **state)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
	const struct xb_kind *k = xb_kind_by_name(XB_SV(""), XB_SV("v1"), XB_SV("Event"));
	struct xb_tree *event = xb_tree_parse(a, "{\"z\":1,\"a\":2}");

	assert_int_equal(xb_kind_to_stored(k, a, event), 0);
	assert_int_equal(xb_kind_from_stored(k, a, event), 0);
	assert_tree(event, "{\"z\":1,\"a\":2}");
}

/* Each version's row leads to a row that is stored, of the same name and the same scope, and fields of selectors are the stored one's. */
static void rows_lead_to_what_is_stored(void **state)
{
	unsigned n = 0;

	for (const struct xb_kind *const *k = xb_kinds; *k; k++) {
		const struct xb_kind *to = xb_kind_stored(*k);

		assert_null(to->stored);
		assert_string_equal(to->kind, (*k)->kind);
		assert_string_equal(to->plural, (*k)->plural);
		assert_int_equal(to->namespaced, (*k)->namespaced);
		assert_true((*k)->stored || !(*k)->conversion);
		n += (*k)->stored != NULL;
	}
	assert_true(n > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_goes_both_ways),
		cmocka_unit_test(the_stored_version_is_left_alone),
		cmocka_unit_test(rows_lead_to_what_is_stored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
