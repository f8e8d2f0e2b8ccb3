/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api.h"
#include "xb/rest.h"
#include "xb/why.h"
#include "../xalloc.h"

#define TIMEOUT_MS 2000

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
	_cleanup_kubeconfig_ struct xb_kubeconfig k = {};
	_cleanup_(api_closep) struct api *a = xalloc(calloc(1, sizeof(*a)));
	int r;

	uv_loop_init(&a->loop);
	r = xb_kubeconfig_load(conf, NULL, NULL, &k, reterr_why);
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
	struct api *a = arg;

	a->done = true;
	a->code = code;
	if (code / 100 == 2)
		xb_json_parse(body, NULL, &a->body, NULL); /* "ok" of /readyz is none, and is not wanted */
	else
		a->message = xprintf("%s", status->message ? status->message : "no answer");
}

int api_get(struct api *a, const char *path, struct xb_json **ret_body, char **reterr_why)
{
	const struct xb_rest_request q = { .method = "GET", .path = path, .timeout_ms = TIMEOUT_MS };
	_cleanup_free_ char *message = NULL;
	_cleanup_(xb_json_unrefp) struct xb_json *body = NULL;
	int r;

	a->done = false;
	r = xb_rest_send(a->rest, &q, on_done, a, NULL);
	while (!r && !a->done)
		uv_run(&a->loop, UV_RUN_ONCE);
	message = TAKE_PTR(a->message);
	body = TAKE_PTR(a->body);
	if (r || !a->code)
		return xb_why(reterr_why, r ? r : -EIO, "%s: %s", path, message ? message : strerror(-r));
	if (a->code / 100 != 2)
		xb_why(reterr_why, 0, "%s: %s", path, message);
	if (ret_body)
		*ret_body = TAKE_PTR(body);
	return a->code;
}
