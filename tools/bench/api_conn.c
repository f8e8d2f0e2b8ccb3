/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/epoll.h>
#include "api.h"
#include "command.h"

enum { EVENTS_A_TURN = 256, READ_BYTES = 128 << 10 };

int conn_loop_open(struct conn_loop *l, const struct target *t, const struct conn_ops *ops)
{
	*l = (struct conn_loop){ .epoll = epoll_create1(EPOLL_CLOEXEC), .target = t, .ops = ops };
	return l->epoll < 0 ? -errno : 0;
}

void conn_loop_close(struct conn_loop *l)
{
	close(TAKE_FD(l->epoll));
}

void conn_close(struct conn *c)
{
	if (!c->ssl)
		return;
	http2_close(c);
	SSL_free(c->ssl);
	c->ssl = NULL;
	close(TAKE_FD(c->fd));
	xb_buf_done(&c->wire);
	*c = (struct conn){ .loop = c->loop, .fd = -1 };
}

static void lose(struct conn *c, const char *why)
{
	conn_close(c);
	c->loop->ops->lost(c, why);
}

/* What an SSL_ call that did not succeed means: true when it is only to be tried again later. */
static bool later(struct conn *c, int returned)
{
	long verified = SSL_get_verify_result(c->ssl);
	const char *reason;

	switch (SSL_get_error(c->ssl, returned)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return true;
	case SSL_ERROR_ZERO_RETURN:
		lose(c, "the server closed the connection");
		return false;
	case SSL_ERROR_SYSCALL:
		lose(c, errno ? strerror(errno) : "the server closed the connection");
		return false;
	default:
		reason = ERR_reason_error_string(ERR_peek_last_error());
		if (verified != X509_V_OK && SSL_get_verify_mode(c->ssl) != SSL_VERIFY_NONE)
			reason = X509_verify_cert_error_string(verified);
		lose(c, reason ? reason : "TLS failed");
		return false;
	}
}

static void poll_for(struct conn *c, unsigned events)
{
	struct epoll_event e = { .events = events, .data.ptr = c };

	if (c->events != events)
		epoll_ctl(c->loop->epoll, EPOLL_CTL_MOD, c->fd, &e);
	c->events = events;
}

/* False: the connection is lost. */
static bool flush(struct conn *c)
{
	size_t n;
	int r;

	if ((c->session && http2_write(c)) || c->wire.err) {
		lose(c, "out of memory");
		return false;
	}
	while (c->sent < c->wire.n) {
		ERR_clear_error();
		errno = 0;
		r = SSL_write_ex(c->ssl, c->wire.p + c->sent, c->wire.n - c->sent, &n);
		if (r != 1) {
			if (!later(c, r))
				return false;
			poll_for(c, c->events | EPOLLOUT);
			return true;
		}
		c->sent += n;
	}
	c->sent = 0;
	xb_buf_clear(&c->wire);
	poll_for(c, c->events & ~EPOLLOUT);
	return true;
}

void conn_put(struct call *call)
{
	struct conn *c = call->conn;

	call->reply = (struct reply){};
	c->call = call;
	if (call->out.err || (c->session && http2_submit(call))) {
		lose(c, "out of memory");
		return;
	}
	if (!c->session)
		xb_buf_addsv(&c->wire, xb_buf_sv(&call->out));
}

void conn_flush(struct conn *c)
{
	if (c->ready && !c->receiving)
		flush(c);
}

void conn_send(struct call *call)
{
	conn_put(call);
	conn_flush(call->conn);
}

/* Hands on what came. False: the connection was closed meanwhile. */
static bool digest_http1(struct conn *c, struct xb_sv in)
{
	const struct conn_ops *ops = c->loop->ops;
	struct call *call = c->call;
	struct xb_sv piece;
	bool in_head;
	int r;

	while (in.n) {
		in_head = call && call->reply.state <= REPLY_FIELDS;
		r = !call || call->reply.state == REPLY_COMPLETE ? -EBADMSG : reply_feed(&call->reply, &in, &piece);
		if (r < 0) {
			lose(c, "the server's answer is not HTTP/1.1");
			return false;
		}
		if (in_head && call->reply.state > REPLY_FIELDS && ops->head)
			ops->head(call);
		if (piece.n && c->ssl)
			ops->piece(call, piece);
		if (r && c->ssl)
			ops->reply(call);
		if (!c->ssl)
			return false;
	}
	return true;
}

static bool digest_http2(struct conn *c, struct xb_sv in)
{
	int r;

	c->receiving = true;
	r = http2_receive(c, in);
	c->receiving = false;
	if (r || c->fault) {
		lose(c, c->fault ? c->fault : "the server's answer is not HTTP/2");
		return false;
	}
	return flush(c);
}

static void receive(struct conn *c)
{
	static char bytes[READ_BYTES];
	size_t n;
	int r;

	do {
		size_t most = c->loop->paced ? MIN(c->allowed, sizeof(bytes)) : sizeof(bytes);

		if (!most) {
			poll_for(c, c->events & ~EPOLLIN);
			return;
		}
		ERR_clear_error();
		errno = 0;
		r = SSL_read_ex(c->ssl, bytes, most, &n);
		if (r != 1) {
			later(c, r);
			return;
		}
		c->allowed -= MIN(n, c->allowed);
	} while ((c->session ? digest_http2 : digest_http1)(c, (struct xb_sv){ bytes, n }) && (c->loop->paced || SSL_has_pending(c->ssl)));
}

void conn_allow(struct conn *c, size_t bytes)
{
	if (!c->ready)
		return;
	c->allowed = bytes;
	poll_for(c, c->events | EPOLLIN);
	receive(c);
}

static bool speaks_http2(const SSL *ssl)
{
	const unsigned char *chosen;
	unsigned n;

	SSL_get0_alpn_selected(ssl, &chosen, &n);
	return n == 2 && !memcmp(chosen, "h2", 2);
}

static void handshake(struct conn *c)
{
	int r;

	ERR_clear_error();
	errno = 0;
	r = SSL_connect(c->ssl);
	if (r != 1) {
		if (later(c, r))
			poll_for(c, SSL_want_write(c->ssl) ? EPOLLIN | EPOLLOUT : EPOLLIN);
		return;
	}
	if (c->loop->target->http2 && (!speaks_http2(c->ssl) || http2_open(c))) {
		lose(c, "HTTP/2 was not agreed on");
		return;
	}
	c->ready = true;
	poll_for(c, EPOLLIN);
	c->loop->ops->ready(c);
}

static void connected(struct conn *c)
{
	socklen_t length = sizeof(int);
	int error = 0;

	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &length);
	if (error)
		lose(c, strerror(error));
	else
		handshake(c);
}

static void wake(struct conn *c, unsigned events)
{
	if (!c->ssl)
		return;
	if (!c->ready) {
		connected(c);
		return;
	}
	if (!(events & EPOLLOUT) || flush(c))
		if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
			receive(c);
}

static int turn(struct conn_loop *l, int timeout_ms)
{
	struct epoll_event events[EVENTS_A_TURN];
	int n = epoll_wait(l->epoll, events, ARRAY_SIZE(events), timeout_ms);

	if (n < 0 && errno != EINTR)
		return -errno;
	for (int i = 0; i < n && !l->stop; i++)
		wake(events[i].data.ptr, events[i].events);
	return 0;
}

int conn_loop_turn(struct conn_loop *l)
{
	return turn(l, 0);
}

int conn_loop_run(struct conn_loop *l, uint64_t until)
{
	uint64_t now = now_ns(), tick_at = now;

	for (l->stop = false; !l->stop && now < until; now = now_ns()) {
		int r;

		if (l->ops->tick && now >= tick_at) {
			l->ops->tick();
			tick_at = now + TICK_MS * 1000000;
		}
		r = turn(l, MIN((until - now) / 1000000 + 1, (uint64_t)TICK_MS));
		if (r)
			return r;
	}
	return l->stop ? 0 : -ETIME;
}

static SSL *new_session(const struct target *t, int fd)
{
	struct in6_addr ip;
	SSL *ssl = SSL_new(t->tls);
	bool is_ip = inet_pton(AF_INET, t->server_name, &ip) == 1 || inet_pton(AF_INET6, t->server_name, &ip) == 1;

	if (!ssl)
		return NULL;
	if (is_ip)
		X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), t->server_name);
	else if (SSL_set_tlsext_host_name(ssl, t->server_name) == 1)
		SSL_set1_host(ssl, t->server_name);
	if (SSL_set_fd(ssl, fd) == 1)
		return ssl;
	SSL_free(ssl);
	return NULL;
}

int conn_open(struct conn *c, struct conn_loop *l)
{
	const struct target *t = l->target;
	_cleanup_close_ int fd = socket(t->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT, .data.ptr = c };
	int one = 1;

	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0 ||
	    (connect(fd, (const struct sockaddr *)&t->address, t->address_n) < 0 && errno != EINPROGRESS) ||
	    epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		return -errno;
	*c = (struct conn){ .loop = l, .events = e.events, .ssl = new_session(t, fd) };
	if (!c->ssl)
		return -ENOMEM;
	c->fd = TAKE_FD(fd);
	return 0;
}
