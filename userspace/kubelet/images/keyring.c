/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <fnmatch.h>
#include <stdio.h>
#include "keyring.h"
#include "xb/base64.h"
#include "xb/why.h"

/* Secrets' bytes are not left in memory that others get. */
static void forget_buf(struct xb_buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->cap);
	xb_buf_done(b);
}
#define _cleanup_secret_ _cleanup_(forget_buf)

static char *forget_text(char *s)
{
	if (s)
		explicit_bzero(s, strlen(s));
	free(s);
	return NULL;
}

static void credential_done(struct credential *c)
{
	free(c->where);
	forget_text(c->username);
	forget_text(c->password);
	*c = (struct credential){};
}

void keyring_done(struct keyring *k)
{
	for (size_t i = 0; i < k->all.n; i++)
		credential_done(&k->all.v[i]);
	xb_vec_done(&k->all);
}

/* --- out of secrets */
/* "https://registry.test/v1/" and "registry.test" are the same place. */
static char *place(struct xb_sv s)
{
	const char *slash;

	if (xb_sv_starts(s, "https://"))
		s = (struct xb_sv){ s.p + 8, s.n - 8 };
	else if (xb_sv_starts(s, "http://"))
		s = (struct xb_sv){ s.p + 7, s.n - 7 };
	slash = s.n ? memchr(s.p, '/', s.n) : NULL;
	if (slash) {
		struct xb_sv host = { s.p, (size_t)(slash - s.p) }, path = { slash, s.n - host.n };
		_cleanup_buf_ struct xb_buf out = {};

		if (xb_sv_starts(path, "/v1/") || xb_sv_starts(path, "/v2/"))
			path = (struct xb_sv){ path.p + 3, path.n - 3 };
		xb_buf_addsv(&out, host);
		if (path.n > 1)
			xb_buf_addsv(&out, path);
		return xb_buf_steal(&out);
	}
	return xb_sv_dup(s);
}

/* "auth": base64 of "user:password", also where it lacks its padding. */
static int split_auth(struct xb_jv auth, struct credential *c)
{
	_cleanup_secret_ struct xb_buf text = {}, bytes = {};
	struct xb_sv rest, user;
	int r;

	xb_buf_addsv(&text, xb_sv_trim(xb_jv_text(auth)));
	while (!text.err && text.n % 4)
		xb_buf_addc(&text, '=');
	r = text.err ? text.err : xb_base64_decode(xb_buf_sv(&text), &bytes);
	if (r)
		return r;
	rest = xb_buf_sv(&bytes);
	if (!rest.n || !memchr(rest.p, ':', rest.n))
		return -EINVAL;
	xb_sv_split(&rest, ':', &user);
	forget_text(c->username);
	forget_text(c->password);
	c->username = xb_sv_dup(user);
	c->password = xb_sv_dup(rest);
	return c->username && c->password ? 0 : -ENOMEM;
}

static int add_entry(struct keyring *k, struct xb_sv where, struct xb_jv entry)
{
	struct xb_jv user = xb_jv_get(entry, "username"), password = xb_jv_get(entry, "password"), auth = xb_jv_get(entry, "auth");
	struct credential c = {};
	int r = 0;

	c.where = place(where);
	c.username = xb_jv_is(user) ? xb_jv_dup(user) : strdup("");
	c.password = xb_jv_is(password) ? xb_jv_dup(password) : strdup("");
	if (!c.where || !c.username || !c.password)
		r = -ENOMEM;
	else if (xb_jv_text(auth).n)
		r = split_auth(auth, &c);
	r = r ? r : xb_vec_push(&k->all, c);
	if (r)
		credential_done(&c);
	return r;
}

static int add_all(struct keyring *k, struct xb_jv entries, const char *file, char **reterr_why)
{
	for (struct xb_jit it = xb_jv_iter(entries); xb_jit_next(&it);) {
		int r = add_entry(k, it.key, it.value);

		if (r == -EINVAL)
			return xb_why(reterr_why, r, "%s: \"%.*s\": unable to parse auth field, must be formatted as base64(username:password)",
				      file, XB_SV_ARG(it.key));
		if (r)
			return r;
	}
	return 0;
}

/* auths: of the member of that name; file: for messages. */
static int add_document(struct keyring *k, struct xb_sv json, bool auths, const char *file, char **reterr_why)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	int r = xb_json_parse(json, NULL, &doc, NULL);
	struct xb_jv root = xb_json_root(doc);
	size_t before = k->all.n;

	if (r == -ENOMEM)
		return r;
	if (r || xb_jv_type(root) != XB_JSON_OBJECT)
		return xb_why(reterr_why, -EINVAL, "%s: is not a JSON object", file);
	r = add_all(k, auths ? xb_jv_get(root, "auths") : root, file, reterr_why);
	while (r && k->all.n > before)
		credential_done(&k->all.v[--k->all.n]);
	return r;
}

int keyring_add(struct keyring *k, struct xb_jv secret, char **reterr_why)
{
	bool json = xb_jv_streq(xb_jv_get(secret, "type"), XB_SV("kubernetes.io/dockerconfigjson"));
	const char *file = json ? ".dockerconfigjson" : ".dockercfg";
	_cleanup_secret_ struct xb_buf bytes = {};
	int r;

	if (!json && !xb_jv_streq(xb_jv_get(secret, "type"), XB_SV("kubernetes.io/dockercfg")))
		return 0;
	r = xb_base64_decode(xb_jv_text(xb_jv_path(secret, "data", file)), &bytes);
	if (r)
		return r == -EINVAL ? xb_why(reterr_why, r, "%s: is not base64", file) : r;
	return add_document(k, xb_buf_sv(&bytes), json, file, reterr_why);
}

int keyring_add_config(struct keyring *k, struct xb_sv json, char **reterr_why)
{
	return add_document(k, json, true, "config.json", reterr_why);
}

/* --- for an image */
static void cut_port(struct xb_sv *host, struct xb_sv *ret_port)
{
	const char *colon = host->n ? memrchr(host->p, ':', host->n) : NULL;

	*ret_port = (struct xb_sv){};
	if (!colon || host->p[host->n - 1] == ']')
		return;
	*ret_port = (struct xb_sv){ colon + 1, (size_t)(host->p + host->n - colon - 1) };
	host->n = (size_t)(colon - host->p);
}

static bool label_matches(struct xb_sv pattern, struct xb_sv label)
{
	char p[256], l[256];

	if (xb_sv_eq(pattern, label))   /* also an IPv6 address in its brackets */
		return true;
	if (pattern.n >= sizeof(p) || label.n >= sizeof(l))
		return false;
	snprintf(p, sizeof(p), "%.*s", XB_SV_ARG(pattern));
	snprintf(l, sizeof(l), "%.*s", XB_SV_ARG(label));
	return !fnmatch(p, l, FNM_PATHNAME);
}

static bool host_matches(struct xb_sv pattern, struct xb_sv host)
{
	struct xb_sv pattern_port, port, a, b;

	cut_port(&pattern, &pattern_port);
	cut_port(&host, &port);
	if (!xb_sv_eq(pattern_port, port))
		return false;
	while (xb_sv_split(&pattern, '.', &a))
		if (!xb_sv_split(&host, '.', &b) || !label_matches(a, b))
			return false;
	return !xb_sv_split(&host, '.', &b);
}

static void cut_host(struct xb_sv *url, struct xb_sv *ret_host)
{
	const char *slash = url->n ? memchr(url->p, '/', url->n) : NULL;
	size_t n = slash ? (size_t)(slash - url->p) : url->n;

	*ret_host = (struct xb_sv){ url->p, n };
	*url = (struct xb_sv){ url->p + n, url->n - n };
}

bool credential_matches(const struct credential *c, const char *repository)
{
	struct xb_sv pattern = xb_sv(c->where), image = xb_sv(repository), pattern_host, host;

	cut_host(&pattern, &pattern_host);
	cut_host(&image, &host);
	return host_matches(pattern_host, host) && image.n >= pattern.n && (!pattern.n || !memcmp(image.p, pattern.p, pattern.n));
}

static int by_place(const void *a, const void *b)
{
	const struct credential *const *x = a, *const *y = b;
	int order = strcmp((*y)->where, (*x)->where);

	return order ? order : (*x > *y) - (*x < *y);
}

size_t keyring_lookup(const struct keyring *k, const char *repository, const struct credential **ret, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < k->all.n && n < max; i++)
		if (credential_matches(&k->all.v[i], repository))
			ret[n++] = &k->all.v[i];
	/* Docker's own registry is written in its old way in most secrets. */
	for (size_t i = 0, plain = n; !plain && n < max && xb_sv_starts(xb_sv(repository), "docker.io/") && i < k->all.n; i++)
		if (!strcmp(k->all.v[i].where, "index.docker.io"))
			ret[n++] = &k->all.v[i];
	if (n)
		qsort(ret, n, sizeof(*ret), by_place);
	return n;
}
