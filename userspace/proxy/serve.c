/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "serve.h"
#include "xb/http_server.h"
#include "xb/prometheus.h"
#include "xb/time.h"
#include "xb/why.h"

#define JSON "application/json"
#define TEXT "text/plain; charset=utf-8"

struct serve {
	struct agent *agent;
	struct xb_http_server *health, *metrics;
};

static void answer_health(struct serve *s, struct xb_http_request *r, bool livez)
{
	struct metrics *m = agent_metrics(s->agent);
	struct agent_health h;
	struct xb_time_text now = xb_time_format_micro(xb_time_now());
	_cleanup_buf_ struct xb_buf body = {};
	uint64_t *count;
	bool good;

	agent_health(s->agent, &h);
	good = h.healthy && (livez || h.eligible);
	xb_buf_addf(&body, "{\"lastUpdated\": \"%s\",\"currentTime\": \"%s\"", xb_time_format_micro(h.last_updated_us).s, now.s);
	if (!livez)
		xb_buf_addf(&body, ", \"nodeEligible\": %s", h.eligible ? "true" : "false");
	if (!livez && h.host_ports)
		xb_buf_addf(&body, ", \"hostPortsSynced\": %s", h.host_ports_synced ? "true" : "false");
	xb_buf_addc(&body, '}');
	count = livez ? (good ? &m->livez_ok : &m->livez_unavailable) : (good ? &m->healthz_ok : &m->healthz_unavailable);
	++*count;
	xb_http_add_header(r, "X-Content-Type-Options", "nosniff");
	xb_http_respond_buf(r, good ? 200 : 503, JSON, &body);
}

static void on_health(struct xb_http_request *r, void *arg)
{
	struct xb_sv path = xb_http_path(r);

	if (!xb_http_reads(r))
		return;
	if (xb_sv_is(path, "/healthz") || xb_sv_is(path, "/livez"))
		answer_health(arg, r, xb_sv_is(path, "/livez"));
	else
		xb_http_respond(r, 404, TEXT, XB_SV("404 page not found\n"));
}

/* It is the node's operator who asks: xebec check --fix. */
static void answer_renew(struct serve *s, struct xb_http_request *r)
{
	_cleanup_free_ char *why = NULL;
	int result;

	if (!xb_http_peer_is_local(r)) {
		xb_http_respond(r, 403, TEXT, XB_SV("for clients on this host\n"));
		return;
	}
	if (!xb_sv_is(xb_http_method(r), "POST")) {
		xb_http_add_header(r, "Allow", "POST");
		xb_http_respond(r, 405, TEXT, XB_SV("405 method not allowed\n"));
		return;
	}
	result = agent_renew(s->agent, &why);
	if (!result)
		xb_http_respond(r, 200, TEXT, XB_SV("ok"));
	else
		xb_http_respond(r, result == -EAGAIN ? 503 : 500, TEXT, xb_sv(why ? why : strerror(-result)));
}

static void on_metrics(struct xb_http_request *r, void *arg)
{
	struct serve *s = arg;
	struct xb_sv path = xb_http_path(r);
	_cleanup_buf_ struct xb_buf body = {};

	if (xb_sv_is(path, "/renew")) {
		answer_renew(s, r);
		return;
	}
	if (!xb_http_reads(r))
		return;
	if (xb_sv_is(path, "/metrics")) {
		agent_write_metrics(s->agent, &body);
		xb_http_respond_buf(r, 200, XB_PROM_CONTENT_TYPE, &body);
	} else if (xb_sv_is(path, "/proxyMode")) {
		xb_http_respond(r, 200, TEXT, xb_sv(agent_mode(s->agent)));
	} else if (xb_sv_is(path, "/healthz")) {
		xb_http_respond(r, 200, TEXT, XB_SV("ok"));
	} else {
		xb_http_respond(r, 404, TEXT, XB_SV("404 page not found\n"));
	}
}

struct serve *serve_free(struct serve *s)
{
	if (!s)
		return NULL;
	xb_http_server_free(s->health);
	xb_http_server_free(s->metrics);
	free(s);
	return NULL;
}

int serve_new(uv_loop_t *loop, const struct sockaddr_storage *healthz, const struct sockaddr_storage *metrics, struct agent *agent,
	      struct serve **ret, char **reterr_why)
{
	_cleanup_(serve_freep) struct serve *s = calloc(1, sizeof(*s));
	struct xb_http_config health = { .loop = loop, .handler = on_health, .arg = s, .max_body_bytes = 4096, .max_connections = 200 };
	struct xb_http_config metric = { .loop = loop, .handler = on_metrics, .arg = s, .max_body_bytes = 4096, .max_connections = 200 };
	int r;

	if (!s)
		return -ENOMEM;
	s->agent = agent;
	r = xb_http_server_new_at(&health, healthz, "healthz-bind-address", &s->health, reterr_why);
	if (!r)
		r = xb_http_server_new_at(&metric, metrics, "metrics-bind-address", &s->metrics, reterr_why);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(s);
	return 0;
}
