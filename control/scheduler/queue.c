/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "queue.h"

#define BACKOFF_MS     1000
#define MAX_BACKOFF_MS 10000
#define MAX_PARKED_MS  (5 * 60 * 1000)

typedef bool before(const struct sched_pod *a, const struct sched_pod *b);
struct heap {
	XB_VEC(struct sched_pod *) pods;
	before *before;
};
struct sched_queue {
	struct sched_queue_config c;
	struct heap active, backoff, parked; /* parked: the oldest first */
	uint64_t turns;
};

static bool more_important(const struct sched_pod *a, const struct sched_pod *b)
{
	return a->priority != b->priority ? a->priority > b->priority : a->turn < b->turn;
}

/* Those that may come before their time stand first. */
static bool ready_sooner(const struct sched_pod *a, const struct sched_pod *b)
{
	return a->faulted != b->faulted ? b->faulted : a->ready_ms < b->ready_ms;
}

static bool parked_sooner(const struct sched_pod *a, const struct sched_pod *b)
{
	return a->turn < b->turn;
}

/* --- a heap --- */
static void put(struct heap *h, size_t at, struct sched_pod *p)
{
	h->pods.v[at] = p;
	p->at = at;
}

static void up(struct heap *h, size_t at, struct sched_pod *p)
{
	for (size_t above; at && h->before(p, h->pods.v[above = (at - 1) / 2]); at = above)
		put(h, at, h->pods.v[above]);
	put(h, at, p);
}

static void down(struct heap *h, size_t at, struct sched_pod *p)
{
	for (size_t below; (below = 2 * at + 1) < h->pods.n; at = below) {
		if (below + 1 < h->pods.n && h->before(h->pods.v[below + 1], h->pods.v[below]))
			below++;
		if (!h->before(h->pods.v[below], p))
			break;
		put(h, at, h->pods.v[below]);
	}
	put(h, at, p);
}

static int push(struct heap *h, struct sched_pod *p, enum sched_place place)
{
	int r = xb_vec_push(&h->pods, p);

	if (r)
		return r;
	p->place = place;
	up(h, h->pods.n - 1, p);
	return 0;
}

static void take(struct heap *h, struct sched_pod *p)
{
	struct sched_pod *last = h->pods.v[--h->pods.n];

	p->place = SCHED_NOWHERE;
	if (last == p)
		return;
	if (p->at && h->before(last, h->pods.v[(p->at - 1) / 2]))
		up(h, p->at, last);
	else
		down(h, p->at, last);
}

static struct heap *heap_of(const struct sched_queue *q, enum sched_place place)
{
	return (struct heap *)(place == SCHED_ACTIVE ? &q->active : place == SCHED_BACKOFF ? &q->backoff : &q->parked);
}

static int move(struct sched_queue *q, struct sched_pod *p, enum sched_place to)
{
	sched_queue_del(q, p);
	return push(heap_of(q, to), p, to);
}

/* --- what happens to pods --- */
int sched_queue_add(struct sched_queue *q, struct sched_pod *p, int64_t now)
{
	sched_queue_del(q, p);
	p->since_ms = now;
	p->turn = ++q->turns;
	if (!p->first_ms)
		p->first_ms = now;
	return push(&q->active, p, SCHED_ACTIVE);
}

void sched_queue_del(struct sched_queue *q, struct sched_pod *p)
{
	if (p->place != SCHED_NOWHERE)
		take(heap_of(q, p->place), p);
}

static int64_t backoff_of(const struct sched_queue *q, const struct sched_pod *p)
{
	int64_t ms = q->c.backoff_ms;

	for (unsigned i = 1; i < p->attempts && ms < q->c.max_backoff_ms; i++)
		ms *= 2;
	return MIN(ms, (int64_t)q->c.max_backoff_ms);
}

int sched_queue_failed(struct sched_queue *q, struct sched_pod *p, int64_t now)
{
	p->since_ms = now;
	p->turn = ++q->turns;
	p->ready_ms = now + backoff_of(q, p);
	return move(q, p, p->faulted ? SCHED_BACKOFF : SCHED_PARKED);
}

int sched_queue_wake(struct sched_queue *q, struct sched_pod *p, int64_t now)
{
	if (p->place != SCHED_PARKED)
		return 0;
	return move(q, p, p->ready_ms > now ? SCHED_BACKOFF : SCHED_ACTIVE);
}

/* Woken pods leave the heap, which is in no order that a loop could go on in: they are gathered first. */
int sched_queue_wake_if(struct sched_queue *q, bool (*worth)(void *arg, const struct sched_pod *p), void *arg, int64_t now)
{
	XB_VEC(struct sched_pod *) woken = {};
	int r = 0;

	for (size_t i = 0; !r && i < q->parked.pods.n; i++)
		if (worth(arg, q->parked.pods.v[i]))
			r = xb_vec_push(&woken, q->parked.pods.v[i]);
	for (size_t i = 0; !r && i < woken.n; i++)
		r = sched_queue_wake(q, woken.v[i], now);
	xb_vec_done(&woken);
	return r;
}

static struct sched_pod *first(const struct heap *h)
{
	return h->pods.n ? h->pods.v[0] : NULL;
}

/* The back-off of faults stands behind those that may come early, so the whole heap is looked at. */
static int end_backoffs(struct sched_queue *q, int64_t now)
{
	int r = 0;

	for (size_t i = q->backoff.pods.n; !r && i-- > 0;) {
		struct sched_pod *p = i < q->backoff.pods.n ? q->backoff.pods.v[i] : NULL;

		if (p && p->ready_ms <= now)
			r = move(q, p, SCHED_ACTIVE);
	}
	return r;
}

int sched_queue_tick(struct sched_queue *q, int64_t now)
{
	int r = end_backoffs(q, now);
	struct sched_pod *p;

	while (!r && (p = first(&q->parked)) && p->since_ms + q->c.max_parked_ms <= now)
		r = sched_queue_wake(q, p, now);
	return r;
}

static struct sched_pod *next(const struct sched_queue *q)
{
	struct sched_pod *p = first(&q->active);

	if (p)
		return p;
	p = first(&q->backoff);
	return p && !p->faulted ? p : NULL;
}

struct sched_pod *sched_queue_pop(struct sched_queue *q)
{
	struct sched_pod *p = next(q);

	if (!p)
		return NULL;
	sched_queue_del(q, p);
	p->attempts++;
	p->failed = 0;
	p->faulted = false;
	return p;
}

bool sched_queue_has(const struct sched_queue *q)
{
	return next(q) != NULL;
}

size_t sched_queue_count(const struct sched_queue *q, enum sched_place place)
{
	return heap_of(q, place)->pods.n;
}

struct sched_queue *sched_queue_free(struct sched_queue *q)
{
	if (!q)
		return NULL;
	xb_vec_done(&q->active.pods);
	xb_vec_done(&q->backoff.pods);
	xb_vec_done(&q->parked.pods);
	free(q);
	return NULL;
}

struct sched_queue *sched_queue_new(const struct sched_queue_config *c)
{
	struct sched_queue *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	q->c = *c;
	q->c.backoff_ms = c->backoff_ms ? c->backoff_ms : BACKOFF_MS;
	q->c.max_backoff_ms = c->max_backoff_ms ? c->max_backoff_ms : MAX_BACKOFF_MS;
	q->c.max_parked_ms = c->max_parked_ms ? c->max_parked_ms : MAX_PARKED_MS;
	q->active.before = more_important;
	q->backoff.before = ready_sooner;
	q->parked.before = parked_sooner;
	return q;
}
