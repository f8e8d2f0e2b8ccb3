/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "xb/validate.h"

#define X63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* The faults, joined by "; ". */
static char *faults(xb_check_fn *check, struct xb_sv s)
{
	const char *ret[XB_CHECK_MAX];
	const unsigned n = check(s, ret);
	struct xb_buf out = {};

	xb_buf_adds(&out, "");
	for (unsigned i = 0; i < n; i++)
		xb_buf_addf(&out, "%s%s", i ? "; " : "", ret[i]);
	return n ? xb_buf_steal(&out) : strdup("");
}

static void names(void **state)
{
	static const struct {
		xb_check_fn *check;
		const char *good[8], *bad[12];
	} cases[] = {
		{ xb_check_dns1123_label, { "a", "0", "a-b", X63 }, { "", "-a", "a-", "A", "a_b", "a.b", X63 "a", "é" } },
		{ xb_check_dns1123_subdomain, { "a", "a.b-c.0", X63 "." X63 "." X63 }, { "", ".", "a.", ".a", "a..b", "A", "a_b" } },
		{ xb_check_dns1035_label, { "a", "a-0", X63 }, { "", "0a", "a-", "a.b", X63 "a" } },
		{ xb_check_qualified_name, { "a", "A_b.c-d", "example.com/A", "a/b" }, { "", "/a", "a/", "a/b/c", "-a", "a-", "A/b", "a b" } },
		{ xb_check_label_value, { "", "A", "a_b.c-d", X63 }, { "-", "a ", "a/b", X63 "a", "é" } },
		{ xb_check_config_key, { "a", "a.b", "A_b-c.d", "-" }, { "", ".", "..", "..a", "a b", "a/b" } },
		{ xb_check_port_name, { "http", "a-1", "1a" }, { "", "1", "-a", "a-", "a--b", "HTTP", "abcdefghijklmnop" } },
		{ xb_check_env_name, { "A", "a.b-c", "1 x" }, { "", "a=b", "a\n", "é" } },
		{ xb_check_http_header_name, { "X-A", "a" }, { "", "a b", "a:" } },
		{ xb_check_ip, { "10.0.0.1", "::", "2001:db8::1", "::ffff:1.2.3.4" }, { "", "x", "010.0.0.1", "1.2.3", "1.2.3.4.5", "::1%lo", "1.2.3.4/8" } },
		{ xb_check_cidr, { "10.0.0.0/8", "0.0.0.0/0", "::/128", "10.1.2.3/8" }, { "", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/08", "::/129", "/8", "10.0.0.0/", "10.0.0.0/+8", "a/8" } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (unsigned j = 0; j < ARRAY_SIZE(cases[i].good) && cases[i].good[j]; j++) {
			char *said = faults(cases[i].check, xb_sv(cases[i].good[j]));

			if (said[0])
				fail_msg("%zu: \"%s\" is fine: %s", i, cases[i].good[j], said);
			free(said);
		}
		for (unsigned j = 0; j < ARRAY_SIZE(cases[i].bad) && cases[i].bad[j]; j++) {
			char *said = faults(cases[i].check, xb_sv(cases[i].bad[j]));

			if (!said[0])
				fail_msg("%zu: \"%s\" is not fine", i, cases[i].bad[j]);
			free(said);
		}
	}
}

static void a_zero_byte_is_never_fine(void **state)
{
	xb_check_fn *const checks[] = {
		xb_check_dns1123_label, xb_check_dns1123_subdomain, xb_check_dns1035_label, xb_check_qualified_name, xb_check_label_value,
		xb_check_config_key, xb_check_port_name, xb_check_env_name, xb_check_http_header_name,
	};
	const char *ret[XB_CHECK_MAX];

	for (unsigned i = 0; i < ARRAY_SIZE(checks); i++)
		assert_int_not_equal(checks[i](XB_SV("a\0b"), ret), 0);
	assert_int_not_equal(xb_check_ip(XB_SV("1.2.3.4\0x"), ret), 0);
}

static void words(void **state)
{
	static const struct {
		xb_check_fn *check;
		const char *s, *said;
	} cases[] = {
		{ xb_check_dns1123_label, "a.b", "must not contain dots" },
		{ xb_check_dns1123_label, X63 "a", "must be no more than 63 characters" },
		{ xb_check_dns1123_label, "Bad_Name",
		  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an "
		  "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')" },
		{ xb_check_dns1123_subdomain, "Not_Ok",
		  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an "
		  "alphanumeric character (e.g. 'example.com', regex used for validation is "
		  "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')" },
		{ xb_check_dns1035_label, "1abc",
		  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with "
		  "an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')" },
		{ xb_check_qualified_name, "-a/b/c",
		  "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
		  "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
		  "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')" },
		{ xb_check_label_value, "no spaces",
		  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
		  "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
		  "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')" },
		{ xb_check_config_key, "a b",
		  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', "
		  "regex used for validation is '[-._a-zA-Z0-9]+')" },
		{ xb_check_ip, "x", "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *said = faults(cases[i].check, xb_sv(cases[i].s));

		assert_string_equal(said, cases[i].said);
		free(said);
	}
}

static void special_addresses(void **state)
{
	static const char *const fine[] = { "10.0.0.1", "2001:db8::1", "224.0.1.1", "ff05::1" };
	static const struct {
		const char *ip, *part;
	} special[] = {
		{ "0.0.0.0", "may not be unspecified (0.0.0.0)" }, { "::", "may not be unspecified (::)" },
		{ "127.0.0.1", "may not be in the loopback range (127.0.0.0/8, ::1/128)" }, { "::1", "loopback" },
		{ "::ffff:127.0.0.1", "loopback" }, { "169.254.1.1", "may not be in the link-local range (169.254.0.0/16, fe80::/10)" },
		{ "fe80::1", "link-local range" }, { "224.0.0.1", "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)" },
		{ "ff02::1", "link-local multicast" }, { "x", "must be a valid IP address" },
	};
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);

	for (unsigned i = 0; i < ARRAY_SIZE(fine); i++) {
		struct xb_field_errors e = { .arena = a };

		assert_true(xb_validate_non_special_ip(&e, XB_PATH(NULL, "ip"), xb_sv(fine[i])));
		assert_int_equal(e.n, 0);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(special); i++) {
		struct xb_field_errors e = { .arena = a };
		_cleanup_status_ struct xb_status status = {};

		assert_false(xb_validate_non_special_ip(&e, XB_PATH(NULL, "ip"), xb_sv(special[i].ip)));
		xb_field_errors_status(&e, "", "Endpoints", XB_SV("x"), &status);
		assert_non_null(strstr(status.message, special[i].part));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(a_zero_byte_is_never_fine),
		cmocka_unit_test(words),
		cmocka_unit_test(special_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
