/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <openssl/evp.h>
#include <strings.h>
#include "authn.h"
#include "sa_token.h"
#include "xb/file.h"
#include "xb/map.h"
#include "xb/random.h"
#include "xb/why.h"

#define TOKEN_FILE_MAX (16 << 20)
#define SALT_BYTES 32
#define DIGEST_BYTES 32
#define COLUMNS 4

/* Tokens are looked up by a salted digest: how long that takes says nothing about a token. */
struct authn {
	unsigned char salt[SALT_BYTES];
	EVP_MD *sha256;
	EVP_MD_CTX *hash;
	struct xb_map *by_token;        /* digest -> struct user */
	struct xb_map *by_cert;         /* common name NUL organization NUL ... -> struct user */
	struct user *anonymous;
	bool anonymous_everywhere;
	struct sa_tokens *tokens;
};

static struct user *user_free(struct user *u)
{
	if (!u)
		return NULL;
	for (char **g = u->groups; g && *g; g++)
		free(*g);
	free(u->groups);
	free(u->name);
	free(u->uid);
	free(u);
	return NULL;
}
XB_DEFINE_CLEANUP(struct user *, user_free)

/* groups: NULL-terminated; last joins them unless it is there. */
static struct user *user_new(struct xb_sv name, struct xb_sv uid, char *const *groups, const char *last)
{
	_cleanup_(user_freep) struct user *u = calloc(1, sizeof(*u));
	size_t n = 0;
	bool has_last = false;

	while (groups && groups[n])
		has_last |= !strcmp(groups[n++], last);
	if (u)
		u->groups = calloc(n + 2, sizeof(*u->groups));
	if (!u || !u->groups)
		return NULL;
	u->name = xb_sv_dup(name);
	u->uid = xb_sv_dup(uid);
	for (size_t i = 0; i < n; i++) {
		u->groups[i] = strdup(groups[i]);
		if (!u->groups[i])
			return NULL;
	}
	if (!has_last)
		u->groups[n] = strdup(last);
	return u->name && u->uid && (has_last || u->groups[n]) ? TAKE_PTR(u) : NULL;
}

static struct xb_map *users_free(struct xb_map *users)
{
	if (users)
		for (struct xb_map_it it = {}; xb_map_next(users, &it);)
			user_free(it.value);
	return xb_map_free(users);
}

static int digest(const struct authn *a, struct xb_sv token, unsigned char ret[DIGEST_BYTES])
{
	return EVP_DigestInit_ex2(a->hash, a->sha256, NULL) == 1 && EVP_DigestUpdate(a->hash, a->salt, sizeof(a->salt)) == 1 &&
	       EVP_DigestUpdate(a->hash, token.p, token.n) == 1 && EVP_DigestFinal_ex(a->hash, ret, NULL) == 1 ? 0 : -ENOMEM;
}

/* A later line for the same token counts, as upstream. */
static int add_token(struct authn *a, const struct xb_buf column[COLUMNS], size_t columns)
{
	_cleanup_(user_freep) struct user *u = NULL;
	_cleanup_free_ char **groups = NULL, *text = NULL;
	unsigned char key[DIGEST_BYTES];
	char *rest;
	size_t n = 0;
	void *old = NULL;
	int r;

	text = xb_sv_dup(columns > 3 ? xb_buf_sv(&column[3]) : (struct xb_sv){});
	groups = text ? calloc(strlen(text) + 2, sizeof(*groups)) : NULL;
	if (!groups)
		return -ENOMEM;
	for (rest = *text ? text : NULL; rest;)
		groups[n++] = strsep(&rest, ",");
	u = user_new(xb_buf_sv(&column[1]), xb_buf_sv(&column[2]), groups, GROUP_AUTHENTICATED);
	r = u ? digest(a, xb_buf_sv(&column[0]), key) : -ENOMEM;
	if (!r)
		r = xb_map_set(a->by_token, (struct xb_sv){ (char *)key, sizeof(key) }, u, &old);
	if (r)
		return r;
	TAKE_PTR(u);
	user_free(old);
	return 0;
}

struct csv {
	const char *file, *at, *end;
	unsigned line;
};

/* One field; *at is left at what ended it. */
static int read_field(struct csv *c, struct xb_buf *field, char **reterr_why)
{
	if (c->at == c->end || *c->at != '"') {
		while (c->at < c->end && *c->at != ',' && *c->at != '\n' && *c->at != '"')
			xb_buf_addc(field, *c->at++);
		if (c->at < c->end && *c->at == '"')
			return xb_why(reterr_why, -EINVAL, "token file '%s', line %u: a quote inside a field that is not quoted",
				      c->file, c->line);
		if ((c->at == c->end || *c->at == '\n') && field->n && field->p[field->n - 1] == '\r')
			field->p[--field->n] = 0;
		return field->err;
	}
	for (c->at++; c->at < c->end; c->at++) {
		if (*c->at == '"' && (++c->at == c->end || *c->at != '"')) {
			c->at += c->at + 1 < c->end && c->at[0] == '\r' && c->at[1] == '\n';
			if (c->at < c->end && *c->at != ',' && *c->at != '\n')
				break;
			return field->err;
		}
		c->line += *c->at == '\n';
		xb_buf_addc(field, *c->at);
	}
	return xb_why(reterr_why, -EINVAL, "token file '%s', line %u: a quoted field does not end with a quote", c->file, c->line);
}

static int read_record(struct csv *c, struct authn *a, char **reterr_why)
{
	struct xb_buf column[COLUMNS + 1] = {};
	size_t columns = 0;
	int r;

	do {
		struct xb_buf *field = &column[MIN(columns, (size_t)COLUMNS)];

		xb_buf_clear(field);
		c->at += columns > 0;
		r = read_field(c, field, reterr_why);
		columns++;
	} while (!r && c->at < c->end && *c->at == ',');
	c->at += c->at < c->end;
	if (!r && (columns > 1 || column[0].n)) {
		if (columns < 3)
			r = xb_why(reterr_why, -EINVAL, "token file '%s', line %u: at least 3 columns are needed (token, user name, user uid), found %zu",
				   c->file, c->line, columns);
		else if (column[0].n)
			r = add_token(a, column, columns);
	}
	for (size_t i = 0; i <= COLUMNS; i++)
		xb_buf_done(&column[i]);
	return r;
}

static int read_tokens(struct authn *a, const char *file, char **reterr_why)
{
	_cleanup_buf_ struct xb_buf text = {};
	struct csv c = { .file = file, .line = 1 };
	int r = xb_file_read(file, TOKEN_FILE_MAX, &text);

	if (r)
		return xb_why(reterr_why, r, "cannot read the token file '%s': %s", file, strerror(-r));
	c.at = text.p;
	c.end = text.p + text.n;
	for (; !r && c.at < c.end; c.line++)
		r = read_record(&c, a, reterr_why);
	OPENSSL_cleanse(text.p, text.n);
	return r;
}

int authn_new(const struct authn_config *c, struct authn **ret, char **reterr_why)
{
	_cleanup_(authn_freep) struct authn *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return -ENOMEM;
	a->anonymous_everywhere = c->anonymous;
	a->tokens = c->tokens;
	xb_random_bytes(a->salt, sizeof(a->salt));
	a->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	a->hash = EVP_MD_CTX_new();
	a->by_token = xb_map_new(XB_MAP_COPY);
	a->by_cert = xb_map_new(XB_MAP_COPY);
	a->anonymous = user_new(XB_SV(USER_ANONYMOUS), (struct xb_sv){}, NULL, GROUP_UNAUTHENTICATED);
	if (!a->sha256 || !a->hash || !a->by_token || !a->by_cert || !a->anonymous)
		return -ENOMEM;
	r = c->token_file ? read_tokens(a, c->token_file, reterr_why) : 0;
	if (!r)
		*ret = TAKE_PTR(a);
	return r;
}

struct authn *authn_free(struct authn *a)
{
	if (!a)
		return NULL;
	a->by_token = users_free(a->by_token);
	a->by_cert = users_free(a->by_cert);
	user_free(a->anonymous);
	EVP_MD_CTX_free(a->hash);
	EVP_MD_free(a->sha256);
	free(a);
	return NULL;
}

/* One user a name and its groups, made when first seen: as many as the CA has names. */
static int cert_user(struct authn *a, const struct xb_tls_peer *peer, const struct user **ret)
{
	_cleanup_(user_freep) struct user *u = NULL;
	_cleanup_buf_ struct xb_buf key = {};
	int r;

	xb_buf_add(&key, peer->common_name, strlen(peer->common_name) + 1);
	for (char **o = peer->organizations; *o; o++)
		xb_buf_add(&key, *o, strlen(*o) + 1);
	if (key.err)
		return key.err;
	*ret = xb_map_get(a->by_cert, xb_buf_sv(&key));
	if (*ret)
		return 0;
	u = user_new(xb_sv(peer->common_name), (struct xb_sv){}, peer->organizations, GROUP_AUTHENTICATED);
	r = u ? xb_map_set(a->by_cert, xb_buf_sv(&key), u, NULL) : -ENOMEM;
	if (!r)
		*ret = TAKE_PTR(u);
	return r;
}

/* RFC 6750 2.1; {} when there is none. */
static struct xb_sv bearer_token(const struct xb_http_request *r)
{
	struct xb_sv rest = xb_sv_trim(xb_http_header(r, "Authorization")), scheme;

	if (!xb_sv_split(&rest, ' ', &scheme) || scheme.n != 6 || strncasecmp(scheme.p, "bearer", 6))
		return (struct xb_sv){};
	return xb_sv_trim(rest);
}

static bool is_public(struct xb_sv path)
{
	static const char *const paths[] = { "/healthz", "/livez", "/readyz", "/version", "/version/" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (xb_sv_is(path, paths[i]))
			return true;
	return false;
}

/* A token of the file is for this API. */
static int add_audiences(const struct authn *a, struct xb_arena *arena, char *const *wanted, struct xb_tree **ret)
{
	char *const *own = a->tokens ? sa_tokens_audiences(a->tokens) : (char *const[]){ NULL };
	struct xb_tree *both = xb_tree_array(arena);

	for (char *const *w = wanted ? wanted : own; both && *w; w++) {
		char *const *o = own;

		while (*o && strcmp(*o, *w))
			o++;
		if (*o) {
			struct xb_tree *one = xb_tree_str(arena, xb_sv(*w));

			if (!one)
				return -ENOMEM;
			xb_tree_append(both, one);
		}
	}
	*ret = both;
	return !both ? -ENOMEM : wanted && !both->count ? -EACCES : 0;
}

int authn_token(struct authn *a, struct xb_arena *arena, struct xb_sv token, char *const *wanted, const struct user **ret,
		struct xb_tree **ret_audiences, struct xb_buf *why)
{
	unsigned char key[DIGEST_BYTES];
	const struct user *u = NULL;
	struct user *account;
	int r = digest(a, token, key);

	if (r)
		return r;
	u = xb_map_get(a->by_token, (struct xb_sv){ (char *)key, sizeof(key) });
	if (u) {
		r = add_audiences(a, arena, wanted, ret_audiences);
		if (!r)
			*ret = u;
	} else {
		r = a->tokens ? sa_token_user(a->tokens, arena, token, wanted ? wanted : sa_tokens_audiences(a->tokens), &account,
					      ret_audiences, why) : -ENOENT;
		if (!r)
			*ret = account;
	}
	if ((r == -ENOENT || r == -EACCES) && why && !why->n)
		xb_buf_adds(why, "invalid bearer token");
	return r == -ENOENT ? -EACCES : r;
}

int authn_user(struct authn *a, struct xb_arena *arena, const struct xb_http_request *r, const struct user **ret,
	       struct xb_status *reterr)
{
	const struct xb_tls_peer *peer = xb_http_peer_cert(r);
	struct xb_sv token = bearer_token(r);
	struct xb_tree *audiences;
	int error = -EACCES;

	if (peer) {
		error = cert_user(a, peer, ret);
	} else if (token.n) {
		error = authn_token(a, arena, token, NULL, ret, &audiences, NULL);
	} else if (!xb_http_header(r, "Authorization").n && (a->anonymous_everywhere || is_public(xb_http_path(r)))) {
		*ret = a->anonymous;
		error = 0;
	}
	return error == -EACCES ? xb_status_set(reterr, 401, "Unauthorized", "Unauthorized") : error;
}
