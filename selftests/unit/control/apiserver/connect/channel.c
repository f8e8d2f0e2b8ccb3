/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../control/apiserver/connect/channel.h"

static struct xb_buf heard;

static int take(void *arg, unsigned channel, struct xb_sv bytes)
{
	xb_buf_addf(&heard, "[%u]%.*s", channel, XB_SV_ARG(bytes));
	return 0;
}

/* One message in two pieces, cut at that byte. */
static int read_cut(bool base64, const char *message, size_t n, size_t at)
{
	struct channel_reader c = { .take = take, .base64 = base64 };
	enum xb_ws_opcode type = base64 ? XB_WS_TEXT : XB_WS_BINARY;
	int r;

	xb_buf_clear(&heard);
	r = channel_read(&c, type, true, false, (struct xb_sv){ message, at });
	return r ? r : channel_read(&c, type, false, true, (struct xb_sv){ message + at, n - at });
}

static void the_first_byte_names_it(void **state)
{
	static const char message[] = "\0hello";

	for (size_t at = 0; at <= sizeof(message) - 1; at++) {
		assert_int_equal(read_cut(false, message, sizeof(message) - 1, at), 0);
		if (at < 2 || at == sizeof(message) - 1)
			assert_string_equal(heard.p, "[0]hello");
		else
			assert_int_equal(heard.n, strlen("[0][0]hello"));
	}
	assert_int_equal(read_cut(false, "\xff\0", 2, 1), 0);
	assert_memory_equal(heard.p, "[255]\0", 6);
	assert_int_equal(read_cut(false, "\1", 1, 0), 0);
	assert_int_equal(heard.n, 0);
}

static void base64_is_decoded_across_pieces(void **state)
{
	static const char message[] = "4aGVsbG8gdGhlcmU=";
	static const char expected[] = "hello there";

	for (size_t at = 0; at < sizeof(message); at++) {
		size_t n = 0;

		assert_int_equal(read_cut(true, message, sizeof(message) - 1, at), 0);
		for (char *p = heard.p; *p; p++)
			if (!strncmp(p, "[4]", 3))
				p += 2;
			else
				assert_int_equal(*p, expected[n++]);
		assert_int_equal(n, sizeof(expected) - 1);
	}
}

static void what_is_not_base64(void **state)
{
	struct channel_reader c = { .take = take, .base64 = true };

	assert_int_equal(read_cut(true, "0aGVsb", 6, 3), -EBADMSG);
	assert_int_equal(read_cut(true, "0a?Vs", 5, 2), -EBADMSG);
	assert_int_equal(channel_read(&c, XB_WS_BINARY, true, true, XB_SV("0aGVs")), -EBADMSG);
	c.base64 = false;
	assert_int_equal(channel_read(&c, XB_WS_TEXT, true, true, XB_SV("\0a")), -EBADMSG);
}

static void what_the_protocols_have(void **state)
{
	assert_true(channel_has_close("v5.channel.k8s.io") && channel_has_status("v5.channel.k8s.io"));
	assert_true(!channel_has_close("v4.channel.k8s.io") && channel_has_status("v4.base64.channel.k8s.io"));
	assert_true(!channel_has_status("channel.k8s.io") && !channel_has_status("") && channel_is_base64("base64.channel.k8s.io"));
}

static int forget(void **state)
{
	xb_buf_done(&heard);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_byte_names_it), cmocka_unit_test(base64_is_decoded_across_pieces),
		cmocka_unit_test(what_is_not_base64),
		cmocka_unit_test(what_the_protocols_have),
	};

	return cmocka_run_group_tests(tests, NULL, forget);
}
