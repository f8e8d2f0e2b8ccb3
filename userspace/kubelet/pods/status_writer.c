/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The status on its way to the API server: made whenever something may have changed, written at once when the server has another,
 * one write under way a pod, so that the newest state wins. And the pod's object deleted when it has ended.
 */
#include "pod.h"
#include "xb/cache.h"
#include "xb/log.h"
#include "xb/time.h"

#define AGAIN_MS 1000

static const struct xb_kind *pods_kind(void)
{
	return xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("pods"));
}

static uint64_t version_of(struct xb_jv object)
{
	uint64_t v = 0;

	xb_sv_u64(xb_jv_meta(object, "resourceVersion"), &v);
	return v;
}

/* The newer of what a watch has shown and what our last write was answered with. */
static struct xb_jv newest(const struct pod *p)
{
	struct xb_jv answered = p->answered ? xb_json_root(p->answered) : (struct xb_jv){};

	if (xb_jv_is(answered) && xb_jv_is(p->server) && version_of(answered) > version_of(p->server) &&
	    xb_sv_eq(xb_jv_meta(answered, "uid"), xb_jv_meta(p->server, "uid")))
		return answered;
	return p->server;
}

struct xb_jv pod_server_status(const struct pod *p)
{
	return xb_jv_get(newest(p), "status");
}

/* --- making --- */
static enum probe_result probe(void *arg, const char *id, enum probe_kind kind)
{
	const struct pod *p = arg;

	return probes_result(p->pods->parts.probes, id, kind);
}

static bool waiting(void *arg, struct xb_sv name, struct status_waiting *ret)
{
	const struct pod *p = arg;

	for (size_t i = 0; i < p->slots.n; i++)
		if (xb_sv_is(name, p->slots.v[i].name) && p->slots.v[i].reason) {
			*ret = (struct status_waiting){ p->slots.v[i].reason, p->slots.v[i].message };
			return true;
		}
	return false;
}

static int make(struct pod *p, struct xb_json **ret)
{
	_cleanup_buf_ struct xb_buf text = {};
	struct xb_jv server = pod_server_status(p);
	struct status_input in = {
		.facts = p->pods->c.facts, .pod = p->document, .old = p->status ? xb_json_root(p->status) : server, .server = server,
		.observed = &p->observed, .now_us = xb_time_now(), .ending = p->stage >= POD_ENDING, .reason = p->end_reason,
		.message = p->end_texts[1], .refused = p->refused, .probe = probe, .waiting = waiting, .arg = p,
	};
	int r = status_make(&in, &text, &p->phase);

	return r ? r : xb_json_parse(xb_buf_sv(&text), NULL, ret, NULL);
}

/* --- writing --- */
static void again(struct pod *p)
{
	p->write_retry_ms = pod_now_ms() + AGAIN_MS;
	pod_wake_at(p, p->write_retry_ms);
}

static void on_written(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct pod *p = arg;
	struct xb_json *answer = NULL;

	p->write = NULL;
	p->writing = false;
	if (code >= 200 && code < 300 && !xb_json_parse(body, NULL, &answer, NULL)) {
		xb_json_unref(p->answered);
		p->answered = answer;
		p->answered_hash = xb_hash(xb_jv_bytes(xb_jv_get(xb_json_root(answer), "status")));
	} else if (code == 404 || code == 409) {
		/* it is gone, or another one of its name is there: the watch will tell */
		p->unwritten = true;
	} else {
		if (code)
			log_warning("pod %s/%s: its status is refused: %s", p->namespace_, p->name, status->message);
		p->sent_hash = 0;
		again(p);
	}
	pod_poke(p);
}

/* What the watch has shown is what there is: the answer is not needed any more, and a refusal is the past. */
void pod_server_seen(struct pod *p)
{
	p->unwritten = false;
	if (p->answered && version_of(p->server) >= version_of(xb_json_root(p->answered)))
		p->answered = xb_json_unref(p->answered);
}

/* The server may write in its own way what it was told (a quantity): then it need not be told again. */
static bool is_answered(const struct pod *p)
{
	return p->sent_hash && p->sent_hash == xb_hash(xb_json_bytes(p->status)) &&
	       p->answered_hash == xb_hash(xb_jv_bytes(pod_server_status(p)));
}

static bool is_due(const struct pod *p)
{
	return p->status && p->pods->c.rest && xb_jv_is(p->server) && !p->unwritten && !p->frozen &&
	       !status_same(xb_json_root(p->status), pod_server_status(p)) && !is_answered(p);
}

static void write_status(struct pod *p)
{
	_cleanup_buf_ struct xb_buf path = {}, patch = {};
	struct xb_rest_request q = { .method = "PATCH", .content_type = "application/strategic-merge-patch+json" };

	xb_kind_path(pods_kind(), xb_jv_meta(p->server, "namespace"), xb_jv_meta(p->server, "name"), "status", &path);
	if (status_patch(xb_json_root(p->status), pod_server_status(p), xb_jv_meta(p->server, "uid"), &patch) < 0 || path.err) {
		again(p);
		return;
	}
	q.path = path.p;
	q.body = xb_buf_sv(&patch);
	if (xb_rest_send(p->pods->c.rest, &q, on_written, p, &p->write) < 0) {
		again(p);
		return;
	}
	p->writing = true;
	p->sent_hash = xb_hash(xb_json_bytes(p->status));
}

static void measure_start(struct pod *p)
{
	if (!p->seen_ms || p->phase != STATUS_RUNNING)
		return;
	pods_metrics_observe(&p->pods->metrics.pod_start, (double)(pod_now_ms() - p->seen_ms) / 1000);
	p->seen_ms = 0;
}

/* A document that says the same as the last one is not kept: what differs is then the time of its making only. */
void pod_status_update(struct pod *p)
{
	struct xb_json *made = NULL;

	if (!xb_jv_is(p->document) || p->frozen || p->stage == POD_NEW || p->stage == POD_REMOVED)
		return;
	if (make(p, &made) < 0) {
		again(p);
		return;
	}
	xb_json_unref(p->status);
	p->status = made;
	measure_start(p);
	if (p->writing || !is_due(p))
		return;
	if (pod_now_ms() < p->write_retry_ms)
		pod_wake_at(p, p->write_retry_ms);
	else
		write_status(p);
}

bool pod_status_is_told(const struct pod *p)
{
	return !p->writing && !is_due(p);
}

/* --- the end of its object --- */
static void on_deleted(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct pod *p = arg;

	p->write = NULL;
	p->writing = false;
	if ((code >= 200 && code < 300) || code == 404 || code == 409)
		return;
	if (code)
		log_warning("pod %s/%s: cannot be deleted: %s", p->namespace_, p->name, status->message);
	p->deleting = false;
	again(p);
}

void pod_delete_object(struct pod *p)
{
	_cleanup_buf_ struct xb_buf path = {}, body = {};
	struct xb_rest_request q = { .method = "DELETE", .content_type = "application/json" };

	if (p->deleting || !p->pods->c.rest || !xb_jv_is(p->server))
		return;
	if (pod_now_ms() < p->write_retry_ms) {
		pod_wake_at(p, p->write_retry_ms);
		return;
	}
	xb_kind_path(pods_kind(), xb_jv_meta(p->server, "namespace"), xb_jv_meta(p->server, "name"), NULL, &path);
	xb_buf_addf(&body, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"gracePeriodSeconds\":0,\"preconditions\":{\"uid\":\"%.*s\"}}",
		    XB_SV_ARG(xb_jv_meta(p->server, "uid")));
	q.path = path.p;
	q.body = xb_buf_sv(&body);
	if (path.err || body.err || xb_rest_send(p->pods->c.rest, &q, on_deleted, p, &p->write) < 0) {
		again(p);
		return;
	}
	p->writing = p->deleting = true;
}

void pod_write_drop(struct pod *p)
{
	xb_rest_cancel(p->write);
	p->write = NULL;
	p->writing = false;
}
