/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "events.h"
#include "xb/log.h"
#include "xb/random.h"
#include "xb/time.h"

#define COMPONENT "kube-proxy"
#define MAX_UNDER_WAY 16

struct events {
	struct xb_rest *rest;
	const char *node_name;
	struct xb_rest_call *calls[MAX_UNDER_WAY];
};

struct events *events_new(struct xb_rest *rest, const char *node_name)
{
	struct events *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->rest = rest;
	e->node_name = node_name;
	return e;
}

struct events *events_free(struct events *e)
{
	for (size_t i = 0; e && i < MAX_UNDER_WAY; i++)
		xb_rest_cancel(e->calls[i]);
	free(e);
	return NULL;
}

static void write_event(const struct events *e, struct xb_jv service, const char *reason, const char *message, struct xb_buf *out)
{
	static const char *const same[] = { "namespace", "name", "uid", "resourceVersion" };
	struct xb_jv meta = xb_jv_get(service, "metadata");
	struct xb_time_text now = xb_time_format(xb_time_now());
	struct xb_jw w = XB_JW(out);
	_cleanup_buf_ struct xb_buf name = {};
	uint64_t random;

	xb_random_bytes(&random, sizeof(random));
	xb_buf_addf(&name, "%.*s.%016llx", XB_SV_ARG(xb_jv_text(xb_jv_get(meta, "name"))), (unsigned long long)random);
	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", "Event");
	xb_jw_kstr(&w, "apiVersion", "v1");
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_ksv(&w, "namespace", xb_jv_text(xb_jv_get(meta, "namespace")));
	xb_jw_ksv(&w, "name", xb_buf_sv(&name));
	xb_jw_end(&w);
	xb_jw_key(&w, "involvedObject");
	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", "Service");
	xb_jw_kstr(&w, "apiVersion", "v1");
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		xb_jw_ksv(&w, same[i], xb_jv_text(xb_jv_get(meta, same[i])));
	xb_jw_end(&w);
	xb_jw_kstr(&w, "type", "Warning");
	xb_jw_kstr(&w, "reason", reason);
	xb_jw_kstr(&w, "message", message);
	xb_jw_key(&w, "source");
	xb_jw_object(&w);
	xb_jw_kstr(&w, "component", COMPONENT);
	xb_jw_kstr(&w, "host", e->node_name);
	xb_jw_end(&w);
	xb_jw_kstr(&w, "firstTimestamp", now.s);
	xb_jw_kstr(&w, "lastTimestamp", now.s);
	xb_jw_kint(&w, "count", 1);
	xb_jw_kstr(&w, "reportingComponent", COMPONENT);
	xb_jw_kstr(&w, "reportingInstance", e->node_name);
	xb_jw_end(&w);
	if (xb_jw_finish(&w) < 0)
		out->err = -ENOMEM;
}

static void posted(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct xb_rest_call **slot = arg;

	*slot = NULL;
	if (code < 200 || code > 299)
		log_debug("an event was not taken: %s", status->message);
}

void events_warn(struct events *e, struct xb_jv service, const char *reason, const char *message)
{
	_cleanup_buf_ struct xb_buf path = {}, body = {};
	struct xb_rest_request q = { .method = "POST", .content_type = "application/json" };
	struct xb_rest_call **slot = e->calls;

	while (slot < e->calls + MAX_UNDER_WAY && *slot)
		slot++;
	if (slot == e->calls + MAX_UNDER_WAY)
		return;
	xb_buf_addf(&path, "/api/v1/namespaces/%.*s/events", XB_SV_ARG(xb_jv_text(xb_jv_path(service, "metadata", "namespace"))));
	write_event(e, service, reason, message, &body);
	if (path.err || body.err)
		return;
	q.path = path.p;
	q.body = xb_buf_sv(&body);
	if (xb_rest_send(e->rest, &q, posted, slot, slot) < 0)
		*slot = NULL;
}
