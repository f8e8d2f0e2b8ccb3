/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../userspace/netd/conflist.h"
#include "../../../../userspace/netd/options.h"

static int parse(struct options *o, char **why, const char *const args[])
{
	char *argv[16] = { "xebec-netd" };
	int argc = 1;

	for (; args[argc - 1]; argc++)
		argv[argc] = (char *)args[argc - 1];
	return netd_options_parse(o, argc, argv, why);
}
#define parse(o, why, ...) parse((o), (why), (const char *const[]){ __VA_ARGS__ __VA_OPT__(,) NULL })

static void defaults(void **state)
{
	struct options o;

	assert_int_equal(parse(&o, NULL), 0);
	assert_int_equal(o.path_mode, MODE_AUTO);
	assert_int_equal(o.vxlan_port, 8472);
	assert_true(o.masquerade);
	assert_string_equal(o.cni_conf_dir, "/etc/cni/net.d");
	assert_int_equal(o.n_cidrs, 0);
	netd_options_done(&o);
}

static void given(void **state)
{
	struct options o;

	assert_int_equal(parse(&o, NULL, "--node-name=Node-A", "--mode=vxlan", "--cluster-cidr=10.244.0.0/16,fd00:10:244::/56", "--masquerade=false",
			       "--cni-conf-dir="), 0);
	assert_string_equal(o.node_name, "node-a");
	assert_int_equal(o.path_mode, MODE_VXLAN);
	assert_int_equal(o.n_cidrs, 2);
	assert_string_equal(xb_net_format(&o.cidrs[1]).s, "fd00:10:244::/56");
	assert_false(o.masquerade);
	assert_string_equal(o.cni_conf_dir, "");
	netd_options_done(&o);
}

static void faults_name_the_flag(void **state)
{
	static const char *const rows[][2] = {
		{ "--cluster-cidr=10.0.0.0", "--cluster-cidr: \"10.0.0.0\" is not a network, as 10.244.0.0/16" },
		{ "--mtu=100", "--mtu: 100 is less than 576" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct options o;
		char *why = NULL;

		assert_int_equal(parse(&o, &why, rows[i][0]), -EINVAL);
		assert_string_equal(why, rows[i][1]);
		free(why);
		netd_options_done(&o);
	}
}

static void conflist(void **state)
{
	struct peer self = { .cidrs = { { { AF_INET, { 10, 244, 1 } }, 24 }, { { AF_INET6, { 0xfd } }, 64 } } };
	_cleanup_buf_ struct xb_buf out = {};

	conflist_text(&self, 1450, "/d", &out);
	assert_string_equal(out.p, "{\"cniVersion\":\"1.0.0\",\"name\":\"xebec\",\"plugins\":[{\"type\":\"xebec-cni\",\"mtu\":1450,\"ipam\":"
			    "{\"dataDir\":\"/d\",\"ranges\":[[{\"subnet\":\"10.244.1.0/24\"}],[{\"subnet\":\"fd00::/64\"}]]}}]}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults), cmocka_unit_test(given), cmocka_unit_test(faults_name_the_flag), cmocka_unit_test(conflist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
