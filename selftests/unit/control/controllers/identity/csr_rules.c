/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../control/controllers/identity/csr_rules.h"
#include "xb/time.h"

static struct xb_json *doc;
static struct xb_buf text;

static struct xb_jv parse(const char *json)
{
	xb_json_unref(doc);
	xb_buf_clear(&text);
	for (; *json; json++)
		xb_buf_addc(&text, *json == '\'' ? '"' : *json);
	assert_int_equal(xb_json_parse(xb_buf_sv(&text), NULL, &doc, NULL), 0);
	return xb_json_root(doc);
}

static int teardown(void **state)
{
	doc = xb_json_unref(doc);
	xb_buf_done(&text);
	return 0;
}

#define KUBELET "['digital signature','key encipherment','client auth']"
#define SERVING "['key encipherment','server auth','digital signature']"
#define GROUPS(...) (char *[]){ __VA_ARGS__ NULL }
#define NODES       GROUPS("system:nodes", )
#define OF(name, groups, ...) { .common_name = (name), .organizations = (groups), __VA_ARGS__ }

struct example {
	struct xb_csr csr;
	const char *usages, *why;
};

static void check(csr_fits *fits, const struct example *examples, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_buf_ struct xb_buf why = {};
		bool ok = fits(&examples[i].csr, parse(examples[i].usages), &why);

		assert_string_equal(why.p ? why.p : "", examples[i].why);
		assert_int_equal(ok, !*examples[i].why);
	}
}

static void kubelets_as_clients(void **state)
{
	const struct example examples[] = {
		{ OF("system:node:a", NODES, ), KUBELET, "" },
		{ OF("system:node:a", NODES, ), "['client auth','digital signature']", "" },
		{ OF("system:node:a", NODES, ), "['client auth','key encipherment']", "usages did not match [client auth digital signature key encipherment]" },
		{ OF("system:node:a", NODES, ), "['client auth','digital signature','server auth']",
		  "usages did not match [client auth digital signature key encipherment]" },
		{ OF("system:node:a", NODES, ), SERVING, "usages did not match [client auth digital signature key encipherment]" },
		{ OF("a", NODES, ), KUBELET, "subject common name does not begin with system:node:" },
		{ OF("system:node:a", GROUPS(), ), KUBELET, "subject organization is not system:nodes" },
		{ OF("system:node:a", GROUPS("system:nodes", "system:masters", ), ), KUBELET, "subject organization is not system:nodes" },
		{ OF("system:node:a", NODES, .dns_names = 1), KUBELET, "DNS subjectAltNames are not allowed" },
		{ OF("system:node:a", NODES, .emails = 1), KUBELET, "Email subjectAltNames are not allowed" },
		{ OF("system:node:a", NODES, .ip_addresses = 1), KUBELET, "IP subjectAltNames are not allowed" },
		{ OF("system:node:a", NODES, .uris = 1), KUBELET, "URI subjectAltNames are not allowed" },
	};

	check(csr_fits_kubelet_client, examples, ARRAY_SIZE(examples));
}

static void kubelets_as_servers(void **state)
{
	const struct example examples[] = {
		{ OF("system:node:a", NODES, .dns_names = 1), SERVING, "" },
		{ OF("system:node:a", NODES, .ip_addresses = 1), "['digital signature','server auth']", "" },
		{ OF("system:node:a", NODES, ), SERVING, "DNS or IP subjectAltName is required" },
		{ OF("system:node:a", NODES, .dns_names = 1, .emails = 1), SERVING, "Email subjectAltNames are not allowed" },
		{ OF("system:node:a", NODES, .dns_names = 1, .uris = 1), SERVING, "URI subjectAltNames are not allowed" },
		{ OF("system:node:a", NODES, .dns_names = 1), KUBELET, "usages did not match [digital signature key encipherment server auth]" },
		{ OF("a", NODES, .dns_names = 1), SERVING, "subject common name does not begin with system:node:" },
		{ OF("system:node:a", GROUPS("x", ), .dns_names = 1), SERVING, "subject organization is not system:nodes" },
	};

	check(csr_fits_kubelet_serving, examples, ARRAY_SIZE(examples));
}

static void other_clients(void **state)
{
	const struct example examples[] = {
		{ OF("jane", GROUPS(), ), "['client auth']", "" },
		{ OF("jane", GROUPS(), .dns_names = 2), KUBELET, "" },
		{ OF("jane", GROUPS(), ), "['digital signature']", "missing required usage for client certificate: client auth" },
		{ OF("jane", GROUPS(), ), "['client auth','cert sign']", "invalid usage for client certificate: cert sign" },
	};

	check(csr_fits_client, examples, ARRAY_SIZE(examples));
}

static void what_is_to_be_signed(void **state)
{
	assert_false(csr_is_to_be_signed(parse("{}")));
	assert_true(csr_is_to_be_signed(parse("{'status':{'conditions':[{'type':'Approved','status':'True'}]}}")));
	assert_false(csr_is_to_be_signed(parse("{'status':{'certificate':'eA==','conditions':[{'type':'Approved','status':'True'}]}}")));
	assert_false(csr_is_to_be_signed(parse("{'status':{'conditions':[{'type':'Approved'},{'type':'Denied'}]}}")));
	assert_false(csr_is_to_be_signed(parse("{'status':{'conditions':[{'type':'Approved'},{'type':'Failed','status':'True'}]}}")));
	assert_true(csr_is_decided(parse("{'status':{'conditions':[{'type':'Denied'}]}}")));
	assert_false(csr_is_decided(parse("{'status':{'conditions':[{'type':'Failed'}]}}")));
}

static void a_condition_is_added_to_the_others(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};

	csr_condition_patch(parse("{'status':{'conditions':[{'type':'A'}]}}"), "Failed", "R", "m", 0, &out);
	assert_string_equal(out.p, "{\"status\":{\"conditions\":[{\"type\":\"A\"},{\"type\":\"Failed\",\"status\":\"True\",\"reason\":\"R\",\"message\":\"m\","
				   "\"lastUpdateTime\":\"1970-01-01T00:00:00Z\"}]}}");
}

static void times(void **state)
{
	static const struct {
		const char *csr;
		int64_t most, expected;
	} examples[] = {
		{ "{}", 86400, 86400 - 300 },
		{ "{}", 3600, 3600 },
		{ "{'spec':{'expirationSeconds':7200}}", 86400, 7200 },
		{ "{'spec':{'expirationSeconds':28800}}", 86400, 28800 - 300 },
		{ "{'spec':{'expirationSeconds':90000}}", 86400, 86400 - 300 },
		{ "{'spec':{'expirationSeconds':1}}", 86400, 600 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		struct xb_csr_terms t = {};

		csr_set_times(parse(examples[i].csr), examples[i].most, 1000000, &t);
		assert_int_equal(t.not_before, 1000000 - 300);
		assert_int_equal(t.not_after, 1000000 + examples[i].expected);
	}
}

static void what_is_over(void **state)
{
#define CREATED "'metadata':{'creationTimestamp':'2026-01-01T00:00:00Z'}"
#define AT(type, time) "{'type':'" type "','lastUpdateTime':'2026-01-01T" time "Z'}"
	static const struct {
		const char *csr, *at;
	} examples[] = {
		{ "{" CREATED "}", "2026-01-02T00:00:00Z" },
		{ "{" CREATED ",'status':{'conditions':[" AT("Denied", "01:00:00") "]}}", "2026-01-01T02:00:00Z" },
		{ "{" CREATED ",'status':{'conditions':[" AT("Approved", "01:00:00") "]}}", NULL },
		{ "{" CREATED ",'status':{'conditions':[" AT("Approved", "01:00:00") "," AT("Failed", "03:00:00") "]}}", "2026-01-01T04:00:00Z" },
		{ "{" CREATED ",'status':{'certificate':'eA==','conditions':[" AT("Approved", "01:00:00") "]}}", "2026-01-01T02:00:00Z" },
		{ "{" CREATED ",'status':{'conditions':[{'type':'Denied'}]}}", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		int64_t at = csr_clean_at(parse(examples[i].csr));

		if (examples[i].at)
			assert_string_equal(xb_time_format(at).s, examples[i].at);
		else
			assert_int_equal(at, INT64_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kubelets_as_clients), cmocka_unit_test(kubelets_as_servers), cmocka_unit_test(other_clients),
		cmocka_unit_test(what_is_to_be_signed), cmocka_unit_test(a_condition_is_added_to_the_others), cmocka_unit_test(times),
		cmocka_unit_test(what_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
