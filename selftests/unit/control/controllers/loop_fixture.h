/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LOOP_FIXTURE_H
#define LOOP_FIXTURE_H
/*
 * One loop of the controller manager against a server whose lists and watches, which make the copies, need not be what it has: it
 * may be ahead of them, as after a restart, and die with the answer to a write.
 */
#include "../../userspace/lib/client/api_fixture.h"
#include "../../../../control/controllers/kcm.h"

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

struct copied {
	const char *plural, *items;     /* of the first list */
	struct fake_conn *watch;
};
struct real {
	const char *path, *body;        /* of a GET; others are not found */
};
static struct loop_test {
	struct fixture f;
	struct kcm_options options;
	struct xb_recorder *recorder;
	struct kcm *kcm;
	struct copied copies[8];
	struct real reals[16];
	unsigned n_reals, reads, writes; /* but Events; reads: of reals or what is not found */
	struct xb_buf log;              /* "METHOD path\n" of the writes */
	char body[8192];                /* of the last one */
	const char *reply;              /* to a write; NULL: {} */
	int code;                       /* of it; 0: the connection is dropped */
} t;

static inline struct copied *copied(const char *path)
{
	for (struct copied *c = t.copies; c < t.copies + ARRAY_SIZE(t.copies) && c->plural; c++) {
		const char *at = strstr(path, c->plural);

		if (at && at[-1] == '/' && (at[strlen(c->plural)] == '?' || !at[strlen(c->plural)]) && !strstr(path, "/namespaces/"))
			return c;
	}
	return NULL;
}

static inline void loop_answer_read(struct fake_conn *c, const char *path)
{
	struct copied *copy = copied(path);
	char list[8192];

	if (strstr(path, "watch=true")) {
		fake_stream(c);
		if (copy)
			copy->watch = c;
	} else if (copy || strstr(path, "limit=")) {
		snprintf(list, sizeof(list), "{\"metadata\":{\"resourceVersion\":\"10\"},\"items\":[%s]}", copy && copy->items ? copy->items : "");
		fake_reply(c, 200, list);
	} else {
		unsigned i = 0;

		while (i < t.n_reals && strcmp(t.reals[i].path, path))
			i++;
		t.reads++;
		fake_reply(c, i < t.n_reals ? 200 : 404, i < t.n_reals ? t.reals[i].body : "{\"kind\":\"Status\",\"code\":404}");
	}
}

static inline void loop_answer(struct fixture *f, struct fake_conn *c, const char *method, const char *path)
{
	if (strstr(path, "/events") && strcmp(method, "GET")) {
		fake_reply(c, 201, "{}");
	} else if (!strcmp(method, "GET")) {
		loop_answer_read(c, path);
	} else {
		t.writes++;
		xb_buf_addf(&t.log, "%s %s\n", method, path);
		snprintf(t.body, sizeof(t.body), "%s", f->body);
		if (t.code)
			fake_reply(c, t.code, t.reply ? t.reply : "{}");
		else
			fake_drop(c);
	}
}

static inline void copy_is(const char *plural, const char *items)
{
	struct copied *c = t.copies;

	while (c->plural)
		c++;
	assert_true(c < t.copies + ARRAY_SIZE(t.copies) - 1);
	*c = (struct copied){ .plural = plural, .items = items };
}

static inline void really(const char *path, const char *body)
{
	assert_true(t.n_reals < ARRAY_SIZE(t.reals));
	t.reals[t.n_reals++] = (struct real){ path, body };
}

/* A server that has config maps, and nothing else. */
static inline void discovery(void)
{
	really("/api", "{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/v2\",\"items\":[{\"metadata\":{},\"versions\":[{"
		       "\"version\":\"v1\",\"freshness\":\"Current\",\"resources\":[{\"resource\":\"configmaps\",\"responseKind\":{\"group\":\"\","
		       "\"version\":\"\",\"kind\":\"ConfigMap\"},\"scope\":\"Namespaced\",\"verbs\":[\"create\",\"delete\",\"deletecollection\","
		       "\"get\",\"list\",\"patch\",\"update\",\"watch\"]}]}]}]}");
	really("/apis", "{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/v2\",\"items\":[]}");
}

static inline void show(const char *plural, const char *type, const char *object)
{
	char path[128], line[8192];

	snprintf(path, sizeof(path), "/%s", plural);
	snprintf(line, sizeof(line), "{\"type\":\"%s\",\"object\":%s}\n", type, object);
	fake_chunk(copied(path)->watch, line);
}

static inline bool watched(void)
{
	for (struct copied *c = t.copies; c->plural; c++)
		if (!c->watch)
			return false;
	return true;
}

static inline void on_settled(uv_timer_t *timer)
{
	*(bool *)timer->data = true;
}

/* Whatever was to be sent was sent. */
static inline void settle(void)
{
	uv_timer_t timer;
	bool settled = false;

	uv_timer_init(&t.f.loop, &timer);
	timer.data = &settled;
	uv_timer_start(&timer, on_settled, 50, 0);
	run_until(&t.f.loop, settled);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(&t.f.loop, UV_RUN_NOWAIT);
}

static int setup(void **state)
{
	t = (struct loop_test){ .code = 200 };
	fixture_start(&t.f);
	t.f.answer = loop_answer;
	t.recorder = xb_recorder_new(t.f.rest, NULL);
	return 0;
}

/* Copies that the test says nothing of are empty. */
static inline void start_loop(char *controllers)
{
	char *argv[] = { "kube-controller-manager", controllers };
	struct kcm_config c = { .rest = t.f.rest, .recorder = t.recorder, .options = &t.options, .root_ca = "" };

	assert_int_equal(kcm_options_parse(2, argv, &t.options, NULL), 0);
	assert_int_equal(kcm_new(&c, &t.kcm), 0);
	run_until(&t.f.loop, watched());
}

static int teardown(void **state)
{
	kcm_free(t.kcm);
	xb_recorder_free(t.recorder);
	fixture_stop(&t.f);
	kcm_options_done(&t.options);
	xb_buf_done(&t.log);
	return 0;
}

#endif
