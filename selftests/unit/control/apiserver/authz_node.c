/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../control/apiserver/authz_node.h"

/* A store in a folder of its own, and a graph that follows it. */
struct world {
	char folder[32];
	uv_loop_t loop;
	struct store *store;
	struct node_graph *graph;
};

static int make_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct store_config c = { .data_dir = w->folder, .loop = &w->loop };

	strcpy(w->folder, "/tmp/xebec-test-XXXXXX");
	*state = w;
	return !mkdtemp(w->folder) || uv_loop_init(&w->loop) || store_open(&c, &w->store, NULL) || node_graph_new(w->store, &w->graph);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	return remove(path);
}

static int remove_world(void **state)
{
	struct world *w = *state;

	node_graph_free(w->graph);
	store_close(w->store);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	uv_loop_close(&w->loop);
	nftw(w->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(w);
	return 0;
}

struct outcome {
	bool done;
	uint64_t revision;
};

static void on_done(void *arg, int error, struct store_object *o)
{
	struct outcome *out = arg;

	assert_int_equal(error, 0);
	*out = (struct outcome){ true, o->revision };
}

typedef int write_fn(struct store *s, const char *key, uint64_t expect, const struct store_value *v, store_done done, void *arg);

static uint64_t write_object(struct world *w, write_fn *fn, const char *key, uint64_t expect, const char *json)
{
	const char *hole = strstr(json, "\"resourceVersion\":\"") + strlen("\"resourceVersion\":\"");
	struct store_value value = { .bytes = xb_sv(json), .hole = (size_t)(hole - json) };
	struct outcome out = {};

	assert_int_equal(fn(w->store, key, expect, &value, on_done, &out), 0);
	while (!out.done)
		uv_run(&w->loop, UV_RUN_ONCE);
	return out.revision;
}

#define POD(name, node, spec) \
	"{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"a\",\"resourceVersion\":\"\"},\"spec\":{\"nodeName\":\"" node "\"" spec "}}"

static bool refers(struct world *w, const char *node, const char *plural, const char *namespace_, const char *name)
{
	return node_graph_refers(w->graph, xb_sv(node), plural, xb_sv(namespace_), xb_sv(name));
}

static void what_pods_mention_is_theirs(void **state)
{
	static const char spec[] =
		POD("p", "n1", ",\"serviceAccountName\":\"sa\",\"imagePullSecrets\":[{\"name\":\"pull\"}],\"volumes\":["
		    "{\"name\":\"v\",\"secret\":{\"secretName\":\"volume\"}},{\"name\":\"c\",\"configMap\":{\"name\":\"cm\"}},"
		    "{\"name\":\"d\",\"persistentVolumeClaim\":{\"claimName\":\"claim\"}},{\"name\":\"e\",\"ephemeral\":{}},"
		    "{\"name\":\"q\",\"projected\":{\"sources\":[{\"secret\":{\"name\":\"projected\"}},{\"configMap\":{\"name\":\"cmp\"}}]}}],"
		    "\"initContainers\":[{\"envFrom\":[{\"secretRef\":{\"name\":\"from\"}},{\"configMapRef\":{\"name\":\"cmf\"}}]}],"
		    "\"containers\":[{\"env\":[{\"valueFrom\":{\"secretKeyRef\":{\"name\":\"env\"}}},{\"valueFrom\":{\"configMapKeyRef\":{\"name\":\"cme\"}}}]}]");
	static const char *const mentioned[][2] = {
		{ "secrets", "pull" }, { "secrets", "volume" }, { "secrets", "projected" }, { "secrets", "from" }, { "secrets", "env" },
		{ "configmaps", "cm" }, { "configmaps", "cmp" }, { "configmaps", "cmf" }, { "configmaps", "cme" },
		{ "persistentvolumeclaims", "claim" }, { "persistentvolumeclaims", "p-e" }, { "serviceaccounts", "sa" }, { "pods", "p" },
	};
	struct world *w = *state;
	uint64_t revision = write_object(w, store_put, "pods/a/p", 0, spec);

	for (size_t i = 0; i < ARRAY_SIZE(mentioned); i++) {
		assert_true(refers(w, "n1", mentioned[i][0], "a", mentioned[i][1]));
		assert_false(refers(w, "n2", mentioned[i][0], "a", mentioned[i][1]));
		assert_false(refers(w, "n1", mentioned[i][0], "b", mentioned[i][1]));
	}
	assert_false(refers(w, "n1", "secrets", "a", "cm"));
	write_object(w, store_delete, "pods/a/p", revision, spec);
	for (size_t i = 0; i < ARRAY_SIZE(mentioned); i++)
		assert_false(refers(w, "n1", mentioned[i][0], "a", mentioned[i][1]));
}

static void the_last_pod_counts(void **state)
{
	static const char one[] = POD("one", "n1", ",\"serviceAccountName\":\"sa\""), two[] = POD("two", "n1", ",\"serviceAccountName\":\"sa\"");
	static const char nowhere[] = POD("one", "", ",\"serviceAccountName\":\"sa\"");
	struct world *w = *state;
	uint64_t first = write_object(w, store_put, "pods/a/one", 0, nowhere), second;

	assert_false(refers(w, "n1", "serviceaccounts", "a", "sa"));
	first = write_object(w, store_put, "pods/a/one", first, one);
	assert_true(refers(w, "n1", "serviceaccounts", "a", "sa"));
	second = write_object(w, store_put, "pods/a/two", 0, two);
	write_object(w, store_delete, "pods/a/one", first, one);
	assert_true(refers(w, "n1", "serviceaccounts", "a", "sa"));
	write_object(w, store_delete, "pods/a/two", second, two);
	assert_false(refers(w, "n1", "serviceaccounts", "a", "sa"));
}

static void a_node_is_its_name_and_its_group(void **state)
{
	char *nodes[] = { (char *)GROUP_NODES, NULL }, *none[] = { NULL };
	struct user node = { .name = (char *)"system:node:n1", .uid = (char *)"", .groups = nodes };
	struct user pretender = { .name = (char *)"system:node:n1", .uid = (char *)"", .groups = none };
	struct user member = { .name = (char *)"jane", .uid = (char *)"", .groups = nodes };
	struct attributes t = {
		.verb = XB_SV("get"), .is_resource = true, .group = XB_SV("coordination.k8s.io"), .resource = XB_SV("leases"),
		.namespace_ = XB_SV("kube-node-lease"), .name = XB_SV("n1"),
	};
	struct world *w = *state;

	t.user = &node;
	assert_int_equal(node_graph_decide(w->graph, &t, NULL), DECISION_ALLOW);
	t.user = &pretender;
	assert_int_equal(node_graph_decide(w->graph, &t, NULL), DECISION_NONE);
	t.user = &member;
	assert_int_equal(node_graph_decide(w->graph, &t, NULL), DECISION_NONE);
	t.user = &node;
	t.name = XB_SV("n2");
	assert_int_equal(node_graph_decide(w->graph, &t, NULL), DECISION_NONE);
	t.group = XB_SV("");
	t.resource = XB_SV("services");
	t.verb = XB_SV("list");
	assert_int_equal(node_graph_decide(w->graph, &t, NULL), DECISION_ALLOW);
	t.verb = XB_SV("delete");
	assert_int_equal(node_graph_decide(w->graph, &t, NULL), DECISION_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_pods_mention_is_theirs, make_world, remove_world),
		cmocka_unit_test_setup_teardown(the_last_pod_counts, make_world, remove_world),
		cmocka_unit_test_setup_teardown(a_node_is_its_name_and_its_group, make_world, remove_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
