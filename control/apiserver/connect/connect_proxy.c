/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../server.h"
#include "connect_proxy.h"
#include "connect_reply.h"
#include "kubelets.h"
#include "xb/random.h"

#define DIAL_MS 30000

/* What the path names: [scheme:]name[:port]. */
struct named {
	bool https;
	struct xb_sv name, port;        /* port: a number or a name; {} when not said */
};

static int split(struct xb_sv id, struct named *ret)
{
	struct xb_sv part[4] = {}, rest = id;
	unsigned n = 0;

	while (n < ARRAY_SIZE(part) && xb_sv_split(&rest, ':', &part[n]))
		n++;
	if (!n || n > 3)
		return -EINVAL;
	*ret = (struct named){ .name = part[n == 3], .port = n == 1 ? (struct xb_sv){} : part[n - 1] };
	ret->https = n == 3 && xb_sv_is(part[0], "https");
	if (n == 3 && part[0].n && !ret->https && !xb_sv_is(part[0], "http"))
		return -EINVAL;
	return ret->name.n ? 0 : -EINVAL;
}

static struct xb_jv object_of(struct request *q, const char *plural, struct xb_sv name)
{
	const struct xb_kind *k = xb_kind_by_resource(XB_SV(""), XB_SV("v1"), xb_sv(plural));
	const char *key = route_key(q->arena, k, q->route.namespace_, name);
	struct store_object *o = key ? store_get(q->server->store, key) : NULL;

	return o ? xb_json_root(o->doc) : (struct xb_jv){};
}

static int set_target(struct request *q, const struct named *n, struct xb_sv ip, int64_t port, struct xb_stream_target *ret)
{
	char *host = xb_arena_strn(q->arena, ip);

	if (!host)
		return -ENOMEM;
	if (!kubelets_may_reach(ip))
		return xb_status_bad_request(&q->fault, "address not allowed");
	*ret = (struct xb_stream_target){
		.host = host, .port = (int)port, .tls = n->https ? kubelets_unverified(q->server->kubelets) : NULL, .timeout_ms = DIAL_MS,
	};
	return 0;
}

static int port_number(struct request *q, const struct named *n, int64_t *ret)
{
	if (!n->port.n)
		*ret = n->https ? 443 : 80;
	else if (xb_sv_i64(n->port, ret) || *ret < 1 || *ret > 65535)
		return xb_status_set(&q->fault, 503, "ServiceUnavailable",
				     "error trying to reach service: dial tcp: lookup tcp/%.*s: unknown port", XB_SV_ARG(n->port));
	return 0;
}

/* Without a port it is the first that a container names. */
static int pod_target(struct request *q, const struct named *n, struct xb_stream_target *ret)
{
	struct xb_jv pod = object_of(q, "pods", n->name);
	struct xb_sv ip = xb_jv_text(xb_jv_get(xb_jv_at(xb_jv_path(pod, "status", "podIPs"), 0), "ip"));
	int64_t port = 0;
	int r;

	if (!xb_jv_is(pod))
		return xb_status_not_found(&q->fault, "", "pods", n->name);
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(pod, "spec", "containers")); !n->port.n && !port && xb_jit_next(&it);)
		(void)xb_jv_i64(xb_jv_get(xb_jv_at(xb_jv_get(it.value, "ports"), 0), "containerPort"), &port);
	r = port ? 0 : port_number(q, n, &port);
	if (!ip.n)
		ip = xb_jv_text(xb_jv_path(pod, "status", "podIP"));
	return r ? r : set_target(q, n, ip, port, ret);
}

/* A port is meant by its name in the Service; a number stands for the name of that port. */
static int service_port(struct request *q, const struct named *n, struct xb_sv *ret)
{
	struct xb_jv service = object_of(q, "services", n->name);
	int64_t wanted, port;

	*ret = n->port;
	if (!n->port.n || xb_sv_i64(n->port, &wanted))
		return 0;
	if (!xb_jv_is(service))
		return xb_status_not_found(&q->fault, "", "services", n->name);
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(service, "spec", "ports")); xb_jit_next(&it);)
		if (!xb_jv_i64(xb_jv_get(it.value, "port"), &port) && port == wanted) {
			*ret = xb_jv_text(xb_jv_get(it.value, "name"));
			return 0;
		}
	return xb_status_set(&q->fault, 503, "ServiceUnavailable", "no service port %lld found for service \"%.*s\"", (long long)wanted,
			     XB_SV_ARG(n->name));
}

static int64_t subset_port(struct xb_jv subset, struct xb_sv name)
{
	int64_t port;

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(subset, "ports")); xb_jit_next(&it);)
		if (xb_sv_eq(xb_jv_text(xb_jv_get(it.value, "name")), name) && !xb_jv_i64(xb_jv_get(it.value, "port"), &port))
			return port;
	return 0;
}

/* A ready endpoint of that port, each subset and address as likely as the next. */
static int service_target(struct request *q, const struct named *n, struct xb_stream_target *ret)
{
	struct xb_jv endpoints = object_of(q, "endpoints", n->name), subsets = xb_jv_get(endpoints, "subsets");
	size_t count = xb_jv_count(subsets);
	struct xb_sv name;
	uint32_t chance;
	int r;

	r = service_port(q, n, &name);
	if (r)
		return r;
	if (!xb_jv_is(endpoints))
		return xb_status_not_found(&q->fault, "", "endpoints", n->name);
	xb_random_bytes(&chance, sizeof(chance));
	for (size_t i = 0; i < count; i++) {
		struct xb_jv subset = xb_jv_at(subsets, (chance + i) % count), addresses = xb_jv_get(subset, "addresses");
		int64_t port = subset_port(subset, name);

		if (port && xb_jv_count(addresses))
			return set_target(q, n, xb_jv_text(xb_jv_get(xb_jv_at(addresses, chance % xb_jv_count(addresses)), "ip")), port, ret);
	}
	return xb_status_set(&q->fault, 503, "ServiceUnavailable", "no endpoints available for service \"%.*s\"",
			     XB_SV_ARG(count ? q->route.name : n->name));
}

static int node_target(struct request *q, const struct named *n, struct xb_stream_target *ret)
{
	struct xb_stream_target kubelet;
	int64_t port;
	int r = kubelets_find(q->server, q->arena, n->name, false, &kubelet, &q->fault);

	if (r)
		return r;
	r = n->port.n ? port_number(q, n, &port) : 0;
	if (r)
		return r;
	if (n->port.n && port != kubelet.port)
		return set_target(q, n, kubelets_node_ip(q->server, q->arena, n->name), port, ret);
	*ret = kubelet;
	return 0;
}

static int find_target(struct request *q, struct xb_stream_target *ret)
{
	static const struct {
		const char *plural;
		int (*find)(struct request *q, const struct named *n, struct xb_stream_target *ret);
	} rows[] = { { "pods", pod_target }, { "services", service_target }, { "nodes", node_target } };
	const struct xb_kind *k = q->route.kind;
	struct named n;

	if (split(q->route.name, &n))
		return xb_status_bad_request(&q->fault, "invalid %s request \"%.*s\"", k->singular, XB_SV_ARG(q->route.name));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(k->plural, rows[i].plural))
			return rows[i].find(q, &n, ret);
	return -EINVAL;
}

/* So that what a page links to without a slash is found below it. */
static int redirect(struct request *q)
{
	struct xb_sv query = xb_http_query(q->http);
	_cleanup_buf_ struct xb_buf to = {};

	xb_buf_addf(&to, "%.*s/%s%.*s", XB_SV_ARG(q->path), query.n ? "?" : "", XB_SV_ARG(query));
	if (to.err || xb_http_add_header(q->http, "Location", to.p))
		return -ENOMEM;
	request_reply(q, 301, NULL, (struct xb_sv){});
	return 0;
}

static bool reads(const struct request *q)
{
	return xb_sv_is(xb_http_method(q->http), "GET") || xb_sv_is(xb_http_method(q->http), "HEAD");
}

int proxy_handler(struct request *q)
{
	struct xb_sv rest = q->route.rest, query = xb_http_query(q->http), prefix = { q->path.p, q->path.n - rest.n };
	_cleanup_buf_ struct xb_buf path = {}, fields = {};
	const char *upgrade = reply_upgrade(q);
	struct xb_proxy_request p = { .ops = &reply_ops, .status = &q->answer_code };
	int r;

	r = find_target(q, &p.upstream.target);
	if (r)
		return r;
	if (!rest.n && reads(q) && !upgrade)
		return redirect(q);
	xb_buf_addf(&path, "%.*s%s%.*s", XB_SV_ARG(rest.n ? rest : XB_SV("/")), query.n ? "?" : "", XB_SV_ARG(query));
	reply_copy_fields(q, &fields);
	xb_buf_addf(&fields, "X-Forwarded-Uri: %.*s\r\n", XB_SV_ARG(q->path));
	p.prefix = xb_arena_strn(q->arena, prefix);
	p.upstream.method = xb_arena_strn(q->arena, xb_http_method(q->http));
	if (path.err || fields.err || !p.prefix || !p.upstream.method)
		return -ENOMEM;
	p.upstream.path = path.p;
	p.upstream.fields = xb_buf_sv(&fields);
	p.upstream.body = xb_http_body(q->http);
	p.upstream.upgrade = upgrade && *upgrade ? upgrade : NULL;
	p.arg = reply_new(REPLY_PROXY, q, NULL);
	return p.arg ? connect_hand_on(q, &p) : -ENOMEM;
}
