/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../control/apiserver/options.h"

struct run {
	struct apiserver_options o;
	char *why;
};

static int parse(struct run *run, char *const argv[])
{
	int argc = 1;

	run->why = NULL;
	while (argv[argc])
		argc++;
	return options_parse(argc, argv, &run->o, &run->why);
}
#define PARSE(run, ...) parse((run), (char *const[]){ "kube-apiserver", __VA_ARGS__ __VA_OPT__(,) NULL })

static void run_done(struct run *run)
{
	options_done(&run->o);
	free(run->why);
}

static void upstreams_defaults(void **state)
{
	_cleanup_(run_done) struct run run;

	assert_int_equal(PARSE(&run), 0);
	assert_int_equal(run.o.secure_port, 6443);
	assert_string_equal(run.o.cert_dir, "/var/run/kubernetes");
	assert_string_equal(run.o.service_cluster_ip_range, "10.96.0.0/12");
	assert_string_equal(run.o.service_first_ip[0], "10.96.0.1");
	assert_string_equal(run.o.service_first_ip[1], "");
	assert_int_equal(run.o.node_port_first, 30000);
	assert_int_equal(run.o.node_port_last, 32767);
	assert_int_equal(run.o.event_ttl, 3600000);
	assert_int_equal(run.o.etcd_compaction_interval, 300000);
	assert_int_equal(run.o.quota_backend_bytes, INT64_C(8) << 30);
	assert_int_equal(run.o.min_request_timeout, 1800);
	assert_int_equal(run.o.io_threads, 0);
	assert_true(run.o.advertise_address[0]);
}

static void a_usual_command_line(void **state)
{
	_cleanup_(run_done) struct run run;

	assert_int_equal(PARSE(&run, "--secure-port=7443", "--bind-address", "127.0.0.1", "--service-cluster-ip-range=10.0.0.0/24,fd00::/112",
			       "--service-node-port-range=30000-30010", "--disable-admission-plugins=ServiceAccount,PodSecurity",
			       "--authorization-mode=AlwaysAllow", "--feature-gates=A=true,B=false", "-v=4", "--io-threads=3", "--data-dir=/tmp/x"), 0);
	assert_string_equal(run.o.reach_address, "127.0.0.1");
	assert_string_equal(run.o.service_first_ip[0], "10.0.0.1");
	assert_string_equal(run.o.service_first_ip[1], "fd00::1");
	assert_string_equal(run.o.disable_admission_plugins[1], "PodSecurity");
	assert_int_equal(run.o.node_port_last, 30010);
	assert_int_equal(run.o.verbosity, 4);
	assert_int_equal(run.o.io_threads, 3);
}

static void the_address_for_others_and_the_one_for_kubeconfig(void **state)
{
	_cleanup_(run_done) struct run bound, told, open;

	assert_int_equal(PARSE(&bound, "--bind-address=192.0.2.1"), 0);
	assert_string_equal(bound.o.advertise_address, "192.0.2.1");
	assert_string_equal(bound.o.reach_address, "192.0.2.1");
	assert_int_equal(PARSE(&told, "--bind-address=192.0.2.1", "--advertise-address=192.0.2.2"), 0);
	assert_string_equal(told.o.advertise_address, "192.0.2.2");
	assert_string_equal(told.o.reach_address, "192.0.2.2");
	assert_int_equal(PARSE(&open, "--bind-address=::"), 0);
	assert_string_equal(open.o.reach_address, open.o.advertise_address);
}

static void anonymous_requests_only_where_they_are_judged(void **state)
{
	_cleanup_(run_done) struct run open, judged, off;

	assert_int_equal(PARSE(&open, "--anonymous-auth=true"), 0);
	assert_false(open.o.anonymous_auth);
	assert_int_equal(PARSE(&judged, "--authorization-mode=Node,RBAC"), 0);
	assert_true(judged.o.anonymous_auth);
	assert_int_equal(PARSE(&off, "--authorization-mode=RBAC", "--anonymous-auth=false"), 0);
	assert_false(off.o.anonymous_auth);
}

static void faults_name_the_flag(void **state)
{
	static const struct {
		const char *arg, *why;
	} cases[] = {
		{ "--secure-port=x", "--secure-port: \"x\" is not a port number (1-65535)" },
		{ "--authorization-mode=RBAC,Webhook",
		  "--authorization-mode: \"Webhook\" is not available in this server (AlwaysAllow, AlwaysDeny, Node, RBAC)" },
		{ "--disable-admission-plugins=Nope", "--disable-admission-plugins: \"Nope\" is not the name of a plugin" },
		{ "--enable-admission-plugins=ImagePolicyWebhook",
		  "--enable-admission-plugins: \"ImagePolicyWebhook\" is not available in this server" },
		{ "--service-node-port-range=5", "--service-node-port-range: \"5\" is not a range of ports (\"30000-32767\")" },
		{ "--service-node-port-range=9-8", "--service-node-port-range: \"9-8\" is not a range of ports (\"30000-32767\")" },
		{ "--service-cluster-ip-range=10.0.0.0/24,10.1.0.0/24",
		  "--service-cluster-ip-range: \"10.0.0.0/24,10.1.0.0/24\" holds two ranges of one family" },
		{ "--tls-cert-file=/dev/null", "--tls-cert-file and --tls-private-key-file: one was given without the other" },
		{ "--client-ca-file=/nonexistent", "--client-ca-file: cannot read '/nonexistent': No such file or directory" },
		{ "--service-account-key-file=/nonexistent", "--service-account-key-file: cannot read '/nonexistent': No such file or directory" },
		{ "--feature-gates=A", "--feature-gates: \"A\" is not of the form Name=true or Name=false" },
		{ "--advertise-address=0.0.0.0", "--advertise-address: \"0.0.0.0\" is not an address that others can reach" },
		{ "--etcd-servers=http://x", "unknown flag: --etcd-servers" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(run_done) struct run run;

		assert_int_equal(PARSE(&run, (char *)cases[i].arg), -EINVAL);
		assert_string_equal(run.why, cases[i].why);
	}
}

static void help_and_version_check_nothing_else(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};
	_cleanup_(run_done) struct run run;

	assert_int_equal(PARSE(&run, "--authorization-mode=RBAC", "-h"), 0);
	assert_true(run.o.help);
	options_help(&out);
	assert_int_equal(out.err, 0);
	assert_non_null(strstr(out.p, "Secure serving flags:"));
	assert_non_null(strstr(out.p, "--secure-port int\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(upstreams_defaults),
		cmocka_unit_test(a_usual_command_line),
		cmocka_unit_test(the_address_for_others_and_the_one_for_kubeconfig),
		cmocka_unit_test(anonymous_requests_only_where_they_are_judged),
		cmocka_unit_test(faults_name_the_flag),
		cmocka_unit_test(help_and_version_check_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
