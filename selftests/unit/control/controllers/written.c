/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Syncs of one key, held back by what was written, while a server shows it soon, late, or never. */
#include "../../userspace/lib/client/api_fixture.h"
#include "../../../../control/controllers/written.h"
#include "../../../../control/controllers/queue.h"

#define KEY "ns/web"

static struct test {
	struct fixture f;
	struct kcm kcm;
	struct kcm_process process;
	struct kcm_queue *queue;
	struct xb_informer *copy;
	struct written *written;
	struct fake_conn *watch;
	const char *list, *read;        /* items of the first lists; what is there when it is read again */
	unsigned lists, reads, syncs, looked;
	bool asked;                     /* of the last change: is its key to be synced */
} t;

static const struct xb_kind *kind(void)
{
	return kcm_kind("discovery.k8s.io", "v1", "endpointslices");
}

static void reply_list(struct fake_conn *c, const char *version, const char *items)
{
	char list[2048];

	snprintf(list, sizeof(list), "{\"metadata\":{\"resourceVersion\":\"%s\"},\"items\":[%s]}", version, items);
	fake_reply(c, 200, list);
}

static void answer(struct fixture *f, struct fake_conn *c, const char *method, const char *path)
{
	if (strstr(path, "watch=true")) {
		fake_stream(c);
		t.watch = c;
	} else if (strstr(path, "/namespaces/ns/endpointslices?labelSelector=app%3Dweb")) {
		t.reads++;
		reply_list(c, "20", t.read);
	} else {
		reply_list(c, t.lists++ ? "30" : "10", t.list);
	}
}

static struct xb_jv object(const char *name, const char *version, const char *more)
{
	static struct xb_json *docs[16];
	static size_t n;
	char text[512];

	snprintf(text, sizeof(text), "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\",\"uid\":\"uid-%s\",\"resourceVersion\":\"%s\"%s}}", name, name,
		 version, more);
	n = (n + 1) % ARRAY_SIZE(docs);
	xb_json_unref(docs[n]);
	docs[n] = NULL;
	assert_int_equal(xb_json_parse(xb_sv(text), NULL, &docs[n], NULL), 0);
	return xb_json_root(docs[n]);
}

static void show(const char *type, struct xb_jv o)
{
	char line[1024];

	snprintf(line, sizeof(line), "{\"type\":\"%s\",\"object\":%.*s}\n", type, XB_SV_ARG(xb_jv_bytes(o)));
	fake_chunk(t.watch, line);
}

static void on_changed(void *arg, struct xb_jv old, struct xb_jv o)
{
	t.looked++;
	t.asked = written_changed(t.written, KEY, old, o);
	if (t.asked)
		xb_work_queue_add(kcm_queue_keys(t.queue), KEY);
}

static void sync_key(struct kcm_work *w)
{
	if (written_doubted(t.written, w->key)) {
		written_read(t.written, w, kind(), XB_SV("app=web"));
		return;
	}
	if (written_put_off(t.written, w))
		return;
	t.syncs++;
	kcm_work_done(w, 0);
}

static void settle(void)
{
	for (int i = 0; i < 20; i++)
		uv_run(&t.f.loop, UV_RUN_NOWAIT);
}

static void add(void)
{
	xb_work_queue_add(kcm_queue_keys(t.queue), KEY);
	settle();
}

static void see(const char *type, struct xb_jv o)
{
	unsigned before = t.looked;

	show(type, o);
	run_until(&t.f.loop, t.looked > before);
	settle();
}

static int setup(void **state)
{
	struct kcm_queue_config q = { .name = "test", .workers = 1, .sync = sync_key };
	struct xb_informer_config c = { .path = "/apis/discovery.k8s.io/v1/endpointslices", .changed = on_changed, .backoff_min_ms = 5, .backoff_max_ms = 10 };

	t = (struct test){ .list = "{\"metadata\":{\"name\":\"a\",\"namespace\":\"ns\",\"uid\":\"uid-a\",\"resourceVersion\":\"5\"}}", .read = "" };
	fixture_start(&t.f);
	t.f.answer = answer;
	t.kcm = (struct kcm){ .loop = &t.f.loop, .rest = t.f.rest, .process = &t.process };
	assert_int_equal(kcm_queue_new(&t.kcm, &q, &t.queue), 0);
	xb_work_queue_start(kcm_queue_keys(t.queue));
	c.rest = t.f.rest;
	assert_int_equal(xb_informer_new(&c, &t.copy), 0);
	t.written = written_new(t.copy);
	run_until(&t.f.loop, t.watch && t.syncs == 1);
	return 0;
}

static int teardown(void **state)
{
	kcm_queue_free(t.queue);
	xb_vec_done(&t.process.queues);
	written_free(t.written);
	xb_informer_free(t.copy);
	fixture_stop(&t.f);
	return 0;
}

static void what_was_written_is_awaited(void **state)
{
	assert_int_equal(written_put(t.written, KEY, object("a", "12", "")), 0);
	assert_int_equal(written_put(t.written, KEY, object("b", "13", "")), 0);
	for (int i = 0; i < 3; i++)
		add();
	assert_int_equal(t.syncs, 1);
	see("MODIFIED", object("a", "11", ""));
	assert_false(t.asked);
	see("MODIFIED", object("a", "12", ""));
	assert_false(t.asked);
	assert_int_equal(t.syncs, 1);
	see("ADDED", object("b", "13", ""));
	assert_int_equal(t.syncs, 2);
}

static void nobody_is_asked_for_what_is_expected(void **state)
{
	assert_int_equal(written_put(t.written, KEY, object("a", "12", "")), 0);
	see("MODIFIED", object("a", "12", ""));
	assert_false(t.asked);
	see("MODIFIED", object("a", "13", ""));
	assert_true(t.asked);
	assert_int_equal(written_put(t.written, KEY, object("a", "14", "")), 0);
	see("MODIFIED", object("a", "15", ""));
	assert_true(t.asked);
	assert_int_equal(t.syncs, 3);
}

static void what_shows_already_is_not_awaited(void **state)
{
	see("MODIFIED", object("a", "12", ""));
	assert_int_equal(written_put(t.written, KEY, object("a", "12", "")), 0);
	add();
	assert_int_equal(t.syncs, 3);
}

static void what_came_and_went_before_the_answer_is_not_awaited(void **state)
{
	see("ADDED", object("b", "12", ""));
	see("DELETED", object("b", "13", ""));
	assert_int_equal(written_put(t.written, KEY, object("b", "12", "")), 0);
	assert_int_equal(written_delete(t.written, KEY, object("b", "12", "")), 0);
	add();
	assert_int_equal(t.syncs, 4);
}

static void a_deletion_is_awaited(void **state)
{
	assert_int_equal(written_delete(t.written, KEY, object("a", "5", "")), 0);
	add();
	see("MODIFIED", object("a", "12", ""));
	assert_int_equal(t.syncs, 1);
	see("DELETED", object("a", "13", ""));
	assert_int_equal(t.syncs, 2);
}

static void one_with_a_finalizer_has_gone_when_that_begins(void **state)
{
	assert_int_equal(written_delete(t.written, KEY, object("a", "5", "")), 0);
	add();
	see("MODIFIED", object("a", "12", ",\"deletionTimestamp\":\"2026-01-01T00:00:00Z\""));
	assert_int_equal(t.syncs, 2);
	assert_int_equal(written_delete(t.written, KEY, object("a", "12", "")), 0);
	add();
	assert_int_equal(t.syncs, 3);
}

/* It was made and deleted between two lists: no event tells. */
static void what_nobody_saw_is_not_awaited_for_long(void **state)
{
	assert_int_equal(written_put(t.written, KEY, object("b", "12", "")), 0);
	add();
	assert_int_equal(t.syncs, 1);
	fake_chunk(t.watch, "{\"type\":\"ERROR\",\"object\":{\"code\":410,\"message\":\"too old\"}}\n");
	run_until(&t.f.loop, xb_informer_version(t.copy) == 30);
	run_until(&t.f.loop, t.syncs == 2);
}

static void a_doubt_is_resolved_by_reading(void **state)
{
	t.read = "{\"metadata\":{\"name\":\"a\",\"namespace\":\"ns\",\"uid\":\"uid-a\",\"resourceVersion\":\"5\"}},"
		 "{\"metadata\":{\"name\":\"b\",\"namespace\":\"ns\",\"uid\":\"uid-b\",\"resourceVersion\":\"12\"}}";
	written_doubt(t.written, KEY);
	add();
	run_until(&t.f.loop, t.reads == 1);
	settle();
	assert_int_equal(t.syncs, 1);
	see("ADDED", object("b", "12", ""));
	assert_int_equal(t.syncs, 2);
	assert_int_equal(t.reads, 1);
}

static void a_doubt_about_nothing_is_over_at_once(void **state)
{
	written_doubt(t.written, KEY);
	add();
	run_until(&t.f.loop, t.syncs == 2);
	assert_int_equal(t.reads, 1);
	assert_false(written_doubted(t.written, KEY));
}

static void what_is_forgotten_is_not_awaited(void **state)
{
	assert_int_equal(written_put(t.written, KEY, object("a", "12", "")), 0);
	written_forget(t.written, KEY);
	add();
	assert_int_equal(t.syncs, 2);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_was_written_is_awaited),
		TEST(nobody_is_asked_for_what_is_expected),
		TEST(what_shows_already_is_not_awaited),
		TEST(what_came_and_went_before_the_answer_is_not_awaited),
		TEST(a_deletion_is_awaited),
		TEST(one_with_a_finalizer_has_gone_when_that_begins),
		TEST(what_nobody_saw_is_not_awaited_for_long),
		TEST(a_doubt_is_resolved_by_reading),
		TEST(a_doubt_about_nothing_is_over_at_once),
		TEST(what_is_forgotten_is_not_awaited),
	};

	return cmocka_run_group_tests_name("control/controllers/written", tests, NULL, NULL);
}
