/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>
#include <sys/socket.h>
#include "tls_reason.h"
#include "transport.h"
#include "x509.h"
#include "xb/why.h"

struct xb_tls {
	SSL_CTX *ctx;
	BIO_METHOD *socket;
	struct xb_tls_config config;    /* a copy, for tls_clone */
};

/* OpenSSL's own socket BIO writes without MSG_NOSIGNAL. */
static int socket_write(BIO *b, const char *from, int n)
{
	ssize_t sent = send((int)(intptr_t)BIO_get_data(b), from, n, MSG_NOSIGNAL);

	BIO_clear_retry_flags(b);
	if (sent < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_write(b);
	return sent;
}

static int socket_read(BIO *b, char *to, int n)
{
	ssize_t got = recv((int)(intptr_t)BIO_get_data(b), to, n, 0);

	BIO_clear_retry_flags(b);
	BIO_clear_flags(b, BIO_FLAGS_IN_EOF);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_read(b);
	if (!got)
		BIO_set_flags(b, BIO_FLAGS_IN_EOF);
	return got;
}

static long socket_ctrl(BIO *b, int what, long n, void *p)
{
	if (what == BIO_CTRL_EOF)
		return BIO_test_flags(b, BIO_FLAGS_IN_EOF) != 0;
	return what == BIO_CTRL_FLUSH;
}

static BIO_METHOD *socket_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without signals");

	if (!m)
		return NULL;
	BIO_meth_set_write(m, socket_write);
	BIO_meth_set_read(m, socket_read);
	BIO_meth_set_ctrl(m, socket_ctrl);
	return m;
}

static int select_alpn(SSL *ssl, const unsigned char **ret, unsigned char *ret_n, const unsigned char *offered, unsigned n,
		       void *arg)
{
	static const unsigned char ours[] = "\x02h2\x08http/1.1";
	unsigned char *chosen;

	if (SSL_select_next_proto(&chosen, ret_n, ours, sizeof(ours) - 1, offered, n) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*ret = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* A bad client certificate is no certificate: the request may still carry a token, and otherwise gets a 401 in words. */
static int accept_any(int ok, X509_STORE_CTX *store)
{
	return 1;
}

static char *copy(const char *file)
{
	return file ? strdup(file) : NULL;
}

static int keep_config(struct xb_tls *t, const struct xb_tls_config *c)
{
	t->config = (struct xb_tls_config){ copy(c->cert_file), copy(c->key_file), copy(c->client_ca_file), c->client_required };
	return t->config.cert_file && t->config.key_file && !t->config.client_ca_file == !c->client_ca_file ? 0 : -ENOMEM;
}

static int load_pair(SSL_CTX *ctx, const struct xb_tls_config *c, char **reterr_why)
{
	if (SSL_CTX_use_certificate_chain_file(ctx, c->cert_file) != 1)
		return xb_why(reterr_why, -EINVAL, "cannot use the certificate in '%s': %s", c->cert_file, tls_reason());
	if (SSL_CTX_use_PrivateKey_file(ctx, c->key_file, SSL_FILETYPE_PEM) != 1)
		return xb_why(reterr_why, -EINVAL, "cannot use the private key in '%s' with the certificate in '%s': %s",
			      c->key_file, c->cert_file, tls_reason());
	return 0;
}

static int load_client_ca(SSL_CTX *ctx, const struct xb_tls_config *c, char **reterr_why)
{
	STACK_OF(X509_NAME) *names;

	if (!c->client_ca_file)
		return 0;
	names = SSL_load_client_CA_file(c->client_ca_file);
	if (!names || SSL_CTX_load_verify_file(ctx, c->client_ca_file) != 1) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return xb_why(reterr_why, -EINVAL, "cannot use the client CA in '%s': %s", c->client_ca_file, tls_reason());
	}
	SSL_CTX_set_client_CA_list(ctx, names);
	if (c->client_required)
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	else
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, accept_any);
	return 0;
}

int xb_tls_server_new(const struct xb_tls_config *c, struct xb_tls **ret, char **reterr_why)
{
	static const unsigned char session_context[] = "xebec";
	_cleanup_(xb_tls_freep) struct xb_tls *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	ERR_clear_error();
	t->socket = socket_method();
	t->ctx = SSL_CTX_new(TLS_server_method());
	if (!t->ctx || !t->socket || keep_config(t, c) || SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(t->ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1 ||
	    SSL_CTX_set_session_id_context(t->ctx, session_context, sizeof(session_context) - 1) != 1)
		return -ENOMEM;
	SSL_CTX_set_options(t->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF |
			    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_mode(t->ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(t->ctx, 1);
	/* sessions live in the clients' tickets alone */
	SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(t->ctx, 1);
	SSL_CTX_set_alpn_select_cb(t->ctx, select_alpn, NULL);
	r = load_pair(t->ctx, c, reterr_why);
	if (!r)
		r = load_client_ca(t->ctx, c, reterr_why);
	if (!r)
		*ret = TAKE_PTR(t);
	return r;
}

static int load_verified(SSL_CTX *ctx, const struct xb_tls_client_config *c, char **reterr_why)
{
	struct xb_tls_config pair = { .cert_file = c->cert_file, .key_file = c->key_file };

	if (c->ca_file && SSL_CTX_load_verify_file(ctx, c->ca_file) != 1)
		return xb_why(reterr_why, -EINVAL, "cannot use the CA in '%s': %s", c->ca_file, tls_reason());
	SSL_CTX_set_verify(ctx, c->ca_file ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	return c->cert_file ? load_pair(ctx, &pair, reterr_why) : 0;
}

int xb_tls_client_new(const struct xb_tls_client_config *c, struct xb_tls **ret, char **reterr_why)
{
	_cleanup_(xb_tls_freep) struct xb_tls *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	ERR_clear_error();
	t->socket = socket_method();
	t->ctx = SSL_CTX_new(TLS_client_method());
	if (!t->ctx || !t->socket || SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(t->ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1)
		return -ENOMEM;
	SSL_CTX_set_options(t->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(t->ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF);
	r = load_verified(t->ctx, c, reterr_why);
	if (!r)
		*ret = TAKE_PTR(t);
	return r;
}

struct xb_tls *xb_tls_free(struct xb_tls *t)
{
	if (!t)
		return NULL;
	SSL_CTX_free(t->ctx);
	BIO_meth_free(t->socket);
	free((char *)t->config.cert_file);
	free((char *)t->config.key_file);
	free((char *)t->config.client_ca_file);
	free(t);
	return NULL;
}

int tls_clone(const struct xb_tls *tls, struct xb_tls **ret)
{
	_cleanup_(xb_tls_freep) struct xb_tls *t = NULL;
	unsigned char keys[80]; /* of tickets: OpenSSL knows no other size */
	int r = xb_tls_server_new(&tls->config, &t, NULL);

	if (r)
		return r;
	if (SSL_CTX_get_tlsext_ticket_keys(tls->ctx, keys, sizeof(keys)) != 1 ||
	    SSL_CTX_set_tlsext_ticket_keys(t->ctx, keys, sizeof(keys)) != 1)
		return -EINVAL;
	OPENSSL_cleanse(keys, sizeof(keys));
	*ret = TAKE_PTR(t);
	return 0;
}

static SSL *session_new(struct xb_tls *tls, int fd)
{
	SSL *ssl = SSL_new(tls->ctx);
	BIO *b = ssl ? BIO_new(tls->socket) : NULL;

	if (!b) {
		SSL_free(ssl);
		return NULL;
	}
	BIO_set_data(b, (void *)(intptr_t)fd);
	BIO_set_init(b, 1);
	SSL_set_bio(ssl, b, b);
	return ssl;
}

SSL *tls_session_new(struct xb_tls *tls, int fd)
{
	SSL *ssl = session_new(tls, fd);

	if (ssl)
		SSL_set_accept_state(ssl);
	return ssl;
}

/* An address is verified, but not sent: RFC 6066 3. */
static int expect_host(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	if (X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1)
		return 1;
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

SSL *tls_dial_new(struct xb_tls *tls, int fd, const char *host)
{
	SSL *ssl = session_new(tls, fd);

	if (ssl && !expect_host(ssl, host)) {
		SSL_free(ssl);
		return NULL;
	}
	if (ssl)
		SSL_set_connect_state(ssl);
	return ssl;
}

static int peer_fill(struct xb_tls_peer *p, X509 *cert)
{
	struct tm tm;
	int r;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1)
		return -EINVAL;
	p->not_after = timegm(&tm);
	r = x509_read_name(X509_get_subject_name(cert), &p->common_name, &p->organizations);
	return r ? r : p->common_name && p->not_after > time(NULL) ? 0 : -EINVAL;
}

struct xb_tls_peer *tls_session_peer(SSL *ssl)
{
	X509 *cert = SSL_get0_peer_certificate(ssl);
	struct xb_tls_peer *p;

	if (!cert || SSL_get_verify_result(ssl) != X509_V_OK)
		return NULL;
	p = calloc(1, sizeof(*p));
	return p && peer_fill(p, cert) ? tls_peer_free(p) : p;
}

bool tls_session_is_h2(SSL *ssl)
{
	const unsigned char *chosen;
	unsigned n;

	SSL_get0_alpn_selected(ssl, &chosen, &n);
	return n == 2 && !memcmp(chosen, "h2", 2);
}

struct xb_tls_peer *tls_peer_free(struct xb_tls_peer *p)
{
	if (!p)
		return NULL;
	x509_free_texts(p->organizations);
	free(p->common_name);
	free(p);
	return NULL;
}
