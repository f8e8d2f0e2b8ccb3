/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "http_relay.h"

/*
 * Connections are accepted on the owner's loop and handed to the loop with the fewest. That costs the owner a hundredth of
 * what a handshake does. SO_REUSEPORT would spread them by chance, lose those in the queue of a listener that closes, and let
 * a second server have the same port without a word.
 */

static void on_news(uv_poll_t *poll, int status, int events);

static int waker_init(struct waker *w, uv_loop_t *loop, void *user, uv_poll_cb on_wake)
{
	int r;

	w->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (w->fd < 0)
		return -errno;
	r = uv_poll_init(loop, &w->poll, w->fd);
	if (r) {
		close(TAKE_FD(w->fd));
		return r;
	}
	w->poll.data = user;
	return uv_poll_start(&w->poll, UV_READABLE, on_wake);
}

static void woken(const struct waker *w)
{
	eventfd_t n;

	eventfd_read(w->fd, &n);
}

/* --- a loop's thread --- */

static void run(void *arg)
{
	struct io_loop *io = arg;
	struct io_loops *l = io->front->loops;

	uv_run(&io->loop, UV_RUN_DEFAULT);
	uv_mutex_lock(&io->lock);
	io->left = true;
	uv_mutex_unlock(&io->lock);
	wake(&l->waker);
}

void loop_close(struct io_loop *io)
{
	uv_close((uv_handle_t *)&io->waker.poll, NULL);
}

static void on_stopped(void *arg)
{
	struct io_loop *io = arg;

	uv_mutex_lock(&io->lock);
	io->stopped = true;
	uv_mutex_unlock(&io->lock);
	wake(&io->front->loops->waker);
}

static void open_arrivals(struct io_loop *io)
{
	struct conn *c;

	do {
		uv_mutex_lock(&io->lock);
		c = TAILQ_FIRST(&io->arrivals);
		if (c)
			TAILQ_REMOVE(&io->arrivals, c, awake_link);
		uv_mutex_unlock(&io->lock);
		if (c)
			conn_open(c);
	} while (c);
}

static void on_wake(uv_poll_t *poll, int status, int events)
{
	struct io_loop *io = poll->data;
	bool stop, leave;
	unsigned grace_ms;

	woken(&io->waker);
	uv_mutex_lock(&io->lock);
	stop = io->stop;
	leave = io->leave;
	grace_ms = io->grace_ms;
	io->stop = io->leave = false;
	uv_mutex_unlock(&io->lock);
	/* what came before the word to stop is stopped, too */
	relay_reply_all(io);
	open_arrivals(io);
	if (stop)
		xb_http_server_shutdown(io->server, grace_ms, on_stopped, io);
	if (leave)
		io->server = xb_http_server_free(io->server);
	relay_unpark(io);
}

/* --- the owner's thread --- */

static int open_server(struct io_loop *io)
{
	struct xb_http_config config = io->front->config;
	int r = config.tls ? tls_clone(config.tls, &io->tls) : 0;

	if (r)
		return r;
	config.loop = &io->loop;
	config.io_threads = 0;
	config.tls = io->tls;
	config.handler = relay_request;
	config.arg = io;
	r = xb_http_server_new(&config, &io->server);
	if (!r)
		io->server->io = io;
	return r;
}

static int start_loop(struct io_loop *io)
{
	int r = waker_init(&io->waker, &io->loop, io, on_wake);

	if (r)
		return r;
	r = open_server(io);
	if (!r)
		r = uv_thread_create(&io->thread, run, io);
	if (!r)
		return 0;
	if (io->server)
		io->server = xb_http_server_free(io->server);
	else
		loop_close(io);
	uv_run(&io->loop, UV_RUN_DEFAULT);
	return r;
}

static void loop_done(struct io_loop *io)
{
	uv_loop_close(&io->loop);
	uv_mutex_destroy(&io->lock);
	xb_tls_free(io->tls);
	close(io->waker.fd);
}

static int loop_init(struct io_loop *io, struct xb_http_server *front)
{
	int r = uv_loop_init(&io->loop);

	if (r)
		return r;
	r = uv_mutex_init(&io->lock);
	if (r) {
		uv_loop_close(&io->loop);
		return r;
	}
	io->front = front;
	TAILQ_INIT(&io->said);
	TAILQ_INIT(&io->arrivals);
	TAILQ_INIT(&io->replies);
	TAILQ_INIT(&io->news);
	r = start_loop(io);
	if (r)
		loop_done(io);
	return r;
}

int loops_new(struct xb_http_server *front)
{
	unsigned n = front->config.io_threads;
	struct io_loops *l = calloc(1, sizeof(*l) + n * sizeof(l->io[0]));
	int r = l ? waker_init(&l->waker, front->config.loop, l, on_news) : -ENOMEM;

	if (r) {
		free(l);
		return r;
	}
	l->front = front;
	front->loops = l;
	for (; !r && l->n < n; l->n += !r)
		r = loop_init(&l->io[l->n], front);
	return r;
}

static void on_closed(uv_handle_t *h)
{
	struct io_loops *l = h->data;

	server_close_handles(l->front);
	free(l);
}

/* It has come so far, and the owner has heard all that was to be said before. */
static bool has_come_to(struct io_loop *io, const bool *state)
{
	bool yes;

	uv_mutex_lock(&io->lock);
	yes = *state && TAILQ_EMPTY(&io->news);
	uv_mutex_unlock(&io->lock);
	return yes;
}

/* Ends those that have nothing left to do; with the last of them goes the front. */
static void join(struct io_loops *l)
{
	unsigned joined = 0;

	for (struct io_loop *io = l->io; io < l->io + l->n; io++) {
		if (!io->joined && has_come_to(io, &io->left))
			io->joined = !uv_thread_join(&io->thread);
		joined += io->joined;
	}
	if (joined < l->n || uv_is_closing((uv_handle_t *)&l->waker.poll))
		return;
	for (struct io_loop *io = l->io; io < l->io + l->n; io++)
		loop_done(io);
	uv_close((uv_handle_t *)&l->waker.poll, on_closed);
	close(l->waker.fd);
}

static bool all_stopped(struct io_loops *l)
{
	bool stopped = true;

	for (struct io_loop *io = l->io; io < l->io + l->n; io++)
		stopped &= has_come_to(io, &io->stopped);
	return stopped;
}

static void flush(struct io_loops *l)
{
	uv_idle_stop(&l->front->waker);
	for (struct io_loop *io = l->io; io < l->io + l->n; io++) {
		if (TAILQ_EMPTY(&io->said) && !l->stop && !l->leave)
			continue;
		uv_mutex_lock(&io->lock);
		relay_hand_back(io);
		io->stop |= l->stop;
		io->leave |= l->leave;
		io->grace_ms = l->grace_ms;
		uv_mutex_unlock(&io->lock);
		wake(&io->waker);
	}
	l->stop = l->leave = false;
}

static void on_turn(uv_idle_t *waker)
{
	struct xb_http_server *front = waker->data;

	flush(front->loops);
}

void loops_flush_soon(struct io_loops *l)
{
	uv_idle_start(&l->front->waker, on_turn);
}

/* What was said since the last turn leaves before it waits behind new requests. */
static void on_news(uv_poll_t *poll, int status, int events)
{
	struct io_loops *l = poll->data;

	woken(&l->waker);
	flush(l);
	for (struct io_loop *io = l->io; io < l->io + l->n; io++)
		relay_deliver(io);
	flush(l);
	if (l->front->stopping && all_stopped(l))
		server_tell_done(l->front);
	if (l->front->freed)
		join(l);
}

void loops_shutdown(struct io_loops *l, unsigned grace_ms)
{
	l->stop = true;
	l->grace_ms = grace_ms;
	loops_flush_soon(l);
}

void loops_free(struct io_loops *l)
{
	l->leave = true;
	loops_flush_soon(l);
	wake(&l->waker); /* there may be no thread to do so */
}

struct xb_http_server *loops_least(const struct io_loops *l)
{
	struct xb_http_stats least = {}, stats;
	struct xb_http_server *found = NULL;

	for (unsigned i = 0; i < l->n; i++) {
		xb_http_server_stats(l->io[i].server, &stats);
		if (found && stats.connections >= least.connections)
			continue;
		found = l->io[i].server;
		least = stats;
	}
	return found;
}

void loops_hand_over(struct conn *c)
{
	struct io_loop *io = c->server->io;

	uv_mutex_lock(&io->lock);
	TAILQ_INSERT_TAIL(&io->arrivals, c, awake_link);
	uv_mutex_unlock(&io->lock);
	wake(&io->waker);
}

void loops_add_stats(const struct io_loops *l, struct xb_http_stats *stats)
{
	struct xb_http_stats more;

	for (unsigned i = 0; i < l->n; i++) {
		xb_http_server_stats(l->io[i].server, &more);
		stats->connections += more.connections;
		stats->requests += more.requests;
		stats->bytes_in += more.bytes_in;
		stats->bytes_out += more.bytes_out;
		stats->faults += more.faults;
	}
}
