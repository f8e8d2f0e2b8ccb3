/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../userspace/kubelet/server/usage.h"

#define HEAD "Inter-|   Receive                                                |  Transmit\n" \
	" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n"

static void nets(void **state)
{
	struct usage_nets n = {};

	assert_int_equal(usage_parse_nets(XB_SV(HEAD "    lo:     100       2    0    0    0     0          0         0      100       2    0    0    0     0       0          0\n"
						"  eth0: 1234 5 6 7 0 0 0 0 9876543210 11 12 13 0 0 0 0\n"), &n), 0);
	assert_int_equal(n.n, 1);
	assert_string_equal(n.v[0].name, "eth0");
	assert_int_equal(n.v[0].rx_bytes, 1234);
	assert_int_equal(n.v[0].rx_packets, 5);
	assert_int_equal(n.v[0].rx_errors, 6);
	assert_int_equal(n.v[0].rx_dropped, 7);
	assert_int_equal(n.v[0].tx_bytes, 9876543210);
	assert_int_equal(n.v[0].tx_packets, 11);
	assert_int_equal(n.v[0].tx_errors, 12);
	assert_int_equal(n.v[0].tx_dropped, 13);
	xb_vec_done(&n);
}

static void no_nets(void **state)
{
	static const char *const t[] = { "", "one line", HEAD "eth0: 1 2 3\n", HEAD "eth0\n", HEAD "eth0: x 5 6 7 0 0 0 0 9 11 12 13 0 0 0 0\n",
					 HEAD "a-name-far-too-long: 1 5 6 7 0 0 0 0 9 11 12 13 0 0 0 0\n" };

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		struct usage_nets n = {};

		assert_int_equal(usage_parse_nets(xb_sv(t[i]), &n), -EBADMSG);
		xb_vec_done(&n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(nets), cmocka_unit_test(no_nets) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
