/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "options.h"
#include "xb/config_file.h"
#include "xb/vec.h"
#include "xb/why.h"

/* A member of the file: the flag that it is, or none where the data plane has no use for it. */
static const struct member {
	const char *outer, *name;   /* outer: NULL at the top */
	const char *flag;
} members[] = {
	{ "clientConnection", "kubeconfig", "kubeconfig" },
	{ NULL, "bindAddress", "bind-address" },
	{ NULL, "clusterCIDR", "cluster-cidr" },
	{ NULL, "healthzBindAddress", "healthz-bind-address" },
	{ NULL, "hostnameOverride", "hostname-override" },
	{ "logging", "format", "logging-format" },
	{ "logging", "verbosity", "v" },
	{ NULL, "metricsBindAddress", "metrics-bind-address" },
	{ NULL, "mode", "proxy-mode" },
	{ NULL, "nodePortAddresses", "nodeport-addresses" },
};
static const char *const known[] = {
	"apiVersion", "kind", "clientConnection", "logging", "featureGates", "bindAddressHardFail", "enableProfiling",
	"showHiddenMetricsForVersion", "iptables", "ipvs", "nftables", "winkernel", "detectLocalMode", "detectLocal", "linux",
	"windows", "syncPeriod", "minSyncPeriod", "configSyncPeriod", "conntrack", "oomScoreAdj", "portRange",
	"windowsRunAsService",
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
static int add_member(struct flags *f, const char *path, const struct member *m, struct xb_jv value, char **reterr_why)
{
	enum xb_json_type type = xb_jv_type(value);
	int r = 0;

	if (type == XB_JSON_NULL || type == XB_JSON_NONE || (type == XB_JSON_STRING && !xb_jv_text(value).n))
		return 0;
	if (type == XB_JSON_OBJECT)
		return xb_why(reterr_why, -EINVAL, "%s: %s is an object", path, m->name);
	if (type != XB_JSON_ARRAY)
		return add_flag(f, m->flag, value);
	for (struct xb_jit it = xb_jv_iter(value); !r && xb_jit_next(&it);)
		r = add_flag(f, m->flag, it.value);
	return r;
}

static bool is_known(struct xb_sv name)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (xb_sv_is(name, known[i]))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (!members[i].outer && xb_sv_is(name, members[i].name))
			return true;
	return false;
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
	for (struct xb_jit it = xb_jv_iter(root); xb_jit_next(&it);)
		if (!is_known(it.key))
			return xb_why(reterr_why, -EINVAL, "%s: unknown field \"%.*s\"", path, XB_SV_ARG(it.key));
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const struct member *m = &members[i];
		struct xb_jv in = m->outer ? xb_jv_get(root, m->outer) : root;

		r = add_member(&f, path, m, xb_jv_get(in, m->name), reterr_why);
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
