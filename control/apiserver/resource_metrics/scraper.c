/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <sys/queue.h>
#include "reading.h"
#include "xb/map.h"
#include "xb/time.h"
#include "xb/upstream.h"

#define AT_ONCE 32              /* kubelets asked */
#define FRESH_MS 15000
#define KEPT_MS 60000
#define AGAIN_MS 1000           /* between the two readings that make a first rate */
#define READ_MS 10000           /* for all of one */
#define TICK_MS 250
#define TRIES 3                 /* for a reading that is newer than the one before */
#define TEXT_MAX (16 << 20)

enum node_phase { RESTS, QUEUED, READS, WAITS };
struct node {
	struct scraper *scraper;
	TAILQ_ENTRY(node) link;         /* among the queued, or the others that are not at rest */
	enum node_phase phase;
	uint64_t since;                 /* in READS and WAITS */
	uint64_t tried_at;              /* when it last came to rest, whatever came of it; 0: never */
	unsigned tries;
	struct reading *before, *last;
	uint64_t last_at;
	struct xb_upstream *u;
	struct xb_buf text;
	bool refused;
	char name[];
};
TAILQ_HEAD(nodes, node);

struct scraper {
	struct scraper_config config;
	struct xb_map *nodes;           /* by name, which is the node's */
	struct nodes queued, busy;
	unsigned reading;
	LIST_HEAD(, scraper_question) questions; /* that wait */
	uv_timer_t timer;               /* ticks while a node is not at rest or a question waits; else until all is forgotten */
};

struct scraper_question {
	struct scraper *scraper;
	LIST_ENTRY(scraper_question) link;
	bool asked;
	void (*done)(void *arg);
	void *arg;
};

static void on_timer(uv_timer_t *timer);

static uint64_t now(const struct scraper *s)
{
	return uv_now(s->config.loop);
}

static void node_free(struct node *n)
{
	xb_upstream_free(n->u);
	xb_buf_done(&n->text);
	reading_free(n->before);
	reading_free(n->last);
	free(n);
}

static struct node *node_of(const struct scraper *s, struct xb_sv name)
{
	return xb_map_get(s->nodes, name);
}

static struct node *obtain_node(struct scraper *s, struct xb_sv name)
{
	struct node *n = node_of(s, name);

	if (n)
		return n;
	n = calloc(1, sizeof(*n) + name.n + 1);
	if (!n)
		return NULL;
	n->scraper = s;
	memcpy(n->name, name.p, name.n);
	if (!xb_map_set(s->nodes, (struct xb_sv){ n->name, name.n }, n, NULL))
		return n;
	free(n);
	return NULL;
}

static void enter(struct node *n, enum node_phase phase)
{
	struct scraper *s = n->scraper;

	if (n->phase != RESTS)
		TAILQ_REMOVE(n->phase == QUEUED ? &s->queued : &s->busy, n, link);
	s->reading += (phase == READS) - (n->phase == READS);
	n->phase = phase;
	n->since = now(s);
	if (phase == RESTS)
		n->tried_at = n->since;
	else
		TAILQ_INSERT_TAIL(phase == QUEUED ? &s->queued : &s->busy, n, link);
}

static bool is_at_rest(const struct scraper *s)
{
	return TAILQ_EMPTY(&s->queued) && TAILQ_EMPTY(&s->busy);
}

/* --- one reading --- */

static void end_reading(struct node *n)
{
	n->u = xb_upstream_free(n->u);
	xb_buf_done(&n->text);
}

/* A rate needs two that were measured at different times. */
static void keep(struct node *n, struct reading *r)
{
	if (!reading_is_newer(r, n->last)) {
		reading_free(r);
	} else {
		reading_free(n->before);
		n->before = n->last;
		n->last = r;
	}
	n->last_at = now(n->scraper);
	n->tries++;
	enter(n, n->before || n->tries >= TRIES ? RESTS : WAITS);
}

static void on_head(struct xb_upstream *u, int status)
{
	struct node *n = xb_upstream_arg(u);

	n->refused = status != 200;
}

static void on_body(struct xb_upstream *u, struct xb_sv bytes)
{
	struct node *n = xb_upstream_arg(u);

	if (n->text.n + bytes.n <= TEXT_MAX)
		xb_buf_addsv(&n->text, bytes);
	else
		n->refused = true;
}

static void read_next(struct scraper *s);

static void on_done(struct xb_upstream *u, int error)
{
	struct node *n = xb_upstream_arg(u);
	bool whole = !error && !n->refused && !n->text.err;
	struct reading *r = whole ? reading_new(xb_buf_sv(&n->text), xb_time_now() / 1000) : NULL;

	end_reading(n);
	if (r)
		keep(n, r);
	else
		enter(n, RESTS);
	read_next(n->scraper);
}

static const struct xb_upstream_ops ops = { on_head, on_body, on_done };

static void read_node(struct node *n)
{
	struct scraper *s = n->scraper;
	struct xb_upstream_request q = { .method = "GET", .path = "/metrics/resource", .answer_ms = READ_MS };
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
	int r = a ? s->config.find(s->config.arg, a, n->name, &q.target) : -ENOMEM;

	n->refused = false;
	if (!r)
		r = xb_upstream_send(s->config.loop, &q, &ops, n, &n->u);
	enter(n, r ? RESTS : READS);
}

static void read_next(struct scraper *s)
{
	while (s->reading < AT_ONCE && !TAILQ_EMPTY(&s->queued))
		read_node(TAILQ_FIRST(&s->queued));
}

/* --- questions --- */

static void answer_all(struct scraper *s)
{
	struct scraper_question *q;

	while (is_at_rest(s) && (q = LIST_FIRST(&s->questions))) {
		LIST_REMOVE(q, link);
		q->asked = false;
		q->done(q->arg);
	}
}

static void tick(struct scraper *s)
{
	struct node *n, *next;

	for (n = TAILQ_FIRST(&s->busy); n; n = next) {
		next = TAILQ_NEXT(n, link);
		if (n->phase == WAITS && now(s) - n->since >= AGAIN_MS) {
			enter(n, QUEUED);
		} else if (n->phase == READS && now(s) - n->since >= READ_MS) {
			end_reading(n);
			enter(n, RESTS);
		}
	}
	read_next(s);
}

static void forget(struct scraper *s)
{
	for (struct xb_map_it it = {}; xb_map_next(s->nodes, &it);) {
		struct node *n = it.value;

		xb_map_del(s->nodes, it.key);
		node_free(n);
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct scraper *s = timer->data;

	if (!uv_timer_get_repeat(timer)) {
		forget(s);
		return;
	}
	tick(s);
	answer_all(s);
	if (is_at_rest(s) && LIST_EMPTY(&s->questions)) {
		uv_timer_stop(timer);
		uv_timer_start(timer, on_timer, KEPT_MS, 0);
	}
}

struct scraper_question *scraper_question_new(struct scraper *s, void (*done)(void *arg), void *arg)
{
	struct scraper_question *q = calloc(1, sizeof(*q));

	if (q)
		*q = (struct scraper_question){ .scraper = s, .done = done, .arg = arg };
	return q;
}

int scraper_question_add(struct scraper_question *q, struct xb_sv name)
{
	struct scraper *s = q->scraper;
	struct node *n = obtain_node(s, name);

	if (!n)
		return -ENOMEM;
	if (n->phase != RESTS || (n->tried_at && now(s) - n->tried_at < FRESH_MS))
		return 0;
	if (n->last && now(s) - n->last_at >= KEPT_MS) {
		n->before = reading_free(n->before);
		n->last = reading_free(n->last);
	}
	n->tries = 0;
	enter(n, QUEUED);
	return 0;
}

/* Answered by the next tick at the earliest, which is at once when nothing has to be read. */
int scraper_question_ask(struct scraper_question *q)
{
	struct scraper *s = q->scraper;

	q->asked = true;
	LIST_INSERT_HEAD(&s->questions, q, link);
	read_next(s);
	return uv_timer_start(&s->timer, on_timer, is_at_rest(s) ? 0 : TICK_MS, TICK_MS);
}

struct scraper_question *scraper_question_free(struct scraper_question *q)
{
	if (!q)
		return NULL;
	if (q->asked)
		LIST_REMOVE(q, link);
	free(q);
	return NULL;
}

/* --- what is known --- */

bool scraper_node(const struct scraper *s, struct xb_sv node, struct usage *ret)
{
	const struct node *n = node_of(s, node);

	return n && n->last && reading_of_node(n->last, n->before, ret);
}

bool scraper_container(const struct scraper *s, struct xb_sv node, struct xb_sv namespace_, struct xb_sv pod, struct xb_sv container,
		       struct usage *ret)
{
	const struct node *n = node_of(s, node);
	_cleanup_buf_ struct xb_buf key = {};

	if (!n || !n->last)
		return false;
	reading_key(namespace_, pod, container, &key);
	return !key.err && reading_of_container(n->last, n->before, xb_buf_sv(&key), ret);
}

struct scraper *scraper_new(const struct scraper_config *c)
{
	struct scraper *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->config = *c;
	s->nodes = xb_map_new(XB_MAP_BORROW);
	if (!s->nodes) {
		free(s);
		return NULL;
	}
	TAILQ_INIT(&s->queued);
	TAILQ_INIT(&s->busy);
	LIST_INIT(&s->questions);
	uv_timer_init(c->loop, &s->timer);
	s->timer.data = s;
	return s;
}

static void on_closed(uv_handle_t *h)
{
	free(h->data);
}

struct scraper *scraper_free(struct scraper *s)
{
	struct scraper_question *q;

	if (!s)
		return NULL;
	while ((q = LIST_FIRST(&s->questions))) {
		LIST_REMOVE(q, link);
		q->asked = false;
	}
	forget(s);
	xb_map_free(s->nodes);
	uv_close((uv_handle_t *)&s->timer, on_closed);
	return NULL;
}
