/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <sys/queue.h>
#include "flow.h"
#include "xb/map.h"

#define SEAT_BYTES (64u << 10)
#define PLACE_BYTES (16u << 10)         /* of a waiting request without its body: headers, stream, arena */
#define USER_BYTES (8u << 20)           /* that wait, of one user: 512 requests without a body */
#define ALL_BYTES (64u << 20)           /* of all, for each kind */
#define TURN_REQUESTS 32                /* of each kind, that have waited, before the loop looks at what else there is */
#define IDLE_FLOWS 1024                 /* remembered without a request, so that most need no memory made */

struct flow {                           /* one user's requests of one kind */
	struct level *level;
	unsigned seats;
	size_t bytes;                   /* that wait */
	TAILQ_HEAD(flow_queue, flow_seat) waiting;
	TAILQ_ENTRY(flow) turn;         /* while some wait */
	size_t n;
	char user[];
};

struct level {
	struct flows *flows;
	unsigned limit, seats;
	size_t bytes;
	struct xb_map *by_user;
	TAILQ_HEAD(, flow) turns;       /* the first is next */
	struct flow_stats stats;
};

struct flow_seat {
	struct flow *flow;
	void *arg;
	size_t held;                    /* bytes of the request and its reply */
	unsigned width;
	bool waits, sits;
	uint64_t until_ms;              /* while it waits */
	TAILQ_ENTRY(flow_seat) link, late;
};

struct flows {
	struct flow_config config;
	struct level levels[2];
	TAILQ_HEAD(, flow_seat) late;   /* all that wait; the first has waited longest */
	uv_timer_t timer;               /* its time, or later */
	uv_idle_t turn;                 /* active while seats may be given out */
	unsigned handles;
};

static void on_turn(uv_idle_t *idle);
static void on_late(uv_timer_t *timer);

int flows_new(const struct flow_config *c, struct flows **ret)
{
	struct flows *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->config = *c;
	TAILQ_INIT(&f->late);
	for (unsigned i = 0; i < ARRAY_SIZE(f->levels); i++) {
		struct level *l = &f->levels[i];

		*l = (struct level){ .flows = f, .limit = c->seats[i], .by_user = xb_map_new(XB_MAP_BORROW) };
		TAILQ_INIT(&l->turns);
	}
	if (!f->levels[0].by_user || !f->levels[1].by_user) {
		xb_map_free(f->levels[0].by_user);
		xb_map_free(f->levels[1].by_user);
		free(f);
		return -ENOMEM;
	}
	uv_timer_init(c->loop, &f->timer);
	uv_idle_init(c->loop, &f->turn);
	f->timer.data = f->turn.data = f;
	f->handles = 2;
	*ret = f;
	return 0;
}

static void on_handle_closed(uv_handle_t *h)
{
	struct flows *f = h->data;

	if (!--f->handles)
		free(f);
}

struct flows *flows_free(struct flows *f)
{
	if (!f)
		return NULL;
	for (unsigned i = 0; i < ARRAY_SIZE(f->levels); i++) {
		struct level *l = &f->levels[i];

		for (struct xb_map_it it = {}; xb_map_next(l->by_user, &it);)
			free(it.value);
		l->by_user = xb_map_free(l->by_user);
	}
	uv_close((uv_handle_t *)&f->timer, on_handle_closed);
	uv_close((uv_handle_t *)&f->turn, on_handle_closed);
	return NULL;
}

static struct flow *obtain_flow(struct level *l, struct xb_sv user)
{
	struct flow *w = xb_map_get(l->by_user, user);

	if (w)
		return w;
	w = calloc(1, sizeof(*w) + user.n);
	if (!w)
		return NULL;
	w->level = l;
	w->n = user.n;
	if (user.n)
		memcpy(w->user, user.p, user.n);
	TAILQ_INIT(&w->waiting);
	if (!xb_map_set(l->by_user, (struct xb_sv){ w->user, w->n }, w, NULL))
		return w;
	free(w);
	return NULL;
}

static void forget_idle(struct flow *w)
{
	struct level *l = w->level;

	if (w->seats || !TAILQ_EMPTY(&w->waiting) || xb_map_count(l->by_user) <= IDLE_FLOWS)
		return;
	xb_map_del(l->by_user, (struct xb_sv){ w->user, w->n });
	free(w);
}

static unsigned width_of(size_t bytes)
{
	return bytes ? (bytes - 1) / SEAT_BYTES + 1 : 1;
}

/* A wide request needs no more than all the seats, so that its turn comes. */
static bool has_room(const struct level *l, const struct flow *w, unsigned width)
{
	unsigned open = w->seats ? l->limit - l->limit / 4 : l->limit;

	return l->seats + MIN(width, open) <= open;
}

static void sit_down(struct flow_seat *s)
{
	s->sits = true;
	s->flow->seats += s->width;
	s->flow->level->seats += s->width;
}

static size_t place_of(const struct flow_seat *s)
{
	return PLACE_BYTES + s->held;
}

static void start_waiting(struct flow_seat *s)
{
	struct flow *w = s->flow;
	struct level *l = w->level;
	struct flows *f = l->flows;

	if (TAILQ_EMPTY(&w->waiting))
		TAILQ_INSERT_TAIL(&l->turns, w, turn);
	TAILQ_INSERT_TAIL(&w->waiting, s, link);
	if (TAILQ_EMPTY(&f->late))
		uv_timer_start(&f->timer, on_late, f->config.wait_ms, 0);
	TAILQ_INSERT_TAIL(&f->late, s, late);
	s->until_ms = uv_now(f->config.loop) + f->config.wait_ms;
	s->waits = true;
	uv_idle_start(&f->turn, on_turn);
	w->bytes += place_of(s);
	l->bytes += place_of(s);
	l->stats.waiting++;
}

static void stop_waiting(struct flow_seat *s)
{
	struct flow *w = s->flow;
	struct level *l = w->level;

	TAILQ_REMOVE(&w->waiting, s, link);
	TAILQ_REMOVE(&l->flows->late, s, late);
	TAILQ_REMOVE(&l->turns, w, turn);
	if (!TAILQ_EMPTY(&w->waiting))
		TAILQ_INSERT_TAIL(&l->turns, w, turn);
	s->waits = false;
	w->bytes -= place_of(s);
	l->bytes -= place_of(s);
	l->stats.waiting--;
}

static void refuse(struct flow_seat *s, enum flow_refusal why)
{
	struct level *l = s->flow->level;

	stop_waiting(s);
	l->stats.refused[why]++;
	l->flows->config.refuse(s->arg, why);
}

/* False: none is longer than w's own would be. */
static bool shorten_longest(struct level *l, const struct flow *w, size_t place)
{
	struct flow *longest = NULL, *i;

	TAILQ_FOREACH(i, &l->turns, turn)
		if (!longest || i->bytes > longest->bytes)
			longest = i;
	if (!longest || longest->bytes <= w->bytes + place)
		return false;
	refuse(TAILQ_LAST(&longest->waiting, flow_queue), FLOW_QUEUE_FULL);
	return true;
}

static bool make_place(struct level *l, const struct flow *w, size_t place)
{
	if (w->bytes + place > USER_BYTES)
		return false;
	while (l->bytes + place > ALL_BYTES)
		if (!shorten_longest(l, w, place))
			return false;
	return true;
}

int flow_enter(struct flows *f, enum flow_kind kind, struct xb_sv user, size_t body_bytes, void *arg, struct flow_seat **ret)
{
	struct level *l = &f->levels[kind];
	struct flow_seat *s;
	struct flow *w;

	if (!l->limit) {
		*ret = NULL;
		return 0;
	}
	w = obtain_flow(l, user);
	s = w ? malloc(sizeof(*s)) : NULL;
	if (!s)
		return -ENOMEM;
	*s = (struct flow_seat){ .flow = w, .arg = arg, .held = body_bytes, .width = width_of(body_bytes) };
	if (TAILQ_EMPTY(&l->turns) && has_room(l, w, s->width)) {
		sit_down(s);
		*ret = s;
		return 0;
	}
	if (!make_place(l, w, place_of(s))) {
		l->stats.refused[FLOW_QUEUE_FULL]++;
		flow_seat_free(s);
		return -EBUSY;
	}
	start_waiting(s);
	*ret = s;
	return -EINPROGRESS;
}

void flow_seat_widen(struct flow_seat *s, size_t bytes)
{
	unsigned more;

	s->held += bytes;
	more = width_of(s->held) - s->width;
	s->width += more;
	s->flow->seats += more;
	s->flow->level->seats += more;
}

struct flow_seat *flow_seat_free(struct flow_seat *s)
{
	struct flow *w = s ? s->flow : NULL;

	if (!s)
		return NULL;
	if (s->waits)
		stop_waiting(s);
	if (s->sits) {
		w->seats -= s->width;
		w->level->seats -= s->width;
		if (!TAILQ_EMPTY(&w->level->turns))
			uv_idle_start(&w->level->flows->turn, on_turn);
	}
	forget_idle(w);
	free(s);
	return NULL;
}

/* The next in turn; a user that has its share is passed over, one that has nothing is waited for. */
static bool serve_next(struct level *l)
{
	struct flow *w;

	TAILQ_FOREACH(w, &l->turns, turn) {
		struct flow_seat *s = TAILQ_FIRST(&w->waiting);

		if (has_room(l, w, s->width)) {
			stop_waiting(s);
			sit_down(s);
			l->flows->config.serve(s->arg);
			return true;
		}
		if (!w->seats)
			return false;
	}
	return false;
}

static void on_turn(uv_idle_t *idle)
{
	struct flows *f = idle->data;

	uv_idle_stop(idle);
	for (unsigned i = 0; i < ARRAY_SIZE(f->levels); i++) {
		unsigned n = 0;

		while (n < TURN_REQUESTS && serve_next(&f->levels[i]))
			n++;
		if (n == TURN_REQUESTS)
			uv_idle_start(idle, on_turn);
	}
}

static void on_late(uv_timer_t *timer)
{
	struct flows *f = timer->data;
	uint64_t now = uv_now(f->config.loop);
	struct flow_seat *s;

	while ((s = TAILQ_FIRST(&f->late)) && s->until_ms <= now)
		refuse(s, FLOW_TIME_OUT);
	if (s)
		uv_timer_start(timer, on_late, s->until_ms - now, 0);
}

void flow_stats(const struct flows *f, enum flow_kind kind, struct flow_stats *ret)
{
	*ret = f->levels[kind].stats;
	ret->seats = f->levels[kind].seats;
}
