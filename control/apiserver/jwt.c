/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "jwt.h"
#include "jwt_key.h"
#include "xb/base64.h"

#define HEADER_MAX (2 << 10)

struct parts {
	struct xb_sv header, claims, signature, signed_; /* signed_: header and claims with the dot between */
};

static int cut(struct xb_sv token, struct parts *ret)
{
	struct parts p = { .signature = token };

	if (token.n > JWT_MAX || !token.n)
		return -EBADMSG;
	if (!xb_sv_split(&p.signature, '.', &p.header) || !xb_sv_split(&p.signature, '.', &p.claims))
		return -EBADMSG;
	if (!p.header.n || p.header.n > HEADER_MAX || !p.claims.n || !p.signature.n || memchr(p.signature.p, '.', p.signature.n))
		return -EBADMSG;
	p.signed_ = (struct xb_sv){ token.p, p.header.n + 1 + p.claims.n };
	*ret = p;
	return 0;
}

static int decode_json(struct xb_sv part, struct xb_json **ret)
{
	static const struct xb_json_limits limits = { .max_bytes = JWT_MAX, .max_depth = 16 };
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	_cleanup_buf_ struct xb_buf text = {};
	int r;

	r = xb_base64url_decode(part, &text);
	if (!r)
		r = xb_json_parse(xb_buf_sv(&text), &limits, &doc, NULL);
	if (r)
		return r == -ENOMEM ? r : -EBADMSG;
	if (xb_jv_type(xb_json_root(doc)) != XB_JSON_OBJECT)
		return -EBADMSG;
	*ret = TAKE_PTR(doc);
	return 0;
}

bool jwt_is(struct xb_sv token)
{
	struct parts p;

	return !cut(token, &p);
}

int jwt_peek(struct xb_sv token, struct xb_json **ret_claims)
{
	struct parts p;
	int r = cut(token, &p);

	return r ? r : decode_json(p.claims, ret_claims);
}

int jwt_sign(const struct jwt_keys *k, struct xb_sv claims, struct xb_buf *out)
{
	_cleanup_buf_ struct xb_buf header = {}, signature = {};
	size_t begin = out->n;
	int r;

	xb_buf_addf(&header, "{\"alg\":\"%s\",\"kid\":\"%s\"}", jwt_key_algorithm(k->signing), k->signing->id);
	xb_base64url_encode(xb_buf_sv(&header), out);
	xb_buf_addc(out, '.');
	xb_base64url_encode(claims, out);
	if (header.err || out->err)
		return -ENOMEM;
	r = jwt_key_sign(k->signing, (struct xb_sv){ out->p + begin, out->n - begin }, &signature);
	if (r)
		return r;
	xb_buf_addc(out, '.');
	xb_base64url_encode(xb_buf_sv(&signature), out);
	return out->err;
}

int jwt_verify(const struct jwt_keys *k, struct xb_sv token, struct xb_json **ret_claims)
{
	_cleanup_(xb_json_unrefp) struct xb_json *header = NULL;
	_cleanup_buf_ struct xb_buf signature = {};
	struct xb_jv root, id;
	struct parts p;
	int r;

	r = cut(token, &p);
	if (!r)
		r = decode_json(p.header, &header);
	if (!r)
		r = xb_base64url_decode(p.signature, &signature);
	if (r)
		return r == -ENOMEM ? r : -EBADMSG;
	root = xb_json_root(header);
	id = xb_jv_get(root, "kid");
	/* RFC 7515 4.1.11: what must be understood is not, here */
	if (xb_jv_is(xb_jv_get(root, "crit")) || xb_jv_type(xb_jv_get(root, "alg")) != XB_JSON_STRING)
		return -EBADMSG;
	for (size_t i = 0; i < k->n; i++) {
		const struct jwt_key *key = &k->keys[i];

		if (!xb_jv_streq(xb_jv_get(root, "alg"), xb_sv(jwt_key_algorithm(key))) || (xb_jv_is(id) && !xb_jv_streq(id, xb_sv(key->id))))
			continue;
		r = jwt_key_verify(key, p.signed_, xb_buf_sv(&signature));
		if (r != -EKEYREJECTED)
			return r ? r : decode_json(p.claims, ret_claims);
	}
	return -EKEYREJECTED;
}
