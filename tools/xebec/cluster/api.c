/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api.h"
#include "xb/rest.h"
#include "xb/why.h"
#include "../xalloc.h"

#define TIMEOUT_MS      2000
#define LIST_TIMEOUT_MS 60000
#define LIST_LIMIT      "500"
#define LIST_BYTES      (256u << 20)    /* of a piece: a slice has at most 1000 endpoints */

struct api {
	uv_loop_t loop;
	struct xb_rest *rest;
	/* of the request under way */
	bool done;
	int code;
	char *message;
	struct xb_json *body;
};

int api_open(const struct cluster *c, struct api **ret, char **reterr_why)
{
	_cleanup_free_ char *conf = cluster_file(c, "admin.conf");

	return api_open_file(conf, ret, reterr_why);
}

int api_open_file(const char *kubeconfig, struct api **ret, char **reterr_why)
{
	_cleanup_kubeconfig_ struct xb_kubeconfig k = {};
	_cleanup_(api_closep) struct api *a = xalloc(calloc(1, sizeof(*a)));
	int r;

	uv_loop_init(&a->loop);
	r = xb_kubeconfig_load(kubeconfig, NULL, NULL, &k, reterr_why);
	if (!r)
		r = xb_rest_new(&a->loop, &k, "xebec", &a->rest, reterr_why);
	if (r)
		return r;
	*ret = TAKE_PTR(a);
	return 0;
}

struct api *api_close(struct api *a)
{
	if (!a)
		return NULL;
	xb_rest_free(a->rest);
	uv_run(&a->loop, UV_RUN_DEFAULT);
	uv_loop_close(&a->loop);
	free(a);
	return NULL;
}

static void on_done(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	static const struct xb_json_limits limits = { .max_bytes = LIST_BYTES };
	struct api *a = arg;

	a->done = true;
	a->code = code;
	if (code / 100 == 2)
		xb_json_parse(body, &limits, &a->body, NULL); /* "ok" of /readyz is none, and is not wanted */
	else
		a->message = xprintf("%s", status->message ? status->message : "no answer");
}

static int ask(struct api *a, const struct xb_rest_request *q, struct xb_json **ret_body, char **reterr_why)
{
	_cleanup_free_ char *message = NULL;
	_cleanup_(xb_json_unrefp) struct xb_json *body = NULL;
	int r;

	a->done = false;
	r = xb_rest_send(a->rest, q, on_done, a, NULL);
	while (!r && !a->done)
		uv_run(&a->loop, UV_RUN_ONCE);
	message = TAKE_PTR(a->message);
	body = TAKE_PTR(a->body);
	if (r || !a->code)
		return xb_why(reterr_why, r ? r : -EIO, "%s: %s", q->path, message ? message : strerror(-r));
	if (a->code / 100 != 2)
		xb_why(reterr_why, 0, "%s: %s", q->path, message);
	if (ret_body)
		*ret_body = TAKE_PTR(body);
	return a->code;
}

static int get(struct api *a, const char *path, unsigned timeout_ms, struct xb_json **ret_body, char **reterr_why)
{
	const struct xb_rest_request q = { .method = "GET", .path = path, .timeout_ms = timeout_ms };

	return ask(a, &q, ret_body, reterr_why);
}

int api_get(struct api *a, const char *path, struct xb_json **ret_body, char **reterr_why)
{
	return get(a, path, TIMEOUT_MS, ret_body, reterr_why);
}

int api_create(struct api *a, const char *path, const char *json, char **reterr_why)
{
	const struct xb_rest_request q = {
		.method = "POST", .path = path, .content_type = "application/json", .body = xb_sv(json), .timeout_ms = TIMEOUT_MS,
	};
	_cleanup_free_ char *why = NULL;
	int code = ask(a, &q, NULL, &why);

	if (code / 100 == 2 || code == 409)
		return 0;
	return xb_why(reterr_why, code < 0 ? code : -EIO, "%s", why ? why : strerror(EIO));
}

int api_list(struct api *a, const char *path, int (*each)(void *arg, struct xb_json *list), void *arg, char **reterr_why)
{
	_cleanup_free_ char *next = NULL;
	int r = 0;

	do {
		_cleanup_(xb_json_unrefp) struct xb_json *body = NULL;
		_cleanup_buf_ struct xb_buf query = {};
		struct xb_jv items;

		xb_buf_adds(&query, path);
		xb_rest_add_query(&query, "limit", XB_SV(LIST_LIMIT));
		if (next && *next)
			xb_rest_add_query(&query, "continue", xb_sv(next));
		r = get(a, xalloc(query.p), LIST_TIMEOUT_MS, &body, reterr_why);
		if (r < 0)
			return r;
		items = body ? xb_jv_get(xb_json_root(body), "items") : (struct xb_jv){};
		if (r != 200 || xb_jv_type(items) != XB_JSON_ARRAY)
			return r == 200 ? xb_why(reterr_why, -EBADMSG, "%s: the answer is no list", path) : -EIO;
		free(next);
		next = xb_jv_dup(xb_jv_path(xb_json_root(body), "metadata", "continue"));
		r = each(arg, body);
	} while (!r && next && *next);
	return r;
}
