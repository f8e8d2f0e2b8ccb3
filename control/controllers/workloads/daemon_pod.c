/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../placement.h"
#include "../pods.h"
#include "daemon_pod.h"

#define GENERATION "deprecated.daemonset.template.generation"
#define REQUIRED   "requiredDuringSchedulingIgnoredDuringExecution"

/* What daemons' pods bear of a node's troubles, since they are often what is to mend them. */
static const struct bearing {
	const char *key, *effect;
	bool host_network;              /* only a pod that needs no other network */
} bearings[] = {
	{ "node.kubernetes.io/not-ready", "NoExecute", false },
	{ "node.kubernetes.io/unreachable", "NoExecute", false },
	{ "node.kubernetes.io/disk-pressure", "NoSchedule", false },
	{ "node.kubernetes.io/memory-pressure", "NoSchedule", false },
	{ "node.kubernetes.io/pid-pressure", "NoSchedule", false },
	{ "node.kubernetes.io/unschedulable", "NoSchedule", false },
	{ "node.kubernetes.io/network-unavailable", "NoSchedule", true },
};

/* --- which nodes --- */
static struct xb_sv text(struct xb_jv object, const char *field)
{
	return xb_jv_text(xb_jv_get(object, field));
}

static bool bears(struct xb_jv spec, struct xb_jv taint)
{
	bool host_network = xb_jv_true(xb_jv_get(spec, "hostNetwork"));

	for (size_t i = 0; i < ARRAY_SIZE(bearings); i++)
		if (xb_sv_is(text(taint, "key"), bearings[i].key) && xb_sv_is(text(taint, "effect"), bearings[i].effect))
			if (host_network || !bearings[i].host_network)
				return true;
	return xb_jv_is(placement_toleration(xb_jv_get(spec, "tolerations"), taint));
}

struct daemon_fit daemon_fit(struct xb_jv set, struct xb_jv node)
{
	struct xb_jv spec = xb_jv_path(set, "spec", "template", "spec");
	struct xb_sv name = text(spec, "nodeName");
	struct daemon_fit fit = { true, true };

	if ((name.n && !xb_sv_eq(name, text(xb_jv_get(node, "metadata"), "name"))) || !placement_matches(spec, node))
		return (struct daemon_fit){};
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(node, "spec", "taints")); xb_jit_next(&it);) {
		bool no_execute = xb_sv_is(text(it.value, "effect"), "NoExecute");

		if ((!no_execute && !xb_sv_is(text(it.value, "effect"), "NoSchedule")) || bears(spec, it.value))
			continue;
		fit.run = false;
		if (no_execute)
			fit.keep = false;
	}
	return fit;
}

struct xb_sv daemon_node_of(struct xb_jv pod)
{
	struct xb_jv spec = xb_jv_get(pod, "spec");
	struct xb_jv terms = xb_jv_path(spec, "affinity", "nodeAffinity", REQUIRED, "nodeSelectorTerms");

	if (text(spec, "nodeName").n)
		return text(spec, "nodeName");
	for (struct xb_jit term = xb_jv_iter(terms); xb_jit_next(&term);)
		for (struct xb_jit it = xb_jv_iter(xb_jv_get(term.value, "matchFields")); xb_jit_next(&it);) {
			struct xb_jv values = xb_jv_get(it.value, "values");

			if (xb_sv_is(text(it.value, "key"), "metadata.name") && xb_sv_is(text(it.value, "operator"), "In") &&
			    xb_jv_count(values) == 1)
				return xb_jv_text(xb_jv_at(values, 0));
		}
	return (struct xb_sv){};
}

/* --- what is made --- */
static bool is_bearing(const struct xb_tree *toleration, const struct bearing *b)
{
	return xb_tree_is(xb_tree_get(toleration, "key"), b->key) && xb_tree_is(xb_tree_get(toleration, "effect"), b->effect) &&
	       xb_tree_is(xb_tree_get(toleration, "operator"), "Exists") && !xb_tree_gettext(toleration, "value").n;
}

/* One that the template has lasts for ever here. */
static int add_bearing(struct xb_arena *a, struct xb_tree *tolerations, const struct bearing *b)
{
	const char *json = xb_arena_printf(a, "{\"key\":\"%s\",\"operator\":\"Exists\",\"effect\":\"%s\"}", b->key, b->effect);
	bool found = false;

	xb_tree_each(t, tolerations)
		if (is_bearing(t, b)) {
			xb_tree_del(t, "tolerationSeconds");
			found = true;
		}
	if (!json)
		return -ENOMEM;
	if (!found)
		xb_tree_append(tolerations, xb_tree_parse(a, json));
	return 0;
}

static int add_bearings(struct xb_arena *a, struct xb_tree *spec)
{
	struct xb_tree *tolerations = xb_tree_get(spec, "tolerations");
	bool host_network = xb_tree_true(xb_tree_get(spec, "hostNetwork"));
	int r = 0;

	if (!tolerations) {
		tolerations = xb_tree_array(a);
		if (!tolerations)
			return -ENOMEM;
		xb_tree_setc(spec, "tolerations", tolerations);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bearings) && !r; i++)
		if (host_network || !bearings[i].host_network)
			r = add_bearing(a, tolerations, &bearings[i]);
	return r;
}

/* In place of the terms that the template has: the node was chosen by those. The value to be filled in, or NULL without memory. */
static struct xb_tree *pin(struct xb_arena *a, struct xb_tree *spec)
{
	static const char json[] = "[{\"matchFields\":[{\"key\":\"metadata.name\",\"operator\":\"In\",\"values\":[\"\"]}]}]";
	struct xb_tree *affinity = xb_tree_obtain(a, xb_tree_obtain(a, spec, "affinity"), "nodeAffinity");
	struct xb_tree *required = xb_tree_obtain(a, affinity, REQUIRED);
	struct xb_tree *terms = required ? xb_tree_parse(a, json) : NULL;

	if (!terms)
		return NULL;
	xb_tree_setc(required, "nodeSelectorTerms", terms);
	return xb_tree_get(xb_tree_get(terms->first, "matchFields")->first, "values")->first;
}

static int set_labels(struct xb_arena *a, struct xb_tree *meta, struct xb_jv set, struct xb_sv hash)
{
	struct xb_tree *labels = xb_tree_obtain(a, meta, "labels"), *node = xb_tree_str(a, hash), *number;
	const char *text = NULL;
	int64_t generation;

	if (!labels || !node)
		return -ENOMEM;
	if (!xb_sv_i64(xb_jv_text(xb_jv_path(set, "metadata", "annotations", GENERATION)), &generation)) {
		text = xb_arena_printf(a, "%lld", (long long)generation);
		number = text ? xb_tree_str(a, xb_sv(text)) : NULL;
		if (!number)
			return -ENOMEM;
		xb_tree_setc(labels, "pod-template-generation", number);
	}
	xb_tree_setc(labels, "controller-revision-hash", node);
	return 0;
}

int daemon_template_new(struct xb_arena *a, const struct xb_kind *kind, struct xb_jv set, struct xb_sv hash, struct daemon_template *ret)
{
	_cleanup_buf_ struct xb_buf base = {};
	struct daemon_template t = {};
	struct xb_tree *spec;
	int r;

	pod_template_write(xb_jv_path(set, "spec", "template"), kind, set, &base);
	r = base.err ? base.err : xb_tree_read(a, xb_buf_sv(&base), NULL, &t.pod);
	if (r)
		return r;
	spec = xb_tree_get(t.pod, "spec");
	r = add_bearings(a, spec);
	if (!r)
		r = set_labels(a, xb_tree_get(t.pod, "metadata"), set, hash);
	t.node_name = r ? NULL : pin(a, spec);
	if (!t.node_name)
		return -ENOMEM;
	*ret = t;
	return 0;
}

int daemon_template_body(struct daemon_template *t, struct xb_sv node, struct xb_buf *out)
{
	xb_buf_clear(out);
	t->node_name->text = node;
	xb_tree_write(t->pod, out);
	return out->err;
}
