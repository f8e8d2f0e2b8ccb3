/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <netinet/tcp.h>
#include "http_conn.h"

#define LINGER_SECONDS 2

static void on_timer(uv_timer_t *timer);

static void on_handle_closed(uv_handle_t *h)
{
	struct conn *c = h->data;
	struct xb_http_server *s = c->server;

	if (--c->handles)
		return;
	xb_http1_done(&c->parser);
	xb_buf_done(&c->in);
	xb_buf_done(&c->request.headers);
	if (c->next)
		c->next->prev = c->prev;
	if (c->prev)
		c->prev->next = c->next;
	else
		s->conns = c->next;
	free(c);
	server_conn_gone(s);
}

/* A dead connection stays while the handler still has its request. */
static void release(struct conn *c)
{
	if (!c->request.active && !uv_is_closing((uv_handle_t *)&c->timer))
		uv_close((uv_handle_t *)&c->timer, on_handle_closed);
}

void conn_die(struct conn *c)
{
	if (c->phase == PHASE_DEAD)
		return;
	c->phase = PHASE_DEAD;
	uv_close((uv_handle_t *)&c->poll, on_handle_closed);
	transport_close(&c->transport);
	conn_drop_output(c);
	uv_timer_start(&c->timer, on_timer, 0, 0);
}

static void tell_closed(struct conn *c)
{
	struct xb_http_request *r = &c->request;

	if (r->active && r->on_close) {
		c->running = true;
		r->on_close(r);
		c->running = false;
		r->active = false;
	}
	release(c);
}

static void on_timer(uv_timer_t *timer)
{
	struct conn *c = timer->data;

	if (c->phase == PHASE_DEAD) {
		tell_closed(c);
		return;
	}
	if (c->phase == PHASE_READING && c->parser.head.n && !c->eof && !c->pending) {
		conn_fault(c, 408, "the request took too long to arrive");
		conn_run(c);
		return;
	}
	conn_die(c);
}

static enum wait wants_wait(const struct conn *c)
{
	if (c->blocked)
		return WAIT_SEND;
	switch (c->phase) {
	case PHASE_READING:
		if (xb_http1_in_body(&c->parser))
			return WAIT_BODY;
		return c->parser.head.n || !c->greeted ? WAIT_HEAD : WAIT_IDLE;
	case PHASE_LINGERING:
		return WAIT_LINGER;
	default:
		return WAIT_NONE;
	}
}

static int wants_events(const struct conn *c)
{
	bool read = c->phase == PHASE_READING || c->phase == PHASE_LINGERING || c->in.n < PIPELINE_BYTES;
	int events = c->blocked || c->transport.recv_wants_write ? UV_WRITABLE : 0;

	if (!c->eof && read)
		return events | UV_READABLE;
	if (!c->eof && c->request.streaming)
		return events | UV_DISCONNECT;
	return events ? events : UV_PRIORITIZED; /* nothing but a reset */
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void arm(struct conn *c)
{
	const struct xb_http_config *config = &c->server->config;
	unsigned seconds[] = {
		[WAIT_HEAD] = config->header_seconds, [WAIT_BODY] = config->body_seconds, [WAIT_IDLE] = config->idle_seconds,
		[WAIT_SEND] = config->body_seconds, [WAIT_LINGER] = LINGER_SECONDS,
	};
	int events = wants_events(c);
	enum wait wait = wants_wait(c);

	if (events != c->events) {
		c->events = events;
		if (uv_poll_start(&c->poll, events, on_poll)) {
			conn_die(c);
			return;
		}
	}
	if (wait == c->wait)
		return;
	conn_stop_waiting(c);
	c->wait = wait;
	if (wait != WAIT_NONE)
		uv_timer_start(&c->timer, on_timer, seconds[wait] * 1000ull, 0);
}

void conn_stop_waiting(struct conn *c)
{
	c->wait = WAIT_NONE;
	uv_timer_stop(&c->timer);
}

static void begin_request(struct conn *c)
{
	c->phase = PHASE_REPLYING;
	conn_stop_waiting(c);
	c->close = c->parser.close || c->server->stopping;
	c->request.active = true;
	c->server->stats.requests++;
	c->server->config.handler(&c->request, c->server->config.arg);
}

/* Gives bytes to the parser until a request is complete; keeps what is behind it for later. */
static void take_input(struct conn *c, const char *bytes, size_t n)
{
	size_t used;
	int r;

	while (n && c->phase == PHASE_READING) {
		r = xb_http1_feed(&c->parser, bytes, n, &used);
		c->greeted |= c->parser.head.n > 0;
		bytes += used;
		n -= used;
		if (r == -EBADMSG)
			conn_fault(c, c->parser.fault_code, c->parser.fault);
		else if (r < 0)
			conn_die(c);
		else if (r)
			begin_request(c);
		else if (c->parser.expect_continue && !c->parser.body.n)
			conn_continue(c);
	}
	if (c->phase != PHASE_REPLYING && c->phase != PHASE_FLUSHING)
		return;
	xb_buf_add(&c->in, bytes, n);
	if (c->in.err)
		conn_die(c);
}

static void take_leftover(struct conn *c)
{
	struct xb_buf in = c->in;

	c->in = (struct xb_buf){};
	take_input(c, in.p, in.n);
	xb_buf_done(&in);
}

/* The reply has left: the next request, or the end. */
static void end_reply(struct conn *c)
{
	xb_http1_clear(&c->parser);
	if (!c->close && !c->server->stopping) {
		c->phase = PHASE_READING;
		take_leftover(c);
		return;
	}
	xb_buf_done(&c->in);
	if (c->eof) {
		conn_die(c);
		return;
	}
	c->transport.ops->finish(&c->transport);
	c->phase = PHASE_LINGERING;
}

/* One step of what can be done now; false when there is none. */
static bool step(struct conn *c)
{
	struct xb_http_request *r = &c->request;

	if (c->phase == PHASE_DEAD)
		return false;
	if (c->pending && !c->blocked && conn_flush(c)) {
		conn_die(c);
		return false;
	}
	if (c->phase == PHASE_FLUSHING && !c->pending) {
		end_reply(c);
		return true;
	}
	if (c->phase == PHASE_REPLYING && r->streaming && r->above && c->pending < DRAIN_BYTES) {
		r->above = false;
		if (r->on_drain)
			r->on_drain(r);
		return true;
	}
	/* A client that has ended its side gets what is on its way; a stream with nothing on its way has lost its reader. */
	if (c->eof && !c->pending && (c->phase == PHASE_READING || c->phase == PHASE_LINGERING ||
				      (c->phase == PHASE_REPLYING && r->streaming)))
		conn_die(c);
	return false;
}

static void receive(struct conn *c)
{
	struct xb_http_server *s = c->server;
	ssize_t n = c->transport.ops->recv(&c->transport, s->scratch, sizeof(s->scratch));

	if (n == -EAGAIN)
		return;
	if (n < 0) {
		conn_die(c);
		return;
	}
	c->eof = n == 0;
	s->stats.bytes_in += n;
	take_input(c, s->scratch, n);
}

void conn_run(struct conn *c)
{
	if (c->running)
		return;
	c->running = true;
	do {
		while (step(c))
			;
		if (c->phase == PHASE_DEAD || c->eof || !c->transport.more || c->in.n >= PIPELINE_BYTES)
			break;
		receive(c);
	} while (true);
	c->running = false;
	if (c->phase != PHASE_DEAD)
		arm(c);
	else
		release(c);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct conn *c = poll->data;

	if (status < 0 || (events & (UV_PRIORITIZED | UV_DISCONNECT))) {
		conn_die(c);
		return;
	}
	if (events & UV_WRITABLE)
		c->blocked = false;
	if ((events & UV_READABLE) || c->transport.recv_wants_write)
		c->transport.more = true;
	conn_run(c);
}

void conn_new(struct xb_http_server *s, int fd, const struct sockaddr_storage *peer)
{
	struct conn *c = calloc(1, sizeof(*c));
	int on = 1, interval = 15;

	if (!c || transport_open(&c->transport, fd, s->config.tls)) {
		if (!c)
			close(fd);
		free(c);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	memcpy(&c->peer, peer, sizeof(c->peer));
	c->server = s;
	xb_http1_init(&c->parser, &s->limits);
	if (uv_poll_init(s->config.loop, &c->poll, fd)) {
		transport_close(&c->transport);
		free(c);
		return;
	}
	uv_timer_init(s->config.loop, &c->timer);
	c->poll.data = c->timer.data = c;
	c->handles = 2;
	c->next = s->conns;
	if (c->next)
		c->next->prev = c;
	s->conns = c;
	s->stats.connections++;
	arm(c);
}

void conn_shutdown(struct conn *c)
{
	struct xb_http_request *r = &c->request;

	c->close = true;
	if (c->phase == PHASE_LINGERING || (c->phase == PHASE_READING && !c->parser.head.n)) {
		conn_die(c);
	} else if (c->phase == PHASE_REPLYING && r->streaming && r->on_shutdown) {
		c->running = true;
		r->on_shutdown(r);
		c->running = false;
		conn_run(c);
	}
}
