/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include "xb/http_server.h"
#include "xb/prometheus.h"
#include "xb/serve.h"
#include "xb/time.h"
#include "xb/why.h"

#define TEXT "text/plain; charset=utf-8"

struct xb_serve {
	struct xb_serve_config c;
	int64_t start_us;
	struct xb_tls *tls;
	struct xb_http_server *server;
};

static void answer_metrics(struct xb_serve *s, struct xb_http_request *r)
{
	_cleanup_buf_ struct xb_buf body = {};

	if (!xb_http_peer_is_local(r)) {
		xb_http_respond(r, 403, TEXT, XB_SV("metrics are for clients on this host\n"));
		return;
	}
	s->c.write_metrics(s->c.arg, &body);
	xb_prom_process(&body, s->start_us);
	xb_http_respond_buf(r, body.err ? 500 : 200, XB_PROM_CONTENT_TYPE, &body);
}

static void on_request(struct xb_http_request *r, void *arg)
{
	struct xb_sv path = xb_http_path(r);

	if (!xb_http_reads(r))
		return;
	if (xb_sv_is(path, "/healthz") || xb_sv_is(path, "/livez") || xb_sv_is(path, "/readyz")) {
		xb_http_respond(r, 200, TEXT, XB_SV("ok"));
	} else if (xb_sv_is(path, "/metrics")) {
		answer_metrics(arg, r);
	} else {
		xb_http_respond(r, 404, TEXT, XB_SV("404 page not found\n"));
	}
}

/* A certificate for this run alone: its files go as soon as they are loaded. */
static int make_tls(const char *program, struct xb_tls **ret, char **reterr_why)
{
	char folder[] = "/tmp/xebec-serve-XXXXXX", cert[64], key[64];
	struct xb_cert_request q = {
		.common_name = program,
		.dns_names = (const char *const[]){ "localhost", NULL },
		.ip_addresses = (const char *const[]){ "127.0.0.1", "::1", NULL },
		.server_auth = true,
		.days = 3650,
	};
	int r;

	if (!mkdtemp(folder))
		return xb_why(reterr_why, -errno, "cannot make a folder in /tmp: %m");
	snprintf(cert, sizeof(cert), "%s/tls.crt", folder);
	snprintf(key, sizeof(key), "%s/tls.key", folder);
	r = xb_cert_make(&q, NULL, NULL, cert, key, reterr_why);
	if (!r)
		r = xb_tls_server_new(&(struct xb_tls_config){ .cert_file = cert, .key_file = key }, ret, reterr_why);
	unlink(cert);
	unlink(key);
	rmdir(folder);
	return r;
}

static int load_tls(const struct xb_serve_options *o, const char *program, struct xb_tls **ret, char **reterr_why)
{
	struct xb_tls_config c = { .cert_file = o->tls_cert_file, .key_file = o->tls_private_key_file };

	return o->tls_cert_file ? xb_tls_server_new(&c, ret, reterr_why) : make_tls(program, ret, reterr_why);
}

static int listen_at(struct xb_serve *s, char **reterr_why)
{
	const struct xb_serve_options *o = s->c.options;
	struct sockaddr_storage at = {};
	int r;

	if (uv_ip4_addr(o->bind_address, o->secure_port, (struct sockaddr_in *)&at))
		uv_ip6_addr(o->bind_address, o->secure_port, (struct sockaddr_in6 *)&at);
	r = xb_http_server_listen(s->server, (struct sockaddr *)&at);
	if (!r)
		return 0;
	errno = -r;
	return xb_why(reterr_why, r, "--bind-address and --secure-port: cannot listen on %s port %d: %m", o->bind_address, o->secure_port);
}

int xb_serve_check(const struct xb_serve_options *o, char **reterr_why)
{
	if (!o->tls_cert_file == !o->tls_private_key_file)
		return 0;
	return xb_why(reterr_why, -EINVAL, "--tls-cert-file and --tls-private-key-file belong together: give both or neither");
}

struct xb_serve *xb_serve_free(struct xb_serve *s)
{
	if (!s)
		return NULL;
	xb_http_server_free(s->server);
	xb_tls_free(s->tls);
	free(s);
	return NULL;
}

int xb_serve_new(const struct xb_serve_config *c, struct xb_serve **ret, char **reterr_why)
{
	_cleanup_(xb_serve_freep) struct xb_serve *s = calloc(1, sizeof(*s));
	struct xb_http_config http = { .loop = c->loop, .handler = on_request, .arg = s, .max_body_bytes = 4096, .max_connections = 200 };
	int r = 0;

	if (!s)
		return -ENOMEM;
	s->c = *c;
	s->start_us = xb_time_now();
	if (c->options->secure_port) {
		r = load_tls(c->options, c->program, &s->tls, reterr_why);
		http.tls = s->tls;
		if (!r)
			r = xb_http_server_new(&http, &s->server);
		if (!r)
			r = listen_at(s, reterr_why);
	}
	if (r)
		return r;
	*ret = TAKE_PTR(s);
	return 0;
}
