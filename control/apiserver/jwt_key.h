/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_JWT_KEY_H
#define APISERVER_JWT_KEY_H
/* What jwt.c needs of OpenSSL: keys, and signatures in the form of RFC 7518. */
#include <openssl/evp.h>
#include "jwt.h"

struct jwt_key {
	EVP_PKEY *key;
	bool is_ec;                     /* P-256; else RSA */
	char id[44];                    /* base64url of the SHA-256 of the public key's DER, as upstream */
};
struct jwt_keys {
	struct jwt_key *signing, *keys; /* keys: that verify */
	size_t n;
};
const char *jwt_key_algorithm(const struct jwt_key *k);
int jwt_key_sign(const struct jwt_key *k, struct xb_sv bytes, struct xb_buf *out);
/* -EKEYREJECTED: it is not this key's signature; -ENOMEM. */
int jwt_key_verify(const struct jwt_key *k, struct xb_sv bytes, struct xb_sv signature);

#endif
