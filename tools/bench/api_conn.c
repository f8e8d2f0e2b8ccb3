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
	SSL_free(c->ssl);
	c->ssl = NULL;
	close(TAKE_FD(c->fd));
	xb_buf_done(&c->out);
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

static void poll_out(struct conn *c, bool on)
{
	struct epoll_event e = { .events = on ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = c };

	if (c->polls_out != on)
		epoll_ctl(c->loop->epoll, EPOLL_CTL_MOD, c->fd, &e);
	c->polls_out = on;
}

/* False: the connection is lost. */
static bool flush(struct conn *c)
{
	size_t n;
	int r;

	while (c->sent < c->out.n) {
		ERR_clear_error();
		errno = 0;
		r = SSL_write_ex(c->ssl, c->out.p + c->sent, c->out.n - c->sent, &n);
		if (r != 1) {
			if (!later(c, r))
				return false;
			poll_out(c, true);
			return true;
		}
		c->sent += n;
	}
	poll_out(c, false);
	return true;
}

void conn_send(struct conn *c)
{
	if (c->out.err) {
		lose(c, "out of memory");
		return;
	}
	c->sent = 0;
	c->reply = (struct reply){};
	if (c->ready)
		flush(c);
}

/* Hands on what came. False: the connection was closed meanwhile. */
static bool digest(struct conn *c, struct xb_sv in)
{
	const struct conn_ops *ops = c->loop->ops;
	struct xb_sv piece;
	bool in_head;
	int r;

	while (in.n) {
		in_head = c->reply.state <= REPLY_FIELDS;
		r = c->reply.state == REPLY_COMPLETE ? -EBADMSG : reply_feed(&c->reply, &in, &piece);
		if (r < 0) {
			lose(c, "the server's answer is not HTTP/1.1");
			return false;
		}
		if (in_head && c->reply.state > REPLY_FIELDS && ops->head)
			ops->head(c);
		if (piece.n && c->ssl)
			ops->piece(c, piece);
		if (r && c->ssl)
			ops->reply(c);
		if (!c->ssl)
			return false;
	}
	return true;
}

static void receive(struct conn *c)
{
	static char bytes[READ_BYTES];
	size_t n;
	int r;

	do {
		ERR_clear_error();
		errno = 0;
		r = SSL_read_ex(c->ssl, bytes, sizeof(bytes), &n);
		if (r != 1) {
			later(c, r);
			return;
		}
	} while (digest(c, (struct xb_sv){ bytes, n }) && SSL_has_pending(c->ssl));
}

static void handshake(struct conn *c)
{
	int r;

	ERR_clear_error();
	errno = 0;
	r = SSL_connect(c->ssl);
	if (r != 1) {
		if (later(c, r))
			poll_out(c, SSL_want_write(c->ssl));
		return;
	}
	c->ready = true;
	poll_out(c, false);
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

int conn_loop_run(struct conn_loop *l, uint64_t until)
{
	struct epoll_event events[EVENTS_A_TURN];
	uint64_t now = now_ns();

	for (l->stop = false; !l->stop && now < until; now = now_ns()) {
		int n = epoll_wait(l->epoll, events, ARRAY_SIZE(events), MIN((until - now) / 1000000 + 1, 1000ul));

		if (n < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < n && !l->stop; i++)
			wake(events[i].data.ptr, events[i].events);
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
	*c = (struct conn){ .loop = l, .polls_out = true, .ssl = new_session(t, fd) };
	if (!c->ssl)
		return -ENOMEM;
	c->fd = TAKE_FD(fd);
	return 0;
}
