/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "scheduler.h"
#include "xb/log.h"
#include "xb/time.h"

#define NOTE_MAX 1024           /* of an event's message, events.k8s.io validation */

/* Upstream's recorder cuts a message that is too long at its end. */
void sched_tell(struct scheduler *s, const struct sched_pod *p, const char *scheduler, enum xb_event_type type, const char *reason,
		struct xb_sv message)
{
	struct xb_event e = {
		.component = scheduler,
		.kind = sched_kind("", "v1", "pods"),
		.object = xb_json_root(p->doc),
		.type = type,
		.reason = reason,
	};

	if (message.n > NOTE_MAX)
		xb_recorder_event(s->recorder, &e, "%.*s ...", NOTE_MAX - 4, message.p);
	else
		xb_recorder_event(s->recorder, &e, "%.*s", XB_SV_ARG(message));
}

static void log_failed(const struct sched_pod *p, int r, const char *what)
{
	if (r)
		log_warning_errno(r, "pod %s: %s: %m", p->key, what);
}

/* --- there is no node --- */
static void set_aside(struct scheduler *s, struct sched_pod *p, const char *reason, struct xb_sv message)
{
	const char *nominated = p->nominated == SCHED_NO_NODE ? NULL : s->cache->nodes.v[p->nominated].name;

	sched_tell(s, p, sched_profile_of(s, p)->name, XB_EVENT_WARNING, "FailedScheduling", message);
	log_failed(p, sched_api_unschedulable(s->api, p, reason, message, nominated), "cannot say that there is no node for it");
	log_failed(p, sched_queue_failed(s->queue, p, xb_time_ms()), "it is not tried again before it changes");
}

static int explain(struct scheduler *s, struct sched_pod *p, struct xb_buf *message)
{
	_cleanup_free_ enum sched_verdict *verdicts = calloc(s->cache->nodes.n + 1, sizeof(*verdicts));
	uint32_t node = SCHED_NO_NODE;
	size_t n = 0;
	int r = verdicts ? sched_cycle_explain(sched_cycle_of(s, p), s->cache, p, message, verdicts) : -ENOMEM;

	if (r || !sched_cache_order(s->cache, &n) || !sched_profile_of(s, p)->preempts)
		return r;
	r = sched_evict(s, p, verdicts, message, &node);
	if (!r || r == -ENOENT)
		r = sched_cache_nominate(s->cache, p, node);
	return r;
}

static void faulted(struct scheduler *s, struct sched_pod *p, struct xb_sv message)
{
	p->faulted = true;
	set_aside(s, p, "SchedulerError", message);
}

/* --- the binding --- */
static double seconds_since(int64_t ms)
{
	return (double)(xb_time_ms() - ms) / 1000;
}

static void on_bound(struct scheduler *s, struct sched_pod *p)
{
	_cleanup_buf_ struct xb_buf message = {};

	xb_buf_addf(&message, "Successfully assigned %s to %s", p->key, s->cache->nodes.v[p->node].name);
	sched_tell(s, p, sched_profile_of(s, p)->name, XB_EVENT_NORMAL, "Scheduled", xb_buf_sv(&message));
	sched_metrics_attempt(s->metrics, p->profile, SCHED_SCHEDULED, seconds_since(p->since_ms));
	sched_metrics_bound(s->metrics, seconds_since(p->first_ms));
}

static void give_back(struct scheduler *s, struct sched_pod *p)
{
	uint32_t node = p->node;

	p->assumed = false;
	sched_cache_unplace(s->cache, p);
	sched_wake_for_room(s, p, node);
	sched_metrics_attempt(s->metrics, p->profile, SCHED_ERROR, seconds_since(p->since_ms));
}

void sched_take_back(struct scheduler *s, struct sched_pod *p, struct xb_sv why)
{
	give_back(s, p);
	faulted(s, p, why);
}

/* Nothing is known of a binding without an answer: if it was made, the watch tells, and the pod counts again. */
static void on_answer(void *arg, const char *key, const char *uid, int code, const struct xb_status *status)
{
	struct scheduler *s = arg;
	struct sched_pod *p = sched_cache_pod(s->cache, xb_sv(key));
	_cleanup_buf_ struct xb_buf message = {};

	if (!p || !xb_sv_is(p->uid, uid))
		return;
	if (code >= 200 && code < 300) {
		if (p->node != SCHED_NO_NODE)
			on_bound(s, p);
		return;
	}
	if (!p->assumed)
		return;
	log_warning("pod %s: its binding was refused: %s", key, status->message ? status->message : "no answer");
	if (code == 404) {
		give_back(s, p);
		return;
	}
	xb_buf_addf(&message, "binding rejected: %s", status->message ? status->message : "no answer");
	sched_take_back(s, p, xb_buf_sv(&message));
}

static int assume(struct scheduler *s, struct sched_pod *p, uint32_t node)
{
	int r = sched_cache_place(s->cache, p, node);

	if (r)
		return r;
	p->assumed = true;
	sched_cache_nominate(s->cache, p, SCHED_NO_NODE);
	if (p->claims.n && sched_profile_of(s, p)->filters[SCHED_VOLUME_BINDING])
		r = sched_reserve(s, p);
	if (!r)
		r = sched_api_bind(s->api, p, s->cache->nodes.v[node].name, on_answer, s);
	if (r >= 0)
		return 0;
	p->assumed = false;
	sched_cache_unplace(s->cache, p);
	return r;
}

void sched_bind(struct scheduler *s, struct sched_pod *p)
{
	int r = sched_api_bind(s->api, p, s->cache->nodes.v[p->node].name, on_answer, s);

	if (r)
		sched_take_back(s, p, xb_sv(strerror(-r)));
}

/* 0 and the node; -ENOENT: there is none, why says why, and room may have been made. */
static int find_node(struct scheduler *s, struct sched_pod *p, uint32_t *ret, struct xb_buf *why)
{
	uint64_t began = uv_hrtime();
	int r = sched_cycle_begin(s->cache, p), e = 0;

	if (!r)
		r = sched_cycle_pick(sched_cycle_of(s, p), s->cache, p, ret);
	sched_metrics_algorithm(s->metrics, (double)(uv_hrtime() - began) / 1e9);
	if (r == -ENOENT)
		e = explain(s, p, why);
	sched_cycle_end(s->cache, p);
	return e ? e : r;
}

void sched_decide(struct scheduler *s, struct sched_pod *p)
{
	_cleanup_buf_ struct xb_buf why = {};
	uint32_t node;
	int r = find_node(s, p, &node, &why);

	p->since_ms = xb_time_ms();
	if (!r)
		r = assume(s, p, node);
	if (!r)
		return;
	if (r == -ENOENT)
		set_aside(s, p, "Unschedulable", xb_buf_sv(&why));
	else
		faulted(s, p, xb_sv(strerror(-r)));
	sched_metrics_attempt(s->metrics, p->profile, r == -ENOENT ? SCHED_UNSCHEDULABLE_RESULT : SCHED_ERROR, seconds_since(p->since_ms));
}
