/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "xb/file.h"
#include "xb/json.h"

static void accepts(void **state)
{
	static const char *const texts[] = {
		"null", " true ", "\t\r\n[ ]\n", "{}", "\"\"", "0", "-0", "-0.5e+10", "1E5", "123456789012345678901234567890",
		"[1,[2,[3]],{}]", "{\"a\" : {\"b\":[null]} , \"\":1}", "{\"a\":1,\"a\":2}", "\"\\u0000\\ud800\\/\"",
		"\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"", "\"\x7f\"", "\"sixteen bytes and then more\"",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;

		assert_int_equal(xb_json_parse(xb_sv(texts[i]), NULL, &d, NULL), 0);
		assert_true(xb_sv_is(xb_json_bytes(d), texts[i]));
	}
}

static void refuses_in_gos_words(void **state)
{
	static const struct {
		struct xb_sv json;
		const char *text;
		size_t offset;
	} rows[] = {
		{ XB_SV(""), "unexpected end of JSON input", 0 },
		{ XB_SV("{\"a\":"), "unexpected end of JSON input", 5 },
		{ XB_SV("\"abc"), "unexpected end of JSON input", 4 },
		{ XB_SV("\"abc\\"), "unexpected end of JSON input", 5 },
		{ XB_SV("\"\xc3"), "invalid character '\xc3\x83' in string literal (not UTF-8)", 1 },
		{ XB_SV("-"), "unexpected end of JSON input", 1 },
		{ XB_SV("1e"), "unexpected end of JSON input", 2 },
		{ XB_SV("tr"), "unexpected end of JSON input", 2 },
		{ XB_SV("x"), "invalid character 'x' looking for beginning of value", 0 },
		{ XB_SV("[,"), "invalid character ',' looking for beginning of value", 1 },
		{ XB_SV("[1,]"), "invalid character ']' looking for beginning of value", 3 },
		{ XB_SV("'a'"), "invalid character '\\'' looking for beginning of value", 0 },
		{ XB_SV("\xef\xbb\xbf{}"), "invalid character '\xc3\xaf' looking for beginning of value", 0 },
		{ XB_SV("\x01"), "invalid character '\\x01' looking for beginning of value", 0 },
		{ XB_SV("\0"), "invalid character '\\x00' looking for beginning of value", 0 },
		{ XB_SV("[\x80"), "invalid character '\\u0080' looking for beginning of value", 1 },
		{ XB_SV("{a"), "invalid character 'a' looking for beginning of object key string", 1 },
		{ XB_SV("{\"a\":1,}"), "invalid character '}' looking for beginning of object key string", 7 },
		{ XB_SV("{\"a\"1"), "invalid character '1' after object key", 4 },
		{ XB_SV("{\"a\":1 x"), "invalid character 'x' after object key:value pair", 7 },
		{ XB_SV("[1 2]"), "invalid character '2' after array element", 3 },
		{ XB_SV("[1}"), "invalid character '}' after array element", 2 },
		{ XB_SV("{} x"), "invalid character 'x' after top-level value", 3 },
		{ XB_SV("1\0"), "invalid character '\\x00' after top-level value", 1 },
		{ XB_SV("01"), "invalid character '1' after top-level value", 1 },
		{ XB_SV("\"a\nb\""), "invalid character '\\n' in string literal", 2 },
		{ XB_SV("\"\0\""), "invalid character '\\x00' in string literal", 1 },
		{ XB_SV("\"\\x\""), "invalid character 'x' in string escape code", 2 },
		{ XB_SV("\"\\u12g4\""), "invalid character 'g' in \\u hexadecimal character escape", 5 },
		{ XB_SV("-x"), "invalid character 'x' in numeric literal", 1 },
		{ XB_SV("1.x"), "invalid character 'x' after decimal point in numeric literal", 2 },
		{ XB_SV("1ex"), "invalid character 'x' in exponent of numeric literal", 2 },
		{ XB_SV("txue"), "invalid character 'x' in literal true (expecting 'r')", 1 },
		{ XB_SV("nulx"), "invalid character 'x' in literal null (expecting 'l')", 3 },
		{ XB_SV("falsx"), "invalid character 'x' in literal false (expecting 'e')", 4 },
		{ XB_SV("\"\xc0\xaf\""), "invalid character '\xc3\x80' in string literal (not UTF-8)", 1 },
		{ XB_SV("\"\xed\xa0\x80\""), "invalid character '\xc3\xad' in string literal (not UTF-8)", 1 },
		{ XB_SV("\"12345678\xff\""), "invalid character '\xc3\xbf' in string literal (not UTF-8)", 9 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_buf_ struct xb_buf text = {};
		struct xb_json *d = NULL;
		struct xb_json_fault f;

		assert_int_equal(xb_json_parse(rows[i].json, NULL, &d, &f), -EBADMSG);
		assert_null(d);
		xb_json_fault_text(&f, &text);
		assert_string_equal(text.p, rows[i].text);
		assert_int_equal(f.offset, rows[i].offset);
	}
}

/* A document's every prefix is refused, and nothing behind its end is read. */
static void refuses_prefixes(void **state)
{
	struct xb_sv whole = XB_SV("{\"a\":[1.5e3,true,\"\\u00e9\xc3\xa9\",{\"b\":null}],\"c\":{}}");

	for (size_t n = 0; n < whole.n; n++) {
		_cleanup_free_ char *exact = malloc(n + !n);
		struct xb_json_fault f;
		struct xb_json *d;

		memcpy(exact, whole.p, n);
		assert_int_equal(xb_json_parse((struct xb_sv){ exact, n }, NULL, &d, &f), -EBADMSG);
	}
}

static void keeps_limits(void **state)
{
	struct xb_json_limits limits = { .max_bytes = 300, .max_depth = 5 };
	char deep[300];
	struct xb_json *d = NULL;
	struct xb_json_fault f;

	assert_int_equal(xb_json_parse(XB_SV("[[[[[1]]]]]"), &limits, &d, &f), 0);
	d = xb_json_unref(d);
	assert_int_equal(xb_json_parse(XB_SV("[[[[{\"a\":[]}]]]]"), &limits, &d, &f), -E2BIG);
	assert_string_equal(f.what, "exceeded max depth");
	assert_int_equal(f.byte, -1);
	memset(deep, '[', sizeof(deep));
	assert_int_equal(xb_json_parse((struct xb_sv){ deep, sizeof(deep) }, NULL, &d, &f), -E2BIG);
	assert_int_equal(f.offset, 128);
	memset(deep, ' ', sizeof(deep));
	assert_int_equal(xb_json_parse((struct xb_sv){ deep, 299 }, &limits, &d, &f), -EBADMSG);
	limits.max_bytes = 299;
	assert_int_equal(xb_json_parse((struct xb_sv){ deep, 300 }, &limits, &d, &f), -E2BIG);
	assert_null(d);
}

/* Pods as upstream's API server sends them cost about 1.4 times their bytes, index and all. */
static void is_small(void **state)
{
	_cleanup_buf_ struct xb_buf file = {};
	_cleanup_(xb_json_unrefp) struct xb_json *exchanges = NULL;
	size_t bytes = 0, memory = 0;

	if (xb_file_read("../shared/k8s/exchanges/pods.json", 64 << 20, &file) < 0)
		skip();
	assert_int_equal(xb_json_parse(xb_buf_sv(&file), &(struct xb_json_limits){ .max_bytes = 64 << 20 }, &exchanges, NULL), 0);
	for (struct xb_jit it = xb_jv_iter(xb_json_root(exchanges)); xb_jit_next(&it);) {
		struct xb_jv body = xb_jv_path(it.value, "response", "body");
		_cleanup_(xb_json_unrefp) struct xb_json *pod = NULL;

		if (!xb_jv_streq(xb_jv_get(body, "kind"), XB_SV("Pod")))
			continue;
		assert_int_equal(xb_json_parse(xb_jv_bytes(body), NULL, &pod, NULL), 0);
		bytes += xb_jv_bytes(body).n;
		memory += xb_json_memory(pod);
	}
	assert_true(bytes > 20000);
	print_message("%zu bytes of pods, x%.2f in memory\n", bytes, (double)memory / (double)bytes);
	assert_true(memory * 2 < bytes * 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts),
		cmocka_unit_test(refuses_in_gos_words),
		cmocka_unit_test(refuses_prefixes),
		cmocka_unit_test(keeps_limits),
		cmocka_unit_test(is_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
