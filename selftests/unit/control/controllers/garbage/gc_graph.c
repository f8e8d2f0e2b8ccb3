/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who is looked at when something is seen, changes and goes; and what an object costs. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include "../../../../../control/controllers/garbage/gc_graph.h"

static struct gc_graph *graph;
static struct xb_buf looked;
static const struct xb_kind config_map = { .group = "", .version = "v1", .kind = "ConfigMap", .plural = "configmaps", .namespaced = true };
static const struct xb_kind replica_set = { .group = "apps", .version = "v1", .kind = "ReplicaSet", .plural = "replicasets", .namespaced = true };

static void on_look(void *arg, const struct gc_node *n)
{
	xb_buf_addf(&looked, "%.*s ", XB_SV_ARG(gc_node_name(n)));
}

static int setup(void **state)
{
	graph = gc_graph_new(on_look, NULL);
	assert_non_null(graph);
	return 0;
}

static int teardown(void **state)
{
	graph = gc_graph_free(graph);
	xb_buf_done(&looked);
	return 0;
}

static void saw_in(const struct xb_kind *kind, const char *namespace_, const char *name, const char *more)
{
	_cleanup_buf_ struct xb_buf text = {};
	struct xb_json *doc = NULL;

	xb_buf_addf(&text, "{\"metadata\":{\"namespace\":\"%s\",\"name\":\"%s\",\"uid\":\"%s\"%s}}", namespace_, name, name, more);
	assert_int_equal(xb_json_parse(xb_buf_sv(&text), NULL, &doc, NULL), 0);
	assert_int_equal(gc_graph_saw(graph, kind, xb_json_root(doc), 1), 0);
	xb_json_unref(doc);
}

static void saw(const char *name, const char *more)
{
	saw_in(&config_map, "ns", name, more);
}

#define OWNERS(list) ",\"ownerReferences\":[" list "]"
#define OWNER(name) "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"name\":\"" name "\",\"uid\":\"" name "\"}"
#define BLOCKS(name) "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"name\":\"" name "\",\"uid\":\"" name "\",\"blockOwnerDeletion\":true}"
#define DELETING(finalizer) ",\"deletionTimestamp\":\"2026-01-01T00:00:00Z\",\"finalizers\":[\"" finalizer "\"]"

static void expect(const char *names)
{
	assert_string_equal(looked.p ? looked.p : "", names);
	xb_buf_clear(&looked);
	if (looked.p)
		*looked.p = '\0';
}

static void an_owner_that_is_there_is_no_reason(void **state)
{
	saw("owner", "");
	saw("dependent", OWNERS(OWNER("owner")));
	saw("free", "");
	expect("");
	gc_graph_look_all(graph);
	expect("");
	gc_graph_lost(graph, XB_SV("owner"));
	expect("dependent ");
}

static void an_owner_that_was_not_seen_is_one_until_it_is(void **state)
{
	saw("dependent", OWNERS(OWNER("owner")));
	expect("dependent ");
	assert_false(gc_graph_find(graph, XB_SV("owner"))->seen);
	saw("owner", "");
	expect("");
	gc_graph_look_all(graph);
	expect("");
	gc_graph_lost(graph, XB_SV("dependent"));
	gc_graph_lost(graph, XB_SV("owner"));
	assert_int_equal(gc_graph_count(graph), 0);
}

static void what_a_reference_says_must_be_so(void **state)
{
	saw("owner", "");
	saw_in(&config_map, "other", "crossing", OWNERS(OWNER("owner")));
	expect("crossing ");
	assert_true(gc_edge_crosses(gc_graph_find(graph, XB_SV("crossing"))->owners));
	saw("named", OWNERS("{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"name\":\"x\",\"uid\":\"owner\"}"));
	expect("named ");
	saw("grouped", OWNERS("{\"apiVersion\":\"apps/v1\",\"kind\":\"ConfigMap\",\"name\":\"owner\",\"uid\":\"owner\"}"));
	expect("grouped ");
	saw_in(&replica_set, "ns", "set", "");
	saw("versioned", OWNERS("{\"apiVersion\":\"apps/v1beta1\",\"kind\":\"ReplicaSet\",\"name\":\"set\",\"uid\":\"set\"}"));
	expect("");
}

static void in_the_foreground_the_last_that_blocks_frees(void **state)
{
	saw("owner", "");
	saw("a", OWNERS(BLOCKS("owner")));
	saw("b", OWNERS(BLOCKS("owner")));
	saw("c", OWNERS(OWNER("owner")));
	expect("");
	saw("owner", DELETING("foregroundDeletion"));
	expect("c b a ");
	saw("a", OWNERS(OWNER("owner")));
	expect("a ");
	gc_graph_lost(graph, XB_SV("b"));
	expect("owner ");
}

static void orphaning_and_deletion_under_way(void **state)
{
	saw("gone", DELETING("example.com/x") OWNERS(OWNER("nobody")));
	expect("");
	saw("orphaning", DELETING("orphan"));
	expect("orphaning ");
	saw("orphaning", DELETING("foregroundDeletion"));
	expect("orphaning ");
}

static void a_list_loses_what_it_does_not_show(void **state)
{
	saw("owner", "");
	saw_in(&replica_set, "ns", "dependent", OWNERS(OWNER("owner")));
	gc_graph_sweep(graph, &replica_set, 1);
	expect("");
	gc_graph_sweep(graph, &config_map, 2);
	expect("dependent ");
}

static void a_reference_to_itself_does_no_harm(void **state)
{
	saw("self", OWNERS(OWNER("self") "," OWNER("self") "," BLOCKS("other")));
	saw("self", OWNERS(OWNER("other")));
	saw("self", OWNERS(OWNER("self")));
	gc_graph_lost(graph, XB_SV("self"));
	assert_int_equal(gc_graph_count(graph), 0);
}

static void uids_come_back_as_they_were(void **state)
{
	static const char *const uids[] = { "0f8fad5b-d9cb-469f-a165-70867728950e", "0F8FAD5B-d9cb-469f-a165-70867728950e",
					    "0f8fad5b_d9cb-469f-a165-70867728950e", "x" };

	for (size_t i = 0; i < ARRAY_SIZE(uids); i++) {
		_cleanup_buf_ struct xb_buf uid = {};

		saw(uids[i], "");
		gc_node_uid(gc_graph_find(graph, xb_sv(uids[i])), &uid);
		assert_string_equal(uid.p, uids[i]);
	}
	assert_int_equal(gc_graph_count(graph), ARRAY_SIZE(uids));
}

/* 50,000 pods of 1,000 ReplicaSets. */
static void an_object_costs_little(void **state)
{
	enum { SETS = 1000, PODS = 50 };
	size_t before = mallinfo2().uordblks, each;

	for (unsigned s = 0; s < SETS; s++)
		for (unsigned p = 0; p <= PODS; p++) {
			_cleanup_buf_ struct xb_buf text = {};
			struct xb_json *doc = NULL;

			xb_buf_addf(&text, "{\"metadata\":{\"namespace\":\"load\",\"name\":\"web-%03u-56d7b49bcf%s\","
				    "\"uid\":\"%08x-d9cb-469f-a165-%012x\"", s, p ? "-2d65t" : "", p, s);
			if (p)
				xb_buf_addf(&text, ",\"ownerReferences\":[{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\",\"name\":"
					    "\"web-%03u-56d7b49bcf\",\"uid\":\"%08x-d9cb-469f-a165-%012x\"}]", s, 0, s);
			xb_buf_adds(&text, "}}");
			assert_int_equal(xb_json_parse(xb_buf_sv(&text), NULL, &doc, NULL), 0);
			assert_int_equal(gc_graph_saw(graph, &replica_set, xb_json_root(doc), 1), 0);
			xb_json_unref(doc);
		}
	assert_int_equal(gc_graph_count(graph), SETS * (PODS + 1));
	expect("");
	each = (mallinfo2().uordblks - before) / gc_graph_count(graph);
	print_message("%zu bytes an object\n", each);
#if !defined(__SANITIZE_ADDRESS__)
	assert_in_range(each, 100, 230);
#endif
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_owner_that_is_there_is_no_reason),
		T(an_owner_that_was_not_seen_is_one_until_it_is),
		T(what_a_reference_says_must_be_so),
		T(in_the_foreground_the_last_that_blocks_frees),
		T(orphaning_and_deletion_under_way),
		T(a_list_loses_what_it_does_not_show),
		T(a_reference_to_itself_does_no_harm),
		T(uids_come_back_as_they_were),
		T(an_object_costs_little),
	};

	return cmocka_run_group_tests_name("control/controllers/gc_graph", tests, NULL, NULL);
}
