/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What pods and templates of pods have alike rests apart from them, and no reader can tell. */
#include "../store/fixture.h"
#include "../../../../control/apiserver/pod_refs.h"
#include "../../../../control/apiserver/stored.h"

#define LONG "a text so long that it is worth to be kept once and be referred to by its number"
#define META(name) "\"metadata\":{\"name\":\"" name "\",\"managedFields\":[{\"fieldsV1\":{\"f:spec\":{\"" LONG "\":{}}},\"manager\":\"m\"}]," \
	"\"ownerReferences\":[{\"name\":\"" LONG "\"}],\"resourceVersion\":\"\"}"
#define ENV "\"env\":[{\"name\":\"A\",\"valueFrom\":{\"secretKeyRef\":{\"name\":\"hidden\",\"key\":\"key\"}}},{\"name\":\"B\",\"value\":\"" LONG "\"}]"
#define FROM "\"envFrom\":[{\"configMapRef\":{\"name\":\"settings\"}},{\"secretRef\":{\"name\":\"more\"},\"prefix\":\"" LONG "\"}]"
#define PROBE(name) "\"" name "\":{\"httpGet\":{\"path\":\"/" LONG "\",\"port\":8080},\"periodSeconds\":10}"
#define SECURITY "\"securityContext\":{\"seLinuxOptions\":{\"level\":\"" LONG "\"},\"runAsUser\":1000}"
#define CONTAINER(name) "{\"args\":[\"" LONG "\",1,{\"x\":[]}],\"command\":[\"" LONG "\"]," ENV "," FROM ",\"image\":\"i\",\"lifecycle\":{\"preStop\":{" \
	"\"exec\":{\"command\":[\"" LONG "\"]}}}," PROBE("livenessProbe") ",\"name\":\"" name "\"," PROBE("readinessProbe") \
	",\"resources\":{\"limits\":{\"cpu\":1}}," SECURITY "," PROBE("startupProbe") "}"
#define LIKE_PARTS "{\"args\":1,\"command\":[],\"env\":2,\"envFrom\":3,\"lifecycle\":-4,\"livenessProbe\":{},\"name\":\"b\",\"securityContext\":5e2}"
#define VOLUMES "\"volumes\":[{\"name\":\"v\",\"projected\":{\"sources\":[{\"secret\":{\"name\":\"projected\"}},{\"configMap\":{\"name\":\"" LONG "\"}}]}}," \
	"{\"name\":\"w\",\"emptyDir\":{}}]"
#define SPEC "{\"tolerations\":[{\"key\":\"" LONG "\"}],\"initContainers\":[" CONTAINER("i") "]," SECURITY "," VOLUMES \
	",\"containers\":[" LIKE_PARTS "," CONTAINER("c") ",7,null,[],\"x\"]}"

static const struct {
	const char *what, *json;
	unsigned parts;
} objects[] = {
	{ "pod", "{\"kind\":\"Pod\"," META("p") ",\"spec\":" SPEC ",\"status\":{\"env\":[\"" LONG "\"]}}", 2 + 3 + 2 * 9 },
	{ "spec first", "{\"status\":1,\"spec\":" SPEC "," META("p") "}", 2 + 3 + 2 * 9 },
	{ "template", "{" META("d") ",\"spec\":{\"replicas\":3,\"template\":{\"spec\":" SPEC "}}}", 2 + 3 + 2 * 9 },
	{ "podtemplate", "{" META("d") ",\"template\":{\"metadata\":{},\"spec\":" SPEC "}}", 2 + 3 + 2 * 9 },
	{ "cronjob", "{" META("c") ",\"spec\":{\"jobTemplate\":{\"spec\":{\"template\":{\"spec\":" SPEC "}}}}}", 2 + 3 + 2 * 9 },
	{ "many", "{" META("m") ",\"spec\":{\"containers\":[" CONTAINER("1") "," CONTAINER("2") "," CONTAINER("3") "," CONTAINER("4") ","
	  CONTAINER("5") "," CONTAINER("6") "," CONTAINER("7") "," CONTAINER("8") "]}}", STORE_SPANS_MAX },
	{ "strange", "{\"spec\":{\"containers\":{" ENV "},\"template\":[{\"spec\":" SPEC "}]}," META("s") "}", 2 },
	{ "nothing", "{\"metadata\":{\"resourceVersion\":\"\"},\"spec\":{\"containers\":[],\"initContainers\":null}}", 0 },
};

static int setup(void **state)
{
	struct fixture *f = malloc(sizeof(*f));

	fixture_init(f);
	fixture_open(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fixture_done(*state);
	free(*state);
	return 0;
}

static void put_tree(struct fixture *f, const char *key, struct xb_arena *a, struct xb_tree *object)
{
	_cleanup_buf_ struct xb_buf bytes = {};
	struct store_value v;
	struct outcome out = {};

	assert_int_equal(stored_value(a, object, &bytes, &v), 0);
	assert_int_equal(store_put(f->s, key, revision_of(store_head(f->s, key)), &v, fixture_done_cb, &out), 0);
	fixture_wait(f, &out);
	assert_int_equal(out.error, 0);
}

static void put(struct fixture *f, const char *key, const char *json)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);

	put_tree(f, key, a, xb_tree_parse(a, json));
}

static unsigned parts_of(const struct store_object *o)
{
	struct store_part_at part;
	unsigned n = 0;

	while (store_part_next(o->doc, &n, &part))
		;
	return n;
}

/* The JSON with that revision in its hole; the caller frees it. */
static char *at_revision(const char *json, uint64_t revision)
{
	const char *hole = strstr(json, "\"resourceVersion\":\"") + strlen("\"resourceVersion\":\"");
	char *s = NULL;

	assert_true(asprintf(&s, "%.*s%" PRIu64 "%s", (int)(hole - json), json, revision, hole) > 0);
	return s;
}

/* Both ways to read it give what was written. */
static void assert_reads(struct store_object *o, const char *json)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
	_cleanup_buf_ struct xb_buf bytes = {}, tree = {}, later = {};
	_cleanup_free_ char *want = at_revision(json, o->revision), *want_later = at_revision(json, 99);

	stored_write(xb_json_root(o->doc), 0, &bytes);
	assert_string_equal(bytes.p, want);
	xb_tree_write(stored_tree(a, o->doc), &tree);
	assert_string_equal(tree.p, want);
	stored_write(xb_json_root(o->doc), 99, &later);
	assert_string_equal(later.p, want_later);
}

static void reads_as_it_was_written(void **state)
{
	struct fixture *f = *state;
	char key[32];

	for (unsigned copy = 0; copy < 3; copy++)
		for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
			snprintf(key, sizeof(key), "k/%zu/%u", i, copy);
			put(f, key, objects[i].json);
		}
	for (unsigned round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
			for (unsigned copy = 0; copy < 3; copy++) {
				snprintf(key, sizeof(key), "k/%zu/%u", i, copy);
				assert_reads(store_get(f->s, key), objects[i].json);
				if (copy == 2 && parts_of(store_get(f->s, key)) != objects[i].parts)
					fail_msg("%s: %u parts", objects[i].what, parts_of(store_get(f->s, key)));
			}
		fixture_close(f);
		fixture_open(f);
	}
}

static void is_written_over(void **state)
{
	static const char pod[] = "{\"kind\":\"Pod\"," META("p") ",\"spec\":" SPEC "}";
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
	_cleanup_(store_object_unrefp) struct store_object *before = NULL;
	struct fixture *f = *state;
	struct xb_tree *tree, *container;

	for (unsigned i = 0; i < 3; i++)
		put(f, i % 2 ? "a" : "b", pod);
	before = store_object_ref(store_get(f->s, "b"));
	tree = stored_tree(a, before->doc);
	container = xb_tree_path(tree, "spec", "initContainers")->first;
	xb_tree_set(container, XB_SV("command"), xb_tree_int(a, 1));
	xb_tree_append(xb_tree_get(container, "args"), xb_tree_int(a, 2));
	put_tree(f, "b", a, tree);
	assert_reads(before, pod);
	tree = stored_tree(a, store_get(f->s, "b")->doc);
	container = xb_tree_path(tree, "spec", "initContainers")->first;
	assert_int_equal(xb_tree_geti64(container, "command", 0), 1);
	assert_int_equal(xb_tree_get(container, "args")->count, 4);
	assert_int_equal(xb_tree_get(container, "env")->count, 2);
	put(f, "b", pod);
	assert_reads(store_get(f->s, "b"), pod);
}

/* What only one object has, its owner's uid and its address, keeps nothing else of its sets from being shared. */
static void sets_of_ones_own_are_shared_in_pieces(void **state)
{
	static const char like[] = "{\"metadata\":{\"managedFields\":[{\"fieldsV1\":{\"f:metadata\":{\"f:labels\":{\"f:" LONG "\":{}},\"f:ownerReferences\":{"
		"\"k:{\\\"uid\\\":\\\"%u\\\"}\":{}}},\"f:spec\":{\"" LONG "\":{\"f:a\":{}}}}},{\"fieldsV1\":{\"f:status\":{\"f:conditions\":{\"" LONG
		"\":{\"f:b\":{}}},\"f:phase\":{},\"f:podIPs\":{\"k:{\\\"ip\\\":\\\"10.0.0.%u\\\"}\":{}}}},\"time\":\"now\"}],\"resourceVersion\":\"\"}}";
	struct fixture *f = *state;
	char json[1024], key[32];

	for (unsigned i = 0; i < 4; i++) {
		snprintf(json, sizeof(json), like, i, i);
		snprintf(key, sizeof(key), "pods/a/%u", i);
		put(f, key, json);
		assert_reads(store_get(f->s, key), json);
	}
	assert_int_equal(parts_of(store_get(f->s, "pods/a/3")), 2);
	put(f, "pods/a/3", json);
	assert_reads(store_get(f->s, "pods/a/3"), json);
	assert_int_equal(parts_of(store_get(f->s, "pods/a/3")), 3);
}

/* Of Events that a component made in the same second; of one that is alone in its second the set of fields is shared. */
static void entries_of_events_are_shared(void **state)
{
	static const char like[] = "{\"kind\":\"Event\",\"metadata\":{\"managedFields\":[{\"fieldsV1\":{\"f:" LONG "\":{}},\"manager\":\"m\",\"time\":\"%u\"}],"
		"\"resourceVersion\":\"\"}}";
	static const unsigned seconds[] = { 1, 1, 2, 1, 2 }, parts[] = { 0, 1, 1, 1, 1 };
	struct fixture *f = *state;
	struct store_part_at part;
	char json[1024], key[32];

	for (unsigned i = 0; i < ARRAY_SIZE(seconds); i++) {
		unsigned iter = 0;

		snprintf(json, sizeof(json), like, seconds[i]);
		snprintf(key, sizeof(key), "events/a/%u", i);
		put(f, key, json);
		assert_reads(store_get(f->s, key), json);
		assert_int_equal(parts_of(store_get(f->s, key)), parts[i]);
		if (parts[i] && store_part_next(store_get(f->s, key)->doc, &iter, &part))
			assert_int_equal(xb_jv_is(xb_jv_get(xb_json_root(part.value), "manager")), i != 2);
	}
	fixture_close(f);
	fixture_open(f);
	assert_reads(store_get(f->s, "events/a/4"), json);
}

static void note(void *arg, const char *plural, struct xb_sv name)
{
	xb_buf_addf(arg, "%s/%.*s ", plural, XB_SV_ARG(name));
}

static void mentions_are_found(void **state)
{
	static const char pod[] = "{" META("p") ",\"spec\":{\"containers\":[{\"env\":3,\"envFrom\":[]},{" ENV "," FROM "}]," VOLUMES "}}";
	struct fixture *f = *state;

	for (unsigned i = 0; i < 3; i++) {
		_cleanup_buf_ struct xb_buf found = {};

		put(f, "pods/a/p", pod);
		pod_refs_each(xb_json_root(store_get(f->s, "pods/a/p")->doc), note, &found);
		assert_string_equal(found.p, "secrets/hidden configmaps/settings secrets/more secrets/projected configmaps/" LONG " ");
	}
	assert_int_equal(parts_of(store_get(f->s, "pods/a/p")), 2 + 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_as_it_was_written, setup, teardown),
		cmocka_unit_test_setup_teardown(is_written_over, setup, teardown),
		cmocka_unit_test_setup_teardown(sets_of_ones_own_are_shared_in_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(entries_of_events_are_shared, setup, teardown),
		cmocka_unit_test_setup_teardown(mentions_are_found, setup, teardown),
	};
	return cmocka_run_group_tests_name("control/apiserver/stored", tests, NULL, NULL);
}
