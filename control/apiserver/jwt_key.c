/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include "jwt_key.h"
#include "xb/base64.h"
#include "xb/file.h"
#include "xb/why.h"

#define RSA_BITS_MIN 2048
#define P256_BYTES 32
#define KEYS_MAX 64     /* in one file */

static inline void biop(BIO **b)
{
	BIO_free(*b);
}
static inline void keyp(EVP_PKEY **k)
{
	EVP_PKEY_free(*k);
}
static inline void digestp(EVP_MD_CTX **c)
{
	EVP_MD_CTX_free(*c);
}
static inline void bnp(BIGNUM **n)
{
	BN_free(*n);
}
static inline void sigp(ECDSA_SIG **s)
{
	ECDSA_SIG_free(*s);
}
static inline void opensslp(unsigned char **p)
{
	OPENSSL_free(*p);
}

const char *jwt_key_algorithm(const struct jwt_key *k)
{
	return k->is_ec ? "ES256" : "RS256";
}

/* --- signatures --- */

/* ECDSA signatures are r and s, 32 octets each (RFC 7518 3.4); OpenSSL's are DER. */
static int from_der(struct xb_sv der, struct xb_buf *out)
{
	const unsigned char *p = (const unsigned char *)der.p;
	_cleanup_(sigp) ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &p, (long)der.n);
	unsigned char raw[2 * P256_BYTES];

	if (!s || BN_bn2binpad(ECDSA_SIG_get0_r(s), raw, P256_BYTES) < 0 ||
	    BN_bn2binpad(ECDSA_SIG_get0_s(s), raw + P256_BYTES, P256_BYTES) < 0)
		return -EIO;
	xb_buf_add(out, raw, sizeof(raw));
	return out->err;
}

static int to_der(struct xb_sv raw, unsigned char **ret, size_t *ret_n)
{
	const unsigned char *p = (const unsigned char *)raw.p;
	_cleanup_(sigp) ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r, *s;
	int n;

	if (raw.n != 2 * P256_BYTES)
		return -EKEYREJECTED;
	r = BN_bin2bn(p, P256_BYTES, NULL);
	s = BN_bin2bn(p + P256_BYTES, P256_BYTES, NULL);
	if (!sig || !r || !s || ECDSA_SIG_set0(sig, r, s) != 1) {
		BN_free(r);
		BN_free(s);
		return -ENOMEM;
	}
	*ret = NULL;
	n = i2d_ECDSA_SIG(sig, ret);
	if (n < 0)
		return -ENOMEM;
	*ret_n = (size_t)n;
	return 0;
}

int jwt_key_sign(const struct jwt_key *k, struct xb_sv bytes, struct xb_buf *out)
{
	_cleanup_(digestp) EVP_MD_CTX *c = EVP_MD_CTX_new();
	_cleanup_buf_ struct xb_buf signature = {};
	size_t n = 0;

	if (!c)
		return -ENOMEM;
	if (EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, k->key) != 1 ||
	    EVP_DigestSign(c, NULL, &n, (const unsigned char *)bytes.p, bytes.n) != 1)
		return -EIO;
	if (xb_buf_reserve(&signature, n))
		return -ENOMEM;
	if (EVP_DigestSign(c, (unsigned char *)signature.p, &n, (const unsigned char *)bytes.p, bytes.n) != 1)
		return -EIO;
	if (k->is_ec)
		return from_der((struct xb_sv){ signature.p, n }, out);
	xb_buf_add(out, signature.p, n);
	return out->err;
}

int jwt_key_verify(const struct jwt_key *k, struct xb_sv bytes, struct xb_sv signature)
{
	_cleanup_(digestp) EVP_MD_CTX *c = EVP_MD_CTX_new();
	_cleanup_(opensslp) unsigned char *der = NULL;
	const unsigned char *p = (const unsigned char *)signature.p;
	size_t n = signature.n;
	int r;

	if (k->is_ec) {
		r = to_der(signature, &der, &n);
		if (r)
			return r;
		p = der;
	}
	if (!c || EVP_DigestVerifyInit(c, NULL, EVP_sha256(), NULL, k->key) != 1)
		return -ENOMEM;
	return EVP_DigestVerify(c, p, n, (const unsigned char *)bytes.p, bytes.n) == 1 ? 0 : -EKEYREJECTED;
}

/* --- keys --- */

static int set_id(struct jwt_key *k)
{
	_cleanup_(opensslp) unsigned char *der = NULL;
	_cleanup_buf_ struct xb_buf id = {};
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n;
	int length = i2d_PUBKEY(k->key, &der);

	if (length < 0 || EVP_Digest(der, (size_t)length, digest, &n, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	xb_base64url_encode((struct xb_sv){ (char *)digest, n }, &id);
	if (id.err)
		return id.err;
	snprintf(k->id, sizeof(k->id), "%s", id.p);
	return 0;
}

/* Takes key. */
static int key_init(struct jwt_key *k, EVP_PKEY *key)
{
	char group[32] = "";
	size_t n;

	*k = (struct jwt_key){ .key = key };
	if (EVP_PKEY_is_a(key, "EC")) {
		k->is_ec = true;
		if (EVP_PKEY_get_group_name(key, group, sizeof(group), &n) != 1 || strcmp(group, "prime256v1"))
			return -EINVAL;
	} else if (!EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_get_bits(key) < RSA_BITS_MIN) {
		return -EINVAL;
	}
	return set_id(k);
}

static EVP_PKEY *next_key(BIO *in, bool private_only)
{
	_cleanup_(opensslp) unsigned char *bytes = NULL;
	char *name = NULL, *header = NULL;
	const unsigned char *p;
	EVP_PKEY *key = NULL;
	long n;

	while (!key && PEM_read_bio(in, &name, &header, &bytes, &n) == 1) {
		p = bytes;
		if (!strcmp(name, PEM_STRING_PUBLIC) && !private_only)
			key = d2i_PUBKEY(NULL, &p, n);
		else if (!strcmp(name, PEM_STRING_PKCS8INF) || !strcmp(name, PEM_STRING_RSA) || !strcmp(name, PEM_STRING_ECPRIVATEKEY))
			key = d2i_AutoPrivateKey(NULL, &p, n);
		OPENSSL_cleanse(bytes, (size_t)n);
		OPENSSL_free(bytes);
		OPENSSL_free(name);
		OPENSSL_free(header);
		bytes = NULL;
	}
	return key;
}

static int read_signing(struct jwt_keys *k, const char *file, char **reterr_why)
{
	_cleanup_(biop) BIO *in = BIO_new_file(file, "r");
	EVP_PKEY *key = in ? next_key(in, true) : NULL;

	if (!key)
		return xb_why(reterr_why, -EINVAL, "'%s' holds no private key in PEM form that can be read", file);
	k->signing = calloc(1, sizeof(*k->signing));
	if (!k->signing) {
		EVP_PKEY_free(key);
		return -ENOMEM;
	}
	return key_init(k->signing, key) ? xb_why(reterr_why, -EINVAL, "the key in '%s' is neither RSA of %d bits at least nor EC P-256", file,
						  RSA_BITS_MIN) : 0;
}

static int add_key(struct jwt_keys *k, EVP_PKEY *key)
{
	struct jwt_key *more = realloc(k->keys, (k->n + 1) * sizeof(*more));

	if (!more) {
		EVP_PKEY_free(key);
		return -ENOMEM;
	}
	k->keys = more;
	return key_init(&k->keys[k->n++], key);
}

static int read_verifying(struct jwt_keys *k, const char *file, char **reterr_why)
{
	_cleanup_(biop) BIO *in = BIO_new_file(file, "r");
	size_t before = k->n;
	EVP_PKEY *key;
	int r = 0;

	while (!r && in && k->n - before < KEYS_MAX && (key = next_key(in, false)))
		r = add_key(k, key);
	if (r)
		return xb_why(reterr_why, r, "a key in '%s' is neither RSA of %d bits at least nor EC P-256", file, RSA_BITS_MIN);
	return k->n > before ? 0 : xb_why(reterr_why, -EINVAL, "'%s' holds no public or private key in PEM form that can be read", file);
}

int jwt_keys_new(const char *signing, char *const *verifying, struct jwt_keys **ret, char **reterr_why)
{
	_cleanup_(jwt_keys_freep) struct jwt_keys *k = calloc(1, sizeof(*k));
	int r;

	if (!k)
		return -ENOMEM;
	r = read_signing(k, signing, reterr_why);
	for (; !r && verifying && *verifying; verifying++)
		r = read_verifying(k, *verifying, reterr_why);
	if (!r && !k->n)
		r = EVP_PKEY_up_ref(k->signing->key) == 1 ? add_key(k, k->signing->key) : -ENOMEM;
	if (!r)
		*ret = TAKE_PTR(k);
	return r;
}

struct jwt_keys *jwt_keys_free(struct jwt_keys *k)
{
	if (!k)
		return NULL;
	for (size_t i = 0; i < k->n; i++)
		EVP_PKEY_free(k->keys[i].key);
	free(k->keys);
	if (k->signing)
		EVP_PKEY_free(k->signing->key);
	free(k->signing);
	free(k);
	return NULL;
}

static int write_pem(const char *file, EVP_PKEY *key, bool private_, char **reterr_why)
{
	_cleanup_(biop) BIO *out = BIO_new(BIO_s_secmem());
	char *bytes;
	long n;
	int r;

	if (!out || (private_ ? PEM_write_bio_PKCS8PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) : PEM_write_bio_PUBKEY(out, key)) != 1)
		return -ENOMEM;
	n = BIO_get_mem_data(out, &bytes);
	r = xb_file_write(file, (struct xb_sv){ bytes, (size_t)n }, private_ ? 0600 : 0644);
	return r ? xb_why(reterr_why, r, "cannot write '%s': %s", file, strerror(-r)) : 0;
}

int jwt_key_make(const char *file, const char *public_file, char **reterr_why)
{
	_cleanup_(keyp) EVP_PKEY *key = NULL;
	int r;

	if (!access(file, F_OK))
		return 0;
	key = EVP_EC_gen("P-256");
	if (!key)
		return -ENOMEM;
	r = write_pem(public_file, key, false, reterr_why);
	return r ? r : write_pem(file, key, true, reterr_why);
}

/* --- the key set (RFC 7517, RFC 7518 6) --- */

static void write_number(struct xb_jw *w, const char *name, const struct jwt_key *k, const char *param, int width)
{
	_cleanup_(bnp) BIGNUM *n = NULL;
	_cleanup_buf_ struct xb_buf text = {};
	unsigned char bytes[2048];
	int length;

	if (EVP_PKEY_get_bn_param(k->key, param, &n) != 1 || BN_num_bytes(n) > (int)sizeof(bytes)) {
		w->err = -ENOMEM;
		return;
	}
	length = BN_bn2binpad(n, bytes, width ? width : BN_num_bytes(n));
	if (length > 0)
		xb_base64url_encode((struct xb_sv){ (char *)bytes, (size_t)length }, &text);
	xb_jw_ksv(w, name, xb_buf_sv(&text));
}

static void write_key(struct xb_jw *w, const struct jwt_key *k)
{
	xb_jw_object(w);
	xb_jw_kstr(w, "use", "sig");
	xb_jw_kstr(w, "kty", k->is_ec ? "EC" : "RSA");
	xb_jw_kstr(w, "kid", k->id);
	if (k->is_ec)
		xb_jw_kstr(w, "crv", "P-256");
	xb_jw_kstr(w, "alg", jwt_key_algorithm(k));
	if (k->is_ec) {
		write_number(w, "x", k, OSSL_PKEY_PARAM_EC_PUB_X, P256_BYTES);
		write_number(w, "y", k, OSSL_PKEY_PARAM_EC_PUB_Y, P256_BYTES);
	} else {
		write_number(w, "n", k, OSSL_PKEY_PARAM_RSA_N, 0);
		write_number(w, "e", k, OSSL_PKEY_PARAM_RSA_E, 0);
	}
	xb_jw_end(w);
}

void jwt_keys_write_set(const struct jwt_keys *k, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_key(&w, "keys");
	xb_jw_array(&w);
	for (size_t i = 0; i < k->n; i++)
		write_key(&w, &k->keys[i]);
	xb_jw_end(&w);
	xb_jw_end(&w);
	if (xb_jw_finish(&w))
		out->err = -ENOMEM;
}

void jwt_keys_write_algorithms(const struct jwt_keys *k, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);
	bool has[2] = {};

	for (size_t i = 0; i < k->n; i++)
		has[k->keys[i].is_ec] = true;
	xb_jw_array(&w);
	if (has[0])
		xb_jw_str(&w, "RS256");
	if (has[1])
		xb_jw_str(&w, "ES256");
	xb_jw_end(&w);
	if (xb_jw_finish(&w))
		out->err = -ENOMEM;
}
