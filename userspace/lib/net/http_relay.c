/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "http_relay.h"

#define BATCH 256                       /* of one loop, before the others have their turn */
#define WAITING_MAX (16 << 20)          /* bytes of requests before their connections are read no more */
#define REQUEST_BYTES (4 << 10)         /* of one besides its body */

enum news { NEWS_REQUEST = 1, NEWS_DRAIN = 2, NEWS_SHUTDOWN = 4, NEWS_CLOSED = 8, NEWS_GONE = 16 };
enum said {
	SAID_HEAD = 1, SAID_WHOLE = 2, SAID_ABOVE = 4, SAID_FAIL = 8, SAID_END = 16,
	SAID_WHEN_GONE = 32, SAID_MOVE = 64, SAID_PATIENT = 128,
};

struct part {                           /* of a reply */
	unsigned what;                  /* enum said */
	int code;
	char *content_type;
	struct xb_buf headers;
	struct http_out out;
	http_serve *serve;              /* SAID_MOVE */
	void *arg;
};

/*
 * A request between two threads. The owner has its own half, with the same views: their bytes and the connection do not
 * change before the loop's half is answered, and that is not before the owner's half is, even if the client leaves. What
 * is answered belongs to the loop, until it tells the owner, who asked for that, that all of it is gone.
 */
struct relay {
	struct xb_http_request request; /* the owner's half */
	struct io_loop *io;
	struct part said;               /* owner's thread: since the last turn; request.out is its out */
	bool is_said;
	TAILQ_ENTRY(relay) said_link;
	size_t handed;                  /* bytes that the owner has written and handed over */

	struct xb_http_request *origin; /* loop's thread: its half; NULL: it is gone */
	size_t taken;                   /* of `handed` */

	TAILQ_ENTRY(relay) reply_link, news_link; /* what follows is the lock's */
	struct part reply;
	unsigned news;                  /* enum news; 0: not queued */
	bool replied;                   /* queued */
	size_t sent;                    /* of `taken`, when last asked */
};

static size_t weight(const struct relay *t)
{
	return REQUEST_BYTES + t->request.body.n;
}

/* --- the loop's thread --- */

static void tell(struct relay *t, enum news what)
{
	struct io_loop *io = t->io;
	size_t unsent = t->origin ? t->origin->out->pending : 0; /* with what frames it */
	bool first;

	uv_mutex_lock(&io->lock);
	first = TAILQ_EMPTY(&io->news);
	if (!t->news)
		TAILQ_INSERT_TAIL(&io->news, t, news_link);
	t->news |= what;
	t->sent = t->taken - MIN(t->taken, unsent);
	if (what == NEWS_REQUEST) {
		io->waiting += weight(t);
		t->origin->conn->server->full |= io->waiting >= WAITING_MAX;
	}
	uv_mutex_unlock(&io->lock);
	if (first)
		wake(&io->front->loops->waker);
}

/* It stays until the owner has answered it, to nobody. */
static void on_close(struct xb_http_request *r)
{
	r->active = true;
	r->on_close = NULL;
	tell(r->user, NEWS_CLOSED);
}

static void on_shutdown(struct xb_http_request *r)
{
	tell(r->user, NEWS_SHUTDOWN);
}

static void on_drain(struct xb_http_request *r)
{
	r->asked = true;
	tell(r->user, NEWS_DRAIN);
}

static void on_gone(void *arg)
{
	struct relay *t = arg;

	t->origin = NULL;
	tell(t, NEWS_GONE);
}

void relay_request(struct xb_http_request *r, void *arg)
{
	struct relay *t = calloc(1, sizeof(*t));

	if (!t) {
		r->active = false;
		conn_die(r->conn);
		return;
	}
	t->io = arg;
	t->origin = r;
	t->request = *r;
	t->request.reply = &relay_reply;
	t->request.out = &t->said.out;
	xb_http_set_user(r, t);
	xb_http_on_close(r, on_close, on_shutdown);
	tell(t, NEWS_REQUEST);
}

static void relay_free(struct relay *t)
{
	struct io_loop *io = t->io;

	uv_mutex_lock(&io->lock);
	if (t->news)
		TAILQ_REMOVE(&io->news, t, news_link);
	uv_mutex_unlock(&io->lock);
	free(t);
}

/* The half of this thread is the whole from now on. */
static void take_move(struct relay *t, struct part *p)
{
	struct xb_http_request *r = t->origin;

	r->headers = p->headers;
	xb_http_on_close(r, NULL, NULL);
	if (p->what & SAID_WHEN_GONE)
		xb_http_on_gone(r, on_gone, t);
	p->serve(r, r->conn->poll.loop, p->arg);
	if (!(p->what & SAID_WHEN_GONE))
		relay_free(t);
}

static void take_reply(struct relay *t, struct part *p)
{
	struct xb_http_request *r = t->origin;
	_cleanup_free_ char *type = p->content_type;

	if (p->what & SAID_MOVE) {
		take_move(t, p);
		return;
	}

	t->taken += p->out.pending;
	r->asked = false;
	r->patient = p->what & SAID_PATIENT;
	if (p->what & SAID_HEAD)
		r->headers = p->headers;
	if (p->what & SAID_WHEN_GONE)
		xb_http_on_gone(r, on_gone, t);
	if (p->what & SAID_FAIL)
		conn_die(r->conn);
	if (p->what & SAID_WHOLE) {
		reply_whole(r, p->code, type, &p->out);
	} else {
		if (p->what & SAID_HEAD)
			xb_http_stream_begin(r, p->code, type, on_drain);
		reply_stream(r, &p->out);
		if (p->what & SAID_END)
			xb_http_stream_end(r);
	}
	if (!(p->what & SAID_END)) {
		r->above |= (p->what & SAID_ABOVE) > 0;
		r->reply->push(r);
	} else if (!(p->what & SAID_WHEN_GONE)) {
		relay_free(t);
	}
}

static struct relay *next_reply(struct io_loop *io, struct part *ret)
{
	struct relay *t;

	uv_mutex_lock(&io->lock);
	t = TAILQ_FIRST(&io->replies);
	if (t) {
		TAILQ_REMOVE(&io->replies, t, reply_link);
		t->replied = false;
		*ret = t->reply;
		t->reply = (struct part){};
	}
	uv_mutex_unlock(&io->lock);
	return t;
}

void relay_reply_all(struct io_loop *io)
{
	struct relay *t;
	struct part p;

	for (int i = 0; i < BATCH; i++) {
		t = next_reply(io, &p);
		if (!t)
			return;
		take_reply(t, &p);
	}
	wake(&io->waker);
}

void relay_unpark(struct io_loop *io)
{
	struct xb_http_server *s = io->server;
	bool few;

	uv_mutex_lock(&io->lock);
	few = io->waiting <= WAITING_MAX / 2;
	uv_mutex_unlock(&io->lock);
	if (!s || !s->full || !few)
		return;
	s->full = false;
	while (!s->full && !TAILQ_EMPTY(&s->parked))
		conn_unpark(TAILQ_FIRST(&s->parked));
}

/* --- the owner's thread --- */

static void say(struct relay *t, unsigned what)
{
	t->said.what |= what | (t->request.above ? SAID_ABOVE : 0);
	if (t->is_said)
		return;
	t->is_said = true;
	TAILQ_INSERT_TAIL(&t->io->said, t, said_link);
	loops_flush_soon(t->io->front->loops);
}

static void relay_begin(struct xb_http_request *r, int code, const char *content_type, ssize_t length)
{
	struct relay *t = container_of(r, struct relay, request);

	t->said.code = code;
	t->said.headers = r->headers;
	r->headers = (struct xb_buf){};
	t->said.content_type = content_type ? strdup(content_type) : NULL;
	if (content_type && !t->said.content_type)
		say(t, SAID_FAIL);
	say(t, SAID_HEAD | (length < 0 ? 0 : SAID_WHOLE));
}

static void relay_push(struct xb_http_request *r)
{
	say(container_of(r, struct relay, request), 0);
}

static void relay_end(struct xb_http_request *r)
{
	r->active = false;
	xb_buf_done(&r->headers);
	say(container_of(r, struct relay, request), SAID_END | (r->on_gone ? SAID_WHEN_GONE : 0) | (r->patient ? SAID_PATIENT : 0));
}

static void relay_fail(struct xb_http_request *r)
{
	say(container_of(r, struct relay, request), SAID_FAIL);
}

static void relay_move(struct xb_http_request *r, http_serve *serve, void *arg)
{
	struct relay *t = container_of(r, struct relay, request);

	t->said.headers = r->headers;
	r->headers = (struct xb_buf){};
	t->said.serve = serve;
	t->said.arg = arg;
	say(t, SAID_MOVE);
	relay_end(r);
}

const struct reply_ops relay_reply = { relay_begin, relay_push, relay_end, relay_fail, relay_move, NULL };

static void merge(struct part *p, struct part *more)
{
	if (more->what & SAID_MOVE) {
		p->headers = more->headers;
		p->serve = more->serve;
		p->arg = more->arg;
	}
	if (more->what & SAID_HEAD) {
		p->code = more->code;
		p->content_type = more->content_type;
		p->headers = more->headers;
	}
	p->what |= more->what;
	http_out_splice(&p->out, &more->out);
	*more = (struct part){};
}

void relay_hand_back(struct io_loop *io)
{
	struct relay *t;

	while ((t = TAILQ_FIRST(&io->said))) {
		TAILQ_REMOVE(&io->said, t, said_link);
		t->is_said = false;
		t->handed += t->said.out.pending;
		t->request.ahead += t->said.out.pending;
		merge(&t->reply, &t->said);
		if (!t->replied)
			TAILQ_INSERT_TAIL(&io->replies, t, reply_link);
		t->replied = true;
	}
}

static void client_left(struct xb_http_request *r)
{
	r->lost = true;
	r->ahead = 0;
	http_out_drop(r->out);
	if (!r->on_close)
		return;
	r->active = false;
	r->on_close(r);
	relay_end(r);
}

/* Who has freed the server hears of no more requests. */
static void hand_over(struct xb_http_request *r, const struct xb_http_server *front)
{
	if (!front->freed) {
		front->config.handler(r, front->config.arg);
		return;
	}
	relay_fail(r);
	relay_end(r);
}

static void deliver(struct relay *t, unsigned news)
{
	struct xb_http_request *r = &t->request;

	if (news & NEWS_GONE) {
		request_gone(r);
		free(t);
		return;
	}
	if (news & NEWS_REQUEST)
		hand_over(r, t->io->front);
	if (r->active && (news & NEWS_CLOSED))
		client_left(r);
	if (r->active && r->above && xb_http_stream_pending(r) < DRAIN_BYTES) {
		r->above = false;
		if (r->on_drain)
			r->on_drain(r);
	}
	if (r->active && (news & NEWS_DRAIN))
		relay_push(r); /* an answer, if it wrote nothing */
	if (r->active && (news & NEWS_SHUTDOWN) && r->streaming && r->on_shutdown)
		r->on_shutdown(r);
}

/* With the lock held. */
static struct relay *pop_news(struct io_loop *io, unsigned *ret)
{
	struct relay *t = TAILQ_FIRST(&io->news);

	if (!t)
		return NULL;
	TAILQ_REMOVE(&io->news, t, news_link);
	*ret = t->news;
	t->news = 0;
	return t;
}

static struct relay *next_news(struct io_loop *io, unsigned *ret)
{
	struct relay *t;
	size_t before;
	bool few = false;

	uv_mutex_lock(&io->lock);
	before = io->waiting;
	do
		t = pop_news(io, ret);
	while (t && !t->request.active && !(*ret & NEWS_GONE)); /* answered: the loop may free it */
	if (t)
		t->request.ahead = t->request.lost ? 0 : t->handed - t->sent;
	if (t && (*ret & NEWS_REQUEST)) {
		io->waiting -= weight(t);
		few = before > WAITING_MAX / 2 && io->waiting <= WAITING_MAX / 2;
	}
	uv_mutex_unlock(&io->lock);
	if (few)
		wake(&io->waker);
	return t;
}

void relay_deliver(struct io_loop *io)
{
	unsigned news;
	struct relay *t;

	for (int i = 0; i < BATCH; i++) {
		t = next_news(io, &news);
		if (!t)
			return;
		deliver(t, news);
	}
	wake(&io->front->loops->waker);
}
