/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_JWT_H
#define APISERVER_JWT_H
/*
 * Signed JSON Web Tokens in their compact form (RFC 7515, 7519) with RS256 or ES256 (RFC 7518), and the keys that sign and
 * verify them. The algorithm is the key's: what a token's header says must agree with it, so neither "none" nor a public
 * key used as a secret gets through. Claims are not looked at here.
 */
#include "xb/json.h"

#define JWT_MAX (16 << 10)      /* bytes of a token */

struct jwt_keys;
/*
 * signing: a PEM file with a private key, RSA of 2048 bits at least or EC P-256. verifying: PEM files with public or
 * private keys that tokens are verified by; NULL or empty: the signing key's public one. -EINVAL, -EIO... with *reterr_why.
 */
int jwt_keys_new(const char *signing, char *const *verifying, struct jwt_keys **ret, char **reterr_why);
struct jwt_keys *jwt_keys_free(struct jwt_keys *k);
XB_DEFINE_CLEANUP(struct jwt_keys *, jwt_keys_free)
/* Makes a P-256 key in file, PEM, 0600, and its public key in public_file, 0644, unless file is there. Blocking. */
int jwt_key_make(const char *file, const char *public_file, char **reterr_why);
/* The keys that verify, as a JSON Web Key Set (RFC 7517). */
void jwt_keys_write_set(const struct jwt_keys *k, struct xb_buf *out);
/* {"RS256","ES256"} of the keys that verify, as a JSON array. */
void jwt_keys_write_algorithms(const struct jwt_keys *k, struct xb_buf *out);

/* claims: JSON. The token is appended to out. -EIO: the key failed; -ENOMEM. */
int jwt_sign(const struct jwt_keys *k, struct xb_sv claims, struct xb_buf *out);
/* Could this be one at all: three parts between dots. */
bool jwt_is(struct xb_sv token);
/* The claims of a token without a look at its signature: to see whose it says it is. */
int jwt_peek(struct xb_sv token, struct xb_json **ret_claims);
/* The claims of a token that one of the keys signed. -EBADMSG: no well-formed token, or it asks for what this
 * cannot do; -EKEYREJECTED: none of the keys signed it; -ENOMEM. */
int jwt_verify(const struct jwt_keys *k, struct xb_sv token, struct xb_json **ret_claims);

#endif
