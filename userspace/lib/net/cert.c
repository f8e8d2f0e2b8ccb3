/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include "tls_reason.h"
#include "x509.h"
#include "xb/file.h"
#include "xb/tls.h"
#include "xb/why.h"

#define CLOCK_SKEW (5 * 60)     /* of a client whose clock is behind */

static int write_pem(const char *file, X509 *cert, EVP_PKEY *key, char **reterr_why)
{
	_cleanup_(BIO_freep) BIO *out = BIO_new(BIO_s_secmem());
	char *bytes;
	long n;
	int r;

	if (!out || (cert ? PEM_write_bio_X509(out, cert) : PEM_write_bio_PKCS8PrivateKey(out, key, NULL, NULL, 0, NULL, NULL)) != 1)
		return -ENOMEM;
	n = BIO_get_mem_data(out, &bytes);
	r = xb_file_write(file, (struct xb_sv){ bytes, n }, cert ? 0644 : 0600);
	return r ? xb_why(reterr_why, r, "cannot write '%s': %s", file, strerror(-r)) : 0;
}

static int set_names(X509_NAME *name, const struct xb_cert_request *q)
{
	for (const char *const *o = q->organizations; o && *o; o++)
		if (X509_NAME_add_entry_by_NID(name, NID_organizationName, MBSTRING_UTF8, (const unsigned char *)*o, -1, -1, 0) != 1)
			return -EINVAL;
	if (X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, (const unsigned char *)q->common_name, -1, -1, 0) != 1)
		return -EINVAL;
	return 0;
}

static int push_name(GENERAL_NAMES *names, int type, ASN1_STRING *value, const void *bytes, int n)
{
	GENERAL_NAME *name = GENERAL_NAME_new();

	if (!name || !value || ASN1_STRING_set(value, bytes, n) != 1 || !sk_GENERAL_NAME_push(names, name)) {
		GENERAL_NAME_free(name);
		ASN1_STRING_free(value);
		return -ENOMEM;
	}
	GENERAL_NAME_set0_value(name, type, value);
	return 0;
}

/* 4 or 16 octets in network order, or 0 when it is not an address. */
static int address_octets(const char *text, unsigned char octets[16])
{
	return inet_pton(AF_INET, text, octets) == 1 ? 4 : inet_pton(AF_INET6, text, octets) == 1 ? 16 : 0;
}

/* Built as a structure: in OpenSSL's extension text a name could smuggle in another by a comma. */
static int add_alternative_names(X509 *cert, const struct xb_cert_request *q)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	unsigned char octets[16];
	int r = names ? 0 : -ENOMEM, n;

	for (const char *const *d = q->dns_names; !r && d && *d; d++)
		r = push_name(names, GEN_DNS, ASN1_IA5STRING_new(), *d, -1);
	for (const char *const *a = q->ip_addresses; !r && a && *a; a++) {
		n = address_octets(*a, octets);
		r = n ? push_name(names, GEN_IPADD, ASN1_OCTET_STRING_new(), octets, n) : -EINVAL;
	}
	if (!r && sk_GENERAL_NAME_num(names) && X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0) != 1)
		r = -ENOMEM;
	GENERAL_NAMES_free(names);
	return r;
}

static int add_extensions(X509 *cert, X509 *issuer, const struct xb_cert_request *q)
{
	const char *usage = q->server_auth && q->client_auth ? "serverAuth,clientAuth" : q->server_auth ? "serverAuth" :
			    q->client_auth ? "clientAuth" : NULL;
	int r;

	r = x509_add_extension(cert, issuer, NID_basic_constraints, q->is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (!r)
		r = x509_add_extension(cert, issuer, NID_key_usage, q->is_ca ? "critical,digitalSignature,keyCertSign,cRLSign" :
				  "critical,digitalSignature");
	if (!r && usage)
		r = x509_add_extension(cert, issuer, NID_ext_key_usage, usage);
	if (!r)
		r = x509_add_extension(cert, issuer, NID_subject_key_identifier, "hash");
	if (!r)
		r = x509_add_extension(cert, issuer, NID_authority_key_identifier, "keyid:always");
	return r ? r : add_alternative_names(cert, q);
}

static int fill(X509 *cert, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, const struct xb_cert_request *q)
{
	int r;

	if (X509_set_version(cert, X509_VERSION_3) != 1 || X509_set_pubkey(cert, key) != 1 ||
	    !X509_gmtime_adj(X509_getm_notBefore(cert), -CLOCK_SKEW) ||
	    !X509_time_adj_ex(X509_getm_notAfter(cert), (int)q->days, 0, NULL))
		return -ENOMEM;
	r = x509_set_serial(cert);
	if (!r)
		r = set_names(X509_get_subject_name(cert), q);
	if (!r && X509_set_issuer_name(cert, X509_get_subject_name(issuer)) != 1)
		r = -ENOMEM;
	if (!r)
		r = add_extensions(cert, issuer, q);
	return r ? r : X509_sign(cert, issuer_key, EVP_sha256()) > 0 ? 0 : -EINVAL;
}

/* A key that is there is kept: then one rename replaces the certificate, and no crash leaves a pair that does not match. */
static int obtain_key(const char *key_file, EVP_PKEY **ret, char **reterr_why)
{
	_cleanup_(EVP_PKEY_freep) EVP_PKEY *key = NULL;
	int r;

	if (!access(key_file, F_OK)) {
		*ret = x509_read_key(key_file);
		return *ret ? 0 : xb_why(reterr_why, -EIO, "cannot read the private key in '%s': %s", key_file, tls_reason());
	}
	key = EVP_EC_gen("P-256");
	r = key ? write_pem(key_file, NULL, key, reterr_why) : -ENOMEM;
	if (!r)
		*ret = TAKE_PTR(key);
	return r;
}

int xb_cert_make(const struct xb_cert_request *q, const char *ca_cert_file, const char *ca_key_file, const char *cert_file,
		 const char *key_file, char **reterr_why)
{
	_cleanup_(X509_freep) X509 *ca = NULL, *cert = X509_new();
	_cleanup_(EVP_PKEY_freep) EVP_PKEY *ca_key = NULL, *key = NULL;
	int r;

	ERR_clear_error();
	if (!cert)
		return -ENOMEM;
	r = ca_cert_file ? x509_read_pair(ca_cert_file, ca_key_file, &ca, &ca_key, reterr_why) : 0;
	if (!r)
		r = obtain_key(key_file, &key, reterr_why);
	if (r)
		return r;
	r = fill(cert, key, ca ? ca : cert, ca ? ca_key : key, q);
	if (r)
		return xb_why(reterr_why, r, "cannot make the certificate '%s': %s", cert_file, tls_reason());
	return write_pem(cert_file, cert, NULL, reterr_why);
}

int xb_cert_check_pair(const char *cert_file, const char *key_file, char **reterr_why)
{
	_cleanup_(X509_freep) X509 *cert = NULL;
	_cleanup_(EVP_PKEY_freep) EVP_PKEY *key = NULL;

	return x509_read_pair(cert_file, key_file, &cert, &key, reterr_why);
}

bool xb_cert_signed_by(const char *cert_file, const char *ca_cert_file)
{
	_cleanup_(X509_freep) X509 *cert = x509_read_cert(cert_file), *ca = x509_read_cert(ca_cert_file);

	return cert && ca && X509_check_issued(ca, cert) == X509_V_OK && X509_verify(cert, X509_get0_pubkey(ca)) == 1;
}

int xb_cert_not_after(const char *cert_file, time_t *ret)
{
	_cleanup_(X509_freep) X509 *cert = x509_read_cert(cert_file);
	struct tm tm;

	if (!cert)
		return -EIO;
	if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1)
		return -EINVAL;
	*ret = timegm(&tm);
	return 0;
}

bool xb_cert_covers(const char *cert_file, const char *const *dns_names, const char *const *ip_addresses)
{
	_cleanup_(X509_freep) X509 *cert = x509_read_cert(cert_file);
	unsigned char octets[16];
	int n;

	if (!cert)
		return false;
	for (const char *const *d = dns_names; d && *d; d++)
		if (X509_check_host(cert, *d, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) != 1)
			return false;
	for (const char *const *a = ip_addresses; a && *a; a++) {
		n = address_octets(*a, octets);
		if (!n || X509_check_ip(cert, octets, n, 0) != 1)
			return false;
	}
	return true;
}
