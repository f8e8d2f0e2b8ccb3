/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tls_reason.h"
#include "x509.h"
#include "xb/csr.h"
#include "xb/why.h"

/* A BIO of what base64 holds; bytes is what it reads from. NULL without memory. */
static BIO *open_base64(struct xb_sv base64, struct xb_buf *bytes)
{
	int n;

	if (xb_buf_reserve(bytes, base64.n / 4 * 3 + 4))
		return NULL;
	n = base64.n ? EVP_DecodeBlock((unsigned char *)bytes->p, (const unsigned char *)base64.p, (int)base64.n) : 0;
	return BIO_new_mem_buf(bytes->p, n < 0 ? 0 : n);
}

/* --- reading --- */
static int read_der(const unsigned char *der, long length, X509_REQ **ret, const char **ret_fault)
{
	X509_REQ *request = d2i_X509_REQ(NULL, &der, length);

	if (!request) {
		*ret_fault = "asn1: structure error: malformed certificate request";
		return -EINVAL;
	}
	if (X509_REQ_verify(request, X509_REQ_get0_pubkey(request)) != 1) {
		*ret_fault = "x509: signature check failed";
		X509_REQ_free(request);
		return -EINVAL;
	}
	*ret = request;
	return 0;
}

static int read_pem(struct xb_sv base64, X509_REQ **ret, const char **ret_fault)
{
	_cleanup_buf_ struct xb_buf bytes = {};
	_cleanup_(BIO_freep) BIO *bio = open_base64(base64, &bytes);
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	int r = bio ? -EINVAL : -ENOMEM;
	long n = 0;

	*ret_fault = "PEM block type must be CERTIFICATE REQUEST";
	if (bio && PEM_read_bio(bio, &name, &header, &der, &n) == 1 && !strcmp(name, PEM_STRING_X509_REQ))
		r = read_der(der, n, ret, ret_fault);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	return r;
}

/* NULL: none are wanted. */
static GENERAL_NAMES *alternative_names(X509_REQ *request)
{
	STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(request);
	GENERAL_NAMES *names = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);

	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	return names;
}

static unsigned *count_of(struct xb_csr *c, const GENERAL_NAME *name)
{
	switch (name->type) {
	case GEN_DNS:
		return &c->dns_names;
	case GEN_EMAIL:
		return &c->emails;
	case GEN_IPADD:
		return &c->ip_addresses;
	case GEN_URI:
		return &c->uris;
	default:
		return NULL;
	}
}

static void count_names(struct xb_csr *c)
{
	GENERAL_NAMES *names = alternative_names(c->request);

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		unsigned *count = count_of(c, sk_GENERAL_NAME_value(names, i));

		if (count)
			++*count;
	}
	GENERAL_NAMES_free(names);
}

int xb_csr_read(struct xb_sv base64, struct xb_csr *ret, const char **ret_fault)
{
	_cleanup_csr_ struct xb_csr c = {};
	int r = read_pem(base64, &c.request, ret_fault);

	if (r)
		return r;
	*ret_fault = "x509: malformed subject";
	r = x509_read_name(X509_REQ_get_subject_name(c.request), &c.common_name, &c.organizations);
	if (!r && !c.common_name) {
		c.common_name = strdup("");
		r = c.common_name ? 0 : -ENOMEM;
	}
	if (r)
		return r;
	count_names(&c);
	*ret = c;
	c = (struct xb_csr){};
	return 0;
}

void xb_csr_done(struct xb_csr *c)
{
	free(c->common_name);
	x509_free_texts(c->organizations);
	X509_REQ_free(c->request);
	*c = (struct xb_csr){};
}

/* --- usages --- */
static const struct usage {
	const char *name, *alias;       /* Kubernetes'; alias may be NULL */
	const char *text;               /* OpenSSL's */
	bool extended;
} usages[] = {
	{ "digital signature", "signing", "digitalSignature", false },
	{ "content commitment", NULL, "nonRepudiation", false },
	{ "key encipherment", NULL, "keyEncipherment", false },
	{ "data encipherment", NULL, "dataEncipherment", false },
	{ "key agreement", NULL, "keyAgreement", false },
	{ "cert sign", NULL, "keyCertSign", false },
	{ "crl sign", NULL, "cRLSign", false },
	{ "encipher only", NULL, "encipherOnly", false },
	{ "decipher only", NULL, "decipherOnly", false },
	{ "any", NULL, "anyExtendedKeyUsage", true },
	{ "server auth", NULL, "serverAuth", true },
	{ "client auth", NULL, "clientAuth", true },
	{ "code signing", NULL, "codeSigning", true },
	{ "email protection", "s/mime", "emailProtection", true },
	{ "ipsec end system", NULL, "ipsecEndSystem", true },
	{ "ipsec tunnel", NULL, "ipsecTunnel", true },
	{ "ipsec user", NULL, "ipsecUser", true },
	{ "timestamping", NULL, "timeStamping", true },
	{ "ocsp signing", NULL, "OCSPSigning", true },
	{ "microsoft sgc", NULL, "msSGC", true },
	{ "netscape sgc", NULL, "nsSGC", true },
};

static bool is_named(const struct usage *u, struct xb_sv name)
{
	return xb_sv_is(name, u->name) || (u->alias && xb_sv_is(name, u->alias));
}

static bool is_known(struct xb_sv usage)
{
	for (size_t i = 0; i < ARRAY_SIZE(usages); i++)
		if (is_named(&usages[i], usage))
			return true;
	return false;
}

static void list_usages(const struct xb_csr_terms *t, bool extended, struct xb_buf *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(usages); i++) {
		bool wanted = false;

		for (size_t k = 0; k < t->n_usages; k++)
			wanted |= is_named(&usages[i], t->usages[k]);
		if (wanted && usages[i].extended == extended)
			xb_buf_addf(out, ",%s", usages[i].text);
	}
}

/* --- signing --- */
static int add_usages(X509 *cert, X509 *ca, const struct xb_csr_terms *t)
{
	_cleanup_buf_ struct xb_buf usage = {}, extended = {};
	int r = 0;

	xb_buf_adds(&usage, "critical");
	list_usages(t, false, &usage);
	list_usages(t, true, &extended);
	if (usage.err || extended.err)
		return -ENOMEM;
	if (strchr(usage.p, ','))
		r = x509_add_extension(cert, ca, NID_key_usage, usage.p);
	if (!r && extended.n)
		r = x509_add_extension(cert, ca, NID_ext_key_usage, extended.p + 1);
	return r;
}

/* Those that are known, and no extension else: what the subject may call itself is not for it to say. */
static int add_names(X509 *cert, const struct xb_csr *c)
{
	bool nameless = !X509_NAME_entry_count(X509_get_subject_name(cert));
	GENERAL_NAMES *names = alternative_names(c->request);
	struct xb_csr unused = {};
	int r = 0;

	for (int i = sk_GENERAL_NAME_num(names); i-- > 0;)
		if (!count_of(&unused, sk_GENERAL_NAME_value(names, i)))
			GENERAL_NAME_free(sk_GENERAL_NAME_delete(names, i));
	if (sk_GENERAL_NAME_num(names) > 0 && X509_add1_ext_i2d(cert, NID_subject_alt_name, names, nameless, 0) != 1)
		r = -ENOMEM;
	GENERAL_NAMES_free(names);
	return r;
}

static int add_extensions(X509 *cert, X509 *ca, const struct xb_csr *c, const struct xb_csr_terms *t)
{
	int r = add_usages(cert, ca, t);

	if (!r)
		r = x509_add_extension(cert, ca, NID_basic_constraints, "critical,CA:FALSE");
	if (!r && X509_get0_subject_key_id(ca))
		r = x509_add_extension(cert, ca, NID_authority_key_identifier, "keyid");
	return r ? r : add_names(cert, c);
}

static int set_times(X509 *cert, X509 *ca, const struct xb_csr_terms *t)
{
	time_t end = t->not_after;
	const ASN1_TIME *ca_end = X509_get0_notAfter(ca);
	bool sooner = X509_cmp_time(ca_end, &end) < 0;

	if (!ASN1_TIME_adj(X509_getm_notBefore(cert), t->not_before, 0, 0))
		return -ENOMEM;
	if (sooner)
		return X509_set1_notAfter(cert, ca_end) == 1 ? 0 : -ENOMEM;
	return ASN1_TIME_adj(X509_getm_notAfter(cert), end, 0, 0) ? 0 : -ENOMEM;
}

static int fill(X509 *cert, X509 *ca, EVP_PKEY *ca_key, const struct xb_csr *c, const struct xb_csr_terms *t)
{
	bool own_digest = EVP_PKEY_is_a(ca_key, "ED25519") || EVP_PKEY_is_a(ca_key, "ED448");
	int r;

	if (X509_set_version(cert, X509_VERSION_3) != 1 || X509_set_pubkey(cert, X509_REQ_get0_pubkey(c->request)) != 1 ||
	    X509_set_subject_name(cert, X509_REQ_get_subject_name(c->request)) != 1 ||
	    X509_set_issuer_name(cert, X509_get_subject_name(ca)) != 1)
		return -ENOMEM;
	r = x509_set_serial(cert);
	if (!r)
		r = set_times(cert, ca, t);
	if (!r)
		r = add_extensions(cert, ca, c, t);
	return r ? r : X509_sign(cert, ca_key, own_digest ? NULL : EVP_sha256()) > 0 ? 0 : -EINVAL;
}

static int write_base64(X509 *cert, struct xb_buf *out)
{
	_cleanup_(BIO_freep) BIO *pem = BIO_new(BIO_s_mem());
	char *bytes;
	long n;

	if (!pem || PEM_write_bio_X509(pem, cert) != 1)
		return -ENOMEM;
	n = BIO_get_mem_data(pem, &bytes);
	if (xb_buf_reserve(out, (n + 2) / 3 * 4 + 1))
		return -ENOMEM;
	out->n += EVP_EncodeBlock((unsigned char *)out->p + out->n, (unsigned char *)bytes, (int)n);
	return 0;
}

int xb_csr_sign(const struct xb_csr *c, const struct xb_csr_terms *t, const char *ca_cert_file, const char *ca_key_file,
		struct xb_buf *out, char **reterr_why)
{
	_cleanup_(X509_freep) X509 *ca = NULL, *cert = X509_new();
	_cleanup_(EVP_PKEY_freep) EVP_PKEY *key = NULL;
	int r = cert ? x509_read_pair(ca_cert_file, ca_key_file, &ca, &key, reterr_why) : -ENOMEM;

	for (size_t i = 0; !r && i < t->n_usages; i++)
		if (!is_known(t->usages[i]))
			r = xb_why(reterr_why, -EINVAL, "unrecognized usage value: %.*s", XB_SV_ARG(t->usages[i]));
	if (r)
		return r;
	if (X509_cmp_time(X509_get0_notAfter(ca), NULL) < 0)
		return xb_why(reterr_why, -EINVAL, "refusing to sign a certificate that expired in the past: the CA in '%s' has ended", ca_cert_file);
	r = fill(cert, ca, key, c, t);
	return r ? xb_why(reterr_why, r, "cannot make the certificate: %s", tls_reason()) : write_base64(cert, out);
}

/* --- what was issued --- */
static int check_block(const char *name, const char *header, const unsigned char *der, long n, time_t *ret, const char **ret_fault)
{
	_cleanup_(X509_freep) X509 *cert = NULL;
	struct tm tm;

	if (strcmp(name, PEM_STRING_X509))
		*ret_fault = "only CERTIFICATE PEM blocks are allowed";
	else if (*header)
		*ret_fault = "no PEM block headers are permitted";
	else if (!(cert = d2i_X509(NULL, &der, n)) || ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1)
		*ret_fault = "x509: malformed certificate";
	else
		*ret = timegm(&tm);
	return *ret_fault ? -EINVAL : 0;
}

int xb_csr_check_issued(struct xb_sv base64, time_t *ret_not_after, const char **ret_fault)
{
	_cleanup_buf_ struct xb_buf bytes = {};
	_cleanup_(BIO_freep) BIO *bio = open_base64(base64, &bytes);
	char *name, *header;
	const char *fault = NULL;
	unsigned char *der;
	unsigned blocks = 0;
	time_t end, first = 0;
	long n;

	if (!bio)
		return -ENOMEM;
	while (!fault && PEM_read_bio(bio, &name, &header, &der, &n) == 1) {
		if (!check_block(name, header, der, n, &end, &fault) && !blocks++)
			first = end;
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(der);
	}
	if (!fault && !blocks)
		fault = "must contain one or more CERTIFICATE PEM blocks";
	if (fault) {
		*ret_fault = fault;
		return -EINVAL;
	}
	*ret_not_after = first;
	return 0;
}
