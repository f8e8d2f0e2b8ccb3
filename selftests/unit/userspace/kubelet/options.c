/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>
#include "../../../../userspace/kubelet/facts.h"
#include "../../../../userspace/kubelet/options.h"

static int parse(struct kubelet_options *o, char **why, const char *const args[])
{
	char *argv[16] = { "kubelet" };
	int argc = 1;

	for (; args[argc - 1]; argc++)
		argv[argc] = (char *)args[argc - 1];
	return kubelet_options_parse(o, argc, argv, why);
}
#define parse(o, why, ...) parse((o), (why), (const char *const[]){ __VA_ARGS__ __VA_OPT__(,) NULL })

static char *write_config(const char *text)
{
	char *path = strdup("/tmp/xb-kubelet-XXXXXX");
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	return path;
}

static void defaults_are_upstreams(void **state)
{
	struct kubelet_options o;
	char *why = NULL;

	assert_int_equal(parse(&o, &why, "--hostname-override= Node-A "), 0);
	assert_string_equal(o.node_name, "node-a");
	assert_string_equal(o.root_dir, "/var/lib/kubelet");
	assert_string_equal(o.pod_logs_dir, "/var/log/pods");
	assert_int_equal(o.port, 10250);
	assert_int_equal(o.healthz_port, 10248);
	assert_int_equal(o.read_only_port, 0);
	assert_int_equal(o.max_pods, 110);
	assert_int_equal(o.runtime_request_ms, 120000);
	assert_true(o.cgroups_per_qos && o.register_node && o.serialize_pulls && o.cpu_cfs_quota);
	assert_string_equal(xb_json_bytes(o.eviction).p, "{\"evictionPressureTransitionPeriod\":\"5m0s\",\"evictionMaxPodGracePeriod\":0}");
	kubelet_options_done(&o);
}

#define CONFIG \
	"apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nstaticPodPath: /etc/kubernetes/manifests\nmaxPods: 50\n" \
	"clusterDNS: [10.96.0.10, 'fd00::a']\nclusterDomain: cluster.local\nauthentication: {anonymous: {enabled: false}, x509: {clientCAFile: /ca}}\n" \
	"authorization: {mode: Webhook}\nevictionHard: {memory.available: 200Mi, nodefs.available: '5%'}\nsystemReserved: {cpu: 100m}\n" \
	"cgroupDriver: systemd\nregisterWithTaints: [{key: k, value: v, effect: NoSchedule}]\nshutdownGracePeriod: 0s\nlogging: {verbosity: 3}\n"

static void a_file_as_kubeadm_writes_it(void **state)
{
	struct kubelet_options o;
	char *why = NULL, *path = write_config(CONFIG);

	assert_int_equal(parse(&o, &why, "--config", path, "--max-pods=60", "--cgroup_driver", "cgroupfs"), 0);
	assert_string_equal(o.static_path, "/etc/kubernetes/manifests");
	assert_int_equal(o.max_pods, 60);       /* flags go before the file */
	assert_string_equal(o.cgroup_driver, "cgroupfs");
	assert_string_equal(o.cluster_dns[1], "fd00::a");
	assert_null(o.cluster_dns[2]);
	assert_false(o.anonymous_auth);
	assert_string_equal(o.client_ca_file, "/ca");
	assert_string_equal(o.authorization_mode, "Webhook");
	assert_string_equal(o.system_reserved[0], "cpu=100m");
	assert_string_equal(o.register_with_taints[0], "k=v:NoSchedule");
	assert_int_equal(o.process.verbosity, 3);
	assert_non_null(strstr(xb_json_bytes(o.eviction).p, "\"evictionHard\":{\"memory.available\":\"200Mi\",\"nodefs.available\":\"5%\"}"));
	kubelet_options_done(&o);
	unlink(path);
	free(path);
}

static void faults_name_the_field(void **state)
{
	static const struct { const char *text, *why; } cases[] = {
		{ "kind: KubeletConfiguration\n", "not a KubeletConfiguration of kubelet.config.k8s.io/v1beta1" },
		{ "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nmaxPod: 1\n", "unknown field \"maxPod\"" },
		{ "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nclusterDNS: 10.96.0.10\n", "clusterDNS: a list expected" },
		{ "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nevictionHard: [a]\n", "evictionHard: an object expected" },
		{ "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nmaxPods: many\n", "--max-pods" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kubelet_options o;
		char *why = NULL, *path = write_config(cases[i].text);

		assert_int_equal(parse(&o, &why, "--config", path), -EINVAL);
		if (!why || !strstr(why, cases[i].why))
			fail_msg("%s: %s", cases[i].why, why ? why : "nothing said");
		free(why);
		kubelet_options_done(&o);
		unlink(path);
		free(path);
	}
}

static void flags_are_checked(void **state)
{
	static const struct { const char *flag, *why; } cases[] = {
		{ "--no-such-flag", "no-such-flag" },
		{ "--eviction-hard=memory.available", "--eviction-hard: 'memory.available' is not of the form signal<value" },
		{ "--image-gc-low-threshold=90", "--image-gc-low-threshold: 90 is not below --image-gc-high-threshold, 85" },
		{ "--tls-cert-file=/a", "--tls-cert-file and --tls-private-key-file" },
		{ "--root-dir=kubelet", "--root-dir: 'kubelet' is not an absolute path" },
		{ "--cgroup-driver=other", "--cgroup-driver" },
		{ "--container-log-monitor-interval=1s", "--container-log-monitor-interval: less than 3s" },
		{ "--container-log-max-files=1", "--container-log-max-files" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kubelet_options o;
		char *why = NULL;

		assert_int_equal(parse(&o, &why, cases[i].flag), -EINVAL);
		if (!why || !strstr(why, cases[i].why))
			fail_msg("%s: %s", cases[i].flag, why ? why : "nothing said");
		free(why);
		kubelet_options_done(&o);
	}
}

static void what_is_reserved_is_not_for_pods(void **state)
{
	char root[] = "/tmp/xb-facts-XXXXXX", root_flag[64], logs_flag[128], logs[64], *why = NULL;
	struct kubelet_options o;
	struct facts f;

	assert_non_null(mkdtemp(root));
	snprintf(root_flag, sizeof(root_flag), "--root-dir=%s", root);
	snprintf(logs, sizeof(logs), "%s/logs", root);
	snprintf(logs_flag, sizeof(logs_flag), "--pod-logs-dir=%s", logs);
	assert_int_equal(parse(&o, &why, root_flag, logs_flag, "--node-ip=fd00::1,10.0.0.1", "--system-reserved=cpu=200m,memory=16Mi",
			       "--kube-reserved=cpu=100m"), 0);
	assert_int_equal(facts_make(&o, &f, &why), 0);
	assert_string_equal(f.ips[0], "fd00::1");
	assert_string_equal(f.ips[1], "10.0.0.1");
	assert_int_equal(f.allocatable_cpu_milli, f.cpu_milli - 300);
	assert_int_equal(f.allocatable_memory_bytes, f.memory_bytes - (16 << 20));
	facts_done(&f);
	kubelet_options_done(&o);
	assert_int_equal(parse(&o, &why, root_flag, logs_flag, "--node-ip=10.0.0.1,10.0.0.2"), 0);
	assert_int_equal(facts_make(&o, &f, &why), -EINVAL);
	assert_string_equal(why, "--node-ip: '10.0.0.1' and '10.0.0.2' are of one family");
	free(why);
	kubelet_options_done(&o);
	assert_int_equal(rmdir(logs), 0);
	assert_int_equal(rmdir(root), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_upstreams), cmocka_unit_test(a_file_as_kubeadm_writes_it),
		cmocka_unit_test(faults_name_the_field), cmocka_unit_test(flags_are_checked),
		cmocka_unit_test(what_is_reserved_is_not_for_pods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
