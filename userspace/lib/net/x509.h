/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NET_X509_H
#define NET_X509_H
/* What several files do with OpenSSL's certificates, keys and names. Functions return 0 or -errno. */
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include "xb/macro.h"

static inline void X509_freep(X509 **c)
{
	X509_free(*c);
}
static inline void EVP_PKEY_freep(EVP_PKEY **k)
{
	EVP_PKEY_free(*k);
}
static inline void BIO_freep(BIO **b)
{
	BIO_free(*b);
}

X509 *x509_read_cert(const char *file);         /* NULL: tls_reason() says why */
EVP_PKEY *x509_read_key(const char *file);
int x509_read_pair(const char *cert_file, const char *key_file, X509 **ret_cert, EVP_PKEY **ret_key, char **reterr_why);
int x509_set_serial(X509 *cert);                /* a random one */
int x509_add_extension(X509 *cert, X509 *issuer, int nid, const char *value); /* value: X509V3_EXT_conf_nid's */

/* The last common name, NULL for none, and all organizations, NULL-terminated. -EINVAL also when a text holds a NUL, which is how
 * one is made to look like another. */
int x509_read_name(const X509_NAME *name, char **ret_common_name, char ***ret_organizations);
void x509_free_texts(char **texts);             /* NULL is taken */

#endif
