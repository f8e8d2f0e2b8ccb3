/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "node_status.h"
#include "xb/informer.h"
#include "xb/log.h"
#include "xb/time.h"

#define TYPE "NetworkUnavailable"

struct node_status {
	struct xb_rest *rest;
	const char *node;
	struct xb_informer *informer;
	struct xb_rest_call *call;
	bool available, unavailable_there;  /* what is so; what the Node says otherwise */
};

static void put(struct node_status *s);

static void on_done(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct node_status *s = arg;

	s->call = NULL;
	/* The next change of the Node, which its heartbeat brings, is another attempt. */
	if (code / 100 != 2)
		log_warning("node %s: cannot set " TYPE " False: %s", s->node, status->message ? status->message : "");
}

static void put(struct node_status *s)
{
	_cleanup_buf_ struct xb_buf path = {}, body = {};
	struct xb_time_text now = xb_time_format(xb_time_now());
	struct xb_rest_request q = { .method = "PATCH", .content_type = "application/strategic-merge-patch+json" };
	struct xb_jw w = XB_JW(&body);
	int r;

	if (s->call || !s->available || !s->unavailable_there)
		return;
	xb_buf_addf(&path, "/api/v1/nodes/%s/status", s->node);
	xb_jw_object(&w);
	xb_jw_key(&w, "status");
	xb_jw_object(&w);
	xb_jw_key(&w, "conditions");
	xb_jw_array(&w);
	xb_jw_object(&w);
	xb_jw_kstr(&w, "type", TYPE);
	xb_jw_kstr(&w, "status", "False");
	xb_jw_kstr(&w, "reason", "RouteCreated");
	xb_jw_kstr(&w, "message", "xebec-netd has set this node's routes to pods");
	xb_jw_kstr(&w, "lastHeartbeatTime", now.s);
	xb_jw_kstr(&w, "lastTransitionTime", now.s);
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_jw_end(&w);
	q.path = path.p;
	q.body = xb_buf_sv(&body);
	r = xb_jw_finish(&w) < 0 || path.err ? -ENOMEM : xb_rest_send(s->rest, &q, on_done, s, &s->call);
	if (r < 0)
		log_warning_errno(r, "node %s: cannot set " TYPE " False: %m", s->node);
}

static void on_node(void *arg, struct xb_jv old, struct xb_jv node)
{
	struct node_status *s = arg;

	s->unavailable_there = false;
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(node, "status", "conditions")); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "type"), XB_SV(TYPE)))
			s->unavailable_there = !xb_jv_streq(xb_jv_get(it.value, "status"), XB_SV("False"));
	put(s);
}

void node_status_available(struct node_status *s, bool available)
{
	s->available = available;
	put(s);
}

struct node_status *node_status_free(struct node_status *s)
{
	if (!s)
		return NULL;
	xb_rest_cancel(s->call);
	xb_informer_free(s->informer);
	free(s);
	return NULL;
}

int node_status_new(struct xb_rest *rest, const char *node, struct node_status **ret)
{
	static const char *const leave_out[] = { "metadata.managedFields", "metadata.annotations", "status.images", NULL };
	struct node_status *s = calloc(1, sizeof(*s));
	_cleanup_buf_ struct xb_buf selector = {};
	struct xb_informer_config c = { .rest = rest, .path = "/api/v1/nodes", .leave_out = leave_out, .changed = on_node, .arg = s };
	int r;

	if (!s)
		return -ENOMEM;
	s->rest = rest;
	s->node = node;
	xb_buf_addf(&selector, "metadata.name=%s", node);
	c.field_selector = selector.p;
	r = selector.err ? selector.err : xb_informer_new(&c, &s->informer);
	if (r < 0) {
		free(s);
		return r;
	}
	*ret = s;
	return 0;
}
