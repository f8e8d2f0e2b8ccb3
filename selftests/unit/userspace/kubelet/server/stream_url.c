/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../userspace/kubelet/server/stream_url.h"
#include "xb/str.h"

static void loopback(void **state)
{
	struct stream_url u = {};

	assert_int_equal(stream_url_parse("http://127.0.0.1:41234/exec/abc?x=1", &u), 0);
	assert_string_equal(u.host, "127.0.0.1");
	assert_int_equal(u.port, 41234);
	assert_string_equal(u.path, "/exec/abc?x=1");
	stream_url_done(&u);
	assert_int_equal(stream_url_parse("http://[::1]:80/", &u), 0);
	assert_string_equal(u.host, "::1");
	assert_string_equal(u.path, "/");
	stream_url_done(&u);
}

static void anything_else(void **state)
{
	static const char *const t[] = {
		"", "http://", "https://127.0.0.1:1/", "http://127.0.0.1:1", "http://127.0.0.1/", "http://127.0.0.1:0/", "http://127.0.0.1:65536/",
		"http://127.0.0.1:1x/", "http://192.0.2.1:80/", "http://localhost:80/", "http://127.0.0.1@192.0.2.1:80/", "http://[::1:80/",
		"http://[2001:db8::1]:80/", "http://[::ffff:192.0.2.1]:80/", "http://1270.0.0.1:1/", "http://127.0.0.1:1:2/", "http://:80/",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		struct stream_url u = {};

		assert_int_equal(stream_url_parse(t[i], &u), -EINVAL);
		assert_null(u.host);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(loopback), cmocka_unit_test(anything_else) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
