/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <netinet/tcp.h>
#include "http_conn.h"
#include "stream.h"

#define LINGER_MS 2000
#define IOVECS 16

static const char http2_preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"; /* RFC 9113 3.4 */

static void on_timer(uv_timer_t *timer);

static void sleep_again(struct conn *c)
{
	if (c->awake)
		TAILQ_REMOVE(&c->server->awake, c, awake_link);
	c->awake = false;
}

static void go_on_reading(struct conn *c)
{
	if (c->parked)
		TAILQ_REMOVE(&c->server->parked, c, parked_link);
	c->parked = false;
}

static void on_handle_closed(uv_handle_t *h)
{
	struct conn *c = h->data;
	struct xb_http_server *s = c->server;

	if (--c->handles)
		return;
	c->protocol->done(c);
	c->transport.peer = tls_peer_free(c->transport.peer);
	http_out_drop(&c->out);
	sleep_again(c);
	go_on_reading(c);
	LIST_REMOVE(c, link);
	free(c);
	server_conn_gone(s);
}

/* A dead connection stays while a handler still has a request of it. */
static void release(struct conn *c)
{
	if (!c->protocol->held(c) && !uv_is_closing((uv_handle_t *)&c->timer))
		uv_close((uv_handle_t *)&c->timer, on_handle_closed);
}

static void be_prompt(struct conn *c)
{
	if (c->patient)
		patience_remove(c);
	c->patient = false;
}

void conn_die(struct conn *c)
{
	if (c->phase == PHASE_DEAD)
		return;
	if (c->phase == PHASE_UPGRADED) {
		stream_fail(c->stream, -ESHUTDOWN);
		return;
	}
	c->phase = PHASE_DEAD;
	be_prompt(c);
	uv_close((uv_handle_t *)&c->poll, on_handle_closed);
	transport_close(&c->transport);
	http_out_drop(&c->out);
	uv_timer_start(&c->timer, on_timer, 0, 0);
}

void conn_linger(struct conn *c)
{
	if (c->eof) {
		conn_die(c);
		return;
	}
	c->transport.ops->finish(&c->transport);
	c->phase = PHASE_LINGERING;
	c->linger_at = conn_now(c);
}

static void on_stream_gone(void *arg)
{
	struct conn *c = arg;

	c->phase = PHASE_DEAD;
	release(c);
}

int conn_upgrade(struct conn *c, struct xb_stream **ret)
{
	struct xb_stream *s;
	int r;

	/* libuv polls a descriptor by one handle at a time */
	uv_poll_stop(&c->poll);
	be_prompt(c);
	c->events = 0;
	r = stream_adopt(c->poll.loop, &c->transport, &c->out, c->eof, on_stream_gone, c, &s);
	if (r)
		return r;
	uv_close((uv_handle_t *)&c->poll, on_handle_closed);
	uv_timer_stop(&c->timer);
	sleep_again(c);
	go_on_reading(c);
	c->phase = PHASE_UPGRADED;
	c->stream = s;
	/* not before the caller has made it his */
	if (c->server->stopping)
		uv_timer_start(&c->timer, on_timer, 0, 0);
	*ret = s;
	return 0;
}

static uint64_t deadline(struct conn *c)
{
	if (c->phase == PHASE_LINGERING)
		return c->linger_at + LINGER_MS;
	if (c->stuck_at)
		return c->stuck_at + c->server->config.body_seconds * 1000ull;
	return c->protocol->deadline(c);
}

static void on_poll(uv_poll_t *poll, int status, int events);

/* Reads nothing while too many requests wait: conn_unpark goes on. */
static int wants(struct conn *c)
{
	int events = c->protocol->wants(c);

	if (!(events & UV_READABLE) || !c->server->full)
		return events;
	if (!c->parked)
		TAILQ_INSERT_TAIL(&c->server->parked, c, parked_link);
	c->parked = true;
	return 0;
}

static void hurry(struct conn *c)
{
	c->beats = false;
	c->busy_at = conn_now(c);
}

void conn_busy(struct conn *c)
{
	c->awaited = false;
	hurry(c);
}

void conn_beat(struct conn *c)
{
	c->beats = true;
	c->beat_at = conn_now(c);
}

static bool may_wait(const struct conn *c)
{
	return c->beats && conn_now(c) - c->busy_at >= c->server->config.quiet_ms && c->phase == PHASE_OPEN && !c->server->stopping;
}

static int poll_for(struct conn *c, int events)
{
	bool patient = events == UV_READABLE && may_wait(c);

	if (events == c->events && patient == c->patient)
		return 0;
	be_prompt(c);
	c->events = events;
	if (!patient)
		return uv_poll_start(&c->poll, events, on_poll);
	uv_poll_stop(&c->poll);
	c->patient = true;
	return patience_add(c);
}

/* The timer may ring too early, which is cheaper than moving it with every request. */
static void arm(struct conn *c)
{
	int events = c->blocked || c->transport.recv_wants_write ? UV_WRITABLE : 0;
	uint64_t until;

	if (!c->eof)
		events |= c->phase == PHASE_LINGERING ? UV_READABLE : wants(c);
	if (!events)
		events = UV_PRIORITIZED; /* nothing but a reset */
	if (poll_for(c, events)) {
		conn_die(c);
		return;
	}
	until = deadline(c);
	if (!until || (c->timer_at && c->timer_at <= until))
		return;
	c->timer_at = until;
	uv_timer_start(&c->timer, on_timer, until > conn_now(c) ? until - conn_now(c) : 0, 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct conn *c = timer->data;
	uint64_t until;

	c->timer_at = 0;
	if (c->phase == PHASE_DEAD) {
		c->running = true;
		c->protocol->closed(c);
		c->running = false;
		release(c);
		return;
	}
	if (c->phase == PHASE_UPGRADED) {
		conn_die(c);
		return;
	}
	until = deadline(c);
	if (until && until <= conn_now(c)) {
		if (c->phase == PHASE_LINGERING || c->stuck_at)
			conn_die(c);
		else
			c->protocol->on_deadline(c);
	}
	conn_run(c);
}

static int flush(struct conn *c)
{
	struct iovec iov[IOVECS];
	ssize_t r;

	while (c->out.pending) {
		r = c->transport.ops->send(&c->transport, iov, http_out_view(&c->out, iov, IOVECS));
		if (r == -EAGAIN) {
			c->blocked = true;
			c->stuck_at = c->stuck_at ? c->stuck_at : conn_now(c);
			return 0;
		}
		if (r < 0)
			return r;
		c->stuck_at = 0;
		count(&c->server->stats.bytes_out, r);
		http_out_sent(&c->out, r);
	}
	return 0;
}

static bool step(struct conn *c)
{
	if (c->phase == PHASE_DEAD || c->phase == PHASE_UPGRADED)
		return false;
	if (c->out.pending && !c->blocked && flush(c)) {
		conn_die(c);
		return false;
	}
	if (c->phase == PHASE_OPEN)
		return c->protocol->step(c);
	if (c->eof)
		conn_die(c);
	return false;
}

static int choose_protocol(struct conn *c, const char *bytes, size_t n)
{
	size_t preface_n = sizeof(http2_preface) - 1;
	bool known_before = !c->transport.ssl && n >= preface_n && !memcmp(bytes, http2_preface, preface_n);

	c->begun = true;
	return c->transport.h2 || known_before ? http2_open(c) : 0;
}

static void receive(struct conn *c)
{
	struct xb_http_server *s = c->server;
	ssize_t n = c->transport.ops->recv(&c->transport, s->scratch, sizeof(s->scratch));

	if (n == -EAGAIN)
		return;
	if (n < 0 || (n > 0 && !c->begun && choose_protocol(c, s->scratch, n))) {
		conn_die(c);
		return;
	}
	c->eof = n == 0;
	count(&s->stats.bytes_in, n);
	if (c->phase == PHASE_OPEN)
		c->protocol->receive(c, s->scratch, n);
}

void conn_run(struct conn *c)
{
	if (c->running)
		return;
	sleep_again(c);
	c->running = true;
	do {
		while (step(c))
			;
		if (c->phase == PHASE_DEAD || c->phase == PHASE_UPGRADED || c->eof || !c->transport.more)
			break;
		if (c->phase == PHASE_OPEN && !(wants(c) & UV_READABLE))
			break;
		receive(c);
	} while (true);
	c->running = false;
	if (c->phase == PHASE_DEAD)
		release(c);
	else if (c->phase == PHASE_OPEN && c->late)
		conn_shutdown(c);
	else if (c->phase != PHASE_UPGRADED)
		arm(c);
}

void conn_unpark(struct conn *c)
{
	go_on_reading(c);
	conn_run(c);
}

/* Did the client speak as soon as it was answered last, and has been silent since? One that asks so is bound by our answers, as it has
 * only so many requests under way, and not by its clock. */
static bool is_silent(const struct conn *c)
{
	struct tcp_info info = {};
	socklen_t n = sizeof(info);
	uint64_t since = conn_now(c) - c->beat_at;

	return !getsockopt(c->transport.fd, IPPROTO_TCP, TCP_INFO, &info, &n) && since - since / 8 < info.tcpi_last_data_recv;
}

/* Of those that are readable together, the one before may have changed that. */
void conn_read(struct conn *c)
{
	if (!c->patient)
		return;
	c->silent = is_silent(c);
	c->transport.more = true;
	conn_run(c);
}

static void on_awake(uv_idle_t *waker)
{
	struct xb_http_server *s = waker->data;

	while (!TAILQ_EMPTY(&s->awake))
		conn_run(TAILQ_FIRST(&s->awake));
	uv_idle_stop(waker);
}

void conn_wake(struct conn *c)
{
	struct xb_http_server *s = c->server;

	if (c->phase == PHASE_DEAD) {
		conn_run(c);
		return;
	}
	if (c->running || c->awake || c->phase == PHASE_UPGRADED)
		return;
	if (TAILQ_EMPTY(&s->awake))
		uv_idle_start(&s->waker, on_awake);
	c->awake = true;
	TAILQ_INSERT_TAIL(&s->awake, c, awake_link);
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

/* A handler on this thread says at once that a request is patient, one on another with its answer. */
void conn_hand_over(struct xb_http_request *r)
{
	struct conn *c = r->conn;
	struct xb_http_server *s = c->server;

	r->active = true;
	if (c->patient)
		c->awaited = c->silent;
	r->waited = c->patient || c->awaited;
	count(&s->stats.requests, 1);
	s->config.handler(r, s->config.arg);
	if (r->active && !r->patient && !s->io)
		conn_busy(c);
	else if (c->patient && c->awaited)
		hurry(c);
}

static void set_socket_options(int fd)
{
	int on = 1, interval = 15;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
}

struct conn *conn_new(struct xb_http_server *s, int fd, const struct sockaddr_storage *peer)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return NULL;
	}
	c->server = s;
	c->transport.fd = fd;
	memcpy(&c->peer, peer, sizeof(c->peer));
	c->protocol = &http1_protocol;
	xb_http1_init(&c->h1.parser, &s->limits);
	c->h1.request = (struct xb_http_request){ .conn = c, .reply = &http1_reply, .out = &c->out };
	count_conns(s, 1);
	return c;
}

void conn_open(struct conn *c)
{
	struct xb_http_server *s = c->server;
	int fd = c->transport.fd;

	if (transport_open(&c->transport, fd, s->config.tls)) {
		count_conns(s, -1);
		free(c);
		return;
	}
	set_socket_options(fd);
	if (uv_poll_init(s->config.loop, &c->poll, fd)) {
		transport_close(&c->transport);
		count_conns(s, -1);
		free(c);
		return;
	}
	uv_timer_init(s->config.loop, &c->timer);
	c->poll.data = c->timer.data = c;
	c->handles = 2;
	LIST_INSERT_HEAD(&s->conns, c, link);
	conn_busy(c);
	arm(c);
}

void conn_tell(struct xb_http_request *r)
{
	if (!r->active || !r->streaming || !r->on_shutdown || r->told)
		return;
	r->told = true;
	r->on_shutdown(r);
}

void conn_late(struct conn *c)
{
	c->late = true;
	conn_wake(c);
}

void conn_shutdown(struct conn *c)
{
	c->late = false;
	if (c->phase == PHASE_DEAD)
		return;
	c->running = true;
	if (c->phase == PHASE_OPEN)
		c->protocol->shutdown(c);
	else
		conn_die(c);
	c->running = false;
	conn_run(c);
}
