/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include "transport.h"

#define RECORD_BYTES (16 << 10) /* of plain text in one TLS record, at most: RFC 8446 5.1 */

static ssize_t plain_recv(struct transport *t, void *to, size_t n)
{
	ssize_t got;

	do
		got = recv(t->fd, to, n, 0);
	while (got < 0 && errno == EINTR);
	t->more = got == (ssize_t)n;
	return got < 0 ? -errno : got;
}

static ssize_t plain_send(struct transport *t, const struct iovec *iov, int n)
{
	struct msghdr msg = { .msg_iov = (struct iovec *)iov, .msg_iovlen = n };
	ssize_t sent;

	do
		sent = sendmsg(t->fd, &msg, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : sent;
}

static void plain_finish(struct transport *t)
{
	shutdown(t->fd, SHUT_WR);
}

static void plain_close(struct transport *t)
{
}

static const struct transport_ops plain = { plain_recv, plain_send, plain_finish, plain_close };

static int tls_error(struct transport *t, int returned)
{
	switch (SSL_get_error(t->ssl, returned)) {
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_WANT_WRITE:
		t->recv_wants_write = true;
		return -EAGAIN;
	case SSL_ERROR_WANT_READ:
		return -EAGAIN;
	default:
		return -EPROTO;
	}
}

static int tls_handshake(struct transport *t)
{
	static const char plain_spoken[] = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
	int r;

	ERR_clear_error();
	r = SSL_do_handshake(t->ssl);
	if (r != 1) {
		r = tls_error(t, r);
		if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST)
			send(t->fd, plain_spoken, sizeof(plain_spoken) - 1, MSG_NOSIGNAL);
		return r ? r : -EPROTO;
	}
	t->ready = true;
	if (!SSL_is_server(t->ssl))
		return 0;
	t->peer = tls_session_peer(t->ssl);
	t->h2 = tls_session_is_h2(t->ssl);
	return 0;
}

int transport_handshake(struct transport *t)
{
	t->recv_wants_write = false;
	return t->ready ? 0 : tls_handshake(t);
}

static ssize_t tls_recv(struct transport *t, void *to, size_t n)
{
	size_t got;
	int r;

	t->more = t->recv_wants_write = false;
	r = t->ready ? 0 : tls_handshake(t);
	if (r)
		return r;
	ERR_clear_error();
	r = SSL_read_ex(t->ssl, to, n, &got);
	if (r != 1)
		return tls_error(t, r);
	t->more = SSL_has_pending(t->ssl);
	return got;
}

/* Gathers small pieces, so that a reply's head and body are one record and one write. */
static ssize_t tls_send(struct transport *t, const struct iovec *iov, int n)
{
	static _Thread_local char record[RECORD_BYTES];
	const char *from = iov[0].iov_base;
	size_t length = MIN(iov[0].iov_len, sizeof(record)), part, sent;
	int r;

	if (n > 1 && length < sizeof(record)) {
		length = 0;
		for (int i = 0; i < n && length < sizeof(record); i++, length += part) {
			part = MIN(iov[i].iov_len, sizeof(record) - length);
			memcpy(record + length, iov[i].iov_base, part);
		}
		from = record;
	}
	ERR_clear_error();
	r = SSL_write_ex(t->ssl, from, length, &sent);
	if (r == 1)
		return sent;
	r = SSL_get_error(t->ssl, r);
	return r == SSL_ERROR_WANT_WRITE || r == SSL_ERROR_WANT_READ ? -EAGAIN : -EPIPE;
}

static void tls_finish(struct transport *t)
{
	ERR_clear_error();
	if (t->ready)
		SSL_shutdown(t->ssl);
	shutdown(t->fd, SHUT_WR);
}

static void tls_close(struct transport *t)
{
	SSL_free(t->ssl);
	t->ssl = NULL;
}

static const struct transport_ops tls_ops = { tls_recv, tls_send, tls_finish, tls_close };

static int opened(struct transport *t, struct xb_tls *tls)
{
	if (!tls || t->ssl)
		return 0;
	close(TAKE_FD(t->fd));
	return -ENOMEM;
}

int transport_open(struct transport *t, int fd, struct xb_tls *tls)
{
	*t = (struct transport){ .ops = tls ? &tls_ops : &plain, .fd = fd, .ready = !tls };
	if (tls)
		t->ssl = tls_session_new(tls, fd);
	return opened(t, tls);
}

int transport_dial(struct transport *t, int fd, struct xb_tls *tls, const char *host)
{
	*t = (struct transport){ .ops = tls ? &tls_ops : &plain, .fd = fd, .ready = !tls };
	if (tls)
		t->ssl = tls_dial_new(tls, fd, host);
	return opened(t, tls);
}

void transport_close(struct transport *t)
{
	t->ops->close(t);
	close(TAKE_FD(t->fd));
}
