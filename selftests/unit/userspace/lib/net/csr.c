/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include "xb/csr.h"
#include "xb/tls.h"

static char folder[] = "/tmp/xb-csr-XXXXXX", ca_cert[64], ca_key[64], other_key[64];
static EVP_PKEY *key;

static int make_ca(void **state)
{
	const struct xb_cert_request ca = { .common_name = "ca", .is_ca = true, .days = 10 };
	const struct xb_cert_request other = { .common_name = "other", .days = 10 };
	char unused[64];

	assert_non_null(mkdtemp(folder));
	snprintf(ca_cert, sizeof(ca_cert), "%s/ca.crt", folder);
	snprintf(ca_key, sizeof(ca_key), "%s/ca.key", folder);
	snprintf(other_key, sizeof(other_key), "%s/other.key", folder);
	snprintf(unused, sizeof(unused), "%s/other.crt", folder);
	key = EVP_EC_gen("P-256");
	assert_int_equal(xb_cert_make(&ca, NULL, NULL, ca_cert, ca_key, NULL), 0);
	return xb_cert_make(&other, NULL, NULL, unused, other_key, NULL);
}

static int remove_ca(void **state)
{
	static const char *const files[] = { "ca.crt", "ca.key", "other.crt", "other.key" };
	char path[96];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		unlink(path);
	}
	EVP_PKEY_free(key);
	return rmdir(folder);
}

static void add_entry(X509_NAME *name, int nid, const char *text, int n)
{
	assert_int_equal(X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, (const unsigned char *)text, n, -1, 0), 1);
}

/* extensions: nid, text, nid, text, ..., 0 */
static X509_REQ *request_of(const char *common_name, int n, const char *const organizations[], const void *const extensions[])
{
	X509_REQ *r = X509_REQ_new();
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();

	for (; organizations && *organizations; organizations++)
		add_entry(X509_REQ_get_subject_name(r), NID_organizationName, *organizations, -1);
	if (common_name)
		add_entry(X509_REQ_get_subject_name(r), NID_commonName, common_name, n);
	for (; extensions && *extensions; extensions += 2)
		sk_X509_EXTENSION_push(list, X509V3_EXT_conf_nid(NULL, NULL, (int)(intptr_t)extensions[0], extensions[1]));
	X509_REQ_add_extensions(r, list);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	X509_REQ_set_pubkey(r, key);
	assert_true(X509_REQ_sign(r, key, EVP_sha256()) > 0);
	return r;
}

static void encode(BIO *pem, struct xb_buf *out)
{
	char *bytes;
	long n = BIO_get_mem_data(pem, &bytes);

	assert_int_equal(xb_buf_reserve(out, (size_t)n * 2), 0);
	out->n += (size_t)EVP_EncodeBlock((unsigned char *)out->p, (unsigned char *)bytes, (int)n);
	BIO_free(pem);
}

static void encode_request(X509_REQ *r, struct xb_buf *out)
{
	BIO *pem = BIO_new(BIO_s_mem());

	PEM_write_bio_X509_REQ(pem, r);
	X509_REQ_free(r);
	encode(pem, out);
}

static X509 *decode_certificate(const struct xb_buf *base64)
{
	unsigned char *pem = malloc(base64->n);
	BIO *bio;
	X509 *cert;

	bio = BIO_new_mem_buf(pem, EVP_DecodeBlock(pem, (unsigned char *)base64->p, (int)base64->n));
	cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	assert_non_null(cert);
	BIO_free(bio);
	free(pem);
	return cert;
}

static const char *const nodes[] = { "system:nodes", NULL };
#define SAN(text) (const void *)(intptr_t)NID_subject_alt_name, text

static void read_tells_what_is_asked_for(void **state)
{
	static const char *const two[] = { "a", "b", NULL };
	_cleanup_csr_ struct xb_csr c = {}, none = {};
	_cleanup_buf_ struct xb_buf text = {}, bare = {};
	const char *fault;

	encode_request(request_of("u", -1, two, (const void *[]){ SAN("DNS:x,DNS:y,IP:10.0.0.1,email:a@b,URI:spiffe://a,RID:1.2.3"), NULL }), &text);
	assert_int_equal(xb_csr_read(xb_buf_sv(&text), &c, &fault), 0);
	assert_string_equal(c.common_name, "u");
	assert_string_equal(c.organizations[0], "a");
	assert_string_equal(c.organizations[1], "b");
	assert_null(c.organizations[2]);
	assert_int_equal(c.dns_names, 2);
	assert_int_equal(c.ip_addresses, 1);
	assert_int_equal(c.emails, 1);
	assert_int_equal(c.uris, 1);
	encode_request(request_of(NULL, 0, NULL, NULL), &bare);
	assert_int_equal(xb_csr_read(xb_buf_sv(&bare), &none, &fault), 0);
	assert_string_equal(none.common_name, "");
	assert_null(none.organizations[0]);
}

static void what_is_no_request_is_refused(void **state)
{
	X509_REQ *forged = request_of("u", -1, NULL, NULL);
	_cleanup_buf_ struct xb_buf bad = {}, two_faced = {};
	struct xb_csr c;
	const char *fault = NULL;

	assert_int_equal(xb_csr_read(XB_SV("aGVsbG8="), &c, &fault), -EINVAL);
	assert_string_equal(fault, "PEM block type must be CERTIFICATE REQUEST");
	assert_int_equal(xb_csr_read(XB_SV("%"), &c, &fault), -EINVAL);
	assert_int_equal(xb_csr_read((struct xb_sv){}, &c, &fault), -EINVAL);
	add_entry(X509_REQ_get_subject_name(forged), NID_organizationName, "system:masters", -1);
	encode_request(forged, &bad);
	assert_int_equal(xb_csr_read(xb_buf_sv(&bad), &c, &fault), -EINVAL);
	assert_string_equal(fault, "x509: signature check failed");
	encode_request(request_of("system:node:a\0b", 15, nodes, NULL), &two_faced);
	assert_int_equal(xb_csr_read(xb_buf_sv(&two_faced), &c, &fault), -EINVAL);
	assert_string_equal(fault, "x509: malformed subject");
}

static X509 *sign(X509_REQ *request, const struct xb_csr_terms *terms)
{
	_cleanup_csr_ struct xb_csr c = {};
	_cleanup_buf_ struct xb_buf text = {}, out = {};
	_cleanup_free_ char *why = NULL;
	const char *fault;

	encode_request(request, &text);
	assert_int_equal(xb_csr_read(xb_buf_sv(&text), &c, &fault), 0);
	assert_int_equal(xb_csr_sign(&c, terms, ca_cert, ca_key, &out, &why), 0);
	return decode_certificate(&out);
}

static time_t time_of(const ASN1_TIME *t)
{
	struct tm tm;

	assert_int_equal(ASN1_TIME_to_tm(t, &tm), 1);
	return timegm(&tm);
}

static void the_certificate_is_what_kubernetes_signers_make(void **state)
{
	const struct xb_sv usages[] = { XB_SV("client auth"), XB_SV("key encipherment"), XB_SV("signing"), XB_SV("s/mime"), XB_SV("email protection") };
	time_t now = time(NULL);
	const struct xb_csr_terms t = { usages, ARRAY_SIZE(usages), now - 300, now + 3600 };
	const void *extensions[] = {
		SAN("DNS:x,RID:1.2.3"), (const void *)(intptr_t)NID_basic_constraints, "CA:TRUE", (const void *)(intptr_t)NID_key_usage, "keyCertSign", NULL
	};
	X509 *cert = sign(request_of("system:node:a", -1, nodes, extensions), &t), *ca;
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	EXTENDED_KEY_USAGE *extended = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
	FILE *f = fopen(ca_cert, "r");

	ca = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	assert_int_equal(X509_verify(cert, X509_get0_pubkey(ca)), 1);
	assert_int_equal(X509_check_issued(ca, cert), X509_V_OK);
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(cert), key), 1);
	assert_int_equal(X509_check_ca(cert), 0);
	assert_int_equal(X509_get_key_usage(cert), KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
	assert_int_equal(X509_get_extended_key_usage(cert), XKU_SSL_CLIENT | XKU_SMIME);
	assert_int_equal(sk_ASN1_OBJECT_num(extended), 2);
	assert_int_equal(sk_GENERAL_NAME_num(names), 1);
	assert_int_equal(X509_check_host(cert, "x", 0, 0, NULL), 1);
	assert_int_equal(time_of(X509_get0_notBefore(cert)), now - 300);
	assert_int_equal(time_of(X509_get0_notAfter(cert)), now + 3600);
	GENERAL_NAMES_free(names);
	EXTENDED_KEY_USAGE_free(extended);
	X509_free(cert);
	X509_free(ca);
}

static void it_ends_no_later_than_the_ca(void **state)
{
	time_t now = time(NULL), end;
	const struct xb_csr_terms t = { NULL, 0, now, now + 20 * 86400 };
	X509 *cert = sign(request_of("u", -1, NULL, NULL), &t);

	assert_int_equal(xb_cert_not_after(ca_cert, &end), 0);
	assert_int_equal(time_of(X509_get0_notAfter(cert)), end);
	assert_int_equal(X509_get_ext_by_NID(cert, NID_key_usage, -1), -1);
	assert_int_equal(X509_get_ext_by_NID(cert, NID_subject_alt_name, -1), -1);
	X509_free(cert);
}

static void what_cannot_be_signed_says_why(void **state)
{
	const struct xb_sv unknown = XB_SV("flying");
	const struct xb_csr_terms t = { NULL, 0, 0, time(NULL) }, wrong = { &unknown, 1, 0, 0 };
	_cleanup_csr_ struct xb_csr c = {};
	_cleanup_buf_ struct xb_buf text = {}, out = {};
	_cleanup_free_ char *missing = NULL, *alien = NULL, *usage = NULL;
	const char *fault;

	encode_request(request_of("u", -1, NULL, NULL), &text);
	assert_int_equal(xb_csr_read(xb_buf_sv(&text), &c, &fault), 0);
	assert_int_equal(xb_csr_sign(&c, &t, "/nonexistent", ca_key, &out, &missing), -EIO);
	assert_non_null(strstr(missing, "cannot read the certificate in '/nonexistent'"));
	assert_int_equal(xb_csr_sign(&c, &t, ca_cert, other_key, &out, &alien), -EINVAL);
	assert_non_null(strstr(alien, "does not belong to the certificate"));
	assert_int_equal(xb_csr_sign(&c, &wrong, ca_cert, ca_key, &out, &usage), -EINVAL);
	assert_string_equal(usage, "unrecognized usage value: flying");
	assert_int_equal(out.n, 0);
}

static void issued_certificates_are_checked(void **state)
{
	_cleanup_buf_ struct xb_buf good = {}, mixed = {}, request = {};
	BIO *one = BIO_new(BIO_s_mem()), *both = BIO_new(BIO_s_mem());
	X509_REQ *r = request_of("u", -1, NULL, NULL);
	const char *fault = NULL;
	time_t end, expected;
	FILE *f = fopen(ca_cert, "r");
	X509 *ca = PEM_read_X509(f, NULL, NULL, NULL);

	fclose(f);
	PEM_write_bio_X509(one, ca);
	PEM_write_bio_X509(both, ca);
	PEM_write_bio_X509_REQ(both, r);
	encode(one, &good);
	encode(both, &mixed);
	encode_request(r, &request);
	assert_int_equal(xb_cert_not_after(ca_cert, &expected), 0);
	assert_int_equal(xb_csr_check_issued(xb_buf_sv(&good), &end, &fault), 0);
	assert_int_equal(end, expected);
	assert_int_equal(xb_csr_check_issued(xb_buf_sv(&mixed), &end, &fault), -EINVAL);
	assert_string_equal(fault, "only CERTIFICATE PEM blocks are allowed");
	assert_int_equal(xb_csr_check_issued(XB_SV("eA=="), &end, &fault), -EINVAL);
	assert_string_equal(fault, "must contain one or more CERTIFICATE PEM blocks");
	X509_free(ca);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_tells_what_is_asked_for), cmocka_unit_test(what_is_no_request_is_refused),
		cmocka_unit_test(the_certificate_is_what_kubernetes_signers_make), cmocka_unit_test(it_ends_no_later_than_the_ca),
		cmocka_unit_test(what_cannot_be_signed_says_why), cmocka_unit_test(issued_certificates_are_checked),
	};

	return cmocka_run_group_tests(tests, make_ca, remove_ca);
}
