/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include "../options.h"
#include "../pki.h"
#include "../server.h"
#include "kubelets.h"
#include "xb/why.h"

#define KUBELET_PORT 10250

struct kubelets {
	const struct apiserver_options *options;
	struct xb_tls *tls;             /* verified by --kubelet-certificate-authority, if that was given */
	struct xb_tls *insecure;        /* with our certificate, theirs not verified */
	struct xb_tls *unverified;      /* nobody's certificate, theirs not verified */
};

int kubelets_new(const struct apiserver_options *o, const struct pki *pki, struct kubelets **ret, char **reterr_why)
{
	_cleanup_(kubelets_freep) struct kubelets *k = calloc(1, sizeof(*k));
	struct xb_tls_client_config c = {
		.ca_file = o->kubelet_certificate_authority, .cert_file = pki->kubelet_cert_file, .key_file = pki->kubelet_key_file,
	};
	int r;

	if (!k)
		return xb_why(reterr_why, -ENOMEM, "out of memory");
	k->options = o;
	r = xb_tls_client_new(&c, &k->tls, reterr_why);
	c.ca_file = NULL;
	if (!r)
		r = xb_tls_client_new(&c, &k->insecure, reterr_why);
	c = (struct xb_tls_client_config){};
	if (!r)
		r = xb_tls_client_new(&c, &k->unverified, reterr_why);
	if (!r)
		*ret = TAKE_PTR(k);
	return r;
}

struct kubelets *kubelets_free(struct kubelets *k)
{
	if (!k)
		return NULL;
	xb_tls_free(k->tls);
	xb_tls_free(k->insecure);
	xb_tls_free(k->unverified);
	free(k);
	return NULL;
}

struct xb_tls *kubelets_unverified(const struct kubelets *k)
{
	return k->unverified;
}

unsigned kubelets_timeout_ms(const struct kubelets *k)
{
	return (unsigned)MIN(MAX(k->options->kubelet_timeout, 1), INT32_MAX);
}

static struct xb_jv node_of(struct server *s, struct xb_arena *a, struct xb_sv name)
{
	const struct xb_kind *nodes = xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("nodes"));
	const char *key = route_key(a, nodes, (struct xb_sv){}, name);
	struct store_object *o = key ? store_get(s->store, key) : NULL;

	return o ? xb_json_root(o->doc) : (struct xb_jv){};
}

static bool is_ip(struct xb_sv text)
{
	char copy[INET6_ADDRSTRLEN];
	struct in6_addr v6;

	if (text.n >= sizeof(copy))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	return inet_pton(AF_INET, copy, &v6) == 1 || inet_pton(AF_INET6, copy, &v6) == 1;
}

/* The first address of the first type that the node has. */
static struct xb_sv choose(const struct kubelets *k, struct xb_jv node, bool ip)
{
	struct xb_jv addresses = xb_jv_path(node, "status", "addresses");

	for (char **type = k->options->kubelet_preferred_address_types; type && *type; type++)
		for (struct xb_jit it = xb_jv_iter(addresses); xb_jit_next(&it);) {
			struct xb_sv address = xb_jv_text(xb_jv_get(it.value, "address"));

			if (xb_sv_is(xb_jv_text(xb_jv_get(it.value, "type")), *type) && address.n && (!ip || is_ip(address)))
				return address;
		}
	return (struct xb_sv){};
}

/* Upstream prints Go's structs. */
static int no_address(struct xb_jv node, struct xb_status *reterr)
{
	_cleanup_buf_ struct xb_buf known = {};

	for (struct xb_jit it = xb_jv_iter(xb_jv_path(node, "status", "addresses")); xb_jit_next(&it);)
		xb_buf_addf(&known, "%s{%.*s %.*s}", known.n ? " " : "", XB_SV_ARG(xb_jv_text(xb_jv_get(it.value, "type"))),
			    XB_SV_ARG(xb_jv_text(xb_jv_get(it.value, "address"))));
	return known.err ? known.err :
			   xb_status_set(reterr, 500, NULL, "no preferred addresses found; known addresses: [%s]", known.p ? known.p : "");
}

int kubelets_find(struct server *s, struct xb_arena *a, struct xb_sv node, bool insecure, struct xb_stream_target *ret,
		  struct xb_status *reterr)
{
	const struct kubelets *k = s->kubelets;
	struct xb_jv object = node_of(s, a, node);
	struct xb_sv address = choose(k, object, false);
	int64_t port = KUBELET_PORT;
	char *host;

	if (!xb_jv_is(object))
		return xb_status_not_found(reterr, "", "nodes", node);
	if (!address.n)
		return no_address(object, reterr);
	if (xb_jv_i64(xb_jv_path(object, "status", "daemonEndpoints", "kubeletEndpoint", "Port"), &port) || port < 1 || port > 65535)
		port = KUBELET_PORT;
	host = xb_arena_strn(a, address);
	if (!host)
		return -ENOMEM;
	*ret = (struct xb_stream_target){
		.host = host, .port = (int)port, .tls = insecure ? k->insecure : k->tls, .timeout_ms = kubelets_timeout_ms(k),
	};
	return 0;
}

struct xb_sv kubelets_node_ip(struct server *s, struct xb_arena *a, struct xb_sv node)
{
	return choose(s->kubelets, node_of(s, a, node), true);
}

bool kubelets_may_reach(struct xb_sv ip)
{
	char text[INET6_ADDRSTRLEN] = "";
	struct in6_addr v6;
	struct in_addr v4;
	uint32_t host;

	if (ip.n >= sizeof(text))
		return false;
	memcpy(text, ip.p, ip.n);
	if (inet_pton(AF_INET6, text, &v6) == 1 && !IN6_IS_ADDR_V4MAPPED(&v6))
		return !IN6_IS_ADDR_LOOPBACK(&v6) && !IN6_IS_ADDR_LINKLOCAL(&v6) && !IN6_IS_ADDR_UNSPECIFIED(&v6) &&
		       !IN6_IS_ADDR_MC_LINKLOCAL(&v6) && !IN6_IS_ADDR_MC_NODELOCAL(&v6);
	if (inet_pton(AF_INET, text, &v4) != 1)
		return false;
	host = ntohl(v4.s_addr);
	return host >> 24 != 127 && host >> 16 != 0xa9fe && host && host >> 8 != 0xe00000;
}
