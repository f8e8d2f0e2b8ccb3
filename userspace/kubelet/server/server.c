/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <sys/stat.h>
#include "inner.h"
#include "usage.h"
#include "xb/quantity.h"
#include "xb/time.h"
#include "xb/why.h"

#define CERT_DAYS       365
#define CERT_FRESH_S    (24 * 3600)     /* one that ends sooner is made anew at the start */
#define BODY_MAX        (1 << 20)
#define CONNECTIONS_MAX 2000

static void serve_healthz(struct exchange *x)
{
	exchange_answer(x, 200, TEXT, XB_SV("ok"));
}

static void (*const handlers[ENDPOINTS])(struct exchange *x) = {
	[ENDPOINT_HEALTHZ] = serve_healthz,
	[ENDPOINT_PODS] = serve_pods,
	[ENDPOINT_RUNNING_PODS] = serve_running_pods,
	[ENDPOINT_CONFIGZ] = serve_configz,
	[ENDPOINT_METRICS] = serve_metrics,
	[ENDPOINT_METRICS_CADVISOR] = serve_metrics_cadvisor,
	[ENDPOINT_METRICS_RESOURCE] = serve_metrics_resource,
	[ENDPOINT_METRICS_PROBES] = serve_metrics_probes,
	[ENDPOINT_STATS_SUMMARY] = serve_summary,
	[ENDPOINT_LOGS] = serve_logs,
	[ENDPOINT_EXEC] = serve_exec,
	[ENDPOINT_ATTACH] = serve_attach,
	[ENDPOINT_PORT_FORWARD] = serve_port_forward,
	[ENDPOINT_RUN] = serve_run,
};

/* --- a request: who asks is found out first, so that others do not even learn what there is */

static int find_target(struct exchange *x)
{
	_cleanup_buf_ struct xb_buf path = {};
	int r = xb_http_decode(xb_http_path(x->r), false, &path);

	return r ? r : target_parse(xb_http_method(x->r), xb_buf_sv(&path), &x->target);
}

static void on_allowed(void *arg, int code, const char *text)
{
	struct exchange *x = arg;
	int r;

	x->check = NULL;
	if (code) {
		exchange_answer(x, code, TEXT, xb_sv(text));
		return;
	}
	r = find_target(x);
	if (!r)
		handlers[x->target.endpoint](x);
	else if (r == -ENOMEM)
		exchange_no_memory(x);
	else if (r == -EOPNOTSUPP)
		exchange_answer(x, 405, TEXT, XB_SV("405: Method Not Allowed"));
	else
		exchange_answer(x, 404, TEXT, XB_SV("404 page not found\n"));
}

static void on_request(struct xb_http_request *r, void *arg)
{
	const char *subresources[TARGET_SUBRESOURCES];
	struct server *s = arg;
	struct access_question q = { .peer = xb_http_peer_cert(r), .authorization = xb_http_header(r, "Authorization"),
				     .verb = target_verb(xb_http_method(r)), .subresources = subresources };
	_cleanup_buf_ struct xb_buf path = {};
	struct access_check *check = NULL;
	struct exchange *x;

	if (xb_http_decode(xb_http_path(r), false, &path)) {
		xb_http_respond(r, 400, TEXT, XB_SV("400 Bad Request"));
		return;
	}
	target_subresources(xb_buf_sv(&path), subresources);
	x = exchange_new(s, r);
	if (!x) {
		xb_http_respond(r, 500, TEXT, XB_SV("out of memory"));
		return;
	}
	/* when it is answered at once x may be gone already, and check is NULL */
	if (access_ask(s->access, &q, on_allowed, x, &check))
		exchange_no_memory(x);
	else if (check)
		x->check = check;
}

/* --- the start --- */

static int make_folder(const char *path, char **reterr_why)
{
	_cleanup_free_ char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *at = copy + 1;; at++) {
		char c = *at;

		if (c && c != '/')
			continue;
		*at = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return xb_why(reterr_why, -errno, "--cert-dir: cannot make %s: %m", copy);
		*at = c;
		if (!c)
			return 0;
	}
}

/* The certificate that is there is kept while it is good for this node. */
static int make_certificate(const struct server *s, const char *cert, const char *key, char **reterr_why)
{
	const struct facts *f = s->c.facts;
	const char *names[] = { f->node_name, "localhost", NULL }, *ips[5] = { "127.0.0.1", "::1" };
	_cleanup_free_ char *ignored = NULL, *common_name = NULL;
	struct xb_cert_request q = { .dns_names = names, .ip_addresses = ips, .server_auth = true, .days = CERT_DAYS };
	time_t end;

	for (size_t i = 0, n = 2; i < ARRAY_SIZE(f->ips); i++)
		if (f->ips[i])
			ips[n++] = f->ips[i];
	if (!xb_cert_check_pair(cert, key, &ignored) && xb_cert_covers(cert, names, ips) && !xb_cert_not_after(cert, &end) &&
	    end > xb_time_now() / 1000000 + CERT_FRESH_S)
		return 0;
	if (asprintf(&common_name, "%s@%lld", f->node_name, (long long)(s->start_us / 1000000)) < 0) {
		common_name = NULL;
		return -ENOMEM;
	}
	q.common_name = common_name;
	return xb_cert_make(&q, NULL, NULL, cert, key, reterr_why);
}

static int load_tls(struct server *s, char **reterr_why)
{
	const struct kubelet_options *o = s->c.options;
	struct xb_tls_config c = { .cert_file = o->tls_cert_file, .key_file = o->tls_private_key_file,
				   .client_ca_file = o->client_ca_file };
	_cleanup_buf_ struct xb_buf cert = {}, key = {};
	int r;

	if (c.client_ca_file && !*c.client_ca_file)
		c.client_ca_file = NULL;
	if (c.cert_file && *c.cert_file)
		return xb_tls_server_new(&c, &s->tls, reterr_why);
	xb_buf_addf(&cert, "%s/kubelet.crt", o->cert_dir);
	xb_buf_addf(&key, "%s/kubelet.key", o->cert_dir);
	r = cert.err || key.err ? -ENOMEM : make_folder(o->cert_dir, reterr_why);
	r = r ? r : make_certificate(s, cert.p, key.p, reterr_why);
	c.cert_file = cert.p;
	c.key_file = key.p;
	return r ? r : xb_tls_server_new(&c, &s->tls, reterr_why);
}

static int listen_at(struct server *s, char **reterr_why)
{
	const struct kubelet_options *o = s->c.options;
	struct xb_http_config c = { .loop = s->c.loop, .tls = s->tls, .handler = on_request, .arg = s, .max_body_bytes = BODY_MAX,
				    .max_connections = CONNECTIONS_MAX };
	struct sockaddr_storage at = {};
	int r = xb_http_server_new(&c, &s->http);

	if (uv_ip4_addr(o->address, o->port, (struct sockaddr_in *)&at))
		uv_ip6_addr(o->address, o->port, (struct sockaddr_in6 *)&at);
	r = r ? r : xb_http_server_listen(s->http, (struct sockaddr *)&at);
	return r ? xb_why(reterr_why, r, "--address and --port: cannot listen at %s port %d: %s", o->address, o->port, strerror(-r)) : 0;
}

static int make_access(struct server *s, char **reterr_why)
{
	const struct kubelet_options *o = s->c.options;
	struct access_config c = { .rest = s->c.rest, .node_name = s->c.facts->node_name, .anonymous = o->anonymous_auth,
				   .token_webhook = o->authentication_token_webhook, .webhook = !strcmp(o->authorization_mode, "Webhook") };

	if (!c.rest && (c.token_webhook || c.webhook))
		return xb_why(reterr_why, -EINVAL, "%s: without --kubeconfig there is nobody to ask",
			      c.webhook ? "--authorization-mode=Webhook" : "--authentication-token-webhook");
	return access_new(&c, &s->access);
}

static int make_rotate(struct server *s, char **reterr_why)
{
	const struct kubelet_options *o = s->c.options;
	struct log_rotate_config c = { .loop = s->c.loop, .runtime = s->c.runtime, .pods = s->c.pods,
				       .max_files = (unsigned)o->log_max_files, .check_ms = (unsigned)o->log_check_ms };
	struct xb_quantity size;

	if (xb_quantity_parse(xb_sv(o->log_max_size), &size) || xb_quantity_value(&size) <= 0)
		return xb_why(reterr_why, -EINVAL, "--container-log-max-size: '%s' is not a size such as 10Mi", o->log_max_size);
	c.max_bytes = (uint64_t)xb_quantity_value(&size);
	return log_rotate_new(&c, &s->rotate);
}

struct server *kubelet_server_free(struct server *s)
{
	if (!s)
		return NULL;
	log_rotate_free(s->rotate);
	while (!LIST_EMPTY(&s->exchanges))
		exchange_break_off(LIST_FIRST(&s->exchanges));
	xb_http_server_free(s->http);
	xb_tls_free(s->tls);
	access_free(s->access);
	usage_forget(s);
	free(s);
	return NULL;
}

int kubelet_server_new(const struct server_config *c, struct server **ret, char **reterr_why)
{
	_cleanup_(kubelet_server_freep) struct server *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->c = *c;
	s->start_us = xb_time_now();
	LIST_INIT(&s->exchanges);
	LIST_INIT(&s->jobs);
	s->samples = xb_map_new(XB_MAP_BORROW);
	r = s->samples ? make_rotate(s, reterr_why) : -ENOMEM;
	if (!r && c->options->port) {
		r = make_access(s, reterr_why);
		r = r ? r : load_tls(s, reterr_why);
		r = r ? r : listen_at(s, reterr_why);
	}
	if (!r)
		*ret = TAKE_PTR(s);
	return r;
}
