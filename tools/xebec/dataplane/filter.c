/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "filter.h"
#include "text.h"
#include "../cluster/api.h"
#include "xb/why.h"
#include "../xalloc.h"

void filter_done(struct filter *f)
{
	xb_vec_done(&f->networks);
}

static void add_network(struct filter *f, struct xb_net net)
{
	xalloc(xb_vec_push(&f->networks, net) ? NULL : f->networks.v);
}

static int add_address(struct filter *f, const char *text, char **reterr_why)
{
	struct xb_net net;
	struct xb_ip ip;

	if (!xb_ip_parse(xb_sv(text), &ip))
		net = xb_net_host(&ip);
	else if (xb_net_parse(xb_sv(text), &net))
		return xb_why(reterr_why, -EINVAL, "--address: \"%s\" is no IP address or network", text);
	add_network(f, net);
	return 0;
}

static int add_pod(struct filter *f, const char *pod, const char *kubeconfig, char **reterr_why)
{
	const char *slash = strchr(pod, '/');
	_cleanup_(api_closep) struct api *a = NULL;
	_cleanup_(xb_json_unrefp) struct xb_json *body = NULL;
	_cleanup_free_ char *path = NULL;
	int r;

	if (!slash || slash == pod || !slash[1] || strchr(slash + 1, '/'))
		return xb_why(reterr_why, -EINVAL, "--pod: \"%s\" is no NAMESPACE/NAME", pod);
	path = xprintf("/api/v1/namespaces/%.*s/pods/%s", (int)(slash - pod), pod, slash + 1);
	r = api_open_file(kubeconfig, &a, reterr_why);
	if (!r)
		r = api_get(a, path, &body, reterr_why);
	if (r != 200)
		return r < 0 ? r : -ENOENT;
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(xb_json_root(body), "status", "podIPs")); xb_jit_next(&it);) {
		struct xb_ip ip;

		if (!xb_ip_parse(xb_jv_text(xb_jv_get(it.value, "ip")), &ip))
			add_network(f, xb_net_host(&ip));
	}
	return f->networks.n ? 0 : xb_why(reterr_why, -ENOENT, "--pod: pod \"%s\" has no address", pod);
}

static enum xb_proto read_proto(const char *word)
{
	if (!strcmp(word, "tcp"))
		return XB_PROTO_TCP;
	if (!strcmp(word, "udp"))
		return XB_PROTO_UDP;
	return strcmp(word, "sctp") ? XB_PROTO_NONE : XB_PROTO_SCTP;
}

int filter_make(const struct filter_options *o, const struct target *target, struct filter *ret, char **reterr_why)
{
	_cleanup_filter_ struct filter f = { .service = o->service, .proto = read_proto(o->proto) };
	_cleanup_free_ char *kubeconfig = NULL;
	int r = 0;

	if (o->service && !strchr(o->service, '/'))
		return xb_why(reterr_why, -EINVAL, "--service: \"%s\" is no NAMESPACE/NAME", o->service);
	if (o->address && o->pod)
		return xb_why(reterr_why, -EINVAL, "--address and --pod: one of them");
	if (o->address)
		r = add_address(&f, o->address, reterr_why);
	if (o->pod) {
		r = target_kubeconfig(target, o->kubeconfig, &kubeconfig, reterr_why);
		if (!r)
			r = add_pod(&f, o->pod, kubeconfig, reterr_why);
	}
	if (r)
		return r;
	*ret = f;
	f = (struct filter){};
	return 0;
}

static bool is_in(const struct filter *f, const union xb_ip6 *addr)
{
	struct xb_ip ip = ip_of(addr);

	for (size_t i = 0; i < f->networks.n; i++)
		if (xb_net_contains(&f->networks.v[i], &ip))
			return true;
	return false;
}

bool filter_takes(const struct filter *f, const struct tables *t, __u32 svc, const struct xb_tuple *was, const struct xb_tuple *now)
{
	if (f->proto && was->proto != f->proto)
		return false;
	if (f->service && (!svc || !name_matches(name_of(t, svc).s, f->service)))
		return false;
	return !f->networks.n || is_in(f, &was->src) || is_in(f, &was->dst) || is_in(f, &now->src) || is_in(f, &now->dst);
}
