/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef INFORMER_FIXTURE_H
#define INFORMER_FIXTURE_H
/* An informer, and a server of what it lists and watches that a test answers for: a@1 and b@2 unless it says otherwise. */
#include "fake_api.h"
#include "xb/informer.h"

#define INFORMER_GONE "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"reason\":\"Expired\",\"code\":410," \
		      "\"message\":\"too old resource version\"}"

struct test {
	uv_loop_t loop;
	struct fake_api api;
	struct xb_rest *rest;
	struct xb_informer *informer;
	struct xb_buf told;             /* "+a@1 ~a@2 -a@2 synced " */
	struct xb_buf trouble;
	char path[512];                 /* of the last request */
	struct fake_conn *watch;        /* the last watch, open */
	unsigned lists, watches;
	void (*on_list)(struct test *t, struct fake_conn *c, const char *path);
	void (*on_watch)(struct test *t, struct fake_conn *c, const char *path);
};

static inline void on_request(struct fake_conn *c, const char *method, const char *path, const char *headers, const char *body)
{
	struct test *t = c->api->arg;

	snprintf(t->path, sizeof(t->path), "%s", path);
	if (strstr(path, "watch=true")) {
		t->watches++;
		t->watch = c;
		t->on_watch(t, c, path);
	} else {
		t->lists++;
		t->on_list(t, c, path);
	}
}

static inline void on_changed(void *arg, struct xb_jv old, struct xb_jv object)
{
	struct test *t = arg;
	struct xb_jv meta = xb_jv_get(xb_jv_is(object) ? object : old, "metadata");

	xb_buf_addf(&t->told, "%c%.*s@%.*s ", !xb_jv_is(old) ? '+' : xb_jv_is(object) ? '~' : '-',
		    XB_SV_ARG(xb_jv_text(xb_jv_get(meta, "name"))), XB_SV_ARG(xb_jv_text(xb_jv_get(meta, "resourceVersion"))));
}

static inline void on_synced(void *arg)
{
	struct test *t = arg;

	xb_buf_adds(&t->told, "synced ");
}

static inline void on_trouble(void *arg, const char *path, const char *why)
{
	struct test *t = arg;

	xb_buf_adds(&t->trouble, why ? (strstr(why, "onnect") ? "refused " : "other ") : "over ");
}

static inline bool told(struct test *t, const char *what)
{
	return !strcmp(t->told.p ? t->told.p : "", what);
}

/* names: "a@1 b@2" */
static inline void list(struct fake_conn *c, const char *names, const char *version, const char *continue_)
{
	struct xb_buf body = {};
	struct xb_sv rest = xb_sv(names), one;

	xb_buf_addf(&body, "{\"kind\":\"ServiceList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"%s\",\"continue\":\"%s\"},"
		    "\"items\":[", version, continue_);
	for (bool comma = false; rest.n && xb_sv_split(&rest, ' ', &one); comma = true) {
		struct xb_sv name;

		xb_sv_split(&one, '@', &name);
		xb_buf_addf(&body, "%s{\"metadata\":{\"name\":\"%.*s\",\"namespace\":\"ns\",\"resourceVersion\":\"%.*s\"}}",
			    comma ? "," : "", XB_SV_ARG(name), XB_SV_ARG(one));
	}
	xb_buf_adds(&body, "]}");
	fake_reply(c, 200, body.p);
	xb_buf_done(&body);
}

static inline void event(struct test *t, const char *type, const char *name, const char *version)
{
	char line[512];

	snprintf(line, sizeof(line),
		 "{\"type\":\"%s\",\"object\":{\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\",\"resourceVersion\":\"%s\"}}}\n", type, name,
		 version);
	fake_chunk(t->watch, line);
}

static inline void list_ab(struct test *t, struct fake_conn *c, const char *path)
{
	list(c, "a@1 b@2", "10", "");
}
static inline void keep_open(struct test *t, struct fake_conn *c, const char *path)
{
	fake_stream(c);
}

static inline int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));
	struct xb_kubeconfig k = {};
	char *why = NULL;

	assert_non_null(t);
	uv_loop_init(&t->loop);
	t->api = (struct fake_api){ .loop = &t->loop, .handler = on_request, .arg = t };
	fake_start(&t->api);
	assert_true(asprintf(&k.server, "http://127.0.0.1:%d", t->api.port) > 0);
	assert_int_equal(xb_rest_new(&t->loop, &k, "test", &t->rest, &why), 0);
	xb_kubeconfig_done(&k);
	t->on_list = list_ab;
	t->on_watch = keep_open;
	*state = t;
	return 0;
}

static inline bool is_running(struct xb_jv object)
{
	return xb_jv_streq(xb_jv_get(object, "phase"), XB_SV("Running"));
}

static inline void start_with(struct test *t, bool may_lack)
{
	static const char *const leave_out[] = { "metadata.managedFields", "endpoints.targetRef", "spec.ports.name",
						 "spec.kind=\"none\"", "spec.of={}", "spec.ports.names=2", NULL };
	static const char *const leave_out_then[] = { "spec.image", "conditions.[Ready]", "conditions.[Old].a", "conditions.[]", NULL };
	struct xb_informer_config c = {
		.leave_out = leave_out, .leave_out_then = leave_out_then, .when = is_running,
		.rest = t->rest, .path = "/api/v1/services", .label_selector = "!a,b=c", .changed = on_changed,
		.synced = on_synced, .trouble = on_trouble, .arg = t, .backoff_min_ms = 10, .backoff_max_ms = 40,
		.may_lack = may_lack,
	};

	assert_int_equal(xb_informer_new(&c, &t->informer), 0);
}

static inline void start(struct test *t)
{
	start_with(t, false);
}

static inline int teardown(void **state)
{
	struct test *t = *state;

	xb_informer_free(t->informer);
	xb_rest_free(t->rest);
	fake_stop(&t->api);
	uv_run(&t->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&t->loop), 0);
	xb_buf_done(&t->told);
	xb_buf_done(&t->trouble);
	free(t);
	return 0;
}

#endif
