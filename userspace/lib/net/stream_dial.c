/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <ctype.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include "stream.h"
#include "tls_reason.h"
#include "xb/why.h"

#define TIMEOUT_MS 30000

struct dial {
	struct xb_stream *s;            /* NULL: given up, and the look-up is still to return */
	uv_getaddrinfo_t look_up;
	bool looking;
	struct addrinfo *all, *next;    /* the addresses; those not tried yet */
	char *host;
	char port[8];
	char at[INET6_ADDRSTRLEN + 10]; /* "192.0.2.1:10250", the one being tried */
	struct xb_tls *tls;
};

static void destroy(struct dial *d)
{
	uv_freeaddrinfo(d->all);
	free(d->host);
	free(d);
}

void dial_free(struct xb_stream *s)
{
	struct dial *d = TAKE_PTR(s->dial);

	if (!d)
		return;
	d->s = NULL;
	if (d->looking)
		uv_cancel((uv_req_t *)&d->look_up);
	else
		destroy(d);
}

static void name_address(struct dial *d, const struct addrinfo *a)
{
	char ip[INET6_ADDRSTRLEN] = "";

	uv_ip_name(a->ai_addr, ip, sizeof(ip));
	snprintf(d->at, sizeof(d->at), strchr(ip, ':') ? "[%s]:%s" : "%s:%s", ip, d->port);
}

/* Go's texts of errno are the C library's with a small letter. */
static void say_why(struct xb_stream *s, const char *step, int error)
{
	const char *text = error == -ETIMEDOUT ? "i/o timeout" : strerror(-error);

	xb_why(&s->why, 0, "dial tcp %s: %s%c%s", s->dial->at, error == -ETIMEDOUT ? "" : step, tolower((unsigned char)text[0]), text + 1);
}

static void say_tls_why(struct xb_stream *s)
{
	long verified = SSL_get_verify_result(s->transport.ssl);

	if (verified == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY || verified == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
	    verified == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN || verified == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT)
		xb_why(&s->why, 0, "tls: failed to verify certificate: x509: certificate signed by unknown authority");
	else if (verified != X509_V_OK)
		xb_why(&s->why, 0, "tls: failed to verify certificate: x509: %s (%s)", X509_verify_cert_error_string(verified),
		       s->dial->host);
	else
		xb_why(&s->why, 0, "tls: %s", tls_reason());
}

static int connect_to(struct xb_stream *s, const struct addrinfo *a)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1, r;

	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	r = connect(fd, a->ai_addr, a->ai_addrlen) && errno != EINPROGRESS ? -errno : 0;
	if (r) {
		close(fd);
		return r;
	}
	s->connecting = true;
	r = transport_dial(&s->transport, fd, s->dial->tls, s->dial->host);
	if (!r)
		r = stream_attach(s);
	if (!r)
		stream_arm(s);
	return r;
}

/* Each address until one takes the connection; the last one's error counts. */
static void try_next(struct xb_stream *s, int error)
{
	struct dial *d = s->dial;

	stream_detach(s);
	while (d->next) {
		struct addrinfo *a = d->next;

		d->next = a->ai_next;
		name_address(d, a);
		error = connect_to(s, a);
		if (!error)
			return;
		stream_detach(s);
	}
	if (!s->why)
		say_why(s, "connect: ", error);
	stream_fail(s, error);
}

void dial_failed(struct xb_stream *s, int error)
{
	if (error == -ETIMEDOUT || !s->connecting) {
		if (!s->why)
			say_why(s, s->connecting ? "connect: " : "read: ", error);
		stream_fail(s, error);
		return;
	}
	try_next(s, error);
}

void dial_ready(struct xb_stream *s)
{
	socklen_t n = sizeof(int);
	int error = 0, r;

	if (s->connecting) {
		getsockopt(s->transport.fd, SOL_SOCKET, SO_ERROR, &error, &n);
		if (error) {
			try_next(s, -error);
			return;
		}
		s->connecting = false;
	}
	r = transport_handshake(&s->transport);
	if (r == -EAGAIN) {
		stream_arm(s);
		return;
	}
	if (r) {
		say_tls_why(s);
		stream_fail(s, -EPROTO);
		return;
	}
	dial_free(s);
	xb_stream_deadline(s, 0);
	stream_arm(s);
	s->ops->opened(s);
}

static void on_looked_up(uv_getaddrinfo_t *req, int status, struct addrinfo *all)
{
	struct dial *d = req->data;
	struct xb_stream *s = d->s;

	d->looking = false;
	d->all = d->next = all;
	if (!s) {
		destroy(d);
		return;
	}
	if (!status) {
		try_next(s, -EHOSTUNREACH);
		return;
	}
	xb_why(&s->why, 0, "dial tcp: lookup %s: %s", d->host,
	       status == UV_EAI_NONAME || status == UV_EAI_NODATA ? "no such host" : uv_strerror(status));
	stream_fail(s, -EHOSTUNREACH);
}

/* An address needs no look-up, and no thread for it. */
static int begin(struct xb_stream *s)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, numeric = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST };
	struct dial *d = s->dial;
	int r;

	if (!uv_getaddrinfo(s->loop, &d->look_up, NULL, d->host, d->port, &numeric)) {
		d->all = d->next = d->look_up.addrinfo;
		try_next(s, -EHOSTUNREACH);
		return 0;
	}
	d->look_up.data = d;
	r = uv_getaddrinfo(s->loop, &d->look_up, on_looked_up, d->host, d->port, &hints);
	d->looking = !r;
	return r;
}

int xb_stream_dial(uv_loop_t *loop, const struct xb_stream_target *t, const struct xb_stream_ops *ops, void *arg,
		   struct xb_stream **ret)
{
	struct dial *d = calloc(1, sizeof(*d));
	struct xb_stream *s;
	int r;

	if (!d)
		return -ENOMEM;
	r = stream_new(loop, ops, arg, &s);
	if (r) {
		free(d);
		return r;
	}
	s->dial = d;
	d->s = s;
	d->tls = t->tls;
	d->host = strdup(t->host);
	snprintf(d->port, sizeof(d->port), "%d", t->port);
	snprintf(d->at, sizeof(d->at), "%.40s:%s", t->host, d->port);
	r = d->host ? begin(s) : -ENOMEM;
	if (r) {
		xb_stream_free(s);
		return r;
	}
	xb_stream_deadline(s, t->timeout_ms ? t->timeout_ms : TIMEOUT_MS);
	*ret = s;
	return 0;
}
