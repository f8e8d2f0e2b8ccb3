/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../control/apiserver/rbac_rule.h"

static struct xb_json *parse(const char *text)
{
	struct xb_json *doc;

	assert_int_equal(xb_json_parse(xb_sv(text), NULL, &doc, NULL), 0);
	return doc;
}

static void resources(void **state)
{
	static const struct {
		const char *rule, *verb, *group, *resource, *subresource, *name;
		bool allowed;
	} rows[] = {
		{ "{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"]}", "get", "", "pods", "", "a", true },
		{ "{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"]}", "list", "", "pods", "", "", false },
		{ "{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"]}", "get", "apps", "pods", "", "a", false },
		{ "{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"]}", "get", "", "pods", "log", "a", false },
		{ "{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods/log\"]}", "get", "", "pods", "log", "a", true },
		{ "{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods/log\"]}", "get", "", "pods", "", "a", false },
		{ "{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],\"resources\":[\"*\"]}", "x", "g", "r", "s", "", true },
		{ "{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],\"resources\":[\"*/scale\"]}", "get", "apps", "deployments", "scale", "a", true },
		{ "{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],\"resources\":[\"*/scale\"]}", "get", "apps", "deployments", "", "a", false },
		{ "{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],\"resources\":[\"*/scale\"]}", "get", "apps", "deployments", "status", "a", false },
		{ "{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],\"resources\":[\"pods/*\"]}", "get", "", "pods", "log", "a", false },
		{ "{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"secrets\"],\"resourceNames\":[\"a\"]}", "get", "", "secrets", "", "a", true },
		{ "{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"secrets\"],\"resourceNames\":[\"a\"]}", "get", "", "secrets", "", "b", false },
		{ "{\"verbs\":[\"*\"],\"apiGroups\":[\"\"],\"resources\":[\"secrets\"],\"resourceNames\":[\"a\"]}", "list", "", "secrets", "", "", false },
		{ "{\"verbs\":[\"*\"],\"apiGroups\":[\"\"],\"resources\":[\"secrets\"],\"resourceNames\":[\"*\"]}", "get", "", "secrets", "", "a", false },
		{ "{\"verbs\":[\"*\"],\"nonResourceURLs\":[\"*\"]}", "get", "", "pods", "", "a", false },
		{ "{\"verbs\":[\"get\"]}", "get", "", "pods", "", "a", false },
		{ "{}", "get", "", "pods", "", "a", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(xb_json_unrefp) struct xb_json *rule = parse(rows[i].rule);
		struct attributes t = {
			.verb = xb_sv(rows[i].verb),
			.is_resource = true,
			.group = xb_sv(rows[i].group),
			.resource = xb_sv(rows[i].resource),
			.subresource = xb_sv(rows[i].subresource),
			.name = xb_sv(rows[i].name),
		};

		if (rbac_rule_allows(xb_json_root(rule), &t) != rows[i].allowed)
			fail_msg("%s: %s %s/%s", rows[i].rule, rows[i].verb, rows[i].resource, rows[i].subresource);
	}
}

static void paths(void **state)
{
	static const struct {
		const char *urls, *path;
		bool allowed;
	} rows[] = {
		{ "[\"/healthz\"]", "/healthz", true }, { "[\"/healthz\"]", "/healthz/", false }, { "[\"/healthz\"]", "/health", false },
		{ "[\"/healthz/*\"]", "/healthz/ping", true }, { "[\"/healthz/*\"]", "/healthz", false }, { "[\"*\"]", "/x", true },
		{ "[\"/a\",\"/b*\"]", "/bc", true }, { "[]", "/x", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct attributes t = { .verb = XB_SV("get"), .path = xb_sv(rows[i].path) };
		_cleanup_(xb_json_unrefp) struct xb_json *rule = NULL;
		_cleanup_buf_ struct xb_buf text = {};

		xb_buf_addf(&text, "{\"verbs\":[\"get\"],\"nonResourceURLs\":%s}", rows[i].urls);
		rule = parse(text.p);
		assert_int_equal(rbac_rule_allows(xb_json_root(rule), &t), rows[i].allowed);
		t.verb = XB_SV("post");
		assert_false(rbac_rule_allows(xb_json_root(rule), &t));
	}
}

static void cover(void **state)
{
	static const struct {
		const char *owned, *wanted, *missing; /* NULL: covered */
	} rows[] = {
		{ "[{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],\"resources\":[\"*\"]}]",
		  "[{\"verbs\":[\"get\",\"list\"],\"apiGroups\":[\"\",\"apps\"],\"resources\":[\"pods\",\"pods/log\"]}]", NULL },
		{ "[{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"]},{\"verbs\":[\"list\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"]}]",
		  "[{\"verbs\":[\"get\",\"list\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"]}]", NULL },
		{ "[{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"]}]",
		  "[{\"verbs\":[\"get\",\"list\",\"watch\"],\"apiGroups\":[\"\"],\"resources\":[\"secrets\",\"pods\"]}]",
		  "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"list\" \"watch\"]}\n"
		  "{APIGroups:[\"\"], Resources:[\"secrets\"], Verbs:[\"get\" \"list\" \"watch\"]}" },
		{ "[{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"],\"resourceNames\":[\"a\"]}]",
		  "[{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"]}]",
		  "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"get\"]}" },
		{ "[{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"],\"resourceNames\":[\"a\"]}]",
		  "[{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"],\"resourceNames\":[\"a\",\"b\"]}]",
		  "{APIGroups:[\"\"], Resources:[\"pods\"], ResourceNames:[\"b\"], Verbs:[\"get\"]}" },
		{ "[{\"verbs\":[\"*\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"]}]",
		  "[{\"verbs\":[\"*\"],\"apiGroups\":[\"\"],\"resources\":[\"*\"]}]",
		  "{APIGroups:[\"\"], Resources:[\"*\"], Verbs:[\"*\"]}" },
		{ "[{\"verbs\":[\"get\"],\"nonResourceURLs\":[\"/healthz/*\"]}]", "[{\"verbs\":[\"get\"],\"nonResourceURLs\":[\"/healthz/a*\"]}]", NULL },
		{ "[{\"verbs\":[\"get\"],\"nonResourceURLs\":[\"/healthz\"]}]", "[{\"verbs\":[\"get\"],\"nonResourceURLs\":[\"*\"]}]",
		  "{NonResourceURLs:[\"*\"], Verbs:[\"get\"]}" },
		{ "[{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],\"resources\":[\"*\"]}]", "[{\"verbs\":[\"get\"],\"nonResourceURLs\":[\"/\"]}]",
		  "{NonResourceURLs:[\"/\"], Verbs:[\"get\"]}" },
		{ "[]", "[]", NULL },
	};
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_buf_ struct xb_buf missing = {};
		int r = rbac_rules_cover(xb_tree_parse(a, rows[i].owned), xb_tree_parse(a, rows[i].wanted), &missing);

		assert_int_equal(r, rows[i].missing ? -EACCES : 0);
		if (rows[i].missing)
			assert_string_equal(missing.p, rows[i].missing);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(resources), cmocka_unit_test(paths), cmocka_unit_test(cover) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
