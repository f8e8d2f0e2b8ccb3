/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef TRANSPORT_H
#define TRANSPORT_H
/* The bytes of one non-blocking connection, accepted or dialled: plain, or through TLS. Neither raises SIGPIPE. */
#include <openssl/ssl.h>
#include <sys/uio.h>
#include "xb/tls.h"

struct transport;
struct transport_ops {
	/* Bytes read; 0 at the end of what the client sends; -EAGAIN; else the connection is of no use any more. */
	ssize_t (*recv)(struct transport *t, void *to, size_t n);
	/* Bytes taken, at least one; -EAGAIN: come back when writable, with the same bytes and maybe more behind them. */
	ssize_t (*send)(struct transport *t, const struct iovec *iov, int n);
	void (*finish)(struct transport *t);    /* says that no more will be sent */
	void (*close)(struct transport *t);     /* all but the fd */
};
struct transport {
	const struct transport_ops *ops;
	int fd;                                 /* owned */
	bool ready;                             /* TLS: the handshake is over */
	bool more;                              /* recv may have bytes although the socket is not readable */
	bool h2;                                /* TLS: that is what was agreed on (ALPN) */
	bool recv_wants_write;                  /* recv said -EAGAIN because it must first write */
	SSL *ssl;
	struct xb_tls_peer *peer;               /* NULL without a verified certificate; outlives close, for whom it is told */
};

/* Both take the fd, on failure too. tls is NULL for plain. */
int transport_open(struct transport *t, int fd, struct xb_tls *tls);
int transport_dial(struct transport *t, int fd, struct xb_tls *tls, const char *host); /* host: as which the server is verified */
/* Goes on with the handshake: 0 when it is over, -EAGAIN (recv_wants_write), or -EPROTO. recv does so by itself. */
int transport_handshake(struct transport *t);
void transport_close(struct transport *t);

/* From tls.c. A second context of the same files, for another thread; a ticket of the one is good for the other. */
int tls_clone(const struct xb_tls *tls, struct xb_tls **ret);
/* A new server session on that socket; NULL without memory. And its client, once the handshake is over. */
SSL *tls_session_new(struct xb_tls *tls, int fd);
SSL *tls_dial_new(struct xb_tls *tls, int fd, const char *host);
struct xb_tls_peer *tls_session_peer(SSL *ssl);
bool tls_session_is_h2(SSL *ssl);
struct xb_tls_peer *tls_peer_free(struct xb_tls_peer *p);

#endif
