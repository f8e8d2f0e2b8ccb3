/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include <sys/queue.h>
#include "xb/map.h"
#include "xb/vec.h"
#include "xb/prometheus.h"
#include "xb/work_queue.h"

/* client-go's: 10 ns to 1000 s */
#define BUCKETS 12
static const double bounds[BUCKETS] = { 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1000 };

struct job {
	TAILQ_ENTRY(job) link;          /* when it waits, or is under way */
	bool waits, works;
	bool again;                     /* added while it was worked on */
	unsigned failures;
	uint64_t since;                 /* it waits or works */
	uint64_t due;                   /* on the loop's clock, while it is in the heap */
	size_t place;                   /* in the heap, from 1; 0: not there */
	char key[];
};
TAILQ_HEAD(jobs, job);

struct xb_work_queue {
	struct xb_work_queue_config c;
	bool started;
	struct xb_map *jobs;            /* every key that waits, works, is due later, or has failed */
	struct jobs waiting, working;
	XB_VEC(struct job *) later;     /* a binary heap by due */
	uv_timer_t timer;
	uv_idle_t idle;                 /* active while something can be handed out */
	unsigned handles;
	struct xb_work_queue_stats stats;
	struct duration {
		uint64_t counts[BUCKETS + 1];
		double sum;
	} waited, worked;               /* of seconds */
};

static void observe(struct duration *d, uint64_t ns)
{
	xb_prom_observe(bounds, BUCKETS, d->counts, &d->sum, (double)ns / 1e9);
}

/* --- what is due later: a heap, in which a job knows its place --- */

static void put_at(struct xb_work_queue *q, size_t place, struct job *j)
{
	q->later.v[place - 1] = j;
	j->place = place;
}

static void sift_up(struct xb_work_queue *q, struct job *j)
{
	size_t place = j->place;

	for (; place > 1 && q->later.v[place / 2 - 1]->due > j->due; place /= 2)
		put_at(q, place, q->later.v[place / 2 - 1]);
	put_at(q, place, j);
}

static void sift_down(struct xb_work_queue *q, struct job *j)
{
	size_t place = j->place, child;

	while ((child = 2 * place) <= q->later.n) {
		child += child < q->later.n && q->later.v[child]->due < q->later.v[child - 1]->due;
		if (q->later.v[child - 1]->due >= j->due)
			break;
		put_at(q, place, q->later.v[child - 1]);
		place = child;
	}
	put_at(q, place, j);
}

static void take_out(struct xb_work_queue *q, struct job *j)
{
	struct job *last = q->later.v[--q->later.n];

	if (last != j) {
		put_at(q, j->place, last);
		sift_up(q, last);
		sift_down(q, last);
	}
	j->place = 0;
}

static int put_in(struct xb_work_queue *q, struct job *j, uint64_t due)
{
	int r = j->place ? 0 : xb_vec_push(&q->later, j);

	if (r)
		return r;
	if (!j->place)
		j->place = q->later.n;
	j->due = due;
	sift_up(q, j);
	return 0;
}

static void on_due(uv_timer_t *t);

static void set_timer(struct xb_work_queue *q)
{
	uint64_t now = uv_now(q->c.loop);

	if (q->later.n)
		uv_timer_start(&q->timer, on_due, q->later.v[0]->due > now ? q->later.v[0]->due - now : 0, 0);
	else
		uv_timer_stop(&q->timer);
}

/* --- jobs --- */

static struct job *find(const struct xb_work_queue *q, const char *key)
{
	return xb_map_get(q->jobs, xb_sv(key));
}

static struct job *obtain(struct xb_work_queue *q, const char *key)
{
	struct job *j = find(q, key);
	size_t n = strlen(key);

	if (j)
		return j;
	j = calloc(1, sizeof(*j) + n + 1);
	if (j) {
		memcpy(j->key, key, n + 1);
		if (!xb_map_set(q->jobs, (struct xb_sv){ j->key, n }, j, NULL))
			return j;
	}
	free(j);
	q->stats.lost++;
	return NULL;
}

static void drop_if_idle(struct xb_work_queue *q, struct job *j)
{
	if (j->waits || j->works || j->place || j->failures)
		return;
	xb_map_del(q->jobs, xb_sv(j->key));
	free(j);
}

static void on_idle(uv_idle_t *idle);

static void wake(struct xb_work_queue *q)
{
	if (q->started && !TAILQ_EMPTY(&q->waiting) && q->stats.under_way < q->c.workers)
		uv_idle_start(&q->idle, on_idle);
	else
		uv_idle_stop(&q->idle);
}

static void begin(struct xb_work_queue *q, struct job *j)
{
	uint64_t now = uv_hrtime();

	TAILQ_REMOVE(&q->waiting, j, link);
	TAILQ_INSERT_TAIL(&q->working, j, link);
	q->stats.depth--;
	q->stats.under_way++;
	observe(&q->waited, now - j->since);
	j->waits = false;
	j->works = true;
	j->since = now;
	q->c.work(q->c.arg, j->key);
}

/* What callbacks add is handed out in the next turn: input is read between two rounds of work. */
static void on_idle(uv_idle_t *idle)
{
	struct xb_work_queue *q = idle->data;
	unsigned n = q->c.workers;

	while (n-- && !TAILQ_EMPTY(&q->waiting) && q->stats.under_way < q->c.workers)
		begin(q, TAILQ_FIRST(&q->waiting));
	wake(q);
}

static void add(struct xb_work_queue *q, struct job *j)
{
	if (j->place)
		take_out(q, j);
	if (j->works) {
		j->again = true;
	} else if (!j->waits) {
		j->waits = true;
		j->since = uv_hrtime();
		TAILQ_INSERT_TAIL(&q->waiting, j, link);
		q->stats.depth++;
	}
}

void xb_work_queue_add(struct xb_work_queue *q, const char *key)
{
	struct job *j = obtain(q, key);

	q->stats.adds++;
	if (!j)
		return;
	add(q, j);
	wake(q);
}

static void add_later(struct xb_work_queue *q, struct job *j, uint64_t ms)
{
	uint64_t due = uv_now(q->c.loop) + ms;

	if (j->waits || j->again || (j->place && j->due <= due))
		return;
	if (put_in(q, j, due)) {
		q->stats.lost++;
		drop_if_idle(q, j);
		return;
	}
	set_timer(q);
}

void xb_work_queue_add_after(struct xb_work_queue *q, const char *key, uint64_t ms)
{
	struct job *j;

	if (!ms) {
		xb_work_queue_add(q, key);
		return;
	}
	j = obtain(q, key);
	if (j)
		add_later(q, j, ms);
}

static void on_due(uv_timer_t *t)
{
	struct xb_work_queue *q = t->data;
	uint64_t now = uv_now(q->c.loop);

	while (q->later.n && q->later.v[0]->due <= now) {
		q->stats.adds++;
		add(q, q->later.v[0]);
	}
	set_timer(q);
	wake(q);
}

static uint64_t backoff(const struct xb_work_queue *q, unsigned failures)
{
	uint64_t ms = q->c.backoff_min_ms;

	while (--failures && ms < q->c.backoff_max_ms)
		ms *= 2;
	return MIN(ms, (uint64_t)q->c.backoff_max_ms);
}

void xb_work_queue_done(struct xb_work_queue *q, const char *key, int error)
{
	struct job *j = find(q, key);
	uint64_t now = uv_hrtime();

	TAILQ_REMOVE(&q->working, j, link);
	q->stats.under_way--;
	q->stats.done++;
	observe(&q->worked, now - j->since);
	j->works = false;
	if (!error) {
		j->failures = 0;
	} else if (error != -EAGAIN) {
		j->failures++;
		q->stats.retries++;
	}
	if (j->again || error == -EAGAIN) {
		j->again = false;
		add(q, j);
	} else if (error) {
		add_later(q, j, backoff(q, j->failures));
	}
	drop_if_idle(q, j);
	wake(q);
}

unsigned xb_work_queue_failures(const struct xb_work_queue *q, const char *key)
{
	const struct job *j = find(q, key);

	return j ? j->failures : 0;
}

void xb_work_queue_start(struct xb_work_queue *q)
{
	q->started = true;
	wake(q);
}

void xb_work_queue_stats(const struct xb_work_queue *q, struct xb_work_queue_stats *ret)
{
	const struct job *j;
	uint64_t now = uv_hrtime();

	*ret = q->stats;
	TAILQ_FOREACH(j, &q->working, link) {
		ret->unfinished += now - j->since;
		ret->longest_running = MAX(ret->longest_running, now - j->since);
	}
}

static double depth(const struct xb_work_queue_stats *s)
{
	return (double)s->depth;
}

static double adds(const struct xb_work_queue_stats *s)
{
	return (double)s->adds;
}

static double retries(const struct xb_work_queue_stats *s)
{
	return (double)s->retries;
}

static double unfinished(const struct xb_work_queue_stats *s)
{
	return (double)s->unfinished / 1e9;
}

static double longest_running(const struct xb_work_queue_stats *s)
{
	return (double)s->longest_running / 1e9;
}

static void write_numbers(struct xb_work_queue *const *queues, size_t n, struct xb_buf *out)
{
	static const struct {
		const char *name, *type, *help;
		double (*value)(const struct xb_work_queue_stats *s);
	} rows[] = {
		{ "workqueue_depth", "gauge", "Keys that wait", depth },
		{ "workqueue_adds_total", "counter", "Keys added", adds },
		{ "workqueue_retries_total", "counter", "Keys whose work failed and that come again", retries },
		{ "workqueue_unfinished_work_seconds", "gauge", "How long the keys under way have been so, together", unfinished },
		{ "workqueue_longest_running_processor_seconds", "gauge", "How long the longest key under way has been so", longest_running },
	};
	struct xb_work_queue_stats s;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		xb_prom_head(out, rows[i].name, rows[i].type, rows[i].help);
		for (size_t k = 0; k < n; k++) {
			xb_work_queue_stats(queues[k], &s);
			xb_buf_addf(out, "%s{name=\"%s\"} %.15g\n", rows[i].name, queues[k]->c.name, rows[i].value(&s));
		}
	}
}

void xb_work_queue_metrics(struct xb_work_queue *const *queues, size_t n, struct xb_buf *out)
{
	static const struct {
		const char *name, *help;
		size_t offset;
	} rows[] = {
		{ "workqueue_queue_duration_seconds", "How long keys waited", offsetof(struct xb_work_queue, waited) },
		{ "workqueue_work_duration_seconds", "How long keys were worked on", offsetof(struct xb_work_queue, worked) },
	};
	const struct duration *d;
	char label[128];

	write_numbers(queues, n, out);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		xb_prom_head(out, rows[i].name, "histogram", rows[i].help);
		for (size_t k = 0; k < n; k++) {
			snprintf(label, sizeof(label), "name=\"%s\"", queues[k]->c.name);
			d = (const void *)((const char *)queues[k] + rows[i].offset);
			xb_prom_histogram(out, rows[i].name, label, bounds, BUCKETS, d->counts, d->sum);
		}
	}
}

int xb_work_queue_new(const struct xb_work_queue_config *c, struct xb_work_queue **ret)
{
	struct xb_work_queue *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	q->c = *c;
	q->c.workers = c->workers ? c->workers : 5;
	q->c.backoff_min_ms = c->backoff_min_ms ? c->backoff_min_ms : 5;
	q->c.backoff_max_ms = c->backoff_max_ms ? c->backoff_max_ms : 1000000;
	q->jobs = xb_map_new(XB_MAP_BORROW);
	if (!q->jobs) {
		free(q);
		return -ENOMEM;
	}
	TAILQ_INIT(&q->waiting);
	TAILQ_INIT(&q->working);
	uv_timer_init(c->loop, &q->timer);
	uv_idle_init(c->loop, &q->idle);
	q->timer.data = q->idle.data = q;
	q->handles = 2;
	*ret = q;
	return 0;
}

static void on_closed(uv_handle_t *h)
{
	struct xb_work_queue *q = h->data;

	if (!--q->handles)
		free(q);
}

struct xb_work_queue *xb_work_queue_free(struct xb_work_queue *q)
{
	if (!q)
		return NULL;
	for (struct xb_map_it it = {}; xb_map_next(q->jobs, &it);)
		free(it.value);
	xb_map_free(q->jobs);
	xb_vec_done(&q->later);
	uv_close((uv_handle_t *)&q->timer, on_closed);
	uv_close((uv_handle_t *)&q->idle, on_closed);
	return NULL;
}
