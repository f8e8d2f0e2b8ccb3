/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SELFTESTS_SCHEDULER_CLUSTER_H
#define SELFTESTS_SCHEDULER_CLUSTER_H
/* A cluster in memory for tests of decisions: nodes and pods are given as JSON with ' for ". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include "../../../../control/scheduler/cycle.h"

struct cluster {
	struct sched_config config;
	struct sched_cache *cache;
	struct sched_cycle *cycle;
	unsigned pods;
};

static inline struct xb_json *cluster_parse(const char *text)
{
	_cleanup_free_ char *copy = strdup(text);
	struct xb_json *d = NULL;

	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	assert_int_equal(xb_json_parse(xb_sv(copy), NULL, &d, NULL), 0);
	return d;
}

static inline void cluster_init(struct cluster *k)
{
	*k = (struct cluster){ .cache = sched_cache_new() };
	assert_non_null(k->cache);
	assert_int_equal(sched_config_read(NULL, &k->config, NULL), 0);
	assert_int_equal(sched_cycle_new(&(struct sched_cycle_config){ .profile = k->config.profiles.v, .seed = 7 }, &k->cycle, NULL), 0);
}
static inline void cluster_done(struct cluster *k)
{
	sched_cycle_free(k->cycle);
	sched_cache_free(k->cache);
	sched_config_done(&k->config);
}
#define _cleanup_cluster_ _cleanup_(cluster_done)

/* rest: more members, with a comma in front: ", 'spec': {}". Its events. */
static inline unsigned cluster_node(struct cluster *k, const char *name, const char *labels, const char *spec, const char *status)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
	char text[4096];
	unsigned events = 0;
	uint32_t number;

	snprintf(text, sizeof(text), "{'metadata':{'name':'%s','labels':{%s}},'spec':{%s},'status':{%s}}", name, labels, spec,
		 *status ? status : "'allocatable':{'cpu':'4','memory':'8Gi','pods':'110'}");
	d = cluster_parse(text);
	assert_int_equal(sched_cache_set_node(k->cache, xb_json_root(d), &events, &number), 0);
	return events;
}

/* A claim, a volume or a storage class. key: "default/claim", "volume". */
static inline void cluster_store(struct cluster *k, enum sched_storage_kind kind, const char *key, const char *text)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = cluster_parse(text);

	assert_int_equal(sched_storage_set(k->cache->storage, kind, xb_sv(key), xb_json_root(d)), 0);
}

static inline struct sched_pod *cluster_pod(struct cluster *k, const char *labels, const char *spec)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
	struct sched_pod *p = NULL;
	char text[8192];
	unsigned n = ++k->pods;

	snprintf(text, sizeof(text), "{'metadata':{'namespace':'default','name':'p%u','uid':'u%u','labels':{%s}},'spec':{%s}}", n, n, labels, spec);
	d = cluster_parse(text);
	assert_int_equal(sched_pod_new(k->cache, xb_json_root(d), &p), 0);
	assert_int_equal(sched_cache_add_pod(k->cache, p), 0);
	return p;
}

static inline struct sched_pod *cluster_placed(struct cluster *k, const char *node, const char *labels, const char *spec)
{
	struct sched_pod *p = cluster_pod(k, labels, spec);
	uint32_t number;

	assert_int_equal(sched_cache_node(k->cache, xb_sv(node), &number), 0);
	assert_int_equal(sched_cache_place(k->cache, p, number), 0);
	return p;
}

/* The name of the node that is picked; NULL: none. */
static inline const char *cluster_pick(struct cluster *k, struct sched_pod *p)
{
	uint32_t node;
	int r = sched_cycle_begin(k->cache, p);

	if (!r)
		r = sched_cycle_pick(k->cycle, k->cache, p, &node);
	sched_cycle_end(k->cache, p);

	assert_true(r == 0 || r == -ENOENT);
	return r ? NULL : k->cache->nodes.v[node].name;
}

static inline void cluster_assert_why(struct cluster *k, struct sched_pod *p, const char *expected)
{
	_cleanup_buf_ struct xb_buf why = {};

	assert_null(cluster_pick(k, p));
	assert_int_equal(sched_cycle_begin(k->cache, p), 0);
	assert_int_equal(sched_cycle_explain(k->cycle, k->cache, p, &why, NULL), 0);
	sched_cycle_end(k->cache, p);
	assert_string_equal(why.p, expected);
}

/* One node, one pod beside what is there: expected NULL: it fits. */
struct cluster_case {
	const char *labels, *node_spec, *node_status; /* of the node; status "" for 4 CPUs and 8Gi */
	const char *there;      /* spec of a pod that is on the node, NULL for none */
	const char *spec;       /* of the pod that comes */
	const char *expected;   /* reason in "0/1 nodes are available: 1 <reason>." */
};
static inline void cluster_assert_cases(const struct cluster_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_cluster_ struct cluster k = {};
		struct sched_pod *p;
		char text[512];

		cluster_init(&k);
		cluster_node(&k, "n1", cases[i].labels, cases[i].node_spec, cases[i].node_status);
		if (cases[i].there)
			cluster_placed(&k, "n1", "", cases[i].there);
		p = cluster_pod(&k, "", cases[i].spec);
		snprintf(text, sizeof(text), "0/1 nodes are available: %s.", cases[i].expected ? cases[i].expected : "");
		if (cases[i].expected)
			cluster_assert_why(&k, p, text);
		else
			assert_string_equal(cluster_pick(&k, p), "n1");
	}
}

#endif
