/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "scheduler.h"
#include "xb/log.h"
#include "xb/time.h"

#define UNDER_WAY  200          /* requests at a time */
#define TURN_NS    2000000      /* of deciding, before the loop looks at sockets again */
#define TICK_MS    1000

static bool may_decide(const struct scheduler *s)
{
	return sched_queue_has(s->queue) && sched_api_under_way(s->api) + s->n_reserving < UNDER_WAY && xb_cache_synced(s->copies);
}

static void on_busy(uv_idle_t *h)
{
	struct scheduler *s = h->data;
	uint64_t until = uv_hrtime() + TURN_NS;

	while (may_decide(s) && uv_hrtime() < until)
		sched_decide(s, sched_queue_pop(s->queue));
	if (!may_decide(s))
		uv_idle_stop(h);
}

void sched_work(struct scheduler *s)
{
	if (may_decide(s))
		uv_idle_start(&s->busy, on_busy);
}

static void on_answered(void *arg)
{
	sched_work(arg);
}

static void on_tick(uv_timer_t *t)
{
	struct scheduler *s = t->data;
	int r = sched_queue_tick(s->queue, xb_time_ms());

	if (r)
		log_err_errno(r, "the queue of pods: %m");
	sched_reserve_tick(s, xb_time_ms());
	sched_work(s);
}

void scheduler_gauges(const struct scheduler *s, struct sched_gauges *ret)
{
	uint64_t assumed = 0, gated = 0;

	for (struct xb_map_it it = {}; xb_map_next(s->cache->pods, &it);) {
		assumed += ((const struct sched_pod *)it.value)->assumed;
		gated += ((const struct sched_pod *)it.value)->gated;
	}
	*ret = (struct sched_gauges){
		.active = sched_queue_count(s->queue, SCHED_ACTIVE),
		.backoff = sched_queue_count(s->queue, SCHED_BACKOFF),
		.unschedulable = sched_queue_count(s->queue, SCHED_PARKED),
		.gated = gated,
		.nodes = xb_map_count(s->cache->node_by_name),
		.pods = s->cache->n_placed,
		.assumed = assumed,
	};
}

/* --- its life --- */
static void on_closed(uv_handle_t *h)
{
	struct scheduler *s = h->data;

	if (!--s->handles)
		free(s);
}

struct scheduler *scheduler_free(struct scheduler *s)
{
	if (!s)
		return NULL;
	sched_api_free(s->api);
	sched_reserve_done(s);
	xb_cache_free(s->copies);
	for (size_t i = 0; i < s->cycles.n; i++)
		sched_cycle_free(s->cycles.v[i]);
	xb_vec_done(&s->cycles);
	sched_queue_free(s->queue);
	sched_cache_free(s->cache);
	uv_close((uv_handle_t *)&s->busy, on_closed);
	uv_close((uv_handle_t *)&s->tick, on_closed);
	return NULL;
}
XB_DEFINE_CLEANUP(struct scheduler *, scheduler_free)

static int make_cycles(struct scheduler *s, char **reterr_why)
{
	const struct sched_config *c = s->config;
	int r = xb_vec_room(&s->cycles, c->profiles.n);

	s->metrics->n_profiles = c->profiles.n;
	for (size_t i = 0; !r && i < c->profiles.n; i++) {
		struct sched_cycle_config one = { .profile = &c->profiles.v[i], .seed = s->random + i };

		r = sched_cycle_new(&one, &s->cycles.v[s->cycles.n], reterr_why);
		s->cycles.n += !r;
		s->metrics->profiles[i] = one.profile->name;
	}
	return r;
}

int scheduler_new(const struct scheduler_config *c, struct scheduler **ret, char **reterr_why)
{
	_cleanup_(scheduler_freep) struct scheduler *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->rest = c->rest;
	s->recorder = c->recorder;
	s->metrics = c->metrics;
	s->config = c->config;
	s->random = c->seed;
	s->loop = xb_rest_loop(c->rest);
	s->handles = 2;
	uv_idle_init(s->loop, &s->busy);
	uv_timer_init(s->loop, &s->tick);
	s->busy.data = s->tick.data = s;
	s->cache = sched_cache_new();
	s->queue = sched_queue_new(&(struct sched_queue_config){
		.backoff_ms = c->config->backoff_ms, .max_backoff_ms = c->config->max_backoff_ms });
	s->api = sched_api_new(c->rest, on_answered, s);
	r = s->cache && s->queue && s->api ? make_cycles(s, reterr_why) : -ENOMEM;
	if (!r)
		r = sched_follow(s);
	if (r)
		return r;
	uv_timer_start(&s->tick, on_tick, TICK_MS, TICK_MS);
	*ret = TAKE_PTR(s);
	return 0;
}
