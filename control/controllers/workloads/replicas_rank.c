/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <math.h>
#include "../pods.h"
#include "replicas_rank.h"
#include "xb/map.h"

struct ranked {
	struct xb_jv pod;
	struct xb_sv uid;
	bool assigned, ready;
	int phase;
	int64_t cost, restarts, sidecar_restarts, ready_us, created_us, now_us;
	uintptr_t beside;               /* related pods on its node */
};

static int phase_of(struct xb_jv pod)
{
	struct xb_sv phase = xb_jv_text(xb_jv_path(pod, "status", "phase"));

	return xb_sv_is(phase, "Running") ? 2 : xb_sv_is(phase, "Unknown") ? 1 : 0;
}

static int64_t cost_of(struct xb_jv pod)
{
	int64_t cost = 0;

	xb_sv_i64(xb_jv_text(xb_jv_path(pod, "metadata", "annotations", "controller.kubernetes.io/pod-deletion-cost")), &cost);
	return cost >= INT32_MIN && cost <= INT32_MAX ? cost : 0;
}

static int64_t most_restarts(struct xb_jv statuses)
{
	int64_t most = 0, n;

	for (struct xb_jit it = xb_jv_iter(statuses); xb_jit_next(&it);)
		if (!xb_jv_i64(xb_jv_get(it.value, "restartCount"), &n))
			most = MAX(most, n);
	return most;
}

static bool is_sidecar(struct xb_jv pod, struct xb_sv name)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(pod, "spec", "initContainers")); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "name"), name))
			return xb_jv_streq(xb_jv_get(it.value, "restartPolicy"), XB_SV("Always"));
	return false;
}

static int64_t most_sidecar_restarts(struct xb_jv pod)
{
	int64_t most = 0, n;

	for (struct xb_jit it = xb_jv_iter(xb_jv_path(pod, "status", "initContainerStatuses")); xb_jit_next(&it);)
		if (!xb_jv_i64(xb_jv_get(it.value, "restartCount"), &n) && n > most &&
		    is_sidecar(pod, xb_jv_text(xb_jv_get(it.value, "name"))))
			most = n;
	return most;
}

static struct xb_sv node_of(struct xb_jv pod)
{
	return xb_jv_text(xb_jv_path(pod, "spec", "nodeName"));
}

static void examine(struct xb_jv pod, const struct xb_map *by_node, int64_t now, struct ranked *ret)
{
	*ret = (struct ranked){
		.pod = pod,
		.uid = xb_jv_text(xb_jv_path(pod, "metadata", "uid")),
		.assigned = node_of(pod).n,
		.phase = phase_of(pod),
		.cost = cost_of(pod),
		.beside = (uintptr_t)xb_map_get(by_node, node_of(pod)),
		.restarts = most_restarts(xb_jv_path(pod, "status", "containerStatuses")),
		.sidecar_restarts = most_sidecar_restarts(pod),
		.created_us = pods_time(xb_jv_path(pod, "metadata", "creationTimestamp")),
		.now_us = now,
	};
	ret->ready = pods_ready(pod, &ret->ready_us);
}

static int magnitude(int64_t since_us, int64_t now_us)
{
	return now_us > since_us ? (int)log2((double)(now_us - since_us) * 1000) : -1;
}

/* The younger first; of like age, by uid. A time that is not known counts as the youngest. */
static int compare_age(int64_t a_us, int64_t b_us, const struct ranked *a, const struct ranked *b)
{
	int difference;

	if (a_us == b_us)
		return 0;
	if (!a_us || !b_us)
		return a_us ? 1 : -1;
	difference = magnitude(a_us, a->now_us) - magnitude(b_us, b->now_us);
	return difference ? difference : xb_sv_cmp(a->uid, b->uid);
}

static int sign(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int compare(const void *x, const void *y)
{
	const struct ranked *a = x, *b = y;
	const int order[] = {
		sign(a->assigned, b->assigned),
		sign(a->phase, b->phase),
		sign(a->ready, b->ready),
		sign(a->cost, b->cost),
		sign((int64_t)b->beside, (int64_t)a->beside),
		a->ready ? compare_age(a->ready_us, b->ready_us, a, b) : 0,
		sign(b->restarts, a->restarts),
		sign(b->sidecar_restarts, a->sidecar_restarts),
		compare_age(a->created_us, b->created_us, a, b),
	};

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (order[i])
			return order[i];
	return 0;
}

static int count_by_node(const struct xb_jv *pods, size_t n, struct xb_map *ret)
{
	int r = 0;

	for (size_t i = 0; !r && i < n; i++) {
		struct xb_sv node = node_of(pods[i]);

		if (pods_active(pods[i]))
			r = xb_map_set(ret, node, (void *)((uintptr_t)xb_map_get(ret, node) + 1), NULL);
	}
	return r;
}

int replicas_rank(struct xb_jv *pods, size_t n, const struct xb_jv *related, size_t n_related, int64_t now)
{
	_cleanup_(xb_map_freep) struct xb_map *by_node = xb_map_new(XB_MAP_COPY);
	_cleanup_free_ struct ranked *ranked = calloc(n + 1, sizeof(*ranked));

	if (!by_node || !ranked || count_by_node(related, n_related, by_node))
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		examine(pods[i], by_node, now, &ranked[i]);
	qsort(ranked, n, sizeof(*ranked), compare);
	for (size_t i = 0; i < n; i++)
		pods[i] = ranked[i].pod;
	return 0;
}
