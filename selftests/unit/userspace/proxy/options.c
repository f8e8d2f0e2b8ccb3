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
		{ "--no-such-flag=1", "no-such-flag" }, { "--proxy-mode=userspace", "proxy-mode" },
		{ "--detect-local-mode=PodCIDR", "detect-local-mode" },
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
	assert_int_equal(o.process.verbosity, 3);
	assert_int_equal(port_of(&o.healthz), 1256);
	assert_int_equal(port_of(&o.metrics), 10249);
	assert_string_equal(o.nodeport_addresses[0], "10.0.0.0/8");
	assert_string_equal(o.nodeport_addresses[1], "fd00::/8");
	assert_null(o.nodeport_addresses[2]);
	assert_null(o.proxy_mode);
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
		{ "kind: KubeProxyConfiguration\napiVersion: kubeproxy.config.k8s.io/v1alpha1\nmode: userspace\n", "proxy-mode" },
		{ "kind: KubeProxyConfiguration\napiVersion: kubeproxy.config.k8s.io/v1alpha1\nipvs:\n  sheduler: rr\n", "\"ipvs.sheduler\"" },
		{ "kind: KubeProxyConfiguration\napiVersion: kubeproxy.config.k8s.io/v1alpha1\nconntrack: 5\n", "conntrack is no object" },
		{ "kind: KubeProxyConfiguration\napiVersion: kubeproxy.config.k8s.io/v1alpha1\nmode: {a: b}\n", "mode is an object" },
		{ "kind: KubeProxyConfiguration\napiVersion: kubeproxy.config.k8s.io/v1alpha1\nip: {a: b}\n", "unknown field \"ip\"" },
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

/* Every field of v1alpha1, as upstream's --write-config-to writes them. */
static const char whole[] =
	"apiVersion: kubeproxy.config.k8s.io/v1alpha1\n"
	"kind: KubeProxyConfiguration\n"
	"bindAddress: 0.0.0.0\nbindAddressHardFail: false\n"
	"clientConnection: {acceptContentTypes: '', burst: 10, contentType: application/vnd.kubernetes.protobuf, kubeconfig: /k, qps: 5}\n"
	"clusterCIDR: '10.244.0.0/16,fd00::/48'\n"
	"configSyncPeriod: 15m0s\n"
	"conntrack: {maxPerCore: 32768, min: 131072, tcpBeLiberal: false, tcpCloseWaitTimeout: 1h0m0s, tcpEstablishedTimeout: 24h0m0s,\n"
	"  udpStreamTimeout: 0s, udpTimeout: 0s}\n"
	"detectLocal: {bridgeInterface: '', interfaceNamePrefix: ''}\n"
	"detectLocalMode: NodeCIDR\n"
	"enableProfiling: false\n"
	"featureGates: {Any: true, Other: false}\n"
	"healthzBindAddress: 0.0.0.0:10256\nhostnameOverride: ''\n"
	"iptables: {localhostNodePorts: true, masqueradeAll: %s, masqueradeBit: 14, minSyncPeriod: 1s, syncPeriod: 30s}\n"
	"ipvs: {excludeCIDRs: null, minSyncPeriod: 0s, scheduler: '', strictARP: false, syncPeriod: 30s, tcpFinTimeout: 0s, tcpTimeout: 0s,\n"
	"  udpTimeout: 0s}\n"
	"logging: {flushFrequency: 5s, format: text, options: {json: {infoBufferSize: '0'}}, verbosity: 0, vmodule: [{filePattern: a, verbosity: 1}]}\n"
	"metricsBindAddress: 127.0.0.1:10249\n"
	"mode: %s\n"
	"nftables: {masqueradeAll: %s, masqueradeBit: 14, minSyncPeriod: 1s, syncPeriod: 30s}\n"
	"nodePortAddresses: null\noomScoreAdj: -999\nportRange: ''\nshowHiddenMetricsForVersion: ''\nwindowsRunAsService: false\n"
	"winkernel: {enableDSR: false, forwardHealthCheckVip: false, networkName: '', rootHnsEndpointName: '', sourceVip: ''}\n";

static void every_field_is_known(void **state)
{
	static const struct {
		const char *iptables_all, *mode, *nftables_all;
		const char *runs, *replaced;
		bool masquerade_all;
	} rows[] = {
		{ "false", "''", "false", NULL, NULL, false },
		{ "true", "ebpf", "false", "ebpf", NULL, true },
		{ "false", "nftables", "true", "nftables", NULL, true },
		{ "false", "iptables", "false", "ebpf", "iptables", false },
		{ "true", "ipvs", "false", "ebpf", "ipvs", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct options o;
		struct xb_buf text = {};
		char *path, flag[128], *why = NULL;

		xb_buf_addf(&text, whole, rows[i].iptables_all, rows[i].mode, rows[i].nftables_all);
		path = write_config(text.p);
		snprintf(flag, sizeof(flag), "--config=%s", path);
		if (parse(&o, &why, flag) < 0)
			fail_msg("%s", why);
		assert_int_equal(!rows[i].runs, !o.proxy_mode);
		if (rows[i].runs)
			assert_string_equal(o.proxy_mode, rows[i].runs);
		assert_int_equal(!rows[i].replaced, !o.replaced_mode);
		if (rows[i].replaced)
			assert_string_equal(o.replaced_mode, rows[i].replaced);
		assert_int_equal(o.masquerade_all, rows[i].masquerade_all);
		assert_string_equal(o.cluster_cidr, "10.244.0.0/16,fd00::/48");
		assert_string_equal(o.detect_local_mode, "NodeCIDR");
		assert_string_equal(o.kubeconfig, "/k");
		proxy_options_done(&o);
		xb_buf_done(&text);
		unlink(path);
		free(path);
	}
}

static void flags_of_another_mode_are_accepted(void **state)
{
	struct options o;
	char *why = NULL;

	assert_int_equal(parse(&o, &why, "--proxy-mode=ipvs", "--ipvs-strict-arp", "--ipvs-scheduler=rr", "--conntrack-max-per-core=0",
			       "--masquerade-all", "--iptables-masquerade-bit=14", "--xdp-devices=eth0,eth1", "--host-ports"), 0);
	assert_string_equal(o.replaced_mode, "ipvs");
	assert_true(o.masquerade_all && o.host_ports);
	assert_string_equal(o.xdp_devices[1], "eth1");
	proxy_options_done(&o);
}

static void flows_to_make_room_for(void **state)
{
	struct options o;
	char *path = write_config("kind: KubeProxyConfiguration\napiVersion: kubeproxy.config.k8s.io/v1alpha1\nconntrack: {maxPerCore: 1000, min: 5000}\n");
	char flag[128], *why = NULL;

	assert_int_equal(parse(&o, &why, "--v=0"), 0);
	assert_int_equal(proxy_options_flows(&o, 2), 131072);
	assert_int_equal(proxy_options_flows(&o, 8), 8 * 32768);
	proxy_options_done(&o);
	assert_int_equal(parse(&o, &why, "--conntrack-max-per-core=0", "--conntrack-min=7"), 0);
	assert_int_equal(proxy_options_flows(&o, 8), 0);
	proxy_options_done(&o);
	snprintf(flag, sizeof(flag), "--config=%s", path);
	assert_int_equal(parse(&o, &why, flag, "--conntrack-min=7"), 0);
	assert_int_equal(proxy_options_flows(&o, 2), 5000);
	assert_int_equal(proxy_options_flows(&o, 64), 64000);
	proxy_options_done(&o);
	unlink(path);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_upstreams), cmocka_unit_test(node_name_is_lower_case), cmocka_unit_test(faults_name_the_flag),
		cmocka_unit_test(config_file_sets_what_flags_set), cmocka_unit_test(bad_config_files_are_refused),
		cmocka_unit_test(every_field_is_known), cmocka_unit_test(flags_of_another_mode_are_accepted),
		cmocka_unit_test(flows_to_make_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
