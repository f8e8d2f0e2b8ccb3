/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One DaemonSet against a server that shows what it likes, when it likes: what is sent, and what is not. */
#include "../../../userspace/lib/client/api_fixture.h"
#include "../../../../../control/controllers/kcm.h"
#include "../../../../../control/controllers/workloads/template_hash.h"

#define LABELS   "\"labels\":{\"app\":\"web\"%s}"
#define TEMPLATE "{\"metadata\":{\"labels\":{\"app\":\"web\"}},\"spec\":{}}"

static struct test {
	struct fixture f;
	struct kcm_options options;
	struct xb_recorder *recorder;
	struct kcm *kcm;
	char set[2048], revision[2048], nodes[1024], pods[4096]; /* items of the lists */
	const char *fresh;              /* the set as it is read again */
	struct fake_conn *set_watch, *pod_watch, *node_watch, *revision_watch;
	bool drop;                      /* the connection of each write of a pod */
	const char *really;             /* what the server has, when it is asked for the set's pods again */
	unsigned recounted;
	unsigned made, deleted, adopted, told, revisions;
	char body[8192], path[256];     /* of the last write */
} t;

static void reply_list(struct fake_conn *c, const char *version, const char *items)
{
	char list[8192];

	snprintf(list, sizeof(list), "{\"metadata\":{\"resourceVersion\":\"%s\"},\"items\":[%s]}", version, items);
	fake_reply(c, 200, list);
}

static unsigned *count_of(const char *method, const char *path)
{
	if (strstr(path, "controllerrevisions"))
		return &t.revisions;
	if (strstr(path, "/status"))
		return &t.told;
	return !strcmp(method, "POST") ? &t.made : !strcmp(method, "DELETE") ? &t.deleted : &t.adopted;
}

static void answer_write(struct fixture *f, struct fake_conn *c, const char *method, const char *path)
{
	++*count_of(method, path);
	snprintf(t.body, sizeof(t.body), "%s", f->body);
	snprintf(t.path, sizeof(t.path), "%s", path);
	if (t.drop && strstr(path, "/pods"))
		fake_drop(c);
	else
		fake_reply(c, 200, "{\"metadata\":{\"name\":\"web-x\",\"uid\":\"x\"}}");
}

static const char *items_of(const char *path)
{
	return strstr(path, "daemonsets") ? t.set : strstr(path, "nodes") ? t.nodes : strstr(path, "controllerrevisions") ? t.revision : t.pods;
}

static struct fake_conn **watch_of(const char *path)
{
	return strstr(path, "daemonsets") ? &t.set_watch : strstr(path, "nodes") ? &t.node_watch :
	       strstr(path, "controllerrevisions") ? &t.revision_watch : &t.pod_watch;
}

static void answer(struct fixture *f, struct fake_conn *c, const char *method, const char *path)
{
	if (strstr(path, "/events")) {
		fake_reply(c, 201, "{}");
	} else if (strcmp(method, "GET")) {
		answer_write(f, c, method, path);
	} else if (strstr(path, "watch=true")) {
		fake_stream(c);
		*watch_of(path) = c;
	} else if (strstr(path, "/daemonsets/web")) {
		fake_reply(c, t.fresh ? 200 : 404, t.fresh ? t.fresh : "{}");
	} else if (strstr(path, "/namespaces/ns/pods?labelSelector=app%3Dweb")) {
		t.recounted++;
		reply_list(c, "20", t.really);
	} else {
		reply_list(c, "10", items_of(path));
	}
}

static void set(char *out, size_t n, const char *version)
{
	snprintf(out, n, "{\"metadata\":{\"name\":\"web\",\"namespace\":\"ns\",\"uid\":\"u1\",\"generation\":1,\"resourceVersion\":\"%s\"},\"spec\":{"
			 "\"updateStrategy\":{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"maxUnavailable\":1}},"
			 "\"selector\":{\"matchLabels\":{\"app\":\"web\"}},\"template\":" TEMPLATE "}}", version);
}

static void revision(char *out, size_t n)
{
	_cleanup_(xb_json_unrefp) struct xb_json *template = NULL;
	_cleanup_buf_ struct xb_buf data = {};

	assert_int_equal(xb_json_parse(XB_SV(TEMPLATE), NULL, &template, NULL), 0);
	template_patch(xb_json_root(template), &data);
	snprintf(out, n, "{\"metadata\":{\"name\":\"web-1\",\"namespace\":\"ns\",\"uid\":\"r1\",\"resourceVersion\":\"3\"," LABELS ",\"ownerReferences\":["
			 "{\"kind\":\"DaemonSet\",\"name\":\"web\",\"uid\":\"u1\",\"controller\":true}]},\"data\":%.*s,\"revision\":1}",
		 ",\"controller-revision-hash\":\"h4sh\"", XB_SV_ARG(xb_buf_sv(&data)));
}

/* owner: a uid, or NULL for none; hash: of its revision */
static void pod(char *out, size_t n, const char *name, const char *node, const char *owner, const char *hash)
{
	char reference[256] = "", label[64];

	snprintf(label, sizeof(label), ",\"controller-revision-hash\":\"%s\"", hash);
	if (owner)
		snprintf(reference, sizeof(reference), ",\"ownerReferences\":[{\"kind\":\"DaemonSet\",\"name\":\"web\",\"uid\":\"%s\",\"controller\":true}]", owner);
	snprintf(out, n, "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\",\"uid\":\"uid-%s\",\"resourceVersion\":\"15\"," LABELS "%s},"
			 "\"spec\":{\"nodeName\":\"%s\"},\"status\":{\"phase\":\"Running\"}}", name, name, label, reference, node);
}

static void show(struct fake_conn *watch, const char *type, const char *object)
{
	char line[8192];

	snprintf(line, sizeof(line), "{\"type\":\"%s\",\"object\":%s}\n", type, object);
	fake_chunk(watch, line);
}

static int setup(void **state)
{
	char *argv[] = { "kube-controller-manager", "--controllers=daemonset-controller" };

	t = (struct test){};
	assert_int_equal(kcm_options_parse(2, argv, &t.options, NULL), 0);
	fixture_start(&t.f);
	t.f.answer = answer;
	t.recorder = xb_recorder_new(t.f.rest, NULL);
	set(t.set, sizeof(t.set), "1");
	revision(t.revision, sizeof(t.revision));
	return 0;
}

static void start(const char *nodes)
{
	struct kcm_config c = { .rest = t.f.rest, .recorder = t.recorder, .options = &t.options, .root_ca = "" };
	size_t n = 0;

	for (; *nodes; nodes++)
		n += (size_t)snprintf(t.nodes + n, sizeof(t.nodes) - n, "%s{\"metadata\":{\"name\":\"n%c\",\"resourceVersion\":\"5\"}}", n ? "," : "", *nodes);
	assert_int_equal(kcm_new(&c, &t.kcm), 0);
	run_until(&t.f.loop, t.set_watch && t.pod_watch && t.node_watch && t.revision_watch);
}

static int teardown(void **state)
{
	kcm_free(t.kcm);
	xb_recorder_free(t.recorder);
	fixture_stop(&t.f);
	kcm_options_done(&t.options);
	return 0;
}

static bool copy_has(const char *plural, const char *namespace_, const char *name, const char *version)
{
	struct xb_informer *copy = xb_cache_of(t.kcm->cache, kcm_kind(!strcmp(plural, "nodes") ? "" : "apps", "v1", plural));

	return xb_sv_is(xb_jv_text(xb_jv_path(xb_informer_get(copy, namespace_, name), "metadata", "resourceVersion")), version);
}

/* Whatever was to be sent was sent. */
static void settle(void)
{
	for (int i = 0; i < 20; i++)
		uv_run(&t.f.loop, UV_RUN_NOWAIT);
}

static void what_does_not_show_yet_is_not_made_again(void **state)
{
	char object[2048];

	start("12");
	run_until(&t.f.loop, t.made == 2);
	settle();
	set(object, sizeof(object), "11");
	show(t.set_watch, "MODIFIED", object);
	run_until(&t.f.loop, copy_has("daemonsets", "ns", "web", "11"));
	show(t.node_watch, "ADDED", "{\"metadata\":{\"name\":\"n3\",\"resourceVersion\":\"12\"}}");
	run_until(&t.f.loop, copy_has("nodes", "", "n3", "12"));
	settle();
	assert_int_equal(t.made, 2);
	pod(object, sizeof(object), "a", "n1", "u1", "h4sh");
	show(t.pod_watch, "ADDED", object);
	pod(object, sizeof(object), "b", "n2", "u1", "h4sh");
	show(t.pod_watch, "ADDED", object);
	run_until(&t.f.loop, t.made == 3);
	assert_non_null(strstr(t.body, "\"values\":[\"n3\"]"));
	settle();
	assert_int_equal(t.made, 3);
	assert_int_equal(t.told + t.revisions, 0);
}

/* Before its first pod is made, what it is made by is written. */
static void a_revision_comes_first(void **state)
{
	*t.revision = '\0';
	start("1");
	run_until(&t.f.loop, t.revisions == 1);
	settle();
	assert_int_equal(t.made, 0);
	revision(t.revision, sizeof(t.revision));
	show(t.revision_watch, "ADDED", t.revision);
	run_until(&t.f.loop, t.made == 1);
	assert_non_null(strstr(t.body, "\"controller-revision-hash\":\"h4sh\""));
}

/* The copy is behind: the set was deleted, and made anew by the same name. */
static void nothing_is_adopted_for_one_that_is_gone(void **state)
{
	pod(t.pods, sizeof(t.pods), "orphan", "n1", NULL, "h4sh");
	t.fresh = "{\"metadata\":{\"name\":\"web\",\"uid\":\"u2\"}}";
	start("1");
	run_until(&t.f.loop, strstr(t.f.log.p, "GET /apis/apps/v1/namespaces/ns/daemonsets/web\n"));
	settle();
	assert_int_equal(t.adopted + t.made, 0);
	t.fresh = "{\"metadata\":{\"name\":\"web\",\"uid\":\"u1\"}}";
	run_until(&t.f.loop, t.adopted == 1);
	assert_string_equal(t.path, "/api/v1/namespaces/ns/pods/orphan");
}

/* A deletion names the pod's uid, and is not repeated while it does not show. */
static void an_old_pod_is_deleted_once(void **state)
{
	char one[1024], two[1024], object[2048];

	pod(one, sizeof(one), "a", "n1", "u1", "h4sh");
	pod(two, sizeof(two), "b", "n2", "u1", "old");
	snprintf(t.pods, sizeof(t.pods), "%s,%s", one, two);
	start("12");
	run_until(&t.f.loop, t.deleted == 1);
	assert_string_equal(t.path, "/api/v1/namespaces/ns/pods/b");
	assert_non_null(strstr(t.body, "\"preconditions\":{\"uid\":\"uid-b\"}"));
	set(object, sizeof(object), "11");
	show(t.set_watch, "MODIFIED", object);
	run_until(&t.f.loop, copy_has("daemonsets", "ns", "web", "11"));
	settle();
	assert_int_equal(t.deleted, 1);
	show(t.pod_watch, "DELETED", two);
	run_until(&t.f.loop, t.made == 1);
	assert_non_null(strstr(t.body, "\"values\":[\"n2\"]"));
}

/* The server made it before it died; the copy learns that later. */
static void what_got_no_answer_is_not_made_again(void **state)
{
	char object[2048];

	pod(object, sizeof(object), "a", "n1", "u1", "h4sh");
	t.drop = true;
	t.really = object;
	start("1");
	run_until(&t.f.loop, t.recounted == 1);
	t.drop = false;
	settle();
	assert_int_equal(t.made, 1);
	show(t.pod_watch, "ADDED", object);
	run_until(&t.f.loop, strstr(t.body, "\"currentNumberScheduled\":1"));
	assert_int_equal(t.made, 1);
	assert_int_equal(t.recounted, 1);
}

static void what_was_not_done_is(void **state)
{
	t.drop = true;
	t.really = "";
	start("1");
	run_until(&t.f.loop, t.made == 1);
	t.drop = false;
	run_until(&t.f.loop, t.made == 2);
	settle();
	assert_int_equal(t.made, 2);
	assert_int_equal(t.recounted, 1);
}

static void what_a_node_tells_of_itself_is_passed_over(void **state)
{
	pod(t.pods, sizeof(t.pods), "a", "n1", "u1", "h4sh");
	start("1");
	run_until(&t.f.loop, t.told == 1);
	settle();
	show(t.node_watch, "MODIFIED", "{\"metadata\":{\"name\":\"n1\",\"resourceVersion\":\"12\"},\"status\":{\"conditions\":[]}}");
	run_until(&t.f.loop, copy_has("nodes", "", "n1", "12"));
	settle();
	assert_int_equal(t.told, 1);
	show(t.node_watch, "MODIFIED", "{\"metadata\":{\"name\":\"n1\",\"resourceVersion\":\"13\"},\"spec\":{\"taints\":[{\"key\":\"k\",\"effect\":\"NoExecute\"}]}}");
	run_until(&t.f.loop, t.deleted == 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_does_not_show_yet_is_not_made_again),
		TEST(a_revision_comes_first),
		TEST(nothing_is_adopted_for_one_that_is_gone),
		TEST(an_old_pod_is_deleted_once),
		TEST(what_got_no_answer_is_not_made_again),
		TEST(what_was_not_done_is),
		TEST(what_a_node_tells_of_itself_is_passed_over),
	};

	return cmocka_run_group_tests_name("control/controllers/daemonset", tests, NULL, NULL);
}
