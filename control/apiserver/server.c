/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "authn.h"
#include "authz.h"
#include "bootstrap.h"
#include "connect/connect.h"
#include "connect/kubelets.h"
#include "event_ttl.h"
#include "flow.h"
#include "frame.h"
#include "impersonate.h"
#include "metrics.h"
#include "options.h"
#include "paths.h"
#include "quota_tally.h"
#include "rbac_aggregate.h"
#include "registry/registry.h"
#include "renewals.h"
#include "resource_metrics/resource_metrics.h"
#include "resource_metrics/scraper.h"
#include "review.h"
#include "sa_token.h"
#include "server.h"
#include "storage.h"
#include "write.h"
#include "xb/log.h"
#include "xb/time.h"
#include "xb/why.h"

#define GRACE_MAX_MS 3600000
#define SWEEP_MS 250 /* how exact deadlines are */

void server_client_left(struct xb_http_request *http)
{
	struct request *q = xb_http_user(http);

	q->http = NULL;
	if (!q->in_store)
		request_free(q);
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
		special = connect_handler(&q->route);
	if (!special)
		special = resource_metrics_handler(&q->route);
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

/* What answers is a node or a pod, in whatever form it likes. */
static bool is_anothers(const struct request *q)
{
	return q->route.sub && !q->route.sub->type;
}

/* As upstream's metrics tell them apart. */
static const char *verb_of(const struct request *q)
{
	if (is_anothers(q) && q->route.sub->kind)
		return "CONNECT";
	switch (q->route.type == ROUTE_OBJECTS ? q->route.verb : 0) {
	case XB_VERB_LIST:
		return q->query.watch ? "WATCH" : "LIST";
	case XB_VERB_PATCH:
		return xb_sv_starts(xb_http_header(q->http, "Content-Type"), "application/apply-patch+") ? "APPLY" : q->verb;
	case XB_VERB_DELETECOLLECTION:
		return "DELETECOLLECTION";
	default:
		return q->verb;
	}
}

static int serve_objects(struct request *q)
{
	request_handler *handler;
	int r;

	r = route_parse(q->arena, xb_http_method(q->http), q->path, &q->route, &q->fault);
	if (r)
		return r;
	q->verb = verb_of(q);
	r = is_anothers(q) ? 0 : negotiate(q, q->route.type == ROUTE_OBJECTS ? ACCEPT_FORMS_OF_OBJECTS : 1u << ACCEPT_OBJECT);
	if (r)
		return r;
	if (q->route.type != ROUTE_OBJECTS)
		return q->route.type == ROUTE_GROUP ? discovery_group(q) : discovery_version(q);
	q->encoding.kind = q->route.kind;
	if (xb_sv_is(q->query.include_object, "None"))
		q->encoding.include = INCLUDE_NONE;
	else if (xb_sv_is(q->query.include_object, "Object"))
		q->encoding.include = INCLUDE_OBJECT;
	if (q->route.kind->deprecated)
		request_warn(q, xb_sv(q->route.kind->deprecated));
	handler = handler_of(q);
	if (handler == watch_handler && q->route.verb == XB_VERB_LIST && !(q->route.kind->verbs & XB_VERB_WATCH))
		return route_bad_method(&q->fault);
	return handler(q);
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

	if (!r)
		r = authz_check(q->server->authz, &t, &q->fault);
	metrics_authorized(q->server->metrics, !r ? AUTHZ_ALLOWED : r == -EACCES ? AUTHZ_NO_OPINION : AUTHZ_ERROR);
	return r;
}

/* Then it is none of paths.h, and need not be looked for there; "/api/" and "/apis/" are. */
static bool is_of_objects(struct xb_sv path)
{
	return (path.n > 5 && xb_sv_starts(path, "/api/")) || (path.n > 6 && xb_sv_starts(path, "/apis/"));
}

static int serve_path(struct request *q)
{
	const struct path_row *row = q->row;
	struct xb_sv method = xb_http_method(q->http);
	int r;

	if (!row)
		return is_of_objects(q->path) ? serve_objects(q) : serve_nothing(q);
	if (!xb_sv_is(method, "GET") && !xb_sv_is(method, "HEAD"))
		return route_bad_method(&q->fault);
	r = row->forms ? negotiate(q, row->forms) : 0;
	return r ? r : row->handler(q);
}

static void fail(struct request *q, int error)
{
	if (reads(q))
		request_fail(q, error);
	else
		request_fail_committed(q, error);
}

static void serve(struct request *q)
{
	int r = authorize(q);

	if (!r)
		r = serve_path(q);
	if (r)
		fail(q, r);
}

/* --- who comes when --- */

static int identify(struct request *q)
{
	struct metrics *m = q->server->metrics;
	int r;

	r = authn_user(q->server->authn, q->arena, q->http, &q->user, &q->fault);
	metrics_authenticated(m, !r ? AUTHN_SUCCESS : q->fault.code == 401 ? AUTHN_FAILURE : AUTHN_ERROR, q->user,
			      xb_http_peer_cert(q->http));
	if (!r)
		r = impersonate(q);
	return r ? r : query_parse(q->arena, xb_http_query(q->http), &q->query, &q->fault);
}

/* As upstream's BasicLongRunningRequestCheck. */
static bool is_long_running(struct request *q)
{
	static const char *const subresources[] = { "attach", "exec", "log", "portforward", "proxy" };
	struct attributes t;

	if (q->row || authz_attributes(q, &t))
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(subresources); i++)
		if (t.is_resource && xb_sv_is(t.subresource, subresources[i]))
			return true;
	return q->query.watch && xb_sv_is(t.verb, "watch");
}

static bool is_probe(const struct request *q)
{
	return q->row && q->row->handler == health_handler;
}

/* What the client says can only shorten the server's own. */
static int set_deadline(struct request *q)
{
	int64_t ns = q->server->options->request_timeout * XB_MILLISECOND, said = 0;
	struct xb_sv text = q->query.timeout;
	int r = text.n ? xb_duration_parse(text, &said) : 0;

	if (r)
		return xb_status_bad_request(&q->fault, "invalid timeout specified in the request URL - time: invalid duration \"%.*s\"",
					     XB_SV_ARG(text));
	if (said > 0 && (said < ns || !ns))
		ns = said;
	q->deadline = ns ? q->began + (uint64_t)ns : 0;
	return 0;
}

static void serve_in_flight(struct request *q)
{
	q->served = true;
	metrics_served(q->server->metrics, q->mutating, 1);
	serve(q);
}

static void waited(struct request *q, bool served)
{
	q->waited = uv_hrtime() - q->began;
	metrics_waited(q->server->metrics, q->mutating, served, q->waited);
}

static void on_seat(void *arg)
{
	struct request *q = arg;

	waited(q, true);
	serve_in_flight(q);
}

/* The route is read only for the sake of the counters. */
static void refuse(struct request *q)
{
	_cleanup_status_ struct xb_status ignored = {};

	if (!route_parse(q->arena, xb_http_method(q->http), q->path, &q->route, &ignored))
		q->verb = verb_of(q);
	request_refuse(q);
}

static void on_refusal(void *arg, enum flow_refusal why)
{
	waited(arg, false);
	refuse(arg);
}

static int enter(struct request *q)
{
	int r;

	if (is_long_running(q)) {
		request_runs_long(q);
		serve(q);
		return 0;
	}
	r = set_deadline(q);
	if (r)
		return r;
	if (is_probe(q) || user_in_group(q->user, GROUP_MASTERS)) {
		serve_in_flight(q);
		return 0;
	}
	r = flow_enter(q->server->flows, q->mutating ? FLOW_MUTATING : FLOW_READ_ONLY, xb_sv(q->user->name), xb_http_body(q->http).n,
		       q, &q->seat);
	if (r == -EBUSY)
		refuse(q);
	else if (!r)
		serve_in_flight(q);
	else if (r != -EINPROGRESS)
		return r;
	return 0;
}

static struct request *find_late(struct server *s)
{
	uint64_t now = uv_hrtime();
	struct request *q;

	LIST_FOREACH(q, &s->requests, link)
		if (q->deadline && q->deadline <= now)
			return q;
	return NULL;
}

/* From the start again after each: one that ends may take others of its connection along. */
static void on_sweep(uv_timer_t *timer)
{
	struct server *s = timer->data;
	struct request *q;

	while ((q = find_late(s)))
		request_time_out(q);
	if (!xb_arena_trim() && LIST_EMPTY(&s->requests))
		uv_timer_stop(timer);
}

static void on_request(struct xb_http_request *http, void *arg)
{
	struct server *s = arg;
	struct request *q = request_new(s, http);
	int r;

	if (!q) {
		xb_http_respond(http, 500, "text/plain; charset=utf-8", XB_SV("out of memory\n"));
		return;
	}
	xb_http_set_user(http, q);
	xb_http_on_close(http, server_client_left, NULL);
	q->row = is_of_objects(q->path) ? NULL : paths_find(q->path);
	r = identify(q);
	if (!r)
		r = enter(q);
	if (r)
		fail(q, r);
	if (!LIST_EMPTY(&s->requests) && !uv_is_active((uv_handle_t *)&s->sweep))
		uv_timer_start(&s->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
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
	uv_close((uv_handle_t *)&s->sweep, NULL);
	uv_close((uv_handle_t *)&s->delay, NULL);
	uv_close((uv_handle_t *)&s->stream_turn, NULL);
	uv_close((uv_handle_t *)&s->pump, NULL);
	s->http = xb_http_server_free(s->http);
	s->scraper = scraper_free(s->scraper);
	s->aggregate = rbac_aggregate_free(s->aggregate);
	s->authz = authz_free(s->authz);
	event_ttl_stop(s->event_ttl);
	s->tallies = quota_tallies_free(s->tallies);
	s->store = store_close(s->store);
	s->flows = flows_free(s->flows);
}

static void on_delay_over(uv_timer_t *timer)
{
	struct server *s = timer->data;
	int64_t grace_ms = s->options->request_timeout;

	log_info("no new connections; what is under way may end within %lld s", (long long)grace_ms / 1000);
	xb_http_server_shutdown(s->http, (unsigned)MIN(grace_ms, (int64_t)GRACE_MAX_MS), on_stopped, s);
}

/* The second one ends the process as kill -9 would: what was acknowledged is on the disk. */
static void on_signal(uv_signal_t *handle, int number)
{
	struct server *s = handle->data;

	if (s->stopping) {
		log_warning("signal %d again: ends at once", number);
		_exit(EXIT_FAILURE);
	}
	s->stopping = true;
	log_info("signal %d: not ready any more, goes on for %lld s", number, (long long)s->options->shutdown_delay / 1000);
	uv_timer_start(&s->delay, on_delay_over, (uint64_t)s->options->shutdown_delay, 0);
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
	struct flow_config flows = {
		.loop = s->loop,
		.seats[FLOW_READ_ONLY] = (unsigned)o->max_requests_inflight,
		.seats[FLOW_MUTATING] = (unsigned)o->max_mutating_requests_inflight,
		.wait_ms = MAX((uint64_t)o->request_timeout / 4, 1u),
		.serve = on_seat,
		.refuse = on_refusal,
	};
	int r;

	s->frames = frame_cache_new();
	s->renewals = renewals_new();
	s->metrics = metrics_new();
	s->scraper = resource_metrics_new(s);
	if (!s->frames || !s->renewals || !s->metrics || !s->scraper || flows_new(&flows, &s->flows))
		return xb_why(reterr_why, -ENOMEM, "out of memory");
	r = registry_new(&registry, &s->registry, reterr_why);
	if (!r)
		r = storage_open(o, s->loop, &s->store, reterr_why);
	if (!r)
		r = make_access(s, reterr_why);
	if (r)
		return r;
	s->tallies = quota_tallies_new(s->store);
	if (!s->tallies)
		return xb_why(reterr_why, -ENOMEM, "out of memory");
	r = o->event_ttl ? event_ttl_new(s->loop, s->store, o->event_ttl, &s->event_ttl) : 0;
	if (r)
		return xb_why(reterr_why, r, "cannot read the stored Events: %s", strerror(-r));
	r = bootstrap_adopt(s);
	return r ? xb_why(reterr_why, r, "cannot read the stored Services: %s", strerror(-r)) : 0;
}

static int listen_on(struct server *s, struct xb_tls *tls, char **reterr_why)
{
	const struct apiserver_options *o = s->options;
	struct xb_http_config config = {
		.loop = s->loop,
		.io_threads = o->io_threads,
		.tls = tls,
		.body_seconds = (unsigned)((o->request_timeout + 999) / 1000),
		.handler = on_request,
		.fault_body = fault_body,
		.arg = s,
	};
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
	uv_timer_init(s->loop, &s->sweep);
	uv_timer_init(s->loop, &s->delay);
	uv_idle_init(s->loop, &s->stream_turn);
	uv_idle_init(s->loop, &s->pump);
	TAILQ_INIT(&s->due);
	s->tick.data = s->sweep.data = s->delay.data = s->stream_turn.data = s->pump.data = s;
	for (unsigned i = 0; i < ARRAY_SIZE(s->signals); i++) {
		uv_signal_init(s->loop, &s->signals[i]);
		s->signals[i].data = s;
		uv_signal_start(&s->signals[i], on_signal, numbers[i]);
	}
}

int server_new(uv_loop_t *loop, const struct apiserver_options *options, const struct pki *pki, struct xb_tls *tls,
	       struct server **ret, char **reterr_why)
{
	_cleanup_(server_freep) struct server *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return xb_why(reterr_why, -ENOMEM, "out of memory");
	s->loop = loop;
	s->options = options;
	TAILQ_INIT(&s->streams);
	r = kubelets_new(options, pki, &s->kubelets, reterr_why);
	if (!r)
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
	scraper_free(s->scraper);
	rbac_aggregate_free(s->aggregate);
	authz_free(s->authz);
	event_ttl_stop(s->event_ttl);
	quota_tallies_free(s->tallies);
	store_close(s->store);
	event_ttl_free(s->event_ttl);
	flows_free(s->flows);
	registry_free(s->registry);
	authn_free(s->authn);
	sa_tokens_free(s->tokens);
	renewals_free(s->renewals);
	frame_cache_free(s->frames);
	metrics_free(s->metrics);
	kubelets_free(s->kubelets);
	free(s);
	return NULL;
}
