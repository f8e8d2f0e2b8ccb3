/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "authz_node.h"
#include "follow.h"
#include "pod_refs.h"
#include "rbac_default.h"
#include "rbac_rule.h"
#include "xb/map.h"

struct node_graph {
	struct store *store;
	struct follow pods;
	struct xb_map *edges;           /* node NUL plural NUL namespace NUL name -> how many pods say so, as a uintptr_t */
	struct xb_json *rules;          /* of the role system:node, as it comes with the server */
	struct xb_buf key;
};

/* --- the edges --- */

static struct xb_sv key_of(struct node_graph *g, struct xb_sv node, const char *plural, struct xb_sv namespace_, struct xb_sv name)
{
	xb_buf_clear(&g->key);
	xb_buf_addsv(&g->key, node);
	xb_buf_addc(&g->key, 0);
	xb_buf_add(&g->key, plural, strlen(plural) + 1);
	xb_buf_addsv(&g->key, namespace_);
	xb_buf_addc(&g->key, 0);
	xb_buf_addsv(&g->key, name);
	return xb_buf_sv(&g->key);
}

struct count {
	struct node_graph *graph;
	struct xb_sv node, namespace_;
	int by, err;
};

static void count_edge(void *arg, const char *plural, struct xb_sv name)
{
	struct count *c = arg;
	struct xb_sv key = key_of(c->graph, c->node, plural, c->namespace_, name);
	uintptr_t n;

	if (c->err || c->graph->key.err) {
		c->err = -ENOMEM;
		return;
	}
	n = (uintptr_t)xb_map_get(c->graph->edges, key) + c->by;
	if (n)
		c->err = xb_map_set(c->graph->edges, key, (void *)n, NULL);
	else
		xb_map_del(c->graph->edges, key);
}

static int count_pod(struct node_graph *g, const struct store_object *o, int by)
{
	struct xb_jv pod = xb_json_root(o->doc);
	struct count c = { g, xb_jv_text(xb_jv_path(pod, "spec", "nodeName")), xb_jv_text(xb_jv_path(pod, "metadata", "namespace")), by, 0 };

	if (!c.node.n)
		return 0;
	count_edge(&c, "pods", xb_jv_text(xb_jv_path(pod, "metadata", "name")));
	pod_refs_each(pod, count_edge, &c);
	return c.err;
}

static int on_pod(void *arg, struct store_object *now, struct store_object *before)
{
	int r = before ? count_pod(arg, before, -1) : 0;

	return !r && now ? count_pod(arg, now, 1) : r;
}

static void forget(void *arg)
{
	struct node_graph *g = arg;

	for (struct xb_map_it it = {}; xb_map_next(g->edges, &it);)
		xb_map_del(g->edges, it.key);
}

int node_graph_new(struct store *store, struct node_graph **ret)
{
	struct node_graph *g = calloc(1, sizeof(*g));
	_cleanup_buf_ struct xb_buf rules = {};
	int r;

	if (!g)
		return -ENOMEM;
	g->store = store;
	g->edges = xb_map_new(XB_MAP_COPY);
	g->pods = (struct follow){ store, "pods/", on_pod, forget, g, NULL };
	rbac_default_rules("system:node", &rules);
	r = g->edges && !rules.err ? xb_json_parse(xb_buf_sv(&rules), NULL, &g->rules, NULL) : -ENOMEM;
	if (!r)
		r = follow_start(&g->pods);
	if (r)
		node_graph_free(g);
	else
		*ret = g;
	return r;
}

struct node_graph *node_graph_free(struct node_graph *g)
{
	if (!g)
		return NULL;
	follow_stop(&g->pods);
	xb_map_free(g->edges);
	xb_json_unref(g->rules);
	xb_buf_done(&g->key);
	free(g);
	return NULL;
}

bool node_graph_refers(struct node_graph *g, struct xb_sv node, const char *plural, struct xb_sv namespace_, struct xb_sv name)
{
	struct xb_sv key;

	if (follow_catch_up(&g->pods))
		return false;
	key = key_of(g, node, plural, namespace_, name);
	return !g->key.err && xb_map_get(g->edges, key);
}

/* --- decisions, with upstream's reasons --- */

struct question {
	struct node_graph *graph;
	const struct attributes *t;
	struct xb_sv node;
	struct xb_buf *reason;
};

static enum decision no(struct question *q, const char *why)
{
	if (q->reason)
		xb_buf_adds(q->reason, why);
	return DECISION_NONE;
}

static bool verb_is(const struct question *q, const char *verbs)
{
	struct xb_sv rest = xb_sv(verbs), one;

	while (xb_sv_split(&rest, ' ', &one))
		if (xb_sv_eq(one, q->t->verb))
			return true;
	return false;
}

static enum decision related(struct question *q, bool is)
{
	if (is)
		return DECISION_ALLOW;
	if (q->reason)
		xb_buf_addf(q->reason, "no relationship found between node '%.*s' and this object", XB_SV_ARG(q->node));
	return DECISION_NONE;
}

static enum decision by_reference(struct question *q, const char *plural)
{
	if (!q->t->name.n)
		return no(q, "No Object name found");
	return related(q, node_graph_refers(q->graph, q->node, plural, q->t->namespace_, q->t->name));
}

static enum decision readable(struct question *q, const char *plural)
{
	if (!verb_is(q, "get list watch"))
		return no(q, "can only read resources of this type");
	if (q->t->subresource.n)
		return no(q, "cannot read subresource");
	if (!q->t->namespace_.n)
		return no(q, "can only read namespaced object of this type");
	return by_reference(q, plural);
}

static enum decision secrets(struct question *q)
{
	return readable(q, "secrets");
}

static enum decision config_maps(struct question *q)
{
	return readable(q, "configmaps");
}

static enum decision claims(struct question *q)
{
	if (xb_sv_is(q->t->subresource, "status"))
		return verb_is(q, "update patch") ? by_reference(q, "persistentvolumeclaims") : no(q, "can only get/update/patch this type");
	if (!verb_is(q, "get"))
		return no(q, "can only get individual resources of this type");
	return q->t->subresource.n ? no(q, "cannot get subresource") : by_reference(q, "persistentvolumeclaims");
}

static struct xb_jv stored(struct question *q, const char *collection)
{
	char key[600];
	struct store_object *o = NULL;
	int n = snprintf(key, sizeof(key), "%s/%.*s", collection, XB_SV_ARG(q->t->name));

	if (n > 0 && (size_t)n < sizeof(key) && q->t->name.n)
		o = store_get(q->graph->store, key);
	return o ? xb_json_root(o->doc) : (struct xb_jv){};
}

static enum decision volumes(struct question *q)
{
	struct xb_jv claim = xb_jv_path(stored(q, "persistentvolumes"), "spec", "claimRef");

	if (!verb_is(q, "get") || q->t->subresource.n)
		return no(q, "can only get individual resources of this type");
	return related(q, node_graph_refers(q->graph, q->node, "persistentvolumeclaims", xb_jv_text(xb_jv_get(claim, "namespace")),
					    xb_jv_text(xb_jv_get(claim, "name"))));
}

static enum decision attachments(struct question *q)
{
	struct xb_jv attachment = stored(q, "volumeattachments.storage.k8s.io");

	if (!verb_is(q, "get") || q->t->subresource.n)
		return no(q, "can only get individual resources of this type");
	return related(q, xb_jv_streq(xb_jv_path(attachment, "spec", "nodeName"), q->node));
}

static enum decision service_accounts(struct question *q)
{
	if (!verb_is(q, "create") || !xb_sv_is(q->t->subresource, "token"))
		return no(q, "can only create tokens for individual service accounts");
	return by_reference(q, "serviceaccounts");
}

static enum decision leases(struct question *q)
{
	if (!verb_is(q, "get create update patch delete"))
		return no(q, "can only get, create, update, patch, or delete a node lease");
	if (!xb_sv_is(q->t->namespace_, "kube-node-lease"))
		return no(q, "can only access leases in the \"kube-node-lease\" system namespace");
	if (!verb_is(q, "create") && !xb_sv_eq(q->t->name, q->node))
		return no(q, "can only access node lease with the same name as the requesting node");
	return DECISION_ALLOW;
}

static enum decision csi_nodes(struct question *q)
{
	if (!verb_is(q, "get create update patch delete"))
		return no(q, "can only get, create, update, patch, or delete a CSINode");
	if (q->t->subresource.n)
		return no(q, "cannot authorize CSINode subresources");
	if (!verb_is(q, "create") && !xb_sv_eq(q->t->name, q->node))
		return no(q, "can only access CSINode with the same name as the requesting node");
	return DECISION_ALLOW;
}

/* Writing is limited to the node's own object by admission (NodeRestriction), which sees the object. */
static enum decision nodes(struct question *q)
{
	bool status = xb_sv_is(q->t->subresource, "status");

	if ((!q->t->subresource.n && verb_is(q, "create update patch")) || (status && verb_is(q, "update patch")))
		return DECISION_ALLOW;
	if (q->t->subresource.n || !verb_is(q, "get list watch"))
		return DECISION_NONE;
	if (xb_sv_eq(q->t->name, q->node))
		return DECISION_ALLOW;
	if (q->reason && q->t->name.n)
		xb_buf_addf(q->reason, "node '%.*s' cannot read '%.*s', only its own Node object", XB_SV_ARG(q->node), XB_SV_ARG(q->t->name));
	else if (q->reason)
		xb_buf_addf(q->reason, "node '%.*s' cannot read all nodes, only its own Node object", XB_SV_ARG(q->node));
	return DECISION_NONE;
}

static bool selects_own_pods(const struct question *q)
{
	struct xb_sv rest = q->t->field_selector, term;

	while (xb_sv_split(&rest, ',', &term)) {
		static const char *const forms[] = { "spec.nodeName==", "spec.nodeName=" };

		for (unsigned i = 0; i < ARRAY_SIZE(forms); i++) {
			size_t n = strlen(forms[i]);

			if (xb_sv_starts(term, forms[i]) && xb_sv_eq((struct xb_sv){ term.p + n, term.n - n }, q->node))
				return true;
		}
	}
	return false;
}

static enum decision pods(struct question *q)
{
	if (!q->t->subresource.n && verb_is(q, "create delete"))
		return DECISION_ALLOW;
	if ((xb_sv_is(q->t->subresource, "status") && verb_is(q, "update patch")) ||
	    (xb_sv_is(q->t->subresource, "eviction") && verb_is(q, "create")))
		return DECISION_ALLOW;
	if (q->t->subresource.n || !verb_is(q, "get list watch"))
		return DECISION_NONE;
	if (verb_is(q, "get"))
		return by_reference(q, "pods");
	return selects_own_pods(q) ? DECISION_ALLOW : no(q, "can only list/watch pods with spec.nodeName field selector");
}

static enum decision others(struct question *q)
{
	for (struct xb_jit it = xb_jv_iter(xb_json_root(q->graph->rules)); xb_jit_next(&it);)
		if (rbac_rule_allows(it.value, q->t))
			return DECISION_ALLOW;
	return DECISION_NONE;
}

enum decision node_graph_decide(struct node_graph *g, const struct attributes *t, struct xb_buf *reason)
{
	static const struct {
		const char *group, *resource;
		enum decision (*decide)(struct question *q);
	} rows[] = {
		{ "", "secrets", secrets }, { "", "configmaps", config_maps }, { "", "persistentvolumeclaims", claims },
		{ "", "persistentvolumes", volumes }, { "storage.k8s.io", "volumeattachments", attachments },
		{ "", "serviceaccounts", service_accounts }, { "coordination.k8s.io", "leases", leases },
		{ "storage.k8s.io", "csinodes", csi_nodes }, { "", "nodes", nodes }, { "", "pods", pods },
	};
	struct question q = { .graph = g, .t = t, .reason = reason };

	if (!user_is_node(t->user, &q.node))
		return DECISION_NONE;
	if (!q.node.n)
		return no(&q, "unknown node for user");
	for (unsigned i = 0; t->is_resource && i < ARRAY_SIZE(rows); i++)
		if (xb_sv_is(t->group, rows[i].group) && xb_sv_is(t->resource, rows[i].resource))
			return rows[i].decide(&q);
	return others(&q);
}
