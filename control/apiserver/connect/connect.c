/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../server.h"
#include "connect.h"
#include "connect_pod.h"
#include "connect_proxy.h"
#include "connect_reply.h"
#include "kubelets.h"
#include "translate.h"
#include "tunnel.h"

#define ANSWER_MS 60000 /* for a kubelet to say whether it upgrades */

static char *kubelet_url(struct request *q, const struct xb_stream_target *t, const char *path)
{
	return xb_arena_printf(q->arena, strchr(t->host, ':') ? "https://[%s]:%d%s" : "https://%s:%d%s", t->host, t->port, path);
}

static int log_handler(struct request *q)
{
	struct xb_proxy_request p = { .ops = &reply_log_ops, .content_type = "text/plain", .status = &q->answer_code };
	bool insecure = pod_query_true(q, "insecureSkipTLSVerifyBackend");
	_cleanup_buf_ struct xb_buf path = {};
	const char *container, *url;
	struct xb_sv node;
	struct xb_jv pod;
	int r;

	r = pod_find(q, &pod);
	if (!r)
		r = pod_container_meant(q, pod, &container);
	if (r)
		return r;
	xb_buf_addf(&path, "/containerLogs/%.*s/%.*s/%s", XB_SV_ARG(q->route.namespace_), XB_SV_ARG(q->route.name), container);
	r = pod_log_query(q, &path);
	if (r)
		return r;
	node = xb_jv_text(xb_jv_path(pod, "spec", "nodeName"));
	if (!node.n) {
		request_reply(q, 204, NULL, (struct xb_sv){});
		return 0;
	}
	r = kubelets_find(q->server, q->arena, node, insecure, &p.upstream.target, &q->fault);
	if (r)
		return r;
	url = kubelet_url(q, &p.upstream.target, path.p);
	p.arg = url ? reply_new(REPLY_LOG, q, url) : NULL;
	p.upstream.method = "GET";
	p.upstream.path = path.p;
	return p.arg ? connect_hand_on(q, &p) : -ENOMEM;
}

int connect_hand_on(struct request *q, const struct xb_proxy_request *p)
{
	struct xb_http_request *http = request_hand_on(q);
	int r = xb_proxy(http, p);

	if (r)
		request_take_back(q, http);
	return r;
}

/* As the client said it, to the kubelet: who then answers, or changes to the protocol that the client wants. */
static int hand_on_stream(struct request *q, const struct xb_stream_target *t, const char *path, const char *upgrade)
{
	_cleanup_buf_ struct xb_buf fields = {};
	struct xb_proxy_request p = { .ops = &reply_ops, .status = &q->answer_code };

	reply_copy_fields(q, &fields);
	p.upstream = (struct xb_upstream_request){
		.target = *t, .method = xb_arena_strn(q->arena, xb_http_method(q->http)), .path = path, .upgrade = upgrade,
		.fields = xb_buf_sv(&fields), .answer_ms = ANSWER_MS,
	};
	if (fields.err || !p.upstream.method)
		return -ENOMEM;
	p.arg = reply_new(REPLY_STREAM, q, NULL);
	return p.arg ? connect_hand_on(q, &p) : -ENOMEM;
}

/* translated: by this server, when the client speaks WebSocket in one of the ways it knows; -EOPNOTSUPP: it does not. */
static int serve_stream(struct request *q, struct xb_jv pod, const char *path,
			int (*translated)(struct request *q, const struct xb_stream_target *t, const char *path))
{
	const char *upgrade = reply_upgrade(q);
	struct xb_stream_target target;
	struct xb_sv node;
	int r;

	r = pod_node(q, pod, &node);
	if (!r)
		r = kubelets_find(q->server, q->arena, node, false, &target, &q->fault);
	if (r)
		return r;
	if (!upgrade || !*upgrade)
		return xb_status_bad_request(&q->fault, "Upgrade request required");
	r = translated(q, &target, path);
	return r == -EOPNOTSUPP ? hand_on_stream(q, &target, path, upgrade) : r;
}

static int container_stream(struct request *q, const char *what)
{
	_cleanup_buf_ struct xb_buf path = {};
	const char *container;
	struct xb_jv pod;
	int r;

	r = pod_find(q, &pod);
	if (!r)
		r = pod_container_meant(q, pod, &container);
	if (r)
		return r;
	xb_buf_addf(&path, "/%s/%.*s/%.*s/%s", what, XB_SV_ARG(q->route.namespace_), XB_SV_ARG(q->route.name), container);
	r = pod_stream_query(q, !strcmp(what, "exec"), &path);
	return r ? r : serve_stream(q, pod, path.p, translate_serve);
}

static int exec_handler(struct request *q)
{
	return container_stream(q, "exec");
}

static int attach_handler(struct request *q)
{
	return container_stream(q, "attach");
}

static int portforward_handler(struct request *q)
{
	_cleanup_buf_ struct xb_buf path = {};
	struct xb_jv pod;
	int r;

	r = pod_find(q, &pod);
	if (r)
		return r;
	xb_buf_addf(&path, "/portForward/%.*s/%.*s", XB_SV_ARG(q->route.namespace_), XB_SV_ARG(q->route.name));
	r = pod_ports_query(q, &path);
	return r ? r : serve_stream(q, pod, path.p, tunnel_serve);
}

request_handler *connect_handler(const struct route *t)
{
	static const struct {
		const char *name;
		request_handler *handler;
	} rows[] = {
		{ "log", log_handler },
		{ "exec", exec_handler },
		{ "attach", attach_handler },
		{ "portforward", portforward_handler },
		{ "proxy", proxy_handler },
	};

	for (unsigned i = 0; t->sub && !t->sub->type && i < ARRAY_SIZE(rows); i++)
		if (!strcmp(t->sub->name, rows[i].name))
			return rows[i].handler;
	return NULL;
}
