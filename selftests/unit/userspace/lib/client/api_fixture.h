/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef API_FIXTURE_H
#define API_FIXTURE_H
/* A loop, a server that a test answers for, and a client of it. */
#include "fake_api.h"
#include "xb/rest.h"

struct fixture {
	uv_loop_t loop;
	struct fake_api api;
	struct xb_rest *rest;
	struct xb_buf log;              /* "METHOD path\n" of each request */
	char body[8192];                /* of the last one */
	void (*answer)(struct fixture *f, struct fake_conn *c, const char *method, const char *path);
	struct fake_conn *held[32];     /* those that answer kept without an answer */
	unsigned n_held;
};

static inline void fixture_request(struct fake_conn *c, const char *method, const char *path, const char *headers, const char *body)
{
	struct fixture *f = c->api->arg;

	xb_buf_addf(&f->log, "%s %s\n", method, path);
	snprintf(f->body, sizeof(f->body), "%s", body);
	f->answer(f, c, method, path);
}
static inline void fixture_hold(struct fixture *f, struct fake_conn *c, const char *method, const char *path)
{
	assert_true(f->n_held < ARRAY_SIZE(f->held));
	f->held[f->n_held++] = c;
}
static inline void fixture_warm(struct fixture *f, struct fake_conn *c, const char *method, const char *path)
{
	fake_reply(c, 200, "{}");
}
static inline void fixture_is_warm(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	*(int *)arg = code;
}
/* The client sends side by side only after it has learnt from a first answer that it cannot share one connection. */
static inline void fixture_start(struct fixture *f)
{
	struct xb_kubeconfig k = {};
	struct xb_rest_request q = { .method = "GET", .path = "/warm" };
	int code = 0;

	uv_loop_init(&f->loop);
	f->api = (struct fake_api){ .loop = &f->loop, .handler = fixture_request, .arg = f };
	fake_start(&f->api);
	assert_true(asprintf(&k.server, "http://127.0.0.1:%d", f->api.port) > 0);
	assert_int_equal(xb_rest_new(&f->loop, &k, "test", &f->rest, NULL), 0);
	xb_kubeconfig_done(&k);
	f->answer = fixture_warm;
	assert_int_equal(xb_rest_send(f->rest, &q, fixture_is_warm, &code, NULL), 0);
	run_until(&f->loop, code == 200);
	f->answer = fixture_hold;
	f->api.requests = 0;
	xb_buf_clear(&f->log);
}
static inline void fixture_stop(struct fixture *f)
{
	xb_rest_free(f->rest);
	fake_stop(&f->api);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	xb_buf_done(&f->log);
}

#endif
