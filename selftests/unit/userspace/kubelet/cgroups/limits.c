/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../userspace/kubelet/cgroups/limits.h"

static void numbers_are_upstreams(void **state)
{
	static const struct { uint64_t milli, shares; int64_t quota; uint64_t weight; } t[] = {
		{ 0, 2, -1, 1 }, { 1, 2, 1000, 1 }, { 10, 10, 1000, 1 }, { 100, 102, 10000, 4 }, { 1000, 1024, 100000, 39 },
		{ 2500, 2560, 250000, 98 }, { 256000, 262144, 25600000, 10000 }, { 1000000, 262144, 100000000, 10000 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		assert_int_equal(milli_to_shares(t[i].milli), t[i].shares);
		assert_int_equal(milli_to_quota_us(t[i].milli), t[i].quota);
		assert_int_equal(shares_to_weight(t[i].shares), t[i].weight);
	}
}

static struct pod_limits of(const char *spec, enum spec_qos qos, bool cfs_quota)
{
	_cleanup_buf_ struct xb_buf text = {};
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct pod_limits l;

	xb_buf_addf(&text, "{\"metadata\":{\"uid\":\"u\"},\"spec\":%s}", spec);
	assert_int_equal(xb_json_parse(xb_buf_sv(&text), NULL, &doc, NULL), 0);
	pod_limits(xb_json_root(doc), qos, cfs_quota, &l);
	return l;
}

#define BOTH "{\"resources\":{\"requests\":{\"cpu\":\"250m\",\"memory\":\"64Mi\"},\"limits\":{\"cpu\":\"500m\",\"memory\":\"128Mi\"}}}"
#define CPU_ONLY "{\"resources\":{\"requests\":{\"cpu\":\"100m\"},\"limits\":{\"cpu\":\"1\"}}}"

static void pods_sum_their_containers(void **state)
{
	struct pod_limits l = of("{\"containers\":[" BOTH "," BOTH "]}", SPEC_QOS_BURSTABLE, true);

	assert_int_equal(l.cpu_milli, 500);
	assert_int_equal(l.shares, 512);
	assert_int_equal(l.quota_us, 100000);
	assert_int_equal(l.memory_bytes, 256 << 20);

	/* memory is limited only when every container's is */
	l = of("{\"containers\":[" BOTH "," CPU_ONLY "]}", SPEC_QOS_BURSTABLE, true);
	assert_int_equal(l.quota_us, 150000);
	assert_int_equal(l.memory_bytes, -1);
	l = of("{\"containers\":[" BOTH "],\"initContainers\":[{}]}", SPEC_QOS_BURSTABLE, true);
	assert_int_equal(l.quota_us, -1);
	assert_int_equal(l.memory_bytes, -1);

	l = of("{\"containers\":[" BOTH "],\"ephemeralContainers\":[{}],\"overhead\":{\"cpu\":\"250m\"}}", SPEC_QOS_BURSTABLE, true);
	assert_int_equal(l.shares, 512);
	assert_int_equal(l.memory_bytes, 128 << 20);
}

static void what_is_off_is_not_limited(void **state)
{
	struct pod_limits l = of("{\"containers\":[" BOTH "]}", SPEC_QOS_GUARANTEED, false);

	assert_int_equal(l.quota_us, -1);
	assert_int_equal(l.memory_bytes, 128 << 20);
	l = of("{\"containers\":[{}]}", SPEC_QOS_BEST_EFFORT, true);
	assert_int_equal(l.shares, 2);
	assert_int_equal(l.quota_us, -1);
	assert_int_equal(l.memory_bytes, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_upstreams), cmocka_unit_test(pods_sum_their_containers),
		cmocka_unit_test(what_is_off_is_not_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
