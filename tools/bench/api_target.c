/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include "api.h"
#include "xb/file.h"
#include "xb/kubeconfig.h"
#include "xb/why.h"

#define MOST_PEM (1 << 20)

static int bad_tls(const char *what, char **reterr_why)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	return xb_why(reterr_why, -EINVAL, "%s: %s", what, reason ? reason : "does not read");
}

static int read_pem(const struct xb_pem *pem, struct xb_buf *ret, char **reterr_why)
{
	int r = 0;

	if (pem->text)
		xb_buf_adds(ret, pem->text);
	else if (pem->file)
		r = xb_file_read(pem->file, MOST_PEM, ret);
	if (r)
		return xb_why(reterr_why, r, "%s: %s", pem->file, strerror(-r));
	return ret->err;
}

static int trust(SSL_CTX *tls, const struct xb_kubeconfig *k, char **reterr_why)
{
	_cleanup_buf_ struct xb_buf pem = {};
	int r = read_pem(&k->ca, &pem, reterr_why), n = 0;
	X509 *x;
	BIO *in;

	if (r)
		return r;
	SSL_CTX_set_verify(tls, k->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	if (!pem.n)
		return SSL_CTX_set_default_verify_paths(tls) == 1 ? 0 : -EINVAL;
	in = BIO_new_mem_buf(pem.p, pem.n);
	while (in && (x = PEM_read_bio_X509(in, NULL, NULL, NULL))) {
		n += X509_STORE_add_cert(SSL_CTX_get_cert_store(tls), x) == 1;
		X509_free(x);
	}
	BIO_free(in);
	r = n ? 0 : bad_tls("the cluster's CA certificate", reterr_why);
	ERR_clear_error();
	return r;
}

static int identify(SSL_CTX *tls, const struct xb_kubeconfig *k, char **reterr_why)
{
	_cleanup_buf_ struct xb_buf cert_pem = {}, key_pem = {};
	int r = read_pem(&k->cert, &cert_pem, reterr_why);
	EVP_PKEY *key;
	X509 *cert;
	BIO *in;

	if (!r)
		r = read_pem(&k->key, &key_pem, reterr_why);
	if (r || !cert_pem.n)
		return r;
	in = BIO_new_mem_buf(cert_pem.p, cert_pem.n);
	cert = PEM_read_bio_X509(in, NULL, NULL, NULL);
	BIO_free(in);
	in = BIO_new_mem_buf(key_pem.p, key_pem.n);
	key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
	BIO_free(in);
	if (!cert || !key || SSL_CTX_use_certificate(tls, cert) != 1 || SSL_CTX_use_PrivateKey(tls, key) != 1)
		r = bad_tls("the user's client certificate", reterr_why);
	X509_free(cert);
	EVP_PKEY_free(key);
	return r;
}

static int open_tls(struct target *t, const struct xb_kubeconfig *k, char **reterr_why)
{
	const char *alpn = t->http2 ? "\x02h2" : "\x08http/1.1";
	int r;

	t->tls = SSL_CTX_new(TLS_client_method());
	if (!t->tls)
		return -ENOMEM;
	SSL_CTX_set_min_proto_version(t->tls, TLS1_2_VERSION);
	SSL_CTX_set_alpn_protos(t->tls, (const unsigned char *)alpn, strlen(alpn));
	/* idle watches hold no buffers; a record comes with one read() instead of two */
	SSL_CTX_set_mode(t->tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(t->tls, 1);
	SSL_CTX_set_session_cache_mode(t->tls, SSL_SESS_CACHE_OFF);
	r = trust(t->tls, k, reterr_why);
	return r ? r : identify(t->tls, k, reterr_why);
}

static int resolve(struct target *t, const char *host, const char *port, char **reterr_why)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	int r = getaddrinfo(host, port, &hints, &found);

	if (r)
		return xb_why(reterr_why, -EHOSTUNREACH, "%s port %s: %s", host, port, gai_strerror(r));
	memcpy(&t->address, found->ai_addr, found->ai_addrlen);
	t->address_n = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

/* "https://host:port/path" */
static int find_server(struct target *t, const struct xb_kubeconfig *k, char **reterr_why)
{
	const char *authority = k->server + strlen("https://"), *path, *port, *end;
	_cleanup_free_ char *host = NULL, *number = NULL;
	bool bracketed;

	if (!xb_sv_starts(xb_sv(k->server), "https://"))
		return xb_why(reterr_why, -EINVAL, "%s: only https is measured", k->server);
	path = authority + strcspn(authority, "/");
	bracketed = *authority == '[';
	end = authority + bracketed + strcspn(authority + bracketed, bracketed ? "]" : ":/");
	host = strndup(authority + bracketed, end - authority - bracketed);
	port = end + (bracketed && *end == ']');
	number = *port == ':' ? strndup(port + 1, path - port - 1) : strdup("443");
	t->base = strdup(path);
	t->server_name = strdup(k->tls_server_name ? k->tls_server_name : host ? host : "");
	if (!host || !number || !t->base || !t->server_name)
		return -ENOMEM;
	return resolve(t, host, number, reterr_why);
}

static int write_fields(struct target *t, const struct xb_kubeconfig *k, char **reterr_why)
{
	const char *authority = k->server + strlen("https://");
	_cleanup_buf_ struct xb_buf token = {}, fields = {};
	int r = k->token_file ? xb_file_read(k->token_file, MOST_PEM, &token) : 0;
	struct xb_sv bearer = k->token_file ? xb_sv_trim(xb_buf_sv(&token)) : xb_sv(k->token);

	if (r)
		return xb_why(reterr_why, r, "%s: %s", k->token_file, strerror(-r));
	xb_buf_addf(&fields, "Host: %.*s\r\nUser-Agent: xebec-bench\r\nAccept: application/json\r\n", (int)strcspn(authority, "/"), authority);
	if (bearer.n)
		xb_buf_addf(&fields, "Authorization: Bearer %.*s\r\n", XB_SV_ARG(bearer));
	t->fields = xb_buf_steal(&fields);
	return t->fields ? 0 : -ENOMEM;
}

int target_open(struct target *t, const struct xb_kubeconfig *k, bool http2, char **reterr_why)
{
	int r = find_server(t, k, reterr_why);

	t->http2 = http2;
	if (!r)
		r = write_fields(t, k, reterr_why);
	return r ? r : open_tls(t, k, reterr_why);
}

void target_done(struct target *t)
{
	SSL_CTX_free(t->tls);
	free(t->server_name);
	free(t->base);
	free(t->fields);
	*t = (struct target){};
}
