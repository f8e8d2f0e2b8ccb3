/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One ReplicaSet against a server that shows what it likes, when it likes: what is sent, and what is not. */
#include "../../../userspace/lib/client/api_fixture.h"
#include "../../../../../control/controllers/kcm.h"

#define LABELS "\"labels\":{\"app\":\"web\"}"

static struct test {
	struct fixture f;
	struct kcm_options options;
	struct xb_recorder *recorder;
	struct kcm *kcm;
	char sets[2048], pods[4096];    /* items of the lists */
	const char *fresh;              /* the set as it is read again */
	struct fake_conn *set_watch, *pod_watch;
	bool hold, refuse;              /* creations */
	bool drop;                      /* the connection of each write */
	const char *really;             /* what the server has, when it is asked for the set's pods again */
	unsigned recounted;
	unsigned made, adopted, deleted, told;
	char body[8192], path[256];     /* of the last write */
} t;

static void reply_list(struct fake_conn *c, const char *version, const char *items)
{
	char list[8192];

	snprintf(list, sizeof(list), "{\"metadata\":{\"resourceVersion\":\"%s\"},\"items\":[%s]}", version, items);
	fake_reply(c, 200, list);
}

static void answer_write(struct fixture *f, struct fake_conn *c, const char *method, const char *path)
{
	unsigned *count = !strcmp(method, "POST") ? &t.made : !strcmp(method, "DELETE") ? &t.deleted : strstr(path, "/status") ? &t.told : &t.adopted;

	++*count;
	snprintf(t.body, sizeof(t.body), "%s", f->body);
	snprintf(t.path, sizeof(t.path), "%s", path);
	if (t.drop)
		fake_drop(c);
	else if (count == &t.made && t.hold)
		fixture_hold(f, c, method, path);
	else if (count == &t.made && t.refuse)
		fake_reply(c, 403, "{\"kind\":\"Status\",\"message\":\"exceeded quota\",\"reason\":\"Forbidden\",\"code\":403}");
	else
		fake_reply(c, 200, "{\"metadata\":{\"name\":\"web-x\",\"uid\":\"x\"}}");
}

static void answer(struct fixture *f, struct fake_conn *c, const char *method, const char *path)
{
	bool sets = strstr(path, "replicasets");

	if (strstr(path, "/events")) {
		fake_reply(c, 201, "{}");
	} else if (strcmp(method, "GET")) {
		answer_write(f, c, method, path);
	} else if (strstr(path, "watch=true")) {
		fake_stream(c);
		*(sets ? &t.set_watch : &t.pod_watch) = c;
	} else if (strstr(path, "/replicasets/web")) {
		fake_reply(c, t.fresh ? 200 : 404, t.fresh ? t.fresh : "{}");
	} else if (strstr(path, "/namespaces/ns/pods?labelSelector=app%3Dweb")) {
		t.recounted++;
		reply_list(c, "20", t.really);
	} else {
		reply_list(c, "10", sets ? t.sets : t.pods);
	}
}

static void set(char *out, size_t n, int replicas, const char *version)
{
	snprintf(out, n, "{\"metadata\":{\"name\":\"web\",\"namespace\":\"ns\",\"uid\":\"u1\",\"generation\":1,\"resourceVersion\":\"%s\"},\"spec\":{"
			 "\"replicas\":%d,\"selector\":{\"matchLabels\":{\"app\":\"web\"}},\"template\":{\"metadata\":{" LABELS "},\"spec\":{}}}}",
		 version, replicas);
}

/* owner: a uid, or NULL for none */
static void pod(char *out, size_t n, const char *name, const char *owner, const char *phase, const char *version)
{
	char reference[256] = "";

	if (owner)
		snprintf(reference, sizeof(reference), ",\"ownerReferences\":[{\"kind\":\"ReplicaSet\",\"name\":\"web\",\"uid\":\"%s\",\"controller\":true}]", owner);
	snprintf(out, n, "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\",\"uid\":\"uid-%s\",\"resourceVersion\":\"%s\"," LABELS "%s},"
			 "\"spec\":{\"nodeName\":\"n\"},\"status\":{\"phase\":\"%s\"}}", name, name, version, reference, phase);
}

static void show(struct fake_conn *watch, const char *type, const char *object)
{
	char line[8192];

	snprintf(line, sizeof(line), "{\"type\":\"%s\",\"object\":%s}\n", type, object);
	fake_chunk(watch, line);
}

static int setup(void **state)
{
	char *argv[] = { "kube-controller-manager", "--controllers=replicaset-controller" };

	t = (struct test){};
	assert_int_equal(kcm_options_parse(2, argv, &t.options, NULL), 0);
	fixture_start(&t.f);
	t.f.answer = answer;
	t.recorder = xb_recorder_new(t.f.rest, NULL);
	return 0;
}

static void start(int replicas)
{
	struct kcm_config c = { .rest = t.f.rest, .recorder = t.recorder, .options = &t.options, .root_ca = "" };

	set(t.sets, sizeof(t.sets), replicas, "1");
	assert_int_equal(kcm_new(&c, &t.kcm), 0);
	run_until(&t.f.loop, t.set_watch && t.pod_watch);
}

static int teardown(void **state)
{
	kcm_free(t.kcm);
	xb_recorder_free(t.recorder);
	fixture_stop(&t.f);
	kcm_options_done(&t.options);
	return 0;
}

static bool copy_has(const char *version)
{
	struct xb_informer *copy = xb_cache_of(t.kcm->cache, kcm_kind("apps", "v1", "replicasets"));

	return xb_sv_is(xb_jv_text(xb_jv_path(xb_informer_get(copy, "ns", "web"), "metadata", "resourceVersion")), version);
}

/* Whatever was to be sent was sent. */
static void settle(void)
{
	for (int i = 0; i < 20; i++)
		uv_run(&t.f.loop, UV_RUN_NOWAIT);
}

static void what_does_not_show_yet_is_not_made_again(void **state)
{
	char object[4096];

	start(3);
	run_until(&t.f.loop, t.made == 3);
	settle();
	set(object, sizeof(object), 4, "11");
	show(t.set_watch, "MODIFIED", object);
	run_until(&t.f.loop, copy_has("11"));
	settle();
	assert_int_equal(t.made, 3);
	for (int i = 0; i < 3; i++) {
		char name[8];

		snprintf(name, sizeof(name), "p%d", i);
		pod(object, sizeof(object), name, "u1", "Pending", "12");
		show(t.pod_watch, "ADDED", object);
	}
	run_until(&t.f.loop, t.made == 4);
	settle();
	assert_int_equal(t.made, 4);
	assert_int_equal(t.told, 0);
}

static void batches_double(void **state)
{
	static const unsigned batches[] = { 1, 2, 4, 3 };
	unsigned made = 0, answered = 0;

	t.hold = true;
	start(10);
	for (size_t i = 0; i < ARRAY_SIZE(batches); i++) {
		made += batches[i];
		run_until(&t.f.loop, t.made == made);
		settle();
		assert_int_equal(t.made, made);
		while (answered < made)
			fake_reply(t.f.held[answered++], 201, "{}");
	}
}

static void a_refusal_stops_it_and_is_told(void **state)
{
	t.refuse = true;
	start(10);
	run_until(&t.f.loop, t.told == 1);
	assert_int_equal(t.made, 1);
	assert_string_equal(t.path, "/apis/apps/v1/namespaces/ns/replicasets/web/status");
	assert_non_null(strstr(t.body, "\"type\":\"ReplicaFailure\",\"status\":\"True\""));
	assert_non_null(strstr(t.body, "\"reason\":\"FailedCreate\",\"message\":\"exceeded quota\""));
	t.refuse = false;
	run_until(&t.f.loop, t.made >= 11);
}

/* The copy is behind: the set was deleted, and made anew by the same name. */
static void nothing_is_adopted_for_one_that_is_gone(void **state)
{
	pod(t.pods, sizeof(t.pods), "orphan", NULL, "Running", "2");
	t.fresh = "{\"metadata\":{\"name\":\"web\",\"uid\":\"u2\"}}";
	start(1);
	run_until(&t.f.loop, strstr(t.f.log.p, "GET /apis/apps/v1/namespaces/ns/replicasets/web\n"));
	settle();
	assert_int_equal(t.adopted + t.made, 0);
	t.fresh = "{\"metadata\":{\"name\":\"web\",\"uid\":\"u1\",\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"}}";
	xb_buf_clear(&t.f.log);
	run_until(&t.f.loop, strstr(t.f.log.p, "GET /apis/apps/v1/namespaces/ns/replicasets/web\n"));
	settle();
	assert_int_equal(t.adopted + t.made, 0);
}

static void an_orphan_is_adopted_by_uid(void **state)
{
	pod(t.pods, sizeof(t.pods), "orphan", NULL, "Running", "2");
	t.fresh = "{\"metadata\":{\"name\":\"web\",\"uid\":\"u1\"}}";
	start(1);
	run_until(&t.f.loop, t.adopted);
	assert_string_equal(t.path, "/api/v1/namespaces/ns/pods/orphan");
	assert_string_equal(t.body, "{\"metadata\":{\"uid\":\"uid-orphan\",\"ownerReferences\":[{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\","
				    "\"name\":\"web\",\"uid\":\"u1\",\"controller\":true,\"blockOwnerDeletion\":true}]}}");
	settle();
	assert_int_equal(t.made, 0);
}

/* A deletion names the pod's uid, and is not repeated while it does not show. */
static void one_too_many_is_deleted_once(void **state)
{
	char one[2048], two[1024], object[4096];

	pod(one, sizeof(one), "runs", "u1", "Running", "2");
	pod(two, sizeof(two), "waits", "u1", "Pending", "3");
	snprintf(t.pods, sizeof(t.pods), "%s,%s", one, two);
	start(1);
	run_until(&t.f.loop, t.deleted == 1);
	assert_string_equal(t.path, "/api/v1/namespaces/ns/pods/waits");
	assert_non_null(strstr(t.body, "\"preconditions\":{\"uid\":\"uid-waits\"}"));
	set(object, sizeof(object), 0, "11");
	show(t.set_watch, "MODIFIED", object);
	run_until(&t.f.loop, copy_has("11"));
	settle();
	assert_int_equal(t.deleted, 1);
	pod(object, sizeof(object), "waits", "u1", "Pending", "12");
	show(t.pod_watch, "DELETED", object);
	run_until(&t.f.loop, t.deleted == 2);
	assert_string_equal(t.path, "/api/v1/namespaces/ns/pods/runs");
}

/* The server made it before it died; the copy learns that later. */
static void what_got_no_answer_is_not_made_again(void **state)
{
	char object[2048];

	pod(object, sizeof(object), "p", "u1", "Pending", "15");
	t.drop = true;
	t.really = object;
	start(1);
	run_until(&t.f.loop, t.recounted == 1);
	t.drop = false;
	settle();
	assert_int_equal(t.made, 1);
	show(t.pod_watch, "ADDED", object);
	run_until(&t.f.loop, strstr(t.body, "\"replicas\":1"));
	assert_int_equal(t.made, 1);
	assert_int_equal(t.recounted, 1);
}

static void what_was_not_done_is(void **state)
{
	t.drop = true;
	t.really = "";
	start(1);
	run_until(&t.f.loop, t.made == 1);
	t.drop = false;
	run_until(&t.f.loop, t.made == 2);
	settle();
	assert_int_equal(t.made, 2);
	assert_int_equal(t.recounted, 1);
}

/* By now the copy says that another pod should be the one to go. */
static void what_got_no_answer_is_not_deleted_again(void **state)
{
	char one[1024], two[1024], object[2048];

	pod(one, sizeof(one), "runs", "u1", "Running", "2");
	pod(two, sizeof(two), "waits", "u1", "Pending", "3");
	snprintf(t.pods, sizeof(t.pods), "%s,%s", one, two);
	t.really = one;
	t.drop = true;
	start(1);
	run_until(&t.f.loop, t.deleted == 1);
	assert_string_equal(t.path, "/api/v1/namespaces/ns/pods/waits");
	pod(object, sizeof(object), "runs", "u1", "Pending", "12");
	show(t.pod_watch, "MODIFIED", object);
	pod(object, sizeof(object), "waits", "u1", "Running", "13");
	show(t.pod_watch, "MODIFIED", object);
	t.drop = false;
	run_until(&t.f.loop, t.recounted == 1);
	settle();
	assert_int_equal(t.deleted, 1);
	show(t.pod_watch, "DELETED", object);
	run_until(&t.f.loop, strstr(t.body, "\"replicas\":1"));
	assert_int_equal(t.deleted, 1);
}

static void a_stranger_is_left_alone(void **state)
{
	pod(t.pods, sizeof(t.pods), "other", "u9", "Running", "2");
	start(0);
	run_until(&t.f.loop, t.told);
	settle();
	assert_int_equal(t.adopted + t.made + t.deleted, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_does_not_show_yet_is_not_made_again),
		TEST(batches_double),
		TEST(a_refusal_stops_it_and_is_told),
		TEST(nothing_is_adopted_for_one_that_is_gone),
		TEST(an_orphan_is_adopted_by_uid),
		TEST(one_too_many_is_deleted_once),
		TEST(what_got_no_answer_is_not_made_again),
		TEST(what_was_not_done_is),
		TEST(what_got_no_answer_is_not_deleted_again),
		TEST(a_stranger_is_left_alone),
	};

	return cmocka_run_group_tests_name("control/controllers/replicas", tests, NULL, NULL);
}
