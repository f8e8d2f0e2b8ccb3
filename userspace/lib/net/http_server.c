/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "http_relay.h"
#include "xb/why.h"

#define ACCEPTS_PER_TURN 64
#define ACCEPT_PAUSE_MS 100
#define BACKLOG 4096
#define FIELDS_MAX 128

static void free_if_closed(struct xb_http_server *s)
{
	struct io_loop *io = s->io;

	if (!s->freed || s->handles || !LIST_EMPTY(&s->conns))
		return;
	patience_close(s);
	free(s);
	if (io)
		loop_close(io);
}

void server_tell_done(struct xb_http_server *s)
{
	void (*done)(void *arg) = TAKE_PTR(s->done);

	if (done)
		done(s->done_arg);
}

void server_conn_gone(struct xb_http_server *s)
{
	count_conns(s, -1);
	if (s->stopping && LIST_EMPTY(&s->conns))
		server_tell_done(s);
	free_if_closed(s);
}

static void on_grace_over(uv_timer_t *timer)
{
	struct xb_http_server *s = timer->data;
	struct conn *c;

	LIST_FOREACH(c, &s->conns, link)
		conn_die(c);
	if (LIST_EMPTY(&s->conns))
		server_tell_done(s);
}

static void on_acceptable(uv_poll_t *poll, int status, int events);

static void on_pause_over(uv_timer_t *timer)
{
	struct xb_http_server *s = timer->data;

	for (struct listener *l = s->listeners; l; l = l->next)
		uv_poll_start(&l->poll, UV_READABLE, on_acceptable);
}

/* Without descriptors or memory the backlog keeps them: level-triggered polling would only spin. */
static void pause_accepting(struct xb_http_server *s)
{
	for (struct listener *l = s->listeners; l; l = l->next)
		uv_poll_stop(&l->poll);
	uv_timer_start(&s->timer, on_pause_over, ACCEPT_PAUSE_MS, 0);
}

static void take(struct xb_http_server *s, int fd, const struct sockaddr_storage *peer)
{
	struct conn *c = conn_new(s->loops ? loops_least(s->loops) : s, fd, peer);

	if (c && s->loops)
		loops_hand_over(c);
	else if (c)
		conn_open(c);
}

static void on_acceptable(uv_poll_t *poll, int status, int events)
{
	struct listener *l = poll->data;
	struct xb_http_server *s = l->server;
	struct sockaddr_storage peer;
	struct xb_http_stats stats;
	socklen_t n;
	int fd;

	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		peer = (struct sockaddr_storage){};
		n = sizeof(peer);
		fd = accept4(l->fd, (struct sockaddr *)&peer, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
				pause_accepting(s);
			return;
		}
		count(&s->stats.accepted, 1);
		xb_http_server_stats(s, &stats);
		if (stats.connections < s->config.max_connections)
			take(s, fd, &peer);
		else
			close(fd);
	}
}

int xb_http_server_new(const struct xb_http_config *c, struct xb_http_server **ret)
{
	struct xb_http_server *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->config = *c;
	s->config.header_seconds = c->header_seconds ? c->header_seconds : 10;
	s->config.body_seconds = c->body_seconds ? c->body_seconds : 60;
	s->config.idle_seconds = c->idle_seconds ? c->idle_seconds : 180;
	s->config.quiet_ms = c->quiet_ms ? c->quiet_ms : 3000;
	s->config.max_connections = c->max_connections ? c->max_connections : 20000;
	s->limits.head_bytes = c->max_header_bytes ? c->max_header_bytes : 64 << 10;
	s->limits.body_bytes = c->max_body_bytes ? c->max_body_bytes : 3 << 20;
	s->limits.fields = FIELDS_MAX;
	r = patience_open(s);
	if (r) {
		free(s);
		return r;
	}
	uv_timer_init(c->loop, &s->timer);
	uv_idle_init(c->loop, &s->waker);
	LIST_INIT(&s->conns);
	TAILQ_INIT(&s->awake);
	TAILQ_INIT(&s->parked);
	s->timer.data = s->waker.data = s;
	s->handles = 4;
	r = c->io_threads ? loops_new(s) : 0;
	if (r)
		xb_http_server_free(s);
	else
		*ret = s;
	return r;
}

static int open_socket(const struct sockaddr *addr, int *ret_port)
{
	socklen_t n = addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	_cleanup_close_ int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_storage bound;
	int on = 1, off = 0;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* "::" takes IPv4 too, as Go's listeners do */
	if (addr->sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, addr, n) || listen(fd, BACKLOG))
		return -errno;
	n = sizeof(bound);
	if (getsockname(fd, (struct sockaddr *)&bound, &n))
		return -errno;
	*ret_port = ntohs(((struct sockaddr_in *)&bound)->sin_port); /* at the same place in sockaddr_in6 */
	return TAKE_FD(fd);
}

int xb_http_server_listen(struct xb_http_server *s, const struct sockaddr *addr)
{
	_cleanup_free_ struct listener *l = calloc(1, sizeof(*l));
	struct listener **last = &s->listeners;
	int r;

	if (!l)
		return -ENOMEM;
	l->server = s;
	l->fd = open_socket(addr, &l->port);
	if (l->fd < 0)
		return l->fd;
	r = uv_poll_init(s->config.loop, &l->poll, l->fd);
	if (r) {
		close(l->fd);
		return r;
	}
	l->poll.data = l;
	s->handles++;
	uv_poll_start(&l->poll, UV_READABLE, on_acceptable);
	while (*last)
		last = &(*last)->next;
	*last = TAKE_PTR(l);
	return 0;
}

int xb_http_server_new_at(const struct xb_http_config *c, const struct sockaddr_storage *at, const char *flag, struct xb_http_server **ret,
			  char **reterr_why)
{
	struct xb_http_server *s;
	int r;

	if (at->ss_family == AF_UNSPEC)
		return 0;
	r = xb_http_server_new(c, &s);
	if (r < 0)
		return r;
	r = xb_http_server_listen(s, (const struct sockaddr *)at);
	if (r < 0) {
		xb_http_server_free(s);
		errno = -r;
		return xb_why(reterr_why, r, "--%s: cannot listen: %m", flag);
	}
	*ret = s;
	return 0;
}

int xb_http_server_port(const struct xb_http_server *s)
{
	return s->listeners ? s->listeners->port : 0;
}

static void on_listener_closed(uv_handle_t *h)
{
	struct listener *l = h->data;
	struct xb_http_server *s = l->server;

	free(l);
	s->handles--;
	free_if_closed(s);
}

static void stop_listening(struct xb_http_server *s)
{
	while (s->listeners) {
		struct listener *l = s->listeners;

		s->listeners = l->next;
		uv_close((uv_handle_t *)&l->poll, on_listener_closed);
		close(l->fd);
	}
}

void xb_http_server_shutdown(struct xb_http_server *s, unsigned grace_ms, void (*done)(void *arg), void *arg)
{
	struct conn *c;

	s->stopping = true;
	s->done = done;
	s->done_arg = arg;
	stop_listening(s);
	if (s->loops) {
		loops_shutdown(s->loops, grace_ms);
		return;
	}
	LIST_FOREACH(c, &s->conns, link)
		conn_shutdown(c);
	uv_timer_start(&s->timer, on_grace_over, LIST_EMPTY(&s->conns) ? 0 : grace_ms, 0);
}

static void on_handle_closed(uv_handle_t *h)
{
	struct xb_http_server *s = h->data;

	s->handles--;
	free_if_closed(s);
}

void server_close_handles(struct xb_http_server *s)
{
	uv_close((uv_handle_t *)&s->timer, on_handle_closed);
	uv_close((uv_handle_t *)&s->waker, on_handle_closed);
	uv_close((uv_handle_t *)&s->patience.poll, on_handle_closed);
	uv_close((uv_handle_t *)&s->patience.timer, on_handle_closed);
}

struct xb_http_server *xb_http_server_free(struct xb_http_server *s)
{
	struct conn *c;

	if (!s)
		return NULL;
	s->freed = true;
	s->done = NULL;
	stop_listening(s);
	LIST_FOREACH(c, &s->conns, link)
		conn_die(c);
	if (s->loops)
		loops_free(s->loops);
	else
		server_close_handles(s);
	return NULL;
}

void xb_http_server_stats(const struct xb_http_server *s, struct xb_http_stats *ret)
{
	const struct xb_http_stats *n = &s->stats;

	*ret = (struct xb_http_stats){
		.connections = __atomic_load_n(&n->connections, __ATOMIC_RELAXED),
		.accepted = __atomic_load_n(&n->accepted, __ATOMIC_RELAXED),
		.requests = __atomic_load_n(&n->requests, __ATOMIC_RELAXED),
		.bytes_in = __atomic_load_n(&n->bytes_in, __ATOMIC_RELAXED),
		.bytes_out = __atomic_load_n(&n->bytes_out, __ATOMIC_RELAXED),
		.faults = __atomic_load_n(&n->faults, __ATOMIC_RELAXED),
	};
	if (s->loops)
		loops_add_stats(s->loops, ret);
}

const char *server_date(struct xb_http_server *s)
{
	time_t now = time(NULL);
	struct tm tm;

	if (now != s->date_at && gmtime_r(&now, &tm)) {
		s->date_at = now;
		strftime(s->date, sizeof(s->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	}
	return s->date;
}
