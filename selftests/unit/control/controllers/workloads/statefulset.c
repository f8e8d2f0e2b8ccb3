/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One StatefulSet against a server that shows what it likes, when it likes: what is sent, in which order, and what is not. */
#include "../../../userspace/lib/client/api_fixture.h"
#include "../../../../../control/controllers/kcm.h"

#define LABELS "\"labels\":{\"app\":\"web\"}"
#define TEMPLATE "{\"metadata\":{" LABELS "},\"spec\":{}}"
#define REVISIONS "/apis/apps/v1/namespaces/ns/controllerrevisions"
#define SETS "/apis/apps/v1/namespaces/ns/statefulsets"
#define PODS "/api/v1/namespaces/ns/pods"
#define CLAIMS "/api/v1/namespaces/ns/persistentvolumeclaims"

enum collection { OF_SETS, OF_PODS, OF_REVISIONS, OF_CLAIMS, N_COLLECTIONS };
static const char *const plurals[] = { "/statefulsets", "/pods", "/controllerrevisions", "/persistentvolumeclaims" };

static struct test {
	struct fixture f;
	struct kcm_options options;
	struct xb_recorder *recorder;
	struct kcm *kcm;
	char lists[N_COLLECTIONS][8192]; /* items */
	struct fake_conn *watches[N_COLLECTIONS];
	char fresh[8192];               /* the set as it is read again */
	const char *namesake;           /* the revision whose name is taken; NULL: it is free */
	bool no_claims;                 /* they are refused */
	unsigned made, deleted, revisions, told, claims, events;
	char body[8192];                /* of the last of those */
	char event[8192];
} t;

static enum collection collection_of(const char *path)
{
	enum collection c = 0;

	while (c < N_COLLECTIONS && !strstr(path, plurals[c]))
		c++;
	assert_true(c < N_COLLECTIONS);
	return c;
}

static void reply_list(struct fake_conn *c, const char *items)
{
	static char list[16384];

	snprintf(list, sizeof(list), "{\"metadata\":{\"resourceVersion\":\"10\"},\"items\":[%s]}", items);
	fake_reply(c, 200, list);
}

static void refuse(struct fake_conn *c, int code, const char *reason)
{
	char status[256];

	snprintf(status, sizeof(status), "{\"kind\":\"Status\",\"message\":\"no room\",\"reason\":\"%s\",\"code\":%d}", reason, code);
	fake_reply(c, code, status);
}

static void answer_write(struct fixture *f, struct fake_conn *c, const char *method, const char *path)
{
	enum collection of = collection_of(path);
	unsigned *count = of == OF_REVISIONS ? &t.revisions : of == OF_CLAIMS ? &t.claims : of == OF_SETS ? &t.told :
			  !strcmp(method, "DELETE") ? &t.deleted : &t.made;

	++*count;
	snprintf(t.body, sizeof(t.body), "%s", f->body);
	if (of == OF_REVISIONS && t.namesake)
		refuse(c, 409, "AlreadyExists");
	else if (of == OF_CLAIMS && t.no_claims)
		refuse(c, 403, "Forbidden");
	else
		fake_reply(c, 200, "{\"metadata\":{\"name\":\"x\",\"uid\":\"x\"}}");
}

static void answer(struct fixture *f, struct fake_conn *c, const char *method, const char *path)
{
	if (strstr(path, "/events")) {
		t.events++;
		snprintf(t.event, sizeof(t.event), "%s", f->body);
		fake_reply(c, 201, "{}");
	} else if (strcmp(method, "GET")) {
		answer_write(f, c, method, path);
	} else if (strstr(path, "watch=true")) {
		fake_stream(c);
		t.watches[collection_of(path)] = c;
	} else if (strstr(path, "/namespaces/")) {
		fake_reply(c, 200, collection_of(path) == OF_SETS ? t.fresh : t.namesake);
	} else {
		reply_list(c, t.lists[collection_of(path)]);
	}
}

/* more: of the spec */
static void set(char *out, size_t n, int replicas, int generation, const char *more)
{
	snprintf(out, n, "{\"metadata\":{\"name\":\"web\",\"namespace\":\"ns\",\"uid\":\"u1\",\"generation\":%d,\"resourceVersion\":\"%d\"},\"spec\":{"
			 "\"replicas\":%d,\"serviceName\":\"web\",\"selector\":{\"matchLabels\":{\"app\":\"web\"}},\"template\":" TEMPLATE "%s},"
			 "\"status\":{\"replicas\":0,\"currentRevision\":\"web-1\"}}",
		 generation, generation, replicas, more);
}

static void revision(char *out, size_t n, const char *name, const char *owner, const char *template)
{
	snprintf(out, n, "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\",\"uid\":\"r-%s\",\"resourceVersion\":\"2\"," LABELS ",\"ownerReferences\":"
			 "[{\"kind\":\"StatefulSet\",\"name\":\"%s\",\"uid\":\"u1\",\"controller\":true}]},"
			 "\"data\":{\"spec\":{\"template\":%s}},\"revision\":1}", name, name, owner, template);
}

static void pod(char *out, size_t n, int ordinal, const char *phase)
{
	snprintf(out, n, "{\"metadata\":{\"name\":\"web-%d\",\"namespace\":\"ns\",\"uid\":\"p%d\",\"resourceVersion\":\"%d\",\"labels\":{\"app\":\"web\","
			 "\"controller-revision-hash\":\"web-1\",\"statefulset.kubernetes.io/pod-name\":\"web-%d\"},\"ownerReferences\":"
			 "[{\"kind\":\"StatefulSet\",\"name\":\"web\",\"uid\":\"u1\",\"controller\":true}]},\"status\":{\"phase\":\"%s\","
			 "\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}", ordinal, ordinal, 20 + ordinal, ordinal, phase);
}

static void pods(int n, const char *phase)
{
	size_t at = 0;

	for (int i = 0; i < n; i++) {
		if (i)
			t.lists[OF_PODS][at++] = ',';
		pod(t.lists[OF_PODS] + at, sizeof(t.lists[OF_PODS]) - at, i, phase);
		at = strlen(t.lists[OF_PODS]);
	}
}

static void show(enum collection of, const char *type, const char *object)
{
	static char line[16384];

	snprintf(line, sizeof(line), "{\"type\":\"%s\",\"object\":%s}\n", type, object);
	fake_chunk(t.watches[of], line);
}

static int setup(void **state)
{
	char *argv[] = { "kube-controller-manager", "--controllers=statefulset-controller" };

	t = (struct test){};
	assert_int_equal(kcm_options_parse(2, argv, &t.options, NULL), 0);
	fixture_start(&t.f);
	t.f.answer = answer;
	t.recorder = xb_recorder_new(t.f.rest, NULL);
	revision(t.lists[OF_REVISIONS], sizeof(t.lists[0]), "web-1", "web", TEMPLATE);
	return 0;
}

static void start(int replicas, const char *more)
{
	struct kcm_config c = { .rest = t.f.rest, .recorder = t.recorder, .options = &t.options, .root_ca = "" };

	set(t.lists[OF_SETS], sizeof(t.lists[0]), replicas, 1, more);
	if (!*t.fresh)
		snprintf(t.fresh, sizeof(t.fresh), "%s", t.lists[OF_SETS]);
	assert_int_equal(kcm_new(&c, &t.kcm), 0);
	run_until(&t.f.loop, t.watches[OF_SETS] && t.watches[OF_PODS] && t.watches[OF_REVISIONS] && t.watches[OF_CLAIMS]);
}

static int teardown(void **state)
{
	kcm_free(t.kcm);
	xb_recorder_free(t.recorder);
	fixture_stop(&t.f);
	kcm_options_done(&t.options);
	return 0;
}

/* Whatever was to be sent was sent. */
static void settle(void)
{
	for (int i = 0; i < 20; i++)
		uv_run(&t.f.loop, UV_RUN_NOWAIT);
}

static bool asked(const char *line)
{
	return t.f.log.p && strstr(t.f.log.p, line);
}

static bool copy_has(const char *version)
{
	struct xb_informer *copy = xb_cache_of(t.kcm->cache, kcm_kind("apps", "v1", "statefulsets"));

	return xb_sv_is(xb_jv_text(xb_jv_path(xb_informer_get(copy, "ns", "web"), "metadata", "resourceVersion")), version);
}

/* --- revisions --- */
static void the_revision_comes_first(void **state)
{
	t.lists[OF_REVISIONS][0] = '\0';
	start(1, "");
	run_until(&t.f.loop, t.revisions);
	settle();
	assert_int_equal(t.made + t.told, 0);
	assert_non_null(strstr(t.body, "\"controller.kubernetes.io/hash\":\""));
	assert_non_null(strstr(t.body, "\"data\":{\"spec\":{\"template\":{\"$patch\":\"replace\",\"metadata\":{\"creationTimestamp\":null,\"labels\":{"
				       "\"app\":\"web\"}},\"spec\":{}}}},\"revision\":1}"));
	revision(t.lists[OF_REVISIONS], sizeof(t.lists[0]), "web-1", "web", TEMPLATE);
	show(OF_REVISIONS, "ADDED", t.lists[OF_REVISIONS]);
	run_until(&t.f.loop, t.made);
	assert_int_equal(t.revisions, 1);
}

/* It was made before, and the copy is behind: another name would be another revision, and every pod would be replaced. */
static void our_own_revision_is_no_collision(void **state)
{
	char namesake[2048];

	t.lists[OF_REVISIONS][0] = '\0';
	revision(namesake, sizeof(namesake), "web-1", "web", TEMPLATE);
	t.namesake = namesake;
	start(1, "");
	run_until(&t.f.loop, asked("GET " REVISIONS "/"));
	settle();
	assert_int_equal(t.told + t.made, 0);
}

static void a_collision_is_counted(void **state)
{
	char namesake[2048];

	t.lists[OF_REVISIONS][0] = '\0';
	revision(namesake, sizeof(namesake), "web-1", "web", "{\"spec\":{\"other\":true}}");
	t.namesake = namesake;
	start(1, "");
	run_until(&t.f.loop, t.told);
	assert_true(asked("PUT " SETS "/web/status\n"));
	assert_non_null(strstr(t.body, "\"status\":{\"replicas\":0,\"currentRevision\":\"web-1\",\"collisionCount\":1}"));
	assert_non_null(strstr(t.body, "\"resourceVersion\":\"1\""));
}

static void the_same_of_another_owner_is_a_collision(void **state)
{
	char namesake[2048];

	t.lists[OF_REVISIONS][0] = '\0';
	revision(namesake, sizeof(namesake), "web-1", "other", TEMPLATE);
	t.namesake = namesake;
	start(1, "");
	run_until(&t.f.loop, t.told);
	assert_non_null(strstr(t.body, "\"collisionCount\":1"));
}

/* --- pods and claims --- */
#define DATA ",\"volumeClaimTemplates\":[{\"metadata\":{\"name\":\"data\"},\"spec\":{}}]"

static void what_does_not_show_yet_is_not_made_again(void **state)
{
	char object[4096];

	start(3, "");
	run_until(&t.f.loop, t.made);
	settle();
	set(object, sizeof(object), 4, 11, "");
	show(OF_SETS, "MODIFIED", object);
	run_until(&t.f.loop, copy_has("11"));
	settle();
	assert_int_equal(t.made, 1);
	assert_int_equal(t.told, 0);
	pod(object, sizeof(object), 0, "Running");
	show(OF_PODS, "ADDED", object);
	run_until(&t.f.loop, t.made == 2);
	assert_non_null(strstr(t.body, "\"name\":\"web-1\""));
}

static void claims_are_there_before_the_pod(void **state)
{
	start(1, DATA);
	run_until(&t.f.loop, t.made);
	assert_int_equal(t.claims, 1);
	assert_true(strstr(t.f.log.p, "POST " CLAIMS "\n") < strstr(t.f.log.p, "POST " PODS "\n"));
}

static void without_its_claims_there_is_no_pod(void **state)
{
	t.no_claims = true;
	start(1, DATA);
	run_until(&t.f.loop, t.told && t.events >= 2);
	assert_int_equal(t.made, 0);
	assert_non_null(strstr(t.event, "create Pod web-0 in StatefulSet web failed error: failed to create PVC data-web-0: no room"));
	t.no_claims = false;
	run_until(&t.f.loop, t.made);
}

static void a_claim_that_is_being_deleted_is_waited_for(void **state)
{
	_cleanup_buf_ struct xb_buf metrics = {};

	snprintf(t.lists[OF_CLAIMS], sizeof(t.lists[0]), "{\"metadata\":{\"name\":\"data-web-0\",\"namespace\":\"ns\",\"uid\":\"c\",\"resourceVersion\":\"3\","
							 "\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"}}");
	start(1, DATA);
	run_until(&t.f.loop, t.events);
	assert_non_null(strstr(t.event, "pvc data-web-0 is being deleted"));
	settle();
	assert_int_equal(t.made + t.claims, 0);
	kcm_write_metrics(t.kcm, &metrics);
	assert_null(strstr(metrics.p, "workqueue_retries_total{name=\"statefulset\"} 0\n")); /* less and less often */
	show(OF_CLAIMS, "DELETED", t.lists[OF_CLAIMS]);
	run_until(&t.f.loop, t.made);
	assert_int_equal(t.claims, 1);
}

/* The claim gets its owner, then the pod goes; one that is missing is not made for it, and nobody is told. */
static void what_goes_is_not_repaired(void **state)
{
	static const char held[] = "{\"metadata\":{\"name\":\"data-web-0\",\"namespace\":\"ns\",\"uid\":\"c\",\"resourceVersion\":\"%d\"%s},\"spec\":{}}";
	static const char owned[] = ",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"name\":\"web-0\",\"uid\":\"p0\",\"controller\":true}]";
	char object[1024];

	pods(1, "Running");
	snprintf(t.lists[OF_CLAIMS], sizeof(t.lists[0]), held, 3, "");
	start(0, ",\"volumeClaimTemplates\":[{\"metadata\":{\"name\":\"data\"}},{\"metadata\":{\"name\":\"more\"}}],"
		 "\"persistentVolumeClaimRetentionPolicy\":{\"whenScaled\":\"Delete\"}");
	run_until(&t.f.loop, t.claims);
	settle();
	assert_true(asked("PUT " CLAIMS "/data-web-0\n"));
	assert_non_null(strstr(t.body, "\"kind\":\"Pod\",\"name\":\"web-0\",\"uid\":\"p0\""));
	assert_int_equal(t.deleted + t.made + t.events, 0);
	snprintf(object, sizeof(object), held, 11, owned);
	show(OF_CLAIMS, "MODIFIED", object);
	run_until(&t.f.loop, t.deleted);
	assert_int_equal(t.claims, 1);
}

/* --- deletions --- */
static void one_too_many_is_deleted_once(void **state)
{
	char object[4096];

	pods(3, "Running");
	start(1, "");
	run_until(&t.f.loop, t.deleted);
	assert_true(asked("DELETE " PODS "/web-2\n"));
	assert_non_null(strstr(t.body, "\"preconditions\":{\"uid\":\"p2\"}"));
	set(object, sizeof(object), 0, 11, "");
	snprintf(t.fresh, sizeof(t.fresh), "%s", object);
	settle();
	show(OF_SETS, "MODIFIED", object);
	run_until(&t.f.loop, copy_has("11"));
	settle();
	assert_int_equal(t.deleted, 1);
	pod(object, sizeof(object), 2, "Running");
	show(OF_PODS, "DELETED", object);
	run_until(&t.f.loop, t.deleted == 2);
	assert_true(asked("DELETE " PODS "/web-1\n"));
}

/* The copy of the set is behind: it has been scaled up again, or is gone. */
static void nothing_is_deleted_by_what_was_asked_for_before(void **state)
{
	pods(3, "Running");
	set(t.fresh, sizeof(t.fresh), 3, 2, "");
	start(1, "");
	run_until(&t.f.loop, asked("GET " SETS "/web\n"));
	settle();
	assert_int_equal(t.deleted, 0);
	show(OF_SETS, "MODIFIED", t.fresh);
	run_until(&t.f.loop, t.told);
	assert_int_equal(t.deleted, 0);
}

static void what_ended_is_deleted_whatever_is_asked_for(void **state)
{
	pods(1, "Failed");
	start(1, "");
	run_until(&t.f.loop, t.deleted);
	assert_false(asked("GET " SETS "/web\n"));
	settle();
	assert_int_equal(t.deleted + t.made, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_revision_comes_first),
		TEST(our_own_revision_is_no_collision),
		TEST(a_collision_is_counted),
		TEST(the_same_of_another_owner_is_a_collision),
		TEST(what_does_not_show_yet_is_not_made_again),
		TEST(claims_are_there_before_the_pod),
		TEST(without_its_claims_there_is_no_pod),
		TEST(a_claim_that_is_being_deleted_is_waited_for),
		TEST(what_goes_is_not_repaired),
		TEST(one_too_many_is_deleted_once),
		TEST(nothing_is_deleted_by_what_was_asked_for_before),
		TEST(what_ended_is_deleted_whatever_is_asked_for),
	};

	return cmocka_run_group_tests_name("control/controllers/statefulset", tests, NULL, NULL);
}
