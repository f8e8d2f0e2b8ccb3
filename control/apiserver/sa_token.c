/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <openssl/evp.h>
#include <stdio.h>
#include <sys/stat.h>
#include "../store/store.h"
#include "options.h"
#include "registry/keys.h"
#include "sa_token.h"
#include "xb/file.h"
#include "xb/map.h"
#include "xb/random.h"
#include "xb/time.h"
#include "xb/why.h"

#define DIGEST_BYTES 32
#define REMEMBERED_MAX 8192
#define CA_MAX (1 << 20)
#define KEPT_ISSUER "kubernetes/serviceaccount"
#define KEPT "kubernetes.io/serviceaccount/"
#define CLOCK_SKEW 60           /* seconds by which this clock may have been ahead when it issued the token */
#define DELETION_GRACE 60       /* seconds that an object's tokens outlive the order to delete it, as upstream */

struct sa_tokens {
	struct store *store;
	struct jwt_keys *keys;
	char *const *issuers, *const *audiences;
	char *default_issuers[2];
	struct xb_buf ca;
	struct xb_map *remembered;      /* SHA-256 of a token -> its claims; its signature was good */
};

static int open_keys(struct sa_tokens *t, const struct apiserver_options *o, char **reterr_why)
{
	_cleanup_buf_ struct xb_buf file = {}, public_file = {};
	int r;

	if (o->service_account_signing_key_file)
		return jwt_keys_new(o->service_account_signing_key_file, o->service_account_key_files, &t->keys, reterr_why);
	xb_buf_addf(&file, "%s/sa.key", o->cert_dir);
	xb_buf_addf(&public_file, "%s/sa.pub", o->cert_dir);
	if (file.err || public_file.err)
		return -ENOMEM;
	(void)mkdir(o->cert_dir, 0755); /* what is wrong with it shows when the key is written */
	r = jwt_key_make(file.p, public_file.p, reterr_why);
	return r ? r : jwt_keys_new(file.p, o->service_account_key_files, &t->keys, reterr_why);
}

static int read_ca(struct sa_tokens *t, const struct apiserver_options *o)
{
	_cleanup_buf_ struct xb_buf file = {};
	int r;

	if (o->tls_cert_file)
		return 0;
	xb_buf_addf(&file, "%s/ca.crt", o->cert_dir);
	r = file.err ? file.err : xb_file_read(file.p, CA_MAX, &t->ca);
	return r == -ENOENT ? 0 : r;
}

int sa_tokens_new(const struct apiserver_options *o, struct store *store, struct sa_tokens **ret, char **reterr_why)
{
	_cleanup_(sa_tokens_freep) struct sa_tokens *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->store = store;
	t->default_issuers[0] = (char *)"https://kubernetes.default.svc";
	t->issuers = o->service_account_issuers ? o->service_account_issuers : t->default_issuers;
	t->audiences = o->api_audiences ? o->api_audiences : t->issuers;
	t->remembered = xb_map_new(XB_MAP_COPY);
	r = t->remembered ? open_keys(t, o, reterr_why) : -ENOMEM;
	if (!r)
		r = read_ca(t, o);
	if (!r)
		*ret = TAKE_PTR(t);
	return r;
}

static void forget(struct sa_tokens *t)
{
	for (struct xb_map_it it = {}; xb_map_next(t->remembered, &it);)
		xb_json_unref(xb_map_del(t->remembered, it.key));
}

struct sa_tokens *sa_tokens_free(struct sa_tokens *t)
{
	if (!t)
		return NULL;
	if (t->remembered)
		forget(t);
	xb_map_free(t->remembered);
	jwt_keys_free(t->keys);
	xb_buf_done(&t->ca);
	free(t);
	return NULL;
}

const struct jwt_keys *sa_tokens_keys(const struct sa_tokens *t)
{
	return t->keys;
}

struct xb_sv sa_tokens_ca(const struct sa_tokens *t)
{
	return xb_buf_sv(&t->ca);
}

const char *sa_tokens_issuer(const struct sa_tokens *t)
{
	return t->issuers[0];
}

char *const *sa_tokens_audiences(const struct sa_tokens *t)
{
	return t->audiences;
}

/* --- issuing --- */

static void write_object(struct xb_jw *w, const char *key, const struct sa_bound *b)
{
	if (!b->name.p)
		return;
	xb_jw_key(w, key);
	xb_jw_object(w);
	xb_jw_ksv(w, "name", b->name);
	xb_jw_ksv(w, "uid", b->uid);
	xb_jw_end(w);
}

static int write_claims(const struct sa_tokens *t, const struct sa_claims *c, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);
	_cleanup_buf_ struct xb_buf subject = {};
	char id[37];

	xb_uuid(id);
	xb_buf_addf(&subject, "system:serviceaccount:%.*s:%.*s", XB_SV_ARG(c->namespace_), XB_SV_ARG(c->account.name));
	xb_jw_object(&w);
	xb_jw_key(&w, "aud");
	xb_jw_array(&w);
	xb_tree_each(a, c->audiences)
		xb_jw_sv(&w, a->text);
	xb_jw_end(&w);
	xb_jw_kint(&w, "exp", c->expires);
	xb_jw_kint(&w, "iat", c->now);
	xb_jw_kstr(&w, "iss", t->issuers[0]);
	xb_jw_kstr(&w, "jti", id);
	xb_jw_key(&w, "kubernetes.io");
	xb_jw_object(&w);
	xb_jw_ksv(&w, "namespace", c->namespace_);
	write_object(&w, "node", &c->node);
	write_object(&w, "pod", &c->pod);
	write_object(&w, "secret", &c->secret);
	write_object(&w, "serviceaccount", &c->account);
	xb_jw_end(&w);
	xb_jw_kint(&w, "nbf", c->now);
	xb_jw_ksv(&w, "sub", xb_buf_sv(&subject));
	xb_jw_end(&w);
	return subject.err ? subject.err : xb_jw_finish(&w);
}

int sa_token_issue(const struct sa_tokens *t, const struct sa_claims *c, struct xb_buf *out)
{
	_cleanup_buf_ struct xb_buf claims = {};
	int r = write_claims(t, c, &claims);

	return r ? r : jwt_sign(t->keys, xb_buf_sv(&claims), out);
}

int sa_token_issue_kept(const struct sa_tokens *t, const struct sa_claims *c, struct xb_buf *out)
{
	_cleanup_buf_ struct xb_buf claims = {}, subject = {};
	struct xb_jw w = XB_JW(&claims);
	int r;

	xb_buf_addf(&subject, "system:serviceaccount:%.*s:%.*s", XB_SV_ARG(c->namespace_), XB_SV_ARG(c->account.name));
	xb_jw_object(&w);
	xb_jw_kstr(&w, "iss", KEPT_ISSUER);
	xb_jw_ksv(&w, KEPT "namespace", c->namespace_);
	xb_jw_ksv(&w, KEPT "secret.name", c->secret.name);
	xb_jw_ksv(&w, KEPT "service-account.name", c->account.name);
	xb_jw_ksv(&w, KEPT "service-account.uid", c->account.uid);
	xb_jw_ksv(&w, "sub", xb_buf_sv(&subject));
	xb_jw_end(&w);
	r = xb_jw_finish(&w);
	if (!r)
		r = subject.err;
	return r ? r : jwt_sign(t->keys, xb_buf_sv(&claims), out);
}

/* --- verifying --- */

struct check {
	struct sa_tokens *tokens;
	struct xb_arena *arena;
	struct xb_jv claims, own;       /* own: kubernetes.io; none when a Secret keeps the token */
	struct xb_jv name, uid;         /* the account's */
	struct xb_sv namespace_, token;
	bool kept;
	int64_t now;
	struct xb_buf *why;
};

static int invalid(struct check *c, const char *why)
{
	if (c->why)
		xb_buf_adds(c->why, why);
	return -EACCES;
}

static bool issued_here(const struct sa_tokens *t, struct xb_jv claims)
{
	for (char *const *i = t->issuers; *i; i++)
		if (xb_jv_streq(xb_jv_get(claims, "iss"), xb_sv(*i)))
			return true;
	return xb_jv_streq(xb_jv_get(claims, "iss"), XB_SV(KEPT_ISSUER));
}

static int verify(const struct sa_tokens *t, struct xb_sv token, struct xb_json **ret)
{
	_cleanup_(xb_json_unrefp) struct xb_json *peeked = NULL;
	int r = jwt_peek(token, &peeked);

	if (r == -ENOMEM)
		return r;
	if (r || !issued_here(t, xb_json_root(peeked)))
		return -ENOENT;
	return jwt_verify(t->keys, token, ret);
}

/* New reference. -ENOENT: the token says that it is another issuer's, or it is none. */
static int claims_of(struct sa_tokens *t, struct xb_sv token, struct xb_json **ret)
{
	unsigned char digest[DIGEST_BYTES];
	struct xb_sv key = { (char *)digest, sizeof(digest) };
	struct xb_json *known, *claims;
	int r;

	if (!jwt_is(token))
		return -ENOENT;
	if (EVP_Digest(token.p, token.n, digest, NULL, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	known = xb_map_get(t->remembered, key);
	if (known) {
		*ret = xb_json_ref(known);
		return 0;
	}
	r = verify(t, token, &claims);
	if (r)
		return r;
	if (xb_map_count(t->remembered) >= REMEMBERED_MAX)
		forget(t);
	if (!xb_map_set(t->remembered, key, claims, NULL))
		xb_json_ref(claims);
	*ret = claims;
	return 0;
}

static int check_times(struct check *c)
{
	int64_t expires, not_before = INT64_MIN, issued = INT64_MIN;

	if (c->kept)
		return 0;
	(void)xb_jv_i64(xb_jv_get(c->claims, "nbf"), &not_before);
	(void)xb_jv_i64(xb_jv_get(c->claims, "iat"), &issued);
	if (xb_jv_i64(xb_jv_get(c->claims, "exp"), &expires) || c->now >= expires)
		return invalid(c, "service account token has expired");
	if (c->now + CLOCK_SKEW < not_before || c->now + CLOCK_SKEW < issued)
		return invalid(c, "service account token is not valid yet");
	return 0;
}

static bool is_among(char *const *list, struct xb_sv one)
{
	for (; *list; list++)
		if (xb_sv_is(one, *list))
			return true;
	return false;
}

static bool has_audience(struct xb_jv audiences, struct xb_sv one)
{
	if (xb_jv_type(audiences) == XB_JSON_STRING)
		return xb_jv_streq(audiences, one);
	for (struct xb_jit it = xb_jv_iter(audiences); xb_jit_next(&it);)
		if (xb_jv_streq(it.value, one))
			return true;
	return false;
}

static int check_audiences(struct check *c, char *const *wanted, struct xb_tree **ret)
{
	struct xb_tree *both = xb_tree_array(c->arena);

	if (!both)
		return -ENOMEM;
	for (; *wanted; wanted++) {
		bool said = c->kept ? is_among(c->tokens->audiences, xb_sv(*wanted))
				    : has_audience(xb_jv_get(c->claims, "aud"), xb_sv(*wanted));
		struct xb_tree *one = said ? xb_tree_str(c->arena, xb_sv(*wanted)) : NULL;

		if (one)
			xb_tree_append(both, one);
	}
	if (!both->count)
		return invalid(c, "token audiences are not among the audiences wanted");
	*ret = both;
	return 0;
}

static struct xb_jv find(struct check *c, const char *plural, bool namespaced, struct xb_sv name)
{
	char key[600];
	int n = snprintf(key, sizeof(key), "%s/%.*s%s%.*s", plural, namespaced ? (int)c->namespace_.n : 0, c->namespace_.p,
			 namespaced ? "/" : "", XB_SV_ARG(name));
	struct store_object *o = n > 0 && (size_t)n < sizeof(key) && name.n ? store_get(c->tokens->store, key) : NULL;

	return o ? xb_json_root(o->doc) : (struct xb_jv){};
}

/* The object that a claim names is there, is the same one, and has not been going for long. */
static bool exists(struct check *c, const char *plural, bool namespaced, struct xb_jv name, struct xb_jv claimed_uid)
{
	struct xb_jv meta = xb_jv_get(find(c, plural, namespaced, xb_jv_text(name)), "metadata");
	struct xb_sv uid = xb_jv_text(xb_jv_get(meta, "uid"));
	int64_t deleted;

	if (!uid.n || !xb_jv_streq(claimed_uid, uid))
		return false;
	return xb_time_parse(xb_jv_text(xb_jv_get(meta, "deletionTimestamp")), &deleted) ||
	       deleted / 1000000 + DELETION_GRACE > c->now;
}

/* A Secret's token is good while the Secret is there and has it. */
static int check_kept(struct check *c)
{
	struct xb_jv secret = find(c, "secrets", true, xb_jv_text(xb_jv_get(c->claims, KEPT "secret.name"))), meta = xb_jv_get(secret, "metadata");
	const char *bytes;

	if (!exists(c, "serviceaccounts", true, c->name, c->uid))
		return invalid(c, "service account has been deleted, or is another one");
	if (!xb_jv_is(secret) || xb_jv_is(xb_jv_get(meta, "deletionTimestamp")) ||
	    xb_jv_is(xb_jv_path(meta, "labels", "kubernetes.io/legacy-token-invalid-since")))
		return invalid(c, "service account token has been invalidated: its secret is gone");
	bytes = keys_encode(c->arena, c->token);
	if (!bytes)
		return -ENOMEM;
	return xb_jv_streq(xb_jv_path(secret, "data", "token"), xb_sv(bytes)) ? 0 : invalid(c, "token does not match server's copy");
}

/* A token that names a pod ends with it; its node is told only, for the pod does not outlive that. */
static int check_objects(struct check *c)
{
	static const struct {
		const char *claim, *plural, *why;
	} rows[] = {
		{ "serviceaccount", "serviceaccounts", "service account has been deleted, or is another one" },
		{ "secret", "secrets", "service account token has been invalidated: its secret is gone" },
		{ "pod", "pods", "service account token has been invalidated: its pod is gone" },
		{ "node", "nodes", "service account token has been invalidated: its node is gone" },
	};
	bool has_pod = xb_jv_is(xb_jv_get(c->own, "pod"));

	if (c->kept)
		return check_kept(c);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct xb_jv claim = xb_jv_get(c->own, rows[i].claim);
		bool is_node = !strcmp(rows[i].claim, "node");

		if ((i && !xb_jv_is(claim)) || (is_node && has_pod))
			continue;
		if (!exists(c, rows[i].plural, !is_node, xb_jv_get(claim, "name"), xb_jv_get(claim, "uid")))
			return invalid(c, rows[i].why);
	}
	return 0;
}

static bool add_extra(struct check *c, struct user *u, unsigned *n, const char *key, const char *prefix, struct xb_jv value)
{
	struct user_extra *e = &u->extra[*n];

	if (!xb_jv_text(value).n)
		return true;
	e->key = xb_arena_printf(c->arena, "authentication.kubernetes.io/%s", key);
	e->values = xb_arena_alloc(c->arena, 2 * sizeof(*e->values));
	if (!e->key || !e->values)
		return false;
	e->values[0] = xb_arena_printf(c->arena, "%s%.*s", prefix, XB_SV_ARG(xb_jv_text(value)));
	++*n;
	return e->values[0];
}

static int make_user(struct check *c, struct user **ret)
{
	static const char *const objects[] = { "node", "pod" };
	struct user *u = xb_arena_alloc(c->arena, sizeof(*u));
	unsigned n = 0;
	bool ok;

	if (!u)
		return -ENOMEM;
	u->groups = xb_arena_alloc(c->arena, 4 * sizeof(*u->groups));
	u->extra = xb_arena_alloc(c->arena, 6 * sizeof(*u->extra));
	u->name = xb_arena_printf(c->arena, "system:serviceaccount:%.*s:%.*s", XB_SV_ARG(c->namespace_), XB_SV_ARG(xb_jv_text(c->name)));
	u->uid = xb_arena_strn(c->arena, xb_jv_text(c->uid));
	if (!u->groups || !u->extra || !u->name || !u->uid)
		return -ENOMEM;
	u->groups[0] = (char *)GROUP_SERVICE_ACCOUNTS;
	u->groups[1] = xb_arena_printf(c->arena, GROUP_SERVICE_ACCOUNTS ":%.*s", XB_SV_ARG(c->namespace_));
	u->groups[2] = (char *)GROUP_AUTHENTICATED;
	ok = u->groups[1] && add_extra(c, u, &n, "credential-id", "JTI=", xb_jv_get(c->claims, "jti"));
	for (unsigned i = 0; ok && i < ARRAY_SIZE(objects); i++) {
		struct xb_jv o = xb_jv_get(c->own, objects[i]);

		ok = add_extra(c, u, &n, i ? "pod-name" : "node-name", "", xb_jv_get(o, "name")) &&
		     add_extra(c, u, &n, i ? "pod-uid" : "node-uid", "", xb_jv_get(o, "uid"));
	}
	if (!ok)
		return -ENOMEM;
	*ret = u;
	return 0;
}

static int check_subject(struct check *c)
{
	struct xb_sv name = xb_jv_text(c->name);
	_cleanup_buf_ struct xb_buf subject = {};

	if (!c->namespace_.n || !name.n || memchr(c->namespace_.p, '/', c->namespace_.n) || memchr(name.p, '/', name.n))
		return invalid(c, "service account token names no service account");
	xb_buf_addf(&subject, "system:serviceaccount:%.*s:%.*s", XB_SV_ARG(c->namespace_), XB_SV_ARG(name));
	if (subject.err)
		return subject.err;
	return xb_jv_streq(xb_jv_get(c->claims, "sub"), xb_buf_sv(&subject)) ? 0 : invalid(c, "service account token contradicts itself");
}

static void read_account(struct check *c)
{
	c->kept = xb_jv_streq(xb_jv_get(c->claims, "iss"), XB_SV(KEPT_ISSUER));
	c->own = c->kept ? (struct xb_jv){} : xb_jv_get(c->claims, "kubernetes.io");
	c->name = c->kept ? xb_jv_get(c->claims, KEPT "service-account.name") : xb_jv_path(c->own, "serviceaccount", "name");
	c->uid = c->kept ? xb_jv_get(c->claims, KEPT "service-account.uid") : xb_jv_path(c->own, "serviceaccount", "uid");
	c->namespace_ = xb_jv_text(c->kept ? xb_jv_get(c->claims, KEPT "namespace") : xb_jv_get(c->own, "namespace"));
}

int sa_token_user(struct sa_tokens *t, struct xb_arena *a, struct xb_sv token, char *const *wanted, struct user **ret,
		  struct xb_tree **ret_audiences, struct xb_buf *why)
{
	_cleanup_(xb_json_unrefp) struct xb_json *claims = NULL;
	struct check c = { .tokens = t, .arena = a, .now = xb_time_now() / 1000000, .why = why, .token = token };
	struct xb_tree *audiences;
	int r;

	r = claims_of(t, token, &claims);
	if (r)
		return r == -ENOMEM || r == -ENOENT ? r : invalid(&c, "the token's signature is not valid");
	c.claims = xb_json_root(claims);
	read_account(&c);
	r = check_times(&c);
	if (!r)
		r = check_audiences(&c, wanted, &audiences);
	if (!r)
		r = check_subject(&c);
	if (!r)
		r = check_objects(&c);
	if (!r)
		r = make_user(&c, ret);
	if (!r)
		*ret_audiences = audiences;
	return r;
}
