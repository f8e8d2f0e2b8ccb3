/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "options.h"
#include "xb/config_file.h"
#include "xb/why.h"

/* Every field of v1alpha1 (kubeproxy.config.k8s.io, Kubernetes 1.33): those that are a flag, and those that the data planes have no
 * use for. */
static const struct field {
	const char *path, *flag;
	bool only_true;             /* one of several for the same thing: false is said by all */
} fields[] = {
	{ "bindAddress", "bind-address", false },
	{ "clientConnection.kubeconfig", "kubeconfig", false },
	{ "conntrack.maxPerCore", "conntrack-max-per-core", false },
	{ "conntrack.min", "conntrack-min", false },
	{ "clusterCIDR", "cluster-cidr", false },
	{ "detectLocalMode", "detect-local-mode", false },
	{ "healthzBindAddress", "healthz-bind-address", false },
	{ "hostnameOverride", "hostname-override", false },
	{ "iptables.masqueradeAll", "masquerade-all", true },
	{ "logging.format", "logging-format", false },
	{ "logging.verbosity", "v", false },
	{ "metricsBindAddress", "metrics-bind-address", false },
	{ "mode", "proxy-mode", false },
	{ "nftables.masqueradeAll", "masquerade-all", true },
	{ "nodePortAddresses", "nodeport-addresses", false },
};
static const char *const of_no_use[] = {
	"apiVersion", "kind", "bindAddressHardFail", "clientConnection.acceptContentTypes", "clientConnection.burst",
	"clientConnection.contentType", "clientConnection.qps", "configSyncPeriod", "conntrack.tcpBeLiberal",
	"conntrack.tcpCloseWaitTimeout", "conntrack.tcpEstablishedTimeout",
	"conntrack.udpStreamTimeout", "conntrack.udpTimeout", "detectLocal.bridgeInterface", "detectLocal.interfaceNamePrefix",
	"enableProfiling", "featureGates", "iptables.localhostNodePorts", "iptables.masqueradeBit", "iptables.minSyncPeriod",
	"iptables.syncPeriod", "ipvs.excludeCIDRs", "ipvs.minSyncPeriod", "ipvs.scheduler", "ipvs.strictARP", "ipvs.syncPeriod",
	"ipvs.tcpFinTimeout", "ipvs.tcpTimeout", "ipvs.udpTimeout", "logging.flushFrequency", "logging.options",
	"logging.vmodule", "nftables.masqueradeBit", "nftables.minSyncPeriod", "nftables.syncPeriod", "oomScoreAdj", "portRange",
	"showHiddenMetricsForVersion", "windowsRunAsService", "winkernel.enableDSR", "winkernel.forwardHealthCheckVip",
	"winkernel.networkName", "winkernel.rootHnsEndpointName", "winkernel.sourceVip",
};

static int add_flag(struct xb_config_flags *f, const char *flag, struct xb_jv value)
{
	_cleanup_buf_ struct xb_buf text = {};

	xb_buf_addf(&text, "--%s=", flag);
	xb_config_text(value, &text);
	return xb_config_flags_add(f, &text);
}

/* An empty string, null and an empty list leave the default, as in upstream's defaulting. */
static int add_field(struct xb_config_flags *f, const char *path, const struct field *field, struct xb_jv value, char **reterr_why)
{
	enum xb_json_type type = xb_jv_type(value);
	int r = 0;

	if (type == XB_JSON_NULL || (type == XB_JSON_STRING && !xb_jv_text(value).n))
		return 0;
	if (type == XB_JSON_OBJECT)
		return xb_why(reterr_why, -EINVAL, "%s: %s is an object", path, field->path);
	if (field->only_true && type == XB_JSON_BOOL && !xb_jv_true(value))
		return 0;
	if (type != XB_JSON_ARRAY)
		return add_flag(f, field->flag, value);
	for (struct xb_jit it = xb_jv_iter(value); !r && xb_jit_next(&it);)
		r = add_flag(f, field->flag, it.value);
	return r;
}

/* Whether path is that of an object with known fields. */
static bool is_above(struct xb_sv path, const char *field)
{
	return !strncmp(field, path.p, path.n) && field[path.n] == '.';
}

/* *ret: the flag that the path is; NULL: of no use, or an object (*ret_object). */
static bool find_field(struct xb_sv path, const struct field **ret, bool *ret_object)
{
	const struct field *found = NULL;
	bool known = false, object = false;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (xb_sv_is(path, fields[i].path))
			found = &fields[i];
		object |= is_above(path, fields[i].path);
	}
	for (size_t i = 0; i < ARRAY_SIZE(of_no_use); i++) {
		known |= xb_sv_is(path, of_no_use[i]);
		object |= is_above(path, of_no_use[i]);
	}
	*ret = found;
	*ret_object = object;
	return found || known || object;
}

/* Takes a member, at the top (outer is empty) or in an object there. */
static int add_member(struct xb_config_flags *f, const char *path, struct xb_sv outer, struct xb_sv name, struct xb_jv value,
		      char **reterr_why)
{
	_cleanup_buf_ struct xb_buf whole = {};
	const struct field *field;
	bool object;
	int r = 0;

	xb_buf_addf(&whole, "%.*s%s%.*s", XB_SV_ARG(outer), outer.n ? "." : "", XB_SV_ARG(name));
	if (whole.err)
		return whole.err;
	if (!find_field(xb_buf_sv(&whole), &field, &object))
		return xb_why(reterr_why, -EINVAL, "%s: unknown field \"%s\"", path, whole.p);
	if (field)
		return add_field(f, path, field, value, reterr_why);
	if (object && xb_jv_type(value) != XB_JSON_OBJECT && xb_jv_type(value) != XB_JSON_NULL)
		return xb_why(reterr_why, -EINVAL, "%s: %s is no object", path, whole.p);
	for (struct xb_jit it = xb_jv_iter(value); object && !r && xb_jit_next(&it);)
		r = add_member(f, path, xb_buf_sv(&whole), it.key, it.value, reterr_why);
	return r;
}

int config_flags_read(const char *path, char ***ret, char **reterr_why)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	_cleanup_(xb_config_flags_done) struct xb_config_flags f = {};
	int r = xb_config_file_read_kind(path, "KubeProxyConfiguration", "kubeproxy.config.k8s.io/v1alpha1", &doc, reterr_why);

	if (r < 0)
		return r;
	for (struct xb_jit it = xb_jv_iter(xb_json_root(doc)); xb_jit_next(&it);) {
		r = add_member(&f, path, (struct xb_sv){}, it.key, it.value, reterr_why);
		if (r < 0)
			return r;
	}
	return xb_config_flags_steal(&f, ret);
}
