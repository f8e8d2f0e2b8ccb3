/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "xb/kinds.h"

#define REF "\"scaleTargetRef\":{\"kind\":\"Deployment\",\"name\":\"d\"}"
#define V2 "{\"apiVersion\":\"autoscaling/v2\",\"kind\":\"HorizontalPodAutoscaler\",\"metadata\":{\"name\":\"h\"},"
#define V1 "{\"apiVersion\":\"autoscaling/v1\",\"kind\":\"HorizontalPodAutoscaler\",\"metadata\":{\"name\":\"h\"},"
#define CPU(n) "{\"resource\":{\"name\":\"cpu\",\"target\":{\"averageUtilization\":" n ",\"type\":\"Utilization\"}},\"type\":\"Resource\"}"

static struct xb_arena *arena;

static int set_up(void **state)
{
	arena = xb_arena_new(0);
	return arena ? 0 : -1;
}

static int tear_down(void **state)
{
	arena = xb_arena_free(arena);
	return 0;
}

static const struct xb_kind *v1(void)
{
	return xb_kind_by_name(XB_SV("autoscaling"), XB_SV("v1"), XB_SV("HorizontalPodAutoscaler"));
}

static const char *text_of(const struct xb_tree *n)
{
	_cleanup_buf_ struct xb_buf b = {};

	xb_tree_write(n, &b);
	return xb_arena_strn(arena, xb_buf_sv(&b));
}

static void cpu_is_a_metric(void **state)
{
	struct xb_tree *h = xb_tree_parse(arena, V1 "\"spec\":{\"maxReplicas\":3," REF ",\"targetCPUUtilizationPercentage\":55},"
		"\"status\":{\"currentCPUUtilizationPercentage\":40,\"currentReplicas\":2,\"desiredReplicas\":3}}");

	assert_int_equal(xb_kind_to_stored(v1(), arena, h), 0);
	assert_string_equal(text_of(h), V2 "\"spec\":{\"maxReplicas\":3,\"metrics\":[" CPU("55") "],\"minReplicas\":1," REF "},"
		"\"status\":{\"currentMetrics\":[{\"resource\":{\"current\":{\"averageUtilization\":40},\"name\":\"cpu\"},\"type\":\"Resource\"}],"
		"\"currentReplicas\":2,\"desiredReplicas\":3}}");
	assert_int_equal(xb_kind_from_stored(v1(), arena, h), 0);
	assert_string_equal(text_of(h), V1 "\"spec\":{\"maxReplicas\":3,\"minReplicas\":1," REF ",\"targetCPUUtilizationPercentage\":55},"
		"\"status\":{\"currentCPUUtilizationPercentage\":40,\"currentReplicas\":2,\"desiredReplicas\":3}}");
}

static void nothing_is_lost_on_the_way(void **state)
{
	static const char stored[] = V2 "\"spec\":{\"behavior\":{\"scaleUp\":{\"stabilizationWindowSeconds\":7}},\"maxReplicas\":3,\"metrics\":["
		CPU("80") ",{\"pods\":{\"metric\":{\"name\":\"m\"},\"target\":{\"averageValue\":\"5\",\"type\":\"AverageValue\"}},\"type\":\"Pods\"}],"
		"\"minReplicas\":1," REF "},\"status\":{\"conditions\":[{\"status\":\"True\",\"type\":\"AbleToScale\"}],\"desiredReplicas\":0}}";
	struct xb_tree *h = xb_tree_parse(arena, stored);

	assert_int_equal(xb_kind_from_stored(v1(), arena, h), 0);
	assert_null(xb_tree_path(h, "spec", "metrics"));
	assert_non_null(xb_tree_path(h, "metadata", "annotations", "autoscaling.alpha.kubernetes.io/behavior"));
	assert_non_null(xb_tree_path(h, "metadata", "annotations", "autoscaling.alpha.kubernetes.io/conditions"));
	assert_int_equal(xb_kind_to_stored(v1(), arena, h), 0);
	assert_string_equal(text_of(h), stored);
}

static void notes_that_are_none_stay(void **state)
{
	struct xb_tree *h = xb_tree_parse(arena, "{\"metadata\":{\"annotations\":{\"autoscaling.alpha.kubernetes.io/metrics\":\"[{\"}},\"spec\":{\"maxReplicas\":1}}");

	assert_int_equal(xb_kind_to_stored(v1(), arena, h), 0);
	assert_string_equal(text_of(xb_tree_path(h, "metadata", "annotations")), "{\"autoscaling.alpha.kubernetes.io/metrics\":\"[{\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpu_is_a_metric),
		cmocka_unit_test(nothing_is_lost_on_the_way),
		cmocka_unit_test(notes_that_are_none_stay),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
