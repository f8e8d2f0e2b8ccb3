/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tls_reason.h"
#include "x509.h"
#include "xb/str.h"
#include "xb/why.h"

#define SERIAL_BITS 127         /* positive, at most 20 octets: RFC 5280 4.1.2.2 */

X509 *x509_read_cert(const char *file)
{
	_cleanup_(BIO_freep) BIO *in = BIO_new_file(file, "r");

	return in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
}

EVP_PKEY *x509_read_key(const char *file)
{
	_cleanup_(BIO_freep) BIO *in = BIO_new_file(file, "r");

	return in ? PEM_read_bio_PrivateKey(in, NULL, NULL, NULL) : NULL;
}

int x509_read_pair(const char *cert_file, const char *key_file, X509 **ret_cert, EVP_PKEY **ret_key, char **reterr_why)
{
	_cleanup_(X509_freep) X509 *cert = NULL;
	_cleanup_(EVP_PKEY_freep) EVP_PKEY *key = NULL;

	ERR_clear_error();
	cert = x509_read_cert(cert_file);
	if (!cert)
		return xb_why(reterr_why, -EIO, "cannot read the certificate in '%s': %s", cert_file, tls_reason());
	key = x509_read_key(key_file);
	if (!key)
		return xb_why(reterr_why, -EIO, "cannot read the private key in '%s': %s", key_file, tls_reason());
	if (X509_check_private_key(cert, key) != 1)
		return xb_why(reterr_why, -EINVAL, "the private key in '%s' does not belong to the certificate in '%s'", key_file, cert_file);
	*ret_cert = TAKE_PTR(cert);
	*ret_key = TAKE_PTR(key);
	return 0;
}

int x509_set_serial(X509 *cert)
{
	BIGNUM *n = BN_new();
	int r = n && BN_rand(n, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
		BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)) ? 0 : -ENOMEM;

	BN_free(n);
	return r;
}

int x509_add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *e;
	X509V3_CTX context;
	int r;

	X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	r = e && X509_add_ext(cert, e, -1) == 1 ? 0 : -EINVAL;
	X509_EXTENSION_free(e);
	return r;
}

/* --- names --- */
void x509_free_texts(char **texts)
{
	for (char **t = texts; t && *t; t++)
		free(*t);
	free(texts);
}

static char *entry_text(const X509_NAME_ENTRY *e)
{
	unsigned char *utf8;
	int n = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(e));
	char *text;

	if (n < 0)
		return NULL;
	text = memchr(utf8, 0, n) ? NULL : xb_sv_dup((struct xb_sv){ (char *)utf8, n });
	OPENSSL_free(utf8);
	return text;
}

int x509_read_name(const X509_NAME *name, char **ret_common_name, char ***ret_organizations)
{
	int entries = X509_NAME_entry_count(name), n = 0;
	_cleanup_free_ char *common_name = NULL;
	char **organizations = calloc(entries + 1, sizeof(*organizations));

	for (int i = 0; organizations && i < entries; i++) {
		const X509_NAME_ENTRY *e = X509_NAME_get_entry(name, i);
		int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(e));
		char *text;

		if (nid != NID_commonName && nid != NID_organizationName)
			continue;
		text = entry_text(e);
		if (!text) {
			x509_free_texts(organizations);
			return -EINVAL;
		}
		if (nid == NID_organizationName) {
			organizations[n++] = text;
			continue;
		}
		free(common_name);
		common_name = text;
	}
	if (!organizations)
		return -ENOMEM;
	*ret_common_name = TAKE_PTR(common_name);
	*ret_organizations = organizations;
	return 0;
}
