/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_TLS_H
#define XB_TLS_H
/*
 * TLS contexts and the certificates of a cluster (OpenSSL 3): loading, and making a CA, serving and client certificates.
 * TLS 1.2 with AEAD suites, or 1.3. A server's context belongs to one loop thread.
 */
#include <stdbool.h>
#include <time.h>
#include "xb/str.h"

struct xb_tls;
struct xb_tls_config {
	const char *cert_file, *key_file;   /* PEM; the chain in cert_file */
	const char *client_ca_file;         /* NULL: clients need no certificate and none is asked for */
	bool client_required;
};
/* reterr_why: sentence naming the file; the caller's to free. */
int xb_tls_server_new(const struct xb_tls_config *c, struct xb_tls **ret, char **reterr_why);
/* For what a program dials (xb/stream.h). Such a context never changes, and may be used from any thread. */
struct xb_tls_client_config {
	const char *ca_file;                /* PEM, who may have signed the server's certificate; NULL: it is not verified */
	const char *cert_file, *key_file;   /* this side's; both or neither */
};
int xb_tls_client_new(const struct xb_tls_client_config *c, struct xb_tls **ret, char **reterr_why);
struct xb_tls *xb_tls_free(struct xb_tls *t);
XB_DEFINE_CLEANUP(struct xb_tls *, xb_tls_free)

struct xb_tls_peer {                        /* of a verified client certificate: user and groups (RFC 5280 CN and O) */
	char *common_name;
	char **organizations;               /* NULL-terminated */
	time_t not_after;
};

/* --- making certificates: P-256 keys, SHA-256 signatures. Files are written by xb/file.h: key 0600, certificate 0644. --- */
struct xb_cert_request {
	const char *common_name;
	const char *const *organizations;   /* NULL-terminated, or NULL */
	const char *const *dns_names;       /* subject alternative names; NULL-terminated, or NULL */
	const char *const *ip_addresses;
	bool is_ca, server_auth, client_auth;
	unsigned days;
};
/* Self-signed when ca_cert_file is NULL. A key that key_file already holds is used again. -EINVAL, -EIO... with reterr_why. */
int xb_cert_make(const struct xb_cert_request *q, const char *ca_cert_file, const char *ca_key_file, const char *cert_file,
		 const char *key_file, char **reterr_why);
/* Do both read, and does the key belong to the certificate. -EIO, -EINVAL with reterr_why. */
int xb_cert_check_pair(const char *cert_file, const char *key_file, char **reterr_why);
bool xb_cert_signed_by(const char *cert_file, const char *ca_cert_file);
/* When the certificate ends; and whether it names all the given addresses and names. */
int xb_cert_not_after(const char *cert_file, time_t *ret);
bool xb_cert_covers(const char *cert_file, const char *const *dns_names, const char *const *ip_addresses);

#endif
