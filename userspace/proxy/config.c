/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "options.h"
#include "xb/config_file.h"
#include "xb/vec.h"
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

struct flags {
	char **v;
	size_t n, cap;
};

void config_flags_free(char **flags)
{
	for (size_t i = 0; flags && flags[i]; i++)
		free(flags[i]);
	free(flags);
}

static void flags_done(struct flags *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->v[i]);
	xb_vec_done(f);
}

static int add_flag(struct flags *f, const char *flag, struct xb_jv value)
{
	_cleanup_free_ char *text = xb_jv_type(value) == XB_JSON_STRING ? xb_jv_dup(value) : xb_sv_dup(xb_jv_bytes(value));
	char *whole;

	if (!text || asprintf(&whole, "--%s=%s", flag, text) < 0)
		return -ENOMEM;
	if (xb_vec_push(f, whole) < 0) {
		free(whole);
		return -ENOMEM;
	}
	return 0;
}

/* An empty string, null and an empty list leave the default, as in upstream's defaulting. */
static int add_field(struct flags *f, const char *path, const struct field *field, struct xb_jv value, char **reterr_why)
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
static int add_member(struct flags *f, const char *path, struct xb_sv outer, struct xb_sv name, struct xb_jv value, char **reterr_why)
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
	_cleanup_(flags_done) struct flags f = {};
	struct xb_jv root;
	int r = xb_config_file_read(path, &doc, reterr_why);

	if (r < 0)
		return r;
	root = xb_json_root(doc);
	if (!xb_jv_streq(xb_jv_get(root, "kind"), XB_SV("KubeProxyConfiguration")) ||
	    !xb_jv_streq(xb_jv_get(root, "apiVersion"), XB_SV("kubeproxy.config.k8s.io/v1alpha1")))
		return xb_why(reterr_why, -EINVAL, "%s: not a KubeProxyConfiguration of kubeproxy.config.k8s.io/v1alpha1", path);
	for (struct xb_jit it = xb_jv_iter(root); xb_jit_next(&it);) {
		r = add_member(&f, path, (struct xb_sv){}, it.key, it.value, reterr_why);
		if (r < 0)
			return r;
	}
	r = xb_vec_push(&f, NULL);
	if (r < 0)
		return r;
	*ret = f.v;
	f = (struct flags){};
	return 0;
}
