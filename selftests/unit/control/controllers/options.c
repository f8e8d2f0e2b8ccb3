/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../../../control/controllers/options.h"

static struct kcm_options o;
static char *why;

static int parse(const char *a, const char *b)
{
	char *argv[] = { "kube-controller-manager", (char *)a, (char *)b };

	free(TAKE_PTR(why));
	kcm_options_done(&o);
	return kcm_options_parse(b ? 3 : 2, argv, &o, &why);
}

static int teardown(void **state)
{
	free(TAKE_PTR(why));
	kcm_options_done(&o);
	return 0;
}

static void runs_what_is_named(void **state)
{
	assert_int_equal(parse("--v=1", NULL), 0);
	assert_true(kcm_options_enabled(&o, "replicaset-controller"));
	assert_false(kcm_options_enabled(&o, "bootstrap-signer-controller"));
	assert_int_equal(parse("--controllers=*,-replicaset,bootstrapsigner", NULL), 0);
	assert_false(kcm_options_enabled(&o, "replicaset-controller"));
	assert_true(kcm_options_enabled(&o, "replicationcontroller-controller"));
	assert_true(kcm_options_enabled(&o, "bootstrap-signer-controller"));
	assert_int_equal(parse("--controllers=replicaset-controller", NULL), 0);
	assert_true(kcm_options_enabled(&o, "replicaset-controller"));
	assert_false(kcm_options_enabled(&o, "replicationcontroller-controller"));
}

static void an_unknown_loop_is_refused(void **state)
{
	assert_int_equal(parse("--controllers=*,-replicasets", NULL), -EINVAL);
	assert_string_equal(why, "--controllers: \"replicasets\" is not in the list of known controllers");
}

static void has_upstreams_defaults(void **state)
{
	assert_int_equal(parse("--v=0", NULL), 0);
	assert_int_equal(o.program.serve.secure_port, 10257);
	assert_true(o.program.lease.leader_elect);
	assert_int_equal(o.program.lease.lease_ms, 15000);
	assert_int_equal(o.program.lease.renew_ms, 10000);
	assert_int_equal(o.program.lease.retry_ms, 2000);
	assert_string_equal(o.program.lease.name, "kube-controller-manager");
	assert_int_equal(o.concurrent_replicaset_syncs, 5);
	assert_int_equal(o.node_monitor_ms, 5000);
	assert_int_equal(o.node_monitor_grace_ms, 50000);
	assert_int_equal(o.node_startup_grace_ms, 60000);
	assert_true(o.node_eviction_rate == 0.1 && o.secondary_node_eviction_rate == 0.01 && o.unhealthy_zone_threshold == 0.55);
	assert_int_equal(o.large_cluster_size_threshold, 50);
}

static void signers_have_one_ca_or_each_its_own(void **state)
{
	assert_int_equal(parse("--cluster-signing-cert-file=a", NULL), -EINVAL);
	assert_string_equal(why, "--cluster-signing-cert-file and --cluster-signing-key-file go together");
	assert_int_equal(parse("--cluster-signing-kubelet-client-key-file=a", NULL), -EINVAL);
	assert_string_equal(why, "--cluster-signing-kubelet-client-cert-file and --cluster-signing-kubelet-client-key-file go together");
	assert_int_equal(parse("--cluster-signing-cert-file=a", "--cluster-signing-key-file=b"), 0);
	assert_string_equal(o.cluster_signing.key_file, "b");
	assert_int_equal(o.cluster_signing_ms, INT64_C(8760) * 3600 * 1000);
	assert_int_equal(parse("--cluster-signing-kubelet-serving-cert-file=a", "--cluster-signing-kubelet-serving-key-file=b"), 0);
	assert_string_equal(o.cluster_signing_kubelet_serving.cert_file, "a");
	assert_null(o.cluster_signing.cert_file);
}

static void times_of_the_lease_must_fit(void **state)
{
	assert_int_equal(parse("--leader-elect-lease-duration=5s", NULL), -EINVAL);
	assert_string_equal(why, "--leader-elect-lease-duration: must be greater than --leader-elect-renew-deadline");
	assert_int_equal(parse("--leader-elect-lease-duration=5s", "--leader-elect=false"), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, teardown)
	const struct CMUnitTest tests[] = {
		TEST(runs_what_is_named), TEST(an_unknown_loop_is_refused), TEST(has_upstreams_defaults), TEST(times_of_the_lease_must_fit),
		TEST(signers_have_one_ca_or_each_its_own),
	};

	return cmocka_run_group_tests_name("control/controllers/options", tests, NULL, NULL);
}
