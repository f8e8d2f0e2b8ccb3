/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "command.h"
#include "writer.h"

#define TICK_NS (TICK_MS * 1000000ull)
#define REOPEN_NS 300000000ull
#define ANSWER_NS 30000000000ull
enum { MOST_ANSWER = 1 << 20 };

static struct writer *writer; /* of the process */

/* --- jobs --- */
static struct job_list *list_of(struct writer *w, const struct job *j)
{
	if (j->place == JOB_WAITING)
		return &w->waiting[j->due % WRITER_SLICES];
	return j->ops->urgent ? &w->urgent : &w->queued;
}

void writer_drop(struct writer *w, struct job *j)
{
	if (j->place != JOB_WAITING && j->place != JOB_QUEUED)
		return;
	TAILQ_REMOVE(list_of(w, j), j, entry);
	j->place = JOB_IDLE;
}

static void put(struct writer *w, struct job *j, enum job_place place)
{
	writer_drop(w, j);
	j->place = place;
	TAILQ_INSERT_TAIL(list_of(w, j), j, entry);
}

void writer_add(struct writer *w, struct job *j)
{
	if (j->place != JOB_QUEUED)
		put(w, j, JOB_QUEUED);
}

void writer_add_after(struct writer *w, struct job *j, uint64_t ms)
{
	writer_drop(w, j);
	/* from now, not from the last tick, which a busy loop may have seen late */
	j->due = (now_ns() - w->began + ms * 1000000) / TICK_NS + 1;
	put(w, j, ms ? JOB_WAITING : JOB_QUEUED);
}

/* A slice holds what comes due in this turn of the wheel and in later ones. */
static void come_due(struct writer *w)
{
	struct job_list *slice = &w->waiting[++w->tick % WRITER_SLICES];
	struct job *next;

	for (struct job *j = TAILQ_FIRST(slice); j; j = next) {
		next = TAILQ_NEXT(j, entry);
		if (j->due <= w->tick)
			put(w, j, JOB_QUEUED);
	}
}

/* --- requests --- */
static void write_request(struct writer *w, struct job *j, struct xb_buf *out)
{
	const struct target *t = w->loop.target;
	struct writer_request *q = &w->request;

	xb_buf_clear(&q->path);
	xb_buf_clear(&q->body);
	*q = (struct writer_request){ .path = q->path, .body = q->body };
	j->ops->write(j, q);
	xb_buf_clear(out);
	xb_buf_addf(out, "%s %s%.*s HTTP/1.1\r\n%s", q->method, t->base, XB_SV_ARG(xb_buf_sv(&q->path)), t->fields);
	if (q->content_type)
		xb_buf_addf(out, "Content-Type: %s\r\nContent-Length: %zu\r\n", q->content_type, q->body.n);
	xb_buf_adds(out, "\r\n");
	xb_buf_addsv(out, xb_buf_sv(&q->body));
	if (q->path.err || q->body.err)
		out->err = -ENOMEM;
}

static struct job *take(struct writer *w)
{
	struct job *j = TAILQ_FIRST(&w->urgent);

	if (!j)
		j = TAILQ_FIRST(&w->queued);
	if (j)
		writer_drop(w, j);
	return j;
}

static struct writer_slots *free_of(struct writer *w, const struct writer_slot *s)
{
	return &w->free[s->call.conn - w->conns];
}

/* Of the connections in turn: all are to be as busy. */
static struct writer_slot *free_slot(struct writer *w)
{
	struct writer_slot *s = NULL;

	for (int i = 0; i < WRITER_CONNS && !s; i++)
		s = TAILQ_FIRST(&w->free[w->turn++ % WRITER_CONNS]);
	return s;
}

/* Sending may lose a connection, and that makes jobs due again: lists are looked at anew each time. */
static void send_due(struct writer *w)
{
	struct writer_slot *s;
	struct job *j;

	while ((s = free_slot(w)) && (j = take(w))) {
		TAILQ_REMOVE(free_of(w, s), s, entry);
		write_request(w, j, &s->call.out);
		xb_buf_clear(&s->body);
		s->job = j;
		s->sent_at = now_ns();
		j->place = JOB_UNDER_WAY;
		conn_put(&s->call);
	}
	for (int i = 0; i < WRITER_CONNS; i++)
		conn_flush(&w->conns[i]);
}

static void answer(struct writer *w, struct writer_slot *s, int code)
{
	struct job *j = TAKE_PTR(s->job);

	j->place = JOB_IDLE;
	w->lost += !code;
	w->answered += code > 0;
	if (code)
		latency_add(&w->latency[j->ops->urgent], now_ns() - s->sent_at);
	if (j->ops->answered(j, code, xb_buf_sv(&s->body)))
		return;
	w->failed++;
	if (!w->first_error)
		w->first_error = code ? api_fault(&s->call.out, code, xb_buf_sv(&s->body)) : strdup("the connection was lost");
}

/* --- connections --- */
static void on_ready(struct conn *c)
{
	unsigned first = c - writer->conns;

	for (unsigned i = first; i < writer->most; i += WRITER_CONNS)
		TAILQ_INSERT_TAIL(&writer->free[first], &writer->slots[i], entry);
}

static void on_piece(struct call *call, struct xb_sv piece)
{
	struct writer_slot *s = container_of(call, struct writer_slot, call);

	if (s->body.n + piece.n <= MOST_ANSWER)
		xb_buf_addsv(&s->body, piece);
}

static void on_reply(struct call *call)
{
	struct writer_slot *s = container_of(call, struct writer_slot, call);

	answer(writer, s, call->reply.code);
	TAILQ_INSERT_TAIL(free_of(writer, s), s, entry);
}

static void on_lost(struct conn *c, const char *why)
{
	unsigned first = c - writer->conns;

	writer->open_at[first] = now_ns() + REOPEN_NS;
	TAILQ_INIT(&writer->free[first]);
	for (unsigned i = first; i < writer->most; i += WRITER_CONNS)
		if (writer->slots[i].job)
			answer(writer, &writer->slots[i], 0);
}

static bool waits_too_long(const struct writer *w, unsigned first, uint64_t now)
{
	for (unsigned i = first; i < w->most; i += WRITER_CONNS)
		if (w->slots[i].job && now - w->slots[i].sent_at > ANSWER_NS)
			return true;
	return false;
}

static void keep_open(struct writer *w, uint64_t now)
{
	for (int i = 0; i < WRITER_CONNS; i++) {
		struct conn *c = &w->conns[i];

		if (c->ssl && waits_too_long(w, i, now)) {
			conn_close(c);
			on_lost(c, "no answer in time");
		} else if (!c->ssl && now >= w->open_at[i]) {
			w->open_at[i] = now + REOPEN_NS;
			conn_open(c, &w->loop);
		}
	}
}

/* --- the loop --- */
static void on_tick(uv_timer_t *h)
{
	struct writer *w = h->data;
	uint64_t now = now_ns();

	while (w->tick < (now - w->began) / TICK_NS)
		come_due(w);
	keep_open(w, now);
}

static void on_before_sleep(uv_prepare_t *h)
{
	send_due(h->data);
}

static void on_poll(uv_poll_t *h, int status, int events)
{
	conn_loop_turn(&((struct writer *)h->data)->loop);
}

int writer_open(struct writer *w, uv_loop_t *loop, const struct target *t, unsigned most)
{
	static const struct conn_ops ops = { .ready = on_ready, .piece = on_piece, .reply = on_reply, .lost = on_lost };
	int r = conn_loop_open(&w->loop, t, &ops);

	if (r)
		return r;
	writer = w;
	w->most = MIN(most, (unsigned)WRITER_MOST);
	w->began = now_ns();
	TAILQ_INIT(&w->urgent);
	TAILQ_INIT(&w->queued);
	for (int i = 0; i < WRITER_SLICES; i++)
		TAILQ_INIT(&w->waiting[i]);
	for (int i = 0; i < WRITER_CONNS; i++)
		TAILQ_INIT(&w->free[i]);
	for (int i = 0; i < WRITER_MOST; i++)
		w->slots[i].call.conn = &w->conns[i % WRITER_CONNS];
	r = uv_poll_init(loop, &w->poll, w->loop.epoll);
	if (r)
		return r;
	uv_prepare_init(loop, &w->before_sleep);
	uv_timer_init(loop, &w->timer);
	w->poll.data = w->before_sleep.data = w->timer.data = w;
	uv_poll_start(&w->poll, UV_READABLE, on_poll);
	uv_prepare_start(&w->before_sleep, on_before_sleep);
	uv_timer_start(&w->timer, on_tick, 0, TICK_MS);
	return 0;
}

void writer_close(struct writer *w)
{
	if (!w->poll.data)
		return;
	uv_close((uv_handle_t *)&w->poll, NULL);
	uv_close((uv_handle_t *)&w->before_sleep, NULL);
	uv_close((uv_handle_t *)&w->timer, NULL);
	for (int i = 0; i < WRITER_CONNS; i++)
		conn_close(&w->conns[i]);
	conn_loop_close(&w->loop);
	for (int i = 0; i < WRITER_MOST; i++) {
		xb_buf_done(&w->slots[i].call.out);
		xb_buf_done(&w->slots[i].body);
	}
	xb_buf_done(&w->request.path);
	xb_buf_done(&w->request.body);
	free(TAKE_PTR(w->first_error));
}
