/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "xb/kinds.h"

static const struct xb_field_label *labels_of(const char *kind)
{
	return xb_kind_by_name(XB_SV(""), XB_SV("v1"), xb_sv(kind))->field_labels;
}

static bool is_selected(const char *kind, const char *selector, const char *object)
{
	_cleanup_(xb_field_selector_freep) struct xb_field_selector *s = NULL;
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;

	assert_int_equal(xb_field_selector_parse(xb_sv(selector), labels_of(kind), &s, NULL), 0);
	assert_int_equal(xb_json_parse(xb_sv(object), NULL, &d, NULL), 0);
	return xb_field_selector_matches(s, xb_json_root(d));
}

static void selects(void **state)
{
	static const struct {
		const char *kind, *selector, *object;
		bool selected;
	} cases[] = {
		{ "Pod", "", "{}", true }, { "Pod", ",", "{}", true },
		{ "Pod", "metadata.name=a", "{\"metadata\":{\"name\":\"a\"}}", true },
		{ "Pod", "metadata.name==a", "{\"metadata\":{\"name\":\"b\"}}", false },
		{ "Pod", "spec.nodeName=", "{\"spec\":{}}", true }, { "Pod", "spec.nodeName=", "{\"spec\":{\"nodeName\":\"n\"}}", false },
		{ "Pod", "status.phase!=Running,status.phase!=Failed", "{\"status\":{\"phase\":\"Pending\"}}", true },
		{ "Pod", "status.phase!=Running", "{\"status\":{\"phase\":\"Running\"}}", false },
		{ "Pod", "spec.hostNetwork=false", "{\"spec\":{}}", true }, { "Pod", "spec.hostNetwork=true", "{\"spec\":{\"hostNetwork\":true}}", true },
		{ "Node", "spec.unschedulable=false", "{\"spec\":{\"unschedulable\":true}}", false },
		{ "Event", "source=kubelet", "{\"source\":{\"component\":\"kubelet\"}}", true },
		{ "Event", "involvedObject.name=a\\,b", "{\"involvedObject\":{\"name\":\"a,b\"}}", true },
		{ "ReplicationController", "status.replicas=3", "{\"status\":{\"replicas\":3}}", true },
		{ "ReplicationController", "status.replicas=0", "{\"status\":{}}", true },
		{ "ConfigMap", "metadata.namespace=x", "{\"metadata\":{\"namespace\":\"x\"}}", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (is_selected(cases[i].kind, cases[i].selector, cases[i].object) != cases[i].selected)
			fail_msg("'%s' on %s", cases[i].selector, cases[i].object);
	assert_true(xb_field_selector_matches(NULL, (struct xb_jv){}));
}

static void refuses_in_upstreams_words(void **state)
{
	static const struct {
		const char *kind, *selector, *message;
	} cases[] = {
		{ "Pod", "spec.bogus=1", "field label not supported: spec.bogus" },
		{ "ConfigMap", "data.a=1", "\"data.a\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"" },
		{ "Pod", "metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'" },
		{ "Pod", "metadata.name=a\\b", "invalid field selector: invalid escape sequence: \\b" },
		{ "Pod", "metadata.name=a\\", "invalid field selector: invalid escape sequence: \\" },
		{ "Pod", "metadata.name=a=b", "invalid field selector: unescaped character in value: 61" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_status_ struct xb_status status = {};
		struct xb_field_selector *s = NULL;

		assert_int_equal(xb_field_selector_parse(xb_sv(cases[i].selector), labels_of(cases[i].kind), &s, &status), -EINVAL);
		assert_null(s);
		assert_int_equal(status.code, 400);
		assert_string_equal(status.message, cases[i].message);
	}
}

static void tells_the_name_it_demands(void **state)
{
	static const struct {
		const char *selector, *name;
	} cases[] = {
		{ "metadata.name=a", "a" }, { "status.phase=x,metadata.name=b", "b" }, { "metadata.name!=a", "" }, { "status.phase=x", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(xb_field_selector_freep) struct xb_field_selector *s = NULL;

		assert_int_equal(xb_field_selector_parse(xb_sv(cases[i].selector), labels_of("Pod"), &s, NULL), 0);
		assert_true(xb_sv_is(xb_field_selector_name(s), cases[i].name));
	}
	assert_null(xb_field_selector_name(NULL).p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selects),
		cmocka_unit_test(refuses_in_upstreams_words),
		cmocka_unit_test(tells_the_name_it_demands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
