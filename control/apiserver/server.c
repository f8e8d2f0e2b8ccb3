/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include "authn.h"
#include "authz.h"
#include "bootstrap.h"
#include "event_ttl.h"
#include "frame.h"
#include "impersonate.h"
#include "metrics.h"
#include "options.h"
#include "paths.h"
#include "rbac_aggregate.h"
#include "registry/registry.h"
#include "review.h"
#include "sa_token.h"
#include "server.h"
#include "storage.h"
#include "write.h"
#include "xb/log.h"
#include "xb/why.h"

#define GRACE_MS 10000 /* what is under way may take so long after the signal */

/* What the client chose is quoted, so that it cannot look like another field. No header beyond these is ever logged. */
void server_note(struct request *q, int code)
{
	_cleanup_buf_ struct xb_buf target = {}, uri = {}, agent = {}, user = {};
	char peer[INET6_ADDRSTRLEN] = "";
	struct xb_sv query;

	metrics_note(q->server->metrics, q, code);
	if (!q->http || !xb_log_on(3))
		return;
	query = xb_http_query(q->http);
	xb_buf_addf(&target, "%.*s%s%.*s", XB_SV_ARG(q->path), query.n ? "?" : "", XB_SV_ARG(query));
	xb_buf_addq(&uri, xb_buf_sv(&target));
	xb_buf_addq(&agent, xb_http_header(q->http, "user-agent"));
	xb_buf_addq(&user, xb_sv(q->user ? q->user->name : ""));
	uv_ip_name(xb_http_peer_addr(q->http), peer, sizeof(peer));
	if (!uri.err && !agent.err && !user.err)
		log_info("HTTP verb=\"%.*s\" URI=%s latency=\"%.3fms\" userAgent=%s user=%s srcIP=\"%s\" resp=%d",
			 XB_SV_ARG(xb_http_method(q->http)), uri.p, (uv_hrtime() - q->began) / 1e6, agent.p, user.p, peer, code);
}

void server_forget(struct request *q)
{
	if (q->counted)
		q->server->in_flight--;
	q->counted = false;
}

void server_client_left(struct xb_http_request *http)
{
	struct request *q = xb_http_user(http);

	q->http = NULL;
	if (!q->in_store)
		request_free(q);
}

static int admit_one_more(struct request *q)
{
	const struct apiserver_options *o = q->server->options;
	unsigned limit = o->max_requests_inflight + o->max_mutating_requests_inflight;

	if (o->max_requests_inflight && o->max_mutating_requests_inflight && q->server->in_flight >= limit) {
		xb_status_set(&q->fault, 429, "TooManyRequests", "Too many requests, please try again later.");
		q->fault.retry_after = 1;
		return -EBUSY;
	}
	q->counted = true;
	q->server->in_flight++;
	return 0;
}

static int negotiate(struct request *q, unsigned forms)
{
	if (negotiate_accept(xb_http_header(q->http, "accept"), forms, &q->encoding.accept))
		return xb_status_set(&q->fault, 406, "NotAcceptable", "406: Not Acceptable");
	return 0;
}

static request_handler *handler_of(const struct request *q)
{
	request_handler *special = subresource_handler(&q->route);

	if (!special)
		special = review_handler(&q->route);
	if (special)
		return special;
	switch (q->route.verb) {
	case XB_VERB_CREATE:
		return create_handler;
	case XB_VERB_GET:
		return get_handler;
	case XB_VERB_LIST:
		return q->query.watch ? watch_handler : list_handler;
	case XB_VERB_UPDATE:
		return update_handler;
	case XB_VERB_PATCH:
		return patch_handler;
	case XB_VERB_DELETE:
		return delete_handler;
	default:
		return deletecollection_handler;
	}
}

static bool reads(const struct request *q)
{
	return !q->route.kind || q->route.verb == XB_VERB_GET || q->route.verb == XB_VERB_LIST;
}

static int serve_objects(struct request *q)
{
	request_handler *handler;
	int r;

	r = route_parse(q->arena, xb_http_method(q->http), q->path, &q->route, &q->fault);
	if (r)
		return r;
	r = negotiate(q, q->route.type == ROUTE_OBJECTS ? ACCEPT_FORMS_OF_OBJECTS : 1u << ACCEPT_OBJECT);
	if (r)
		return r;
	if (q->route.type != ROUTE_OBJECTS)
		return q->route.type == ROUTE_GROUP ? discovery_group(q) : discovery_version(q);
	q->encoding.kind = q->route.kind;
	if (xb_sv_is(q->query.include_object, "None"))
		q->encoding.include = INCLUDE_NONE;
	else if (xb_sv_is(q->query.include_object, "Object"))
		q->encoding.include = INCLUDE_OBJECT;
	handler = handler_of(q);
	if (handler == watch_handler && q->route.verb == XB_VERB_LIST && !(q->route.kind->verbs & XB_VERB_WATCH))
		return route_bad_method(&q->fault);
	r = handler == watch_handler ? 0 : admit_one_more(q);
	return r ? r : handler(q);
}

/* What is not there at all is answered with what there is. */
static int serve_nothing(struct request *q)
{
	struct xb_buf body = {};

	paths_write(&body);
	request_reply_buf(q, 404, "application/json", &body);
	return 0;
}

static int authorize(struct request *q)
{
	struct attributes t;
	int r = authz_attributes(q, &t);

	return r ? r : authz_check(q->server->authz, &t, &q->fault);
}

static int serve(struct request *q)
{
	const struct path_row *row = paths_find(q->path);
	struct xb_sv method = xb_http_method(q->http);
	int r;

	r = authn_user(q->server->authn, q->arena, q->http, &q->user, &q->fault);
	if (!r)
		r = impersonate(q);
	if (!r)
		r = query_parse(q->arena, xb_http_query(q->http), &q->query, &q->fault);
	if (!r)
		r = authorize(q);
	if (r)
		return r;
	if (!row)
		return xb_sv_starts(q->path, "/api/") || xb_sv_starts(q->path, "/apis/") ? serve_objects(q) : serve_nothing(q);
	if (!xb_sv_is(method, "GET") && !xb_sv_is(method, "HEAD"))
		return route_bad_method(&q->fault);
	r = row->forms ? negotiate(q, row->forms) : 0;
	return r ? r : row->handler(q);
}

static void on_request(struct xb_http_request *http, void *arg)
{
	struct request *q = request_new(arg, http);
	int r;

	if (!q) {
		xb_http_respond(http, 500, "text/plain; charset=utf-8", XB_SV("out of memory\n"));
		return;
	}
	xb_http_set_user(http, q);
	xb_http_on_close(http, server_client_left, NULL);
	r = serve(q);
	if (!r)
		return;
	if (reads(q))
		request_fail(q, r);
	else
		request_fail_committed(q, r);
}

static void fault_body(int code, const char *message, struct xb_buf *out, const char **ret_content_type)
{
	_cleanup_status_ struct xb_status s = {};
	static const struct {
		int code;
		const char *reason;
	} reasons[] = { { 408, "Timeout" }, { 413, "RequestEntityTooLarge" }, { 415, "UnsupportedMediaType" } };
	const char *reason = "BadRequest";

	for (unsigned i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].code == code)
			reason = reasons[i].reason;
	xb_status_set(&s, code, reason, "%s", message);
	xb_status_write(&s, out);
	*ret_content_type = "application/json";
}

/* --- start and end --- */

static void on_stopped(void *arg)
{
	struct server *s = arg;

	for (unsigned i = 0; i < ARRAY_SIZE(s->signals); i++)
		uv_close((uv_handle_t *)&s->signals[i], NULL);
	uv_close((uv_handle_t *)&s->tick, NULL);
	s->http = xb_http_server_free(s->http);
	s->aggregate = rbac_aggregate_free(s->aggregate);
	s->authz = authz_free(s->authz);
	event_ttl_stop(s->event_ttl);
	s->store = store_close(s->store);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct server *s = handle->data;

	if (s->stopping)
		return;
	s->stopping = true;
	log_info("signal %d: no new connections; what is under way may end within %d s", number, GRACE_MS / 1000);
	xb_http_server_shutdown(s->http, GRACE_MS, on_stopped, s);
}

static int make_access(struct server *s, char **reterr_why)
{
	const struct apiserver_options *o = s->options;
	struct authn_config authn = { .token_file = o->token_auth_file, .anonymous = o->anonymous_auth };
	int r;

	r = sa_tokens_new(o, s->store, &s->tokens, reterr_why);
	if (r)
		return r;
	authn.tokens = s->tokens;
	r = authn_new(&authn, &s->authn, reterr_why);
	if (r)
		return r;
	r = authz_new(o->authorization_modes, s->store, &s->authz);
	return r ? xb_why(reterr_why, r, "cannot read the stored roles and pods: %s", strerror(-r)) : 0;
}

static int make_parts(struct server *s, char **reterr_why)
{
	const struct apiserver_options *o = s->options;
	struct registry_config registry = {
		.service_ranges = o->service_cluster_ip_range,
		.node_port_first = o->node_port_first,
		.node_port_last = o->node_port_last,
		.allow_privileged = o->allow_privileged,
	};
	int r;

	s->frames = frame_cache_new();
	s->metrics = metrics_new();
	if (!s->frames || !s->metrics)
		return xb_why(reterr_why, -ENOMEM, "out of memory");
	r = registry_new(&registry, &s->registry, reterr_why);
	if (!r)
		r = storage_open(o, s->loop, &s->store, reterr_why);
	if (!r)
		r = make_access(s, reterr_why);
	if (r)
		return r;
	r = o->event_ttl ? event_ttl_new(s->loop, s->store, o->event_ttl, &s->event_ttl) : 0;
	if (r)
		return xb_why(reterr_why, r, "cannot read the stored Events: %s", strerror(-r));
	r = bootstrap_adopt(s);
	return r ? xb_why(reterr_why, r, "cannot read the stored Services: %s", strerror(-r)) : 0;
}

static int listen_on(struct server *s, struct xb_tls *tls, char **reterr_why)
{
	const struct apiserver_options *o = s->options;
	struct xb_http_config config = { .loop = s->loop, .tls = tls, .handler = on_request, .fault_body = fault_body, .arg = s };
	struct sockaddr_storage addr;
	int r;

	r = xb_http_server_new(&config, &s->http);
	if (r)
		return xb_why(reterr_why, r, "cannot make the listener: %s", strerror(-r));
	r = uv_ip6_addr(o->bind_address, o->secure_port, (struct sockaddr_in6 *)&addr);
	if (r)
		r = uv_ip4_addr(o->bind_address, o->secure_port, (struct sockaddr_in *)&addr);
	if (!r)
		r = xb_http_server_listen(s->http, (struct sockaddr *)&addr);
	if (r)
		return xb_why(reterr_why, r, "cannot listen on %s port %d: %s", o->bind_address, o->secure_port, strerror(-r));
	return 0;
}

static void make_handles(struct server *s)
{
	static const int numbers[] = { SIGTERM, SIGINT };

	uv_timer_init(s->loop, &s->tick);
	s->tick.data = s;
	for (unsigned i = 0; i < ARRAY_SIZE(s->signals); i++) {
		uv_signal_init(s->loop, &s->signals[i]);
		s->signals[i].data = s;
		uv_signal_start(&s->signals[i], on_signal, numbers[i]);
	}
}

int server_new(uv_loop_t *loop, const struct apiserver_options *options, struct xb_tls *tls, struct server **ret, char **reterr_why)
{
	_cleanup_(server_freep) struct server *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return xb_why(reterr_why, -ENOMEM, "out of memory");
	s->loop = loop;
	s->options = options;
	r = make_parts(s, reterr_why);
	if (!r)
		r = listen_on(s, tls, reterr_why);
	if (r)
		return r;
	r = bootstrap_objects(s);
	if (!r)
		r = rbac_aggregate_new(s, &s->aggregate);
	if (r)
		return xb_why(reterr_why, r, "cannot make the cluster's first objects: %s", strerror(-r));
	make_handles(s);
	*ret = TAKE_PTR(s);
	return 0;
}

struct server *server_free(struct server *s)
{
	if (!s)
		return NULL;
	s->http = xb_http_server_free(s->http);
	rbac_aggregate_free(s->aggregate);
	authz_free(s->authz);
	event_ttl_stop(s->event_ttl);
	store_close(s->store);
	event_ttl_free(s->event_ttl);
	registry_free(s->registry);
	authn_free(s->authn);
	sa_tokens_free(s->tokens);
	frame_cache_free(s->frames);
	metrics_free(s->metrics);
	free(s);
	return NULL;
}
