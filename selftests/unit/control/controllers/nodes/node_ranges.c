/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../control/controllers/nodes/node_ranges.h"
#include "../../../../../control/controllers/options.h"

static void one_family_or_two(void **state)
{
	struct kcm_options o = { .cluster_cidr = "10.244.0.0/16", .service_cluster_ip_range = "10.96.0.0/12,fd00:96::/108" };
	struct node_ranges r;

	assert_int_equal(node_ranges_read(&o, &r, NULL), 0);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.bits[0], 24);
	assert_int_equal(r.n_services, 2);
	o.node_cidr_mask_size = 25;
	assert_int_equal(node_ranges_read(&o, &r, NULL), 0);
	assert_int_equal(r.bits[0], 25);
	o = (struct kcm_options){ .cluster_cidr = "fd00:244::/48, 10.244.0.0/16", .node_cidr_mask_size_ipv4 = 26 };
	assert_int_equal(node_ranges_read(&o, &r, NULL), 0);
	assert_int_equal(r.n, 2);
	assert_int_equal(r.n_services, 0);
	assert_int_equal(r.bits[0], 64);
	assert_int_equal(r.bits[1], 26);
}

static void faults_name_the_flag(void **state)
{
	static const struct {
		struct kcm_options o;
		const char *why;
	} rows[] = {
		{ {}, "--allocate-node-cidrs needs --cluster-cidr" },
		{ { .cluster_cidr = "10.244.0.0" }, "--cluster-cidr: \"10.244.0.0\" is not a CIDR" },
		{ { .cluster_cidr = "10.0.0.0/16,10.1.0.0/16" }, "--cluster-cidr: \"10.0.0.0/16,10.1.0.0/16\" is more than one CIDR of each family" },
		{ { .cluster_cidr = "10.0.0.0/16", .service_cluster_ip_range = "x" }, "--service-cluster-ip-range: \"x\" is not a CIDR" },
		{ { .cluster_cidr = "10.0.0.0/16,fd00::/48", .node_cidr_mask_size = 24 },
		  "--node-cidr-mask-size is not allowed with two families: use --node-cidr-mask-size-ipv4 and -ipv6" },
		{ { .cluster_cidr = "10.0.0.0/16", .node_cidr_mask_size = 24, .node_cidr_mask_size_ipv4 = 24 },
		  "--node-cidr-mask-size is not allowed beside --node-cidr-mask-size-ipv4 and -ipv6" },
		{ { .cluster_cidr = "10.0.0.0/16", .node_cidr_mask_size_ipv6 = 64 },
		  "--node-cidr-mask-size-ipv6 is not allowed: --cluster-cidr is of the other family" },
		{ { .cluster_cidr = "10.0.0.0/25" }, "--cluster-cidr: \"10.0.0.0/25\" holds no range with a mask of 24 bits" },
		{ { .cluster_cidr = "fd00::/40" }, "--cluster-cidr: \"fd00::/40\" holds too many ranges with a mask of 64 bits" },
	};
	struct node_ranges r;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *why = NULL;

		assert_int_equal(node_ranges_read(&rows[i].o, &r, &why), -EINVAL);
		assert_string_equal(why, rows[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(one_family_or_two), cmocka_unit_test(faults_name_the_flag) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
