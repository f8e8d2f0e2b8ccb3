/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include "../../../../userspace/proxy/options.h"

static int parse(struct options *o, char **why, const char *const args[])
{
	char *argv[16] = { "kube-proxy" };
	int argc = 1;

	for (; args[argc - 1]; argc++)
		argv[argc] = (char *)args[argc - 1];
	return proxy_options_parse(o, argc, argv, why);
}
#define parse(o, why, ...) parse((o), (why), (const char *const[]){ __VA_ARGS__ __VA_OPT__(,) NULL })

static int port_of(const struct sockaddr_storage *a)
{
	return ntohs(((const struct sockaddr_in *)a)->sin_port);
}

static char *write_config(const char *text)
{
	char *path = strdup("/tmp/xb-options-XXXXXX");
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	return path;
}

static void defaults_are_upstreams(void **state)
{
	struct options o;
	char *why = NULL, host[256] = "";

	assert_int_equal(parse(&o, &why), 0);
	assert_int_equal(port_of(&o.healthz), 10256);
	assert_int_equal(port_of(&o.metrics), 10249);
	assert_int_equal(((struct sockaddr_in *)&o.healthz)->sin_addr.s_addr, htonl(INADDR_ANY));
	assert_int_equal(((struct sockaddr_in *)&o.metrics)->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	assert_string_equal(o.bpffs_path, "/sys/fs/bpf");
	assert_null(o.nodeport_addresses);
	gethostname(host, sizeof(host) - 1);
	assert_int_equal(strcasecmp(o.node_name, host), 0);
	proxy_options_done(&o);
}

static void node_name_is_lower_case(void **state)
{
	struct options o;
	char *why = NULL;

	assert_int_equal(parse(&o, &why, "--hostname-override= Node-A "), 0);
	assert_string_equal(o.node_name, "node-a");
	proxy_options_done(&o);
}

static void faults_name_the_flag(void **state)
{
	static const struct {
		const char *arg, *part;
	} cases[] = {
		{ "--no-such-flag=1", "no-such-flag" }, { "--proxy-mode=iptables", "proxy-mode" },
		{ "--healthz-bind-address=nonsense", "healthz-bind-address" }, { "--logging-format=xml", "logging-format" },
		{ "--config=/nonexistent/config", "/nonexistent/config" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct options o;
		char *why = NULL;

		assert_true(parse(&o, &why, cases[i].arg) < 0);
		assert_non_null(why);
		assert_non_null(strstr(why, cases[i].part));
		free(why);
		proxy_options_done(&o);
	}
}

/* What kubeadm writes, shortened, with some of the fields set. */
static const char kubeadm[] =
	"apiVersion: kubeproxy.config.k8s.io/v1alpha1\n"
	"kind: KubeProxyConfiguration\n"
	"bindAddress: 0.0.0.0\n"
	"bindAddressHardFail: false\n"
	"clientConnection:\n  acceptContentTypes: \"\"\n  burst: 0\n  contentType: \"\"\n"
	"  kubeconfig: /var/lib/kube-proxy/kubeconfig.conf\n  qps: 0\n"
	"clusterCIDR: 10.244.0.0/16\n"
	"conntrack:\n  maxPerCore: null\n  tcpEstablishedTimeout: null\n"
	"enableProfiling: false\n"
	"healthzBindAddress: \"127.0.0.1:1256\"\n"
	"hostnameOverride: \"from-file\"\n"
	"iptables:\n  masqueradeAll: false\n"
	"logging:\n  flushFrequency: 0\n  verbosity: 3\n"
	"metricsBindAddress: \"\"\n"
	"mode: \"\"\n"
	"nodePortAddresses: [10.0.0.0/8, \"fd00::/8\"]\n";

static void config_file_sets_what_flags_set(void **state)
{
	struct options o;
	char *path = write_config(kubeadm), flag[128], *why = NULL;

	snprintf(flag, sizeof(flag), "--config=%s", path);
	assert_int_equal(parse(&o, &why, flag, "--kubeconfig=/from/flag", "--hostname-override=from-flag", "--cgroup-path=/cg"), 0);
	assert_string_equal(o.kubeconfig, "/var/lib/kube-proxy/kubeconfig.conf");
	assert_string_equal(o.node_name, "from-flag");
	assert_string_equal(o.cgroup2, "/cg");
	assert_string_equal(o.cluster_cidr, "10.244.0.0/16");
	assert_int_equal(o.verbosity, 3);
	assert_int_equal(port_of(&o.healthz), 1256);
	assert_int_equal(port_of(&o.metrics), 10249);
	assert_string_equal(o.nodeport_addresses[0], "10.0.0.0/8");
	assert_string_equal(o.nodeport_addresses[1], "fd00::/8");
	assert_null(o.nodeport_addresses[2]);
	assert_string_equal(o.proxy_mode, "ebpf");
	proxy_options_done(&o);
	assert_int_equal(parse(&o, &why, flag), 0);
	assert_string_equal(o.node_name, "from-file");
	proxy_options_done(&o);
	unlink(path);
	free(path);
}

static void bad_config_files_are_refused(void **state)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{ "kind: KubeProxyConfiguration\napiVersion: kubeproxy.config.k8s.io/v1alpha1\nmodde: x\n", "modde" },
		{ "kind: KubeletConfiguration\n", "not a KubeProxyConfiguration" },
		{ "kind: KubeProxyConfiguration\napiVersion: kubeproxy.config.k8s.io/v1alpha1\nmode: iptables\n", "proxy-mode" },
		{ "{ unbalanced", "yaml" },
		{ "", "empty" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *path = write_config(cases[i].text), flag[128], *why = NULL;
		struct options o;

		snprintf(flag, sizeof(flag), "--config=%s", path);
		assert_true(parse(&o, &why, flag) < 0);
		assert_non_null(why);
		if (!strstr(why, cases[i].part))
			fail_msg("expected '%s' in: %s", cases[i].part, why);
		free(why);
		proxy_options_done(&o);
		unlink(path);
		free(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_upstreams), cmocka_unit_test(node_name_is_lower_case), cmocka_unit_test(faults_name_the_flag),
		cmocka_unit_test(config_file_sets_what_flags_set), cmocka_unit_test(bad_config_files_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
