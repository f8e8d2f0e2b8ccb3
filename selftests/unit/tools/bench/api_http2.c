/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* tests link libraries, and a tool has none: the file itself */
#include "../../../../tools/bench/api_http2.c"

static void check_field(const struct http2_field *f, const char *name, const char *value)
{
	assert_true(xb_sv_is(f->name, name));
	assert_true(xb_sv_is(f->value, value));
}

static void a_request_becomes_fields_and_a_body(void **state)
{
	const char *request = "PUT /api/v1/x HTTP/1.1\r\nHost: 192.0.2.1:6443\r\nAccept: a/b\r\nContent-Length: 8\r\n\r\n{\n\n\"a\":1";
	struct http2_field fields[HTTP2_FIELDS];
	size_t n, body = http2_fields(xb_sv(request), fields, &n);

	assert_int_equal(n, 6);
	check_field(&fields[0], ":method", "PUT");
	check_field(&fields[1], ":path", "/api/v1/x");
	check_field(&fields[2], ":scheme", "https");
	check_field(&fields[3], ":authority", "192.0.2.1:6443");
	check_field(&fields[4], "Accept", "a/b");
	check_field(&fields[5], "Content-Length", "8");
	assert_string_equal(request + body, "{\n\n\"a\":1");
}

static void a_request_without_a_body_ends_with_its_head(void **state)
{
	struct xb_sv request = XB_SV("GET /readyz HTTP/1.1\r\nHost: [::1]:6443\r\n\r\n");
	struct http2_field fields[HTTP2_FIELDS];
	size_t n;

	assert_int_equal(http2_fields(request, fields, &n), request.n);
	assert_int_equal(n, 4);
	check_field(&fields[3], ":authority", "[::1]:6443");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_becomes_fields_and_a_body),
		cmocka_unit_test(a_request_without_a_body_ends_with_its_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
