/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "serve.h"
#include "xb/http_server.h"
#include "xb/prometheus.h"
#include "xb/why.h"

#define TEXT "text/plain; charset=utf-8"

struct serve {
	const struct agent *agent;
	struct xb_http_server *health, *metrics;
};

static void on_health(struct xb_http_request *r, void *arg)
{
	struct serve *s = arg;
	struct xb_sv path = xb_http_path(r);

	if (!xb_http_reads(r))
		return;
	if (!xb_sv_is(path, "/healthz") && !xb_sv_is(path, "/livez"))
		xb_http_respond(r, 404, TEXT, XB_SV("404 page not found\n"));
	else if (netd_agent_healthy(s->agent))
		xb_http_respond(r, 200, TEXT, XB_SV("ok"));
	else
		xb_http_respond(r, 503, TEXT, XB_SV("a change has waited for the kernel for a minute\n"));
}

static void on_metrics(struct xb_http_request *r, void *arg)
{
	struct serve *s = arg;
	_cleanup_buf_ struct xb_buf body = {};

	if (!xb_http_reads(r))
		return;
	if (xb_sv_is(xb_http_path(r), "/metrics")) {
		netd_agent_write_metrics(s->agent, &body);
		xb_http_respond_buf(r, 200, XB_PROM_CONTENT_TYPE, &body);
	} else {
		xb_http_respond(r, 404, TEXT, XB_SV("404 page not found\n"));
	}
}

struct serve *netd_serve_free(struct serve *s)
{
	if (!s)
		return NULL;
	xb_http_server_free(s->health);
	xb_http_server_free(s->metrics);
	free(s);
	return NULL;
}

int netd_serve_new(uv_loop_t *loop, const struct options *o, const struct agent *agent, struct serve **ret, char **reterr_why)
{
	_cleanup_(netd_serve_freep) struct serve *s = calloc(1, sizeof(*s));
	struct xb_http_config health = { .loop = loop, .handler = on_health, .arg = s, .max_body_bytes = 4096, .max_connections = 200 };
	struct xb_http_config metric = { .loop = loop, .handler = on_metrics, .arg = s, .max_body_bytes = 4096, .max_connections = 200 };
	int r;

	if (!s)
		return -ENOMEM;
	s->agent = agent;
	r = xb_http_server_new_at(&health, &o->healthz, "healthz-bind-address", &s->health, reterr_why);
	if (!r)
		r = xb_http_server_new_at(&metric, &o->metrics, "metrics-bind-address", &s->metrics, reterr_why);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(s);
	return 0;
}
