/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../../../../control/controllers/policy/quota_status.h"
#include "xb/time.h"

#define HARD "{\"count/deployments.apps\":\"3\",\"limits.example.com/x\":\"1\",\"memory\":\"1Gi\",\"pods\":\"5\"}"
#define QUOTA(spec, status) "{\"metadata\":{\"uid\":\"q\"},\"spec\":{\"hard\":" HARD spec "},\"status\":" status "}"
#define POD(memory, more) "{\"spec\":{\"containers\":[{\"resources\":{\"requests\":{\"memory\":\"" memory "\"}}}]}" more "}"

static struct xb_quota_usage *usage;
static const struct xb_kind *pods, *deployments;

static struct xb_json *parse(const char *text)
{
	struct xb_json *d = NULL;

	assert_int_equal(xb_json_parse(xb_sv(text), NULL, &d, NULL), 0);
	return d;
}

static int64_t at(const char *text)
{
	int64_t us;

	assert_int_equal(xb_time_parse(xb_sv(text), &us), 0);
	return us;
}

static int begin(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = parse(QUOTA("", "{}"));

	pods = xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("pods"));
	deployments = xb_kind_by_resource(XB_SV("apps"), XB_SV("v1"), XB_SV("deployments"));
	assert_int_equal(xb_quota_usage_new(xb_json_root(d), at("2026-01-01T00:00:00Z"), &usage), 0);
	return 0;
}

static int end(void **state)
{
	usage = xb_quota_usage_free(usage);
	return 0;
}

static bool change(const struct xb_kind *k, const char *old, const char *object)
{
	_cleanup_(xb_json_unrefp) struct xb_json *a = old ? parse(old) : NULL, *b = object ? parse(object) : NULL;

	return xb_quota_usage_change(usage, k, a ? xb_json_root(a) : (struct xb_jv){}, b ? xb_json_root(b) : (struct xb_jv){});
}

static void assert_status(const char *quota, const char *expected)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = parse(quota);
	_cleanup_buf_ struct xb_buf out = {};

	quota_status_write(usage, xb_json_root(d), &out);
	assert_string_equal(out.p ? out.p : "", expected);
}

static void changes_add_up(void **state)
{
	assert_true(change(pods, NULL, POD("100Mi", "")));
	assert_true(change(pods, NULL, POD("28Mi", "")));
	assert_false(change(pods, POD("28Mi", ""), POD("28Mi", ",\"status\":{\"phase\":\"Running\"}")));
	assert_true(change(deployments, NULL, "{}"));
	assert_status(QUOTA("", "{}"), "{\"hard\":" HARD ",\"used\":{\"count/deployments.apps\":\"1\",\"memory\":\"128Mi\",\"pods\":\"2\"}}");
	assert_true(change(pods, POD("28Mi", ""), POD("28Mi", ",\"status\":{\"phase\":\"Failed\"}")));
	assert_false(change(pods, POD("28Mi", ",\"status\":{\"phase\":\"Failed\"}"), NULL));
	assert_true(change(deployments, "{}", NULL));
	assert_status(QUOTA("", "{}"), "{\"hard\":" HARD ",\"used\":{\"count/deployments.apps\":\"0\",\"memory\":\"100Mi\",\"pods\":\"1\"}}");
}

/* One whose time came since it was counted is taken out as what it was counted. */
static void a_pod_goes_as_it_came(void **state)
{
	static const char late[] = POD("1Mi", ",\"metadata\":{\"deletionTimestamp\":\"2026-01-01T00:00:30Z\",\"deletionGracePeriodSeconds\":30}");

	assert_true(change(pods, NULL, POD("1Mi", "")));
	assert_false(change(pods, POD("1Mi", ""), late));
	assert_true(change(pods, late, NULL));
	assert_status(QUOTA("", "{}"), "{\"hard\":" HARD ",\"used\":{\"count/deployments.apps\":\"0\",\"memory\":\"0\",\"pods\":\"0\"}}");
}

static void writes_only_what_is_new(void **state)
{
	change(pods, NULL, POD("1Gi", ""));
	assert_status(QUOTA("", "{\"hard\":" HARD ",\"used\":{\"count/deployments.apps\":\"0\",\"memory\":\"1024Mi\",\"pods\":\"1\"}}"), "");
	assert_status(QUOTA("", "{\"hard\":{},\"used\":{\"count/deployments.apps\":\"0\",\"memory\":\"1Gi\",\"pods\":\"1\"}}"),
		      "{\"hard\":" HARD ",\"used\":{\"count/deployments.apps\":\"0\",\"memory\":\"1Gi\",\"pods\":\"1\"}}");
	assert_status(QUOTA("", "{\"hard\":" HARD ",\"used\":{\"count/deployments.apps\":\"0\",\"memory\":\"1Gi\",\"pods\":\"1\",\"secrets\":\"1\"}}"),
		      "{\"hard\":" HARD ",\"used\":{\"count/deployments.apps\":\"0\",\"memory\":\"1Gi\",\"pods\":\"1\"}}");
}

static void is_of_one_spec(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *same = parse(QUOTA("", "{\"hard\":{}}")), *scoped = parse(QUOTA(",\"scopes\":[\"BestEffort\"]", "{}"));
	_cleanup_(xb_json_unrefp) struct xb_json *other = parse("{\"metadata\":{\"uid\":\"r\"},\"spec\":{\"hard\":" HARD "}}");

	assert_true(xb_quota_usage_is_of(usage, xb_json_root(same)));
	assert_false(xb_quota_usage_is_of(usage, xb_json_root(scoped)));
	assert_false(xb_quota_usage_is_of(usage, xb_json_root(other)));
	assert_true(xb_quota_usage_measures(usage, deployments));
	assert_false(xb_quota_usage_measures(usage, xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("secrets"))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(changes_add_up, begin, end),
		cmocka_unit_test_setup_teardown(a_pod_goes_as_it_came, begin, end),
		cmocka_unit_test_setup_teardown(writes_only_what_is_new, begin, end),
		cmocka_unit_test_setup_teardown(is_of_one_spec, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
