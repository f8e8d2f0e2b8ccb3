/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../../../../control/controllers/services/maps.h"
#include "../../../../../control/controllers/services/service_pods.h"

static struct xb_json *parse(const char *text)
{
	struct xb_json *doc = NULL;

	assert_int_equal(xb_json_parse(xb_sv(text), NULL, &doc, NULL), 0);
	return doc;
}

static bool selects(const char *selector, const char *labels)
{
	_cleanup_buf_ struct xb_buf a = {}, b = {};
	_cleanup_(xb_json_unrefp) struct xb_json *service = NULL, *pod = NULL;

	xb_buf_addf(&a, "{\"spec\":{\"selector\":%s}}", selector);
	xb_buf_addf(&b, "{\"metadata\":{\"labels\":%s}}", labels);
	service = parse(a.p);
	pod = parse(b.p);
	return service_selects(xb_json_root(service), xb_json_root(pod));
}

static void selects_by_all_pairs(void **state)
{
	assert_true(selects("{\"a\":\"b\"}", "{\"a\":\"b\",\"c\":\"d\"}"));
	assert_true(selects("{\"a\":\"\"}", "{\"a\":\"\"}"));
	assert_false(selects("{\"a\":\"\"}", "{\"b\":\"\"}"));
	assert_false(selects("{\"a\":\"b\",\"c\":\"d\"}", "{\"a\":\"b\"}"));
	assert_false(selects("{}", "{\"a\":\"b\"}"));
	assert_false(selects("null", "{}"));
}

static int64_t port(const char *target)
{
	_cleanup_(xb_json_unrefp) struct xb_json *service_port = NULL, *pod = NULL;
	_cleanup_buf_ struct xb_buf text = {};
	int64_t n = -1;

	xb_buf_addf(&text, "{\"port\":80,\"protocol\":\"TCP\",\"targetPort\":%s}", target);
	service_port = parse(text.p);
	pod = parse("{\"spec\":{\"containers\":[{\"ports\":[{\"name\":\"dns\",\"protocol\":\"UDP\",\"containerPort\":53}]},"
		    "{\"ports\":[{\"name\":\"dns\",\"protocol\":\"TCP\",\"containerPort\":54}]}],\"initContainers\":["
		    "{\"ports\":[{\"name\":\"setup\",\"protocol\":\"TCP\",\"containerPort\":1}]},"
		    "{\"restartPolicy\":\"Always\",\"ports\":[{\"name\":\"side\",\"protocol\":\"TCP\",\"containerPort\":2}]}]}}");
	return service_pod_port(xb_json_root(pod), xb_json_root(service_port), &n) ? n : -1;
}

static void ports_by_number_and_name(void **state)
{
	assert_int_equal(port("8080"), 8080);
	assert_int_equal(port("\"dns\""), 54);
	assert_int_equal(port("\"side\""), 2);
	assert_int_equal(port("\"setup\""), -1);
	assert_int_equal(port("\"none\""), -1);
}

static void a_family_s_address(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *pod = parse("{\"status\":{\"phase\":\"Running\",\"podIPs\":[{\"ip\":\"fd00::1\"},{\"ip\":\"10.0.0.1\"}]}}");
	_cleanup_(xb_json_unrefp) struct xb_json *over = parse("{\"status\":{\"phase\":\"Succeeded\",\"podIPs\":[{\"ip\":\"10.0.0.1\"}]}}");

	assert_true(xb_sv_is(service_pod_ip(xb_json_root(pod), false), "10.0.0.1"));
	assert_true(xb_sv_is(service_pod_ip(xb_json_root(pod), true), "fd00::1"));
	assert_int_equal(service_pod_ip(xb_json_root(over), true).n, 0);
	assert_true(service_pod_counts(xb_json_root(pod)));
	assert_false(service_pod_counts(xb_json_root(over)));
}

static void labels_that_follow_others(void **state)
{
	static const struct maps_own own[] = { { "k", "v" }, { "x", NULL } };
	_cleanup_(xb_json_unrefp) struct xb_json *from = parse("{\"a\":\"b\",\"x\":\"y\"}"), *right = parse("{\"k\":\"v\",\"a\":\"b\"}");
	_cleanup_(xb_json_unrefp) struct xb_json *wrong = parse("{\"a\":\"b\",\"x\":\"y\",\"old\":\"1\"}");
	struct maps m = { xb_json_root(from), own, ARRAY_SIZE(own) };
	_cleanup_buf_ struct xb_buf text = {};
	struct xb_jw w = XB_JW(&text);

	assert_true(maps_is(&m, xb_json_root(right)));
	assert_false(maps_is(&m, xb_json_root(wrong)));
	maps_write_patch(&m, xb_json_root(wrong), &w);
	assert_int_equal(xb_jw_finish(&w), 0);
	assert_string_equal(text.p, "{\"a\":\"b\",\"k\":\"v\",\"x\":null,\"old\":null}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selects_by_all_pairs),
		cmocka_unit_test(ports_by_number_and_name),
		cmocka_unit_test(a_family_s_address),
		cmocka_unit_test(labels_that_follow_others),
	};

	return cmocka_run_group_tests_name("control/controllers/service_pods", tests, NULL, NULL);
}
