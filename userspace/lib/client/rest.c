/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "rest_inner.h"
#include "xb/why.h"

/*
 * Debian's libcurl brings GnuTLS along, for protocols that are not used here. Before main() it would set itself up in every process,
 * in 1 MB of memory, unless there is this (GNUTLS_SKIP_GLOBAL_INIT); the linker is told to let it be seen.
 */
int _gnutls_global_init_skip(void);
int _gnutls_global_init_skip(void)
{
	return 1;
}

static void curl_url_cleanupp(CURLU **u)
{
	curl_url_cleanup(*u);
}
static void curl_freep(char **p)
{
	curl_free(*p);
}

/* The server as curl shall see it. A TLS name other than the host's becomes the URL's host, so that curl sends and checks
 * it; the connection and the Host header keep the real one. */
static int set_server(struct xb_rest *r, char **reterr_why)
{
	_cleanup_(curl_url_cleanupp) CURLU *u = curl_url();
	_cleanup_(curl_freep) char *scheme = NULL, *host = NULL, *port = NULL, *url = NULL;
	_cleanup_buf_ struct xb_buf text = {};

	if (!u)
		return -ENOMEM;
	if (curl_url_set(u, CURLUPART_URL, r->k.server, 0) || curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) ||
	    (strcmp(scheme, "https") && strcmp(scheme, "http")) || curl_url_get(u, CURLUPART_HOST, &host, 0) ||
	    curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT))
		return xb_why(reterr_why, -EINVAL, "'%s' is not an http or https URL", r->k.server);
	if (!r->k.tls_server_name) {
		r->url = strdup(r->k.server);
		return r->url ? 0 : -ENOMEM;
	}
	xb_buf_addf(&text, "::%s:%s", host, port);
	r->connect_to = text.err ? NULL : curl_slist_append(NULL, text.p);
	xb_buf_clear(&text);
	xb_buf_addf(&text, "Host: %s:%s", host, port);
	r->host_header = xb_buf_steal(&text);
	if (!r->connect_to || !r->host_header)
		return -ENOMEM;
	if (curl_url_set(u, CURLUPART_HOST, r->k.tls_server_name, 0) || curl_url_get(u, CURLUPART_URL, &url, 0))
		return xb_why(reterr_why, -EINVAL, "'%s' is not a TLS server name", r->k.tls_server_name);
	r->url = xb_sv_dup(xb_sv_ends(xb_sv(url), "/") ? (struct xb_sv){ url, strlen(url) - 1 } : xb_sv(url));
	return r->url ? 0 : -ENOMEM;
}

struct xb_rest *xb_rest_free(struct xb_rest *r)
{
	if (!r)
		return NULL;
	xb_rest_free(r->nameless);
	while (r->calls)
		rest_call_drop(r->calls);
	xb_rest_free(r->more);
	/* Closes the idle connections, and with them the sockets' poll handles. */
	if (r->multi)
		curl_multi_cleanup(r->multi);
	curl_slist_free_all(r->connect_to);
	xb_kubeconfig_done(&r->k);
	free(r->host_header);
	free(r->url);
	free(r->user_agent);
	if (r->loop)
		rest_drive_free(r);
	else
		free(r);
	return NULL;
}

int xb_rest_new(uv_loop_t *loop, const struct xb_kubeconfig *k, const char *user_agent, struct xb_rest **ret, char **reterr_why)
{
	_cleanup_(xb_rest_freep) struct xb_rest *r = NULL;
	int code;

	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return -ENOMEM;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->root = r;
	r->user_agent = strdup(user_agent);
	r->multi = curl_multi_init();
	if (!r->user_agent || !r->multi)
		return -ENOMEM;
	code = xb_kubeconfig_copy(k, &r->k);
	if (code < 0)
		return code;
	code = set_server(r, reterr_why);
	if (code < 0)
		return code;
	rest_drive_init(r, loop);
	*ret = TAKE_PTR(r);
	return 0;
}

uv_loop_t *xb_rest_loop(const struct xb_rest *r)
{
	return r->root->loop;
}

void xb_rest_fence(struct xb_rest *r, bool (*may)(void *arg), void *arg)
{
	r->may = may;
	r->may_arg = arg;
	if (r->nameless)
		xb_rest_fence(r->nameless, may, arg);
	if (r->more)
		xb_rest_fence(r->more, may, arg);
}

uint64_t xb_rest_woken_ns(const struct xb_rest *r)
{
	uint64_t newest = 0;

	for (r = r->root; r; r = r->more)
		newest = MAX(newest, r->woken_ns);
	return newest;
}

/* --- as somebody else --- */

/* A multi of its own: curl lets requests wait for a connection that is being made only if it knows no other to that host. */
static int make_nameless(struct xb_rest *r)
{
	_cleanup_kubeconfig_ struct xb_kubeconfig k = {};
	int code = r->nameless ? 0 : xb_kubeconfig_copy(&r->k, &k);

	if (code || r->nameless)
		return code;
	xb_kubeconfig_forget_user(&k);
	code = xb_rest_new(r->loop, &k, r->user_agent, &r->nameless, NULL);
	if (!code)
		xb_rest_fence(r->nameless, r->may, r->may_arg);
	return code;
}

int xb_rest_as(struct xb_rest *r, const char *who, void (*refused)(void *arg), void *arg, struct xb_rest **ret)
{
	_cleanup_(xb_rest_freep) struct xb_rest *n = NULL;
	int code = make_nameless(r);

	if (code)
		return code;
	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	*n = (struct xb_rest){ .root = r->nameless, .refused = refused, .refused_arg = arg };
	if (asprintf(&n->user_agent, "%s/%s", r->user_agent, who) < 0) {
		n->user_agent = NULL;
		return -ENOMEM;
	}
	code = xb_kubeconfig_copy(&r->nameless->k, &n->k);
	if (!code)
		code = set_server(n, NULL);
	if (!code)
		*ret = TAKE_PTR(n);
	return code;
}

int xb_rest_set_token(struct xb_rest *r, struct xb_sv token)
{
	char *copy = xb_sv_dup(token);

	if (!copy)
		return -ENOMEM;
	xb_kubeconfig_forget_user(&r->k);
	r->k.token = copy;
	return 0;
}
