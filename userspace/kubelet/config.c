/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "options.h"
#include "xb/config_file.h"
#include "xb/why.h"

/* A field of the file and the flag that it is. */
static const struct member {
	const char *path[3];
	const char *flag;
	char sep;                       /* an object is written as a list of "key<sep>value" */
} members[] = {
	{ { "staticPodPath" }, "pod-manifest-path", 0 },
	{ { "podLogsDir" }, "pod-logs-dir", 0 },
	{ { "fileCheckFrequency" }, "file-check-frequency", 0 },
	{ { "address" }, "address", 0 },
	{ { "port" }, "port", 0 },
	{ { "readOnlyPort" }, "read-only-port", 0 },
	{ { "healthzPort" }, "healthz-port", 0 },
	{ { "healthzBindAddress" }, "healthz-bind-address", 0 },
	{ { "tlsCertFile" }, "tls-cert-file", 0 },
	{ { "tlsPrivateKeyFile" }, "tls-private-key-file", 0 },
	{ { "authentication", "x509", "clientCAFile" }, "client-ca-file", 0 },
	{ { "authentication", "webhook", "enabled" }, "authentication-token-webhook", 0 },
	{ { "authentication", "anonymous", "enabled" }, "anonymous-auth", 0 },
	{ { "authorization", "mode" }, "authorization-mode", 0 },
	{ { "clusterDomain" }, "cluster-domain", 0 },
	{ { "clusterDNS" }, "cluster-dns", 0 },
	{ { "nodeStatusUpdateFrequency" }, "node-status-update-frequency", 0 },
	{ { "nodeStatusReportFrequency" }, "node-status-report-frequency", 0 },
	{ { "nodeLeaseDurationSeconds" }, "node-lease-duration-seconds", 0 },
	{ { "imageMinimumGCAge" }, "minimum-image-ttl-duration", 0 },
	{ { "imageGCHighThresholdPercent" }, "image-gc-high-threshold", 0 },
	{ { "imageGCLowThresholdPercent" }, "image-gc-low-threshold", 0 },
	{ { "serializeImagePulls" }, "serialize-image-pulls", 0 },
	{ { "maxParallelImagePulls" }, "max-parallel-image-pulls", 0 },
	{ { "cgroupRoot" }, "cgroup-root", 0 },
	{ { "cgroupsPerQOS" }, "cgroups-per-qos", 0 },
	{ { "cgroupDriver" }, "cgroup-driver", 0 },
	{ { "runtimeRequestTimeout" }, "runtime-request-timeout", 0 },
	{ { "maxPods" }, "max-pods", 0 },
	{ { "podPidsLimit" }, "pod-max-pids", 0 },
	{ { "resolvConf" }, "resolv-conf", 0 },
	{ { "cpuCFSQuota" }, "cpu-cfs-quota", 0 },
	{ { "systemReserved" }, "system-reserved", '=' },
	{ { "kubeReserved" }, "kube-reserved", '=' },
	{ { "evictionHard" }, "eviction-hard", '<' },
	{ { "evictionSoft" }, "eviction-soft", '<' },
	{ { "evictionSoftGracePeriod" }, "eviction-soft-grace-period", '=' },
	{ { "evictionMinimumReclaim" }, "eviction-minimum-reclaim", '=' },
	{ { "evictionPressureTransitionPeriod" }, "eviction-pressure-transition-period", 0 },
	{ { "evictionMaxPodGracePeriod" }, "eviction-max-pod-grace-period", 0 },
	{ { "seccompDefault" }, "seccomp-default", 0 },
	{ { "registerNode" }, "register-node", 0 },
	{ { "containerLogMaxSize" }, "container-log-max-size", 0 },
	{ { "containerLogMaxFiles" }, "container-log-max-files", 0 },
	{ { "containerLogMonitorInterval" }, "container-log-monitor-interval", 0 },
	{ { "containerRuntimeEndpoint" }, "container-runtime-endpoint", 0 },
	{ { "logging", "format" }, "logging-format", 0 },
	{ { "logging", "verbosity" }, "v", 0 },
};
static const char *const known[] = {
	"apiVersion", "kind", "registerWithTaints", "enableServer", "syncFrequency", "httpCheckFrequency", "staticPodURL", "staticPodURLHeader",
	"tlsCipherSuites", "tlsMinVersion", "rotateCertificates", "serverTLSBootstrap", "registryPullQPS", "registryBurst", "eventRecordQPS",
	"eventBurst", "enableDebuggingHandlers", "enableContentionProfiling", "oomScoreAdj", "streamingConnectionIdleTimeout",
	"imageMaximumGCAge", "volumeStatsAggPeriod", "kubeletCgroups", "systemCgroups", "cpuManagerPolicy", "singleProcessOOMKill",
	"cpuManagerPolicyOptions", "cpuManagerReconcilePeriod", "memoryManagerPolicy", "topologyManagerPolicy", "topologyManagerScope",
	"topologyManagerPolicyOptions", "qosReserved", "hairpinMode", "podCIDR", "runOnce", "cpuCFSQuotaPeriod", "nodeStatusMaxImages",
	"maxOpenFiles", "contentType", "kubeAPIQPS", "kubeAPIBurst", "mergeDefaultEvictionSettings", "podsPerCore",
	"enableControllerAttachDetach", "protectKernelDefaults", "makeIPTablesUtilChains", "iptablesMasqueradeBit", "iptablesDropBit",
	"featureGates", "failSwapOn", "memorySwap", "containerLogMaxWorkers",
	"configMapAndSecretChangeDetectionStrategy", "reservedSystemCPUs", "showHiddenMetricsForVersion",
	"systemReservedCgroup", "kubeReservedCgroup", "enforceNodeAllocatable", "allowedUnsafeSysctls", "volumePluginDir", "providerID",
	"kernelMemcgNotification", "enableSystemLogHandler", "enableSystemLogQuery", "shutdownGracePeriod", "shutdownGracePeriodCriticalPods",
	"shutdownGracePeriodByPodPriority", "crashLoopBackOff", "reservedMemory", "enableProfilingHandler", "enableDebugFlagsHandler",
	"memoryThrottlingFactor", "tracing", "localStorageCapacityIsolation", "imageServiceEndpoint", "failCgroupV1", "userNamespaces",
	"imagePullCredentialsVerificationPolicy", "preloadedImagesVerificationAllowlist",
};

static int add_flag(struct xb_config_flags *f, const struct member *m, struct xb_sv key, struct xb_jv value)
{
	_cleanup_buf_ struct xb_buf text = {};

	xb_buf_addf(&text, "--%s=", m->flag);
	if (key.n)
		xb_buf_addf(&text, "%.*s%c", XB_SV_ARG(key), m->sep);
	xb_config_text(value, &text);
	return xb_config_flags_add(f, &text);
}

/* "key=value:Effect", as the flag has it. */
static int add_taint(struct xb_config_flags *f, struct xb_jv taint)
{
	struct xb_sv value = xb_jv_text(xb_jv_get(taint, "value"));
	_cleanup_buf_ struct xb_buf text = {};

	xb_buf_addf(&text, "--register-with-taints=%.*s=%.*s:%.*s", XB_SV_ARG(xb_jv_text(xb_jv_get(taint, "key"))), XB_SV_ARG(value),
		    XB_SV_ARG(xb_jv_text(xb_jv_get(taint, "effect"))));
	return xb_config_flags_add(f, &text);
}

static bool is_list(const struct member *m)
{
	return !strcmp(m->flag, "cluster-dns");
}

/* An empty string, null and an empty list leave the default, as in upstream's defaulting. */
static int add_member(struct xb_config_flags *f, const char *path, const struct member *m, struct xb_jv value, char **reterr_why)
{
	enum xb_json_type type = xb_jv_type(value);
	bool object = type == XB_JSON_OBJECT, array = type == XB_JSON_ARRAY;
	int r = 0;

	if (type <= XB_JSON_NULL || (type == XB_JSON_STRING && !xb_jv_text(value).n))
		return 0;
	if (object != (m->sep != 0) || array != is_list(m))
		return xb_why(reterr_why, -EINVAL, "%s: %s: %s expected", path, m->path[0], m->sep ? "an object" : is_list(m) ? "a list" : "a value");
	if (!object && !array)
		return add_flag(f, m, (struct xb_sv){}, value);
	for (struct xb_jit it = xb_jv_iter(value); !r && xb_jit_next(&it);)
		r = add_flag(f, m, object ? it.key : (struct xb_sv){}, it.value);
	return r;
}

static bool is_known(struct xb_sv name)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (xb_sv_is(name, known[i]))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (xb_sv_is(name, members[i].path[0]))
			return true;
	return false;
}

static int read_members(struct xb_config_flags *f, const char *path, struct xb_jv root, char **reterr_why)
{
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(members); i++) {
		struct xb_jv value = root;

		for (size_t k = 0; k < ARRAY_SIZE(members[i].path) && members[i].path[k]; k++)
			value = xb_jv_get(value, members[i].path[k]);
		r = add_member(f, path, &members[i], value, reterr_why);
	}
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(root, "registerWithTaints")); !r && xb_jit_next(&it);)
		r = add_taint(f, it.value);
	return r;
}

int kubelet_config_read(const char *path, char ***ret, char **reterr_why)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	_cleanup_(xb_config_flags_done) struct xb_config_flags f = {};
	struct xb_jv root;
	int r = xb_config_file_read_kind(path, "KubeletConfiguration", "kubelet.config.k8s.io/v1beta1", &doc, reterr_why);

	if (r < 0)
		return r;
	root = xb_json_root(doc);
	for (struct xb_jit it = xb_jv_iter(root); xb_jit_next(&it);)
		if (!is_known(it.key))
			return xb_why(reterr_why, -EINVAL, "%s: unknown field \"%.*s\"", path, XB_SV_ARG(it.key));
	r = read_members(&f, path, root, reterr_why);
	return r < 0 ? r : xb_config_flags_steal(&f, ret);
}
