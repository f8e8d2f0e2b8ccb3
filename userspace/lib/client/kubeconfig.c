/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <limits.h>
#include <openssl/evp.h>
#include <stddef.h>

#include "xb/config_file.h"
#include "xb/file.h"
#include "xb/kubeconfig.h"
#include "xb/why.h"

#define SERVICE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"

static const size_t texts[] = {
	offsetof(struct xb_kubeconfig, server),    offsetof(struct xb_kubeconfig, ca.file),
	offsetof(struct xb_kubeconfig, ca.text),   offsetof(struct xb_kubeconfig, tls_server_name),
	offsetof(struct xb_kubeconfig, cert.file), offsetof(struct xb_kubeconfig, cert.text),
	offsetof(struct xb_kubeconfig, key.file),  offsetof(struct xb_kubeconfig, key.text),
	offsetof(struct xb_kubeconfig, token),     offsetof(struct xb_kubeconfig, token_file),
	offsetof(struct xb_kubeconfig, namespace_),
};

static char **text_at(const struct xb_kubeconfig *k, size_t i)
{
	return (char **)((char *)k + texts[i]);
}

static void forget(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

void xb_kubeconfig_forget_user(struct xb_kubeconfig *k)
{
	char **const texts_of_user[] = { &k->cert.file, &k->cert.text, &k->key.file, &k->key.text, &k->token, &k->token_file };

	for (size_t i = 0; i < ARRAY_SIZE(texts_of_user); i++)
		forget(texts_of_user[i]);
}

void xb_kubeconfig_done(struct xb_kubeconfig *k)
{
	xb_kubeconfig_forget_user(k);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		free(*text_at(k, i));
	*k = (struct xb_kubeconfig){};
}

int xb_kubeconfig_copy(const struct xb_kubeconfig *k, struct xb_kubeconfig *ret)
{
	_cleanup_kubeconfig_ struct xb_kubeconfig copy = { .insecure = k->insecure };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char *from = *text_at(k, i);

		if (from && !(*text_at(&copy, i) = strdup(from)))
			return -ENOMEM;
	}
	*ret = copy;
	copy = (struct xb_kubeconfig){};
	return 0;
}

/* --- reading the file --- */
struct reading {
	const char *path;
	struct xb_jv root;
	char **reterr_why;
};

/* clusters[name == name].cluster, and its like */
static struct xb_jv find(const struct reading *f, const char *list, const char *member, struct xb_jv name)
{
	_cleanup_free_ char *wanted = xb_jv_dup(name);

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(f->root, list)); wanted && xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "name"), xb_sv(wanted)))
			return xb_jv_get(it.value, member);
	return (struct xb_jv){};
}

static int get_text(const struct reading *f, struct xb_jv in, const char *field, char **ret)
{
	struct xb_jv v = xb_jv_get(in, field);
	char *text;

	if (!xb_jv_is(v) || xb_jv_type(v) == XB_JSON_NULL)
		return 0;
	if (xb_jv_type(v) != XB_JSON_STRING)
		return xb_why(f->reterr_why, -EINVAL, "%s: %s is not a string", f->path, field);
	text = xb_jv_dup(v);
	if (!text)
		return -ENOMEM;
	if (!*text) {
		free(text);
		return 0;
	}
	free(*ret);
	*ret = text;
	return 0;
}

static int get_path(const struct reading *f, struct xb_jv in, const char *field, char **ret)
{
	_cleanup_free_ char *path = NULL;
	const char *slash = strrchr(f->path, '/');
	int r = get_text(f, in, field, &path);

	if (r < 0 || !path)
		return r;
	if (*path != '/' && slash) {
		char *resolved;

		if (asprintf(&resolved, "%.*s/%s", (int)(slash - f->path), f->path, path) < 0)
			return -ENOMEM;
		free(path);
		path = resolved;
	}
	if (access(path, R_OK) < 0) {
		r = -errno;
		return xb_why(f->reterr_why, r, "%s: %s: cannot read %s: %m", f->path, field, path);
	}
	*ret = TAKE_PTR(path);
	return 0;
}

static int decode_base64(const char *text, char **ret)
{
	size_t n = strlen(text);
	_cleanup_free_ char *out = malloc(n + 4);
	EVP_ENCODE_CTX *e = EVP_ENCODE_CTX_new();
	int some = 0, rest = 0;
	bool good;

	if (!out || !e) {
		EVP_ENCODE_CTX_free(e);
		return -ENOMEM;
	}
	EVP_DecodeInit(e);
	good = n <= INT_MAX / 2 && EVP_DecodeUpdate(e, (unsigned char *)out, &some, (const unsigned char *)text, (int)n) >= 0 &&
	       EVP_DecodeFinal(e, (unsigned char *)out + some, &rest) >= 0;
	EVP_ENCODE_CTX_free(e);
	if (!good || !(some + rest) || memchr(out, 0, some + rest))
		return -EINVAL;
	out[some + rest] = 0;
	*ret = TAKE_PTR(out);
	return 0;
}

/* "x-data" goes before "x", as in client-go. */
static int get_pem(const struct reading *f, struct xb_jv in, const char *field, struct xb_pem *ret)
{
	_cleanup_free_ char *base64 = NULL;
	char data_field[64];
	int r;

	snprintf(data_field, sizeof(data_field), "%s-data", field);
	r = get_text(f, in, data_field, &base64);
	if (r < 0)
		return r;
	if (!base64)
		return get_path(f, in, field, &ret->file);
	r = decode_base64(base64, &ret->text);
	explicit_bzero(base64, strlen(base64));
	if (r == -EINVAL || (!r && !strstr(ret->text, "-----BEGIN ")))
		return xb_why(f->reterr_why, -EINVAL, "%s: %s is not PEM text in base64", f->path, data_field);
	return r;
}

static int refuse(const struct reading *f, struct xb_jv in, const char *field)
{
	if (!xb_jv_is(xb_jv_get(in, field)))
		return 0;
	return xb_why(f->reterr_why, -EINVAL, "%s: %s is not supported", f->path, field);
}

static int get_cluster(const struct reading *f, struct xb_jv cluster, struct xb_kubeconfig *k)
{
	int r = get_text(f, cluster, "server", &k->server);

	if (!r)
		r = get_pem(f, cluster, "certificate-authority", &k->ca);
	if (!r)
		r = get_text(f, cluster, "tls-server-name", &k->tls_server_name);
	if (!r)
		r = refuse(f, cluster, "proxy-url");
	k->insecure = xb_jv_true(xb_jv_get(cluster, "insecure-skip-tls-verify"));
	return r;
}

static int get_user(const struct reading *f, struct xb_jv user, struct xb_kubeconfig *k)
{
	int r = get_text(f, user, "token", &k->token);

	if (!r)
		r = get_path(f, user, "tokenFile", &k->token_file);
	if (!r)
		r = get_pem(f, user, "client-certificate", &k->cert);
	if (!r)
		r = get_pem(f, user, "client-key", &k->key);
	if (!r && (k->cert.file || k->cert.text) != (k->key.file || k->key.text))
		return xb_why(f->reterr_why, -EINVAL, "%s: client-certificate and client-key must be given together", f->path);
	if (!r)
		r = refuse(f, user, "exec");
	if (!r)
		r = refuse(f, user, "auth-provider");
	if (!r)
		r = refuse(f, user, "username");
	return r;
}

static int get_context(const struct reading *f, const char *context, struct xb_kubeconfig *k)
{
	_cleanup_free_ char *name = NULL;
	struct xb_jv found = {}, cluster, user;
	int r = get_text(f, f->root, "current-context", &name);

	if (r < 0)
		return r;
	if (!context)
		context = name;
	if (!context)
		return xb_why(f->reterr_why, -EINVAL, "%s: current-context is not set", f->path);
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(f->root, "contexts")); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "name"), xb_sv(context)))
			found = xb_jv_get(it.value, "context");
	if (!xb_jv_is(found))
		return xb_why(f->reterr_why, -EINVAL, "%s: contexts has no context \"%s\"", f->path, context);
	cluster = find(f, "clusters", "cluster", xb_jv_get(found, "cluster"));
	if (!xb_jv_is(cluster))
		return xb_why(f->reterr_why, -EINVAL, "%s: the cluster of context \"%s\" is not in clusters", f->path, context);
	user = find(f, "users", "user", xb_jv_get(found, "user"));
	if (!xb_jv_is(user) && xb_jv_text(xb_jv_get(found, "user")).n)
		return xb_why(f->reterr_why, -EINVAL, "%s: the user of context \"%s\" is not in users", f->path, context);
	r = get_cluster(f, cluster, k);
	if (!r)
		r = get_user(f, user, k);
	if (!r)
		r = get_text(f, found, "namespace", &k->namespace_);
	return r;
}

/* As client-go reads it: without a scheme it is https when anything about TLS is configured; no slash at the end. */
static int finish_server(struct xb_kubeconfig *k)
{
	bool tls = k->ca.file || k->ca.text || k->cert.file || k->cert.text || k->insecure;

	if (!strstr(k->server, "://")) {
		char *full;

		if (asprintf(&full, "%s://%s", tls ? "https" : "http", k->server) < 0)
			return -ENOMEM;
		free(k->server);
		k->server = full;
	}
	while (xb_sv_ends(xb_sv(k->server), "/"))
		k->server[strlen(k->server) - 1] = 0;
	if (!k->namespace_)
		k->namespace_ = strdup("default");
	return k->namespace_ ? 0 : -ENOMEM;
}

int xb_kubeconfig_load(const char *path, const char *context, const char *server, struct xb_kubeconfig *ret, char **reterr_why)
{
	_cleanup_kubeconfig_ struct xb_kubeconfig k = {};
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct reading f = { .path = path, .reterr_why = reterr_why };
	int r;

	if (path) {
		r = xb_config_file_read(path, &doc, reterr_why);
		if (r < 0)
			return r;
		f.root = xb_json_root(doc);
		r = get_context(&f, context, &k);
		if (r < 0)
			return r;
	}
	if (server && *server) {
		free(k.server);
		k.server = strdup(server);
		if (!k.server)
			return -ENOMEM;
	}
	if (!k.server)
		return xb_why(reterr_why, -EINVAL, "%s: the cluster has no server", path ? path : "no kubeconfig");
	r = finish_server(&k);
	if (r < 0)
		return r;
	*ret = k;
	k = (struct xb_kubeconfig){};
	return 0;
}

int xb_kubeconfig_in_cluster(const char *folder, struct xb_kubeconfig *ret, char **reterr_why)
{
	_cleanup_kubeconfig_ struct xb_kubeconfig k = {};
	_cleanup_free_ char *namespace_file = NULL;
	_cleanup_buf_ struct xb_buf namespace_ = {};
	const char *host = getenv("KUBERNETES_SERVICE_HOST"), *port = getenv("KUBERNETES_SERVICE_PORT");
	int r;

	if (!folder)
		folder = SERVICE_ACCOUNT;
	if (!host || !*host || !port || !*port)
		return xb_why(reterr_why, -EINVAL, "not in a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set");
	if (asprintf(&k.server, strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host, port) < 0 ||
	    asprintf(&k.token_file, "%s/token", folder) < 0 || asprintf(&k.ca.file, "%s/ca.crt", folder) < 0 ||
	    asprintf(&namespace_file, "%s/namespace", folder) < 0)
		return -ENOMEM;
	if (access(k.token_file, R_OK) < 0 || access(k.ca.file, R_OK) < 0) {
		r = -errno;
		return xb_why(reterr_why, r, "the service account in %s cannot be read: %m", folder);
	}
	r = xb_file_read(namespace_file, 256, &namespace_);
	if (!r && xb_sv_trim(xb_buf_sv(&namespace_)).n)
		k.namespace_ = xb_sv_dup(xb_sv_trim(xb_buf_sv(&namespace_)));
	r = finish_server(&k);
	if (r < 0)
		return r;
	*ret = k;
	k = (struct xb_kubeconfig){};
	return 0;
}
