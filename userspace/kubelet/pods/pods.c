/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The set of pods: made, poked, woken, freed; what the runtime hints at; what is left of pods that nobody knows. */
#include "pod.h"
#include "logs.h"
#include "source.h"
#include "xb/log.h"
#include "xb/time.h"
#include "xb/trim.h"

#define BLIND_MS  1000                  /* upstream's generic PLEG */
#define RELIST_MS (5 * 60 * 1000)       /* hints may be lost */
#define TRIM_MS   5000                  /* after something was done */

int64_t pod_now_ms(void)
{
	return xb_time_ms();
}

/* --- turns --- */
void pod_poke(struct pod *p)
{
	if (p->poked)
		return;
	p->poked = true;
	TAILQ_INSERT_TAIL(&p->pods->poked, p, poked_link);
}

void pod_stale(struct pod *p)
{
	p->stale = true;
	pod_poke(p);
}

void pod_step_ends(struct pod *p)
{
	p->steps--;
	pod_stale(p);
}

static bool may_go(const struct pod *p)
{
	return p->stage == POD_REMOVED && !p->steps && !p->looking && !p->writing && !p->volumes_busy;
}

static void arm(struct pods *s, int64_t ms);

static void before_sleep(uv_prepare_t *h)
{
	struct pods *s = h->data;
	struct pod *p;

	if (!s->trim_ms && !TAILQ_EMPTY(&s->poked)) {
		s->trim_ms = pod_now_ms() + TRIM_MS;
		arm(s, s->trim_ms);
	}
	while ((p = TAILQ_FIRST(&s->poked))) {
		TAILQ_REMOVE(&s->poked, p, poked_link);
		p->poked = false;
		pod_turn(p);
		if (!may_go(p))
			continue;
		xb_map_del(s->by_uid, xb_sv(p->uid));
		source_pod_gone(s->source, p);
		pod_free(p);
	}
}

/* --- time --- */
static void on_timer(uv_timer_t *h);

static void arm(struct pods *s, int64_t ms)
{
	int64_t wait = MAX(ms - pod_now_ms(), 0);

	if (!uv_is_active((uv_handle_t *)&s->timer) || (uint64_t)wait < uv_timer_get_due_in(&s->timer))
		uv_timer_start(&s->timer, on_timer, (uint64_t)wait, 0);
}

void pod_wake_at(struct pod *p, int64_t ms)
{
	if (!p->wake_ms || ms < p->wake_ms)
		p->wake_ms = ms;
	arm(p->pods, p->wake_ms);
}

/* What many pods at once took for their beginnings goes back to the system. */
static void trim(struct pods *s, int64_t now)
{
	if (s->trim_ms && s->trim_ms <= now) {
		s->trim_ms = 0;
		xb_trim();
	} else if (s->trim_ms) {
		arm(s, s->trim_ms);
	}
}

static void on_timer(uv_timer_t *h)
{
	struct pods *s = h->data;
	int64_t now = pod_now_ms();

	uv_update_time(s->c.loop);
	for (struct xb_map_it it = {}; xb_map_next(s->by_uid, &it);) {
		struct pod *p = it.value;

		if (p->wake_ms && p->wake_ms <= now) {
			p->wake_ms = 0;
			pod_poke(p);
		} else if (p->wake_ms) {
			arm(s, p->wake_ms);
		}
	}
	if (s->relist_ms && s->relist_ms <= now) {
		s->relist_ms = 0;
		if (pods_list(s) < 0)
			pods_listed(s, false);
	}
	if (s->relist_ms)
		arm(s, s->relist_ms);
	trim(s, now);
}

void pods_listed(struct pods *s, bool whole)
{
	s->relist_ms = pod_now_ms() + (whole && !s->blind ? RELIST_MS : BLIND_MS);
	arm(s, s->relist_ms);
	if (whole) {
		s->listed = true;
		pods_settle(s);
	}
}

static bool is_of_pod(const struct pod *p, const char *id)
{
	const struct observed *both[] = { &p->observed, &p->next };

	for (size_t k = 0; k < ARRAY_SIZE(both); k++) {
		for (size_t i = 0; i < both[k]->n_containers; i++)
			if (!strcmp(both[k]->containers[i].id, id))
				return true;
		for (size_t i = 0; i < both[k]->n_sandboxes; i++)
			if (!strcmp(both[k]->sandboxes[i].id, id))
				return true;
	}
	return false;
}

static void on_news(void *arg, enum runtime_news news, const char *id)
{
	struct pods *s = arg;

	if (news == RUNTIME_CHANGED) {
		for (struct xb_map_it it = {}; xb_map_next(s->by_uid, &it);)
			if (is_of_pod(it.value, id))
				pod_stale(it.value);
		return;
	}
	s->blind = news == RUNTIME_BLIND;
	s->relist_ms = pod_now_ms() + (s->blind ? BLIND_MS : 0);
	arm(s, s->relist_ms);
	if (s->parts.node)
		node_runtime_changed(s->parts.node);
}

/* --- one pod --- */
struct pod *pod_obtain(struct pods *s, struct xb_sv uid, struct xb_sv namespace_, struct xb_sv name)
{
	struct pod *p = xb_map_get(s->by_uid, uid);

	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->pods = s;
	p->uid = xb_sv_dup(uid);
	p->namespace_ = xb_sv_dup(namespace_);
	p->name = xb_sv_dup(name);
	LIST_INIT(&p->kills);
	if (!p->uid || !p->namespace_ || !p->name || xb_map_set(s->by_uid, xb_sv(p->uid), p, NULL) < 0) {
		pod_free(p);
		return NULL;
	}
	pod_stale(p);
	return p;
}

void pod_free(struct pod *p)
{
	if (p->poked)
		TAILQ_REMOVE(&p->pods->poked, p, poked_link);
	pod_kills_drop(p);
	pod_start_drop(p);
	for (size_t i = 0; i < p->slots.n; i++) {
		free(p->slots.v[i].name);
		free(p->slots.v[i].reason);
		free(p->slots.v[i].message);
	}
	xb_vec_done(&p->slots);
	observed_done(&p->observed);
	observed_done(&p->next);
	xb_json_unref((struct xb_json *)p->document.doc);
	xb_json_unref((struct xb_json *)p->server.doc);
	xb_json_unref(p->status);
	xb_json_unref(p->answered);
	free(p->runtime_handler);
	free(p->end_texts[0]);
	free(p->end_texts[1]);
	free(p->uid);
	free(p->namespace_);
	free(p->name);
	free(p);
}

struct pod_slot *pod_slot(struct pod *p, struct xb_sv name)
{
	struct pod_slot s = {};

	for (size_t i = 0; i < p->slots.n; i++)
		if (xb_sv_is(name, p->slots.v[i].name))
			return &p->slots.v[i];
	s.name = xb_sv_dup(name);
	if (!s.name || xb_vec_push(&p->slots, s) < 0) {
		free(s.name);
		return NULL;
	}
	return &p->slots.v[p->slots.n - 1];
}

void pod_slot_say(struct pod_slot *s, const char *reason, const char *message, int64_t retry_ms)
{
	free(s->reason);
	free(s->message);
	s->reason = reason ? strdup(reason) : NULL;
	s->message = reason && message ? strdup(message) : NULL;
	s->retry_ms = retry_ms;
}

void pod_ips(const struct pod *p, const char *ret[3])
{
	const struct observed_sandbox *s = observed_ready_sandbox(&p->observed);

	ret[0] = ret[1] = ret[2] = NULL;
	for (size_t i = 0; s && i < 2; i++)
		ret[i] = s->host_network ? p->pods->c.facts->ips[i] : s->ips[i];
}

bool pod_is_deleted(const struct pod *p)
{
	return p->gone || xb_jv_is(xb_jv_path(p->document, "metadata", "deletionTimestamp"));
}

/* --- what nobody knows --- */
static void forget_volumes(void *arg, int error, const char *why)
{
	if (error)
		log_warning("cannot remove the volumes of a pod that is gone: %s", why ? why : strerror(-error));
}

static void sweep_volumes(void *arg, const char *uid)
{
	struct pods *s = arg;

	if (!xb_map_get(s->by_uid, xb_sv(uid)))
		volumes_teardown(s->parts.volumes, uid, forget_volumes, s);
}

static void sweep_cgroup(void *arg, const char *uid)
{
	struct pods *s = arg;

	if (!xb_map_get(s->by_uid, xb_sv(uid)))
		cgroups_pod_remove(s->parts.cgroups, uid);
}

static void sweep_logs(void *arg, const char *namespace_, const char *name, const char *uid)
{
	struct pods *s = arg;

	if (!xb_map_get(s->by_uid, xb_sv(uid)))
		logs_remove(s->c.facts->pod_logs_dir, namespace_, name, uid);
}

/* When the runtime's pods and those that should be are both known: a sandbox that an earlier kubelet asked for may come to light when its
 * pod has gone. What is on disk comes to light once. */
void pods_settle(struct pods *s)
{
	if (!s->listed || !source_is_ready(s->source))
		return;
	for (struct xb_map_it it = {}; xb_map_next(s->by_uid, &it);) {
		struct pod *p = it.value;

		if (!xb_jv_is(p->document)) {
			p->gone = true;
			pod_poke(p);
		}
	}
	if (s->settled)
		return;
	s->settled = true;
	volumes_each_on_disk(s->parts.volumes, sweep_volumes, s);
	if (s->parts.cgroups)
		cgroups_each_pod(s->parts.cgroups, sweep_cgroup, s);
	logs_each(s->c.facts->pod_logs_dir, sweep_logs, s);
}

/* --- the set --- */
int pods_new(const struct pods_config *c, struct pods **ret)
{
	struct pods *s = calloc(1, sizeof(*s));

	if (!s || !(s->by_uid = xb_map_new(XB_MAP_BORROW))) {
		free(s);
		return -ENOMEM;
	}
	s->c = *c;
	s->blind = true;
	TAILQ_INIT(&s->poked);
	LIST_INIT(&s->calls);
	uv_prepare_init(c->loop, &s->before_sleep);
	uv_timer_init(c->loop, &s->timer);
	s->before_sleep.data = s->timer.data = s;
	*ret = s;
	return 0;
}

int pods_begin(struct pods *s, const struct pods_parts *parts, char **reterr_why)
{
	int r;

	s->parts = *parts;
	s->began_us = xb_time_now();
	uv_prepare_start(&s->before_sleep, before_sleep);
	r = source_new(s, reterr_why, &s->source);
	if (!r)
		r = runtime_watch(parts->runtime, on_news, s);
	if (r < 0)
		return r;
	s->relist_ms = pod_now_ms();
	arm(s, s->relist_ms);
	return 0;
}

static void on_closed(uv_handle_t *h)
{
	struct pods *s = h->data;

	if (!--s->handles)
		free(s);
}

struct pods *pods_free(struct pods *s)
{
	if (!s)
		return NULL;
	source_free(s->source);
	if (s->parts.runtime)
		pods_calls_drop(s);
	for (struct xb_map_it it = {}; xb_map_next(s->by_uid, &it);) {
		pod_write_drop(it.value);
		pod_free(it.value);
	}
	xb_map_free(s->by_uid);
	s->handles = 2;
	uv_close((uv_handle_t *)&s->before_sleep, on_closed);
	uv_close((uv_handle_t *)&s->timer, on_closed);
	return NULL;
}
