/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The line of the log about the node's networks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include "../../../../userspace/proxy/networks.h"

static void described(void **state)
{
	struct xb_plan_node node = { .nat_first = 1024, .nat_count = 28976 };
	struct xb_buf text = {};

	networks_describe(&node, &text);
	assert_string_equal(text.p, "pods are in no network that is known, cluster IPs are in no network that is known; masquerading as nothing by ports 1024 to 29999");
	xb_buf_clear(&text);
	assert_int_equal(xb_plan_nets_add(XB_SV("10.244.0.0/16,fd00::/48"), node.pods), 0);
	assert_int_equal(xb_plan_nets_add(XB_SV("10.96.0.0/12"), node.services), 0);
	assert_int_equal(inet_pton(AF_INET, "192.0.2.1", &node.addr[0]), 1);
	node.masquerade_all = true;
	networks_describe(&node, &text);
	assert_string_equal(text.p, "pods are in 10.244.0.0/16, fd00::/48, cluster IPs are in 10.96.0.0/12; masquerading as 192.0.2.1 "
				    "by ports 1024 to 29999, also what pods send");
	xb_buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(described) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
