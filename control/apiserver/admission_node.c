/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "admission_plugin.h"
#include "pod_refs.h"
#include "registry/edit.h"
#include "server.h"
#include "user.h"

#define MIRROR "kubernetes.io/config.mirror"

struct restriction {
	struct request *request;
	struct write *write;
	const struct xb_tree *object, *old;
	struct xb_sv node, name;
};

static int _printf_(2, 3) refuse(struct restriction *n, const char *fmt, ...)
{
	const struct write *w = n->write;
	_cleanup_buf_ struct xb_buf text = {};
	va_list ap;

	va_start(ap, fmt);
	xb_buf_addv(&text, fmt, ap);
	va_end(ap);
	return text.err ? text.err : xb_status_forbidden(&n->request->fault, w->kind->group, w->kind->plural, n->name, "%s", text.p);
}

static bool sub_is(const struct restriction *n, const char *name)
{
	return n->write->sub && !strcmp(n->write->sub->name, name);
}

/* --- pods: the node's own, and only mirrors of what it runs anyway --- */

/* A committed object of the core group, or NULL. */
static int find(struct restriction *n, const char *plural, struct xb_sv namespace_, struct xb_sv name, struct store_object **ret)
{
	const struct xb_kind *kind = xb_kind_by_resource(XB_SV(""), XB_SV("v1"), xb_sv(plural));
	const char *key = route_key(n->request->arena, kind, namespace_, name);

	*ret = key ? store_get(n->request->server->store, key) : NULL;
	if (*ret)
		return 0;
	return key ? xb_status_not_found(&n->request->fault, "", plural, name) : -ENOMEM;
}

static int check_owner(struct restriction *n)
{
	const struct xb_tree *owners = xb_tree_path(n->object, "metadata", "ownerReferences"), *owner = owners ? owners->first : NULL;
	struct store_object *node;
	struct xb_sv uid;
	int r;

	if (owners && owners->count > 1)
		return refuse(n, "node \"%.*s\" can only create pods with a single owner reference set to itself", XB_SV_ARG(n->node));
	if (!owner || !xb_tree_is(xb_tree_get(owner, "apiVersion"), "v1") || !xb_tree_is(xb_tree_get(owner, "kind"), "Node") ||
	    !xb_sv_eq(xb_tree_gettext(owner, "name"), n->node))
		return refuse(n, "node \"%.*s\" can only create pods with an owner reference set to itself", XB_SV_ARG(n->node));
	if (!xb_tree_true(xb_tree_get(owner, "controller")))
		return refuse(n, "node \"%.*s\" can only create pods with a controller owner reference set to itself", XB_SV_ARG(n->node));
	if (xb_tree_true(xb_tree_get(owner, "blockOwnerDeletion")))
		return refuse(n, "node \"%.*s\" must not set blockOwnerDeletion on an owner reference", XB_SV_ARG(n->node));
	r = find(n, "nodes", (struct xb_sv){}, n->node, &node);
	if (r)
		return r;
	uid = xb_jv_text(xb_jv_path(xb_json_root(node->doc), "metadata", "uid"));
	if (!xb_sv_eq(xb_tree_gettext(owner, "uid"), uid))
		return refuse(n, "node %.*s UID mismatch: expected %.*s got %.*s", XB_SV_ARG(n->node), XB_SV_ARG(xb_tree_gettext(owner, "uid")),
			      XB_SV_ARG(uid));
	return 0;
}

static void note_first(void *arg, const char *plural, struct xb_sv name)
{
	const char **first = arg;

	if (!*first)
		*first = plural;
}

/* What a pod mentions its node may read (authz_node.c), so a pod of the node's own making mentions nothing. */
static int check_mentions(struct restriction *n)
{
	const struct xb_tree *spec = xb_tree_get(n->object, "spec");
	_cleanup_(xb_json_unrefp) struct xb_json *pod = NULL;
	_cleanup_buf_ struct xb_buf bytes = {};
	const char *mentioned = NULL;
	int r;

	if (xb_tree_gettext(spec, "serviceAccountName").n)
		return refuse(n, "node \"%.*s\" can not create pods that reference a service account", XB_SV_ARG(n->node));
	xb_tree_write(n->object, &bytes);
	r = bytes.err ? bytes.err : xb_json_parse(xb_buf_sv(&bytes), NULL, &pod, NULL);
	if (r)
		return r;
	pod_refs_each(xb_json_root(pod), note_first, &mentioned);
	xb_tree_each(v, xb_tree_get(spec, "volumes"))
		xb_tree_each(source, xb_tree_path(v, "projected", "sources"))
			if (xb_tree_get(source, "clusterTrustBundle"))
				mentioned = "clustertrustbundles";
	if (!edit_is_empty(xb_tree_get(spec, "resourceClaims")))
		mentioned = "resourceclaims";
	return mentioned ? refuse(n, "node \"%.*s\" can not create pods that reference %s", XB_SV_ARG(n->node), mentioned) : 0;
}

static int create_pod(struct restriction *n)
{
	int r;

	if (!xb_tree_get(xb_tree_path(n->object, "metadata", "annotations"), MIRROR))
		return refuse(n, "pod does not have \"" MIRROR "\" annotation, node \"%.*s\" can only create mirror pods", XB_SV_ARG(n->node));
	if (!xb_sv_eq(xb_tree_text(xb_tree_path(n->object, "spec", "nodeName")), n->node))
		return refuse(n, "node \"%.*s\" can only create pods with spec.nodeName set to itself", XB_SV_ARG(n->node));
	r = check_owner(n);
	return r ? r : check_mentions(n);
}

static int pods(struct restriction *n)
{
	struct xb_sv node = xb_tree_text(xb_tree_path(n->old, "spec", "nodeName"));

	if (!n->old)
		return create_pod(n);
	if (!xb_sv_eq(node, n->node))
		return refuse(n, n->object ? "node \"%.*s\" can only update pod status for pods with spec.nodeName set to itself"
					   : "node \"%.*s\" can only delete pods with spec.nodeName set to itself", XB_SV_ARG(n->node));
	if (n->object && !sub_is(n, "status"))
		return refuse(n, "node \"%.*s\" can only update pod status", XB_SV_ARG(n->node));
	if (n->object && !xb_tree_equal(xb_tree_path(n->object, "metadata", "labels"), xb_tree_path(n->old, "metadata", "labels")))
		return refuse(n, "node \"%.*s\" cannot update labels through pod status", XB_SV_ARG(n->node));
	if (n->object && !edit_same(xb_tree_get(n->object, "status"), xb_tree_get(n->old, "status"), "resourceClaimStatuses"))
		return refuse(n, "node \"%.*s\" cannot update resource claim statues", XB_SV_ARG(n->node));
	return 0;
}

/* --- nodes: its own object, but not its taints and not labels that others rely on --- */

static bool in_domain(struct xb_sv domain, const char *name)
{
	size_t n = strlen(name);

	return xb_sv_is(domain, name) || (domain.n > n && xb_sv_ends(domain, name) && domain.p[domain.n - n - 1] == '.');
}

/* KEP-279: labels of kubernetes.io and k8s.io are not a node's to set, but for those that kubelets have always set. */
static bool may_set_label(struct xb_sv key)
{
	static const char *const allowed[] = {
		"kubernetes.io/hostname", "kubernetes.io/arch", "kubernetes.io/os", "beta.kubernetes.io/arch", "beta.kubernetes.io/os",
		"beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type", "failure-domain.beta.kubernetes.io/region",
		"failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/region", "topology.kubernetes.io/zone",
	};
	struct xb_sv name = key, domain;

	if (!memchr(key.p, '/', key.n))
		return true;
	xb_sv_split(&name, '/', &domain);
	if (!in_domain(domain, "kubernetes.io") && !in_domain(domain, "k8s.io"))
		return true;
	if (in_domain(domain, "kubelet.kubernetes.io") || in_domain(domain, "node.kubernetes.io"))
		return true;
	for (unsigned i = 0; i < ARRAY_SIZE(allowed); i++)
		if (xb_sv_is(key, allowed[i]))
			return true;
	return false;
}

static int check_labels(struct restriction *n, const struct xb_tree *from, const struct xb_tree *to)
{
	xb_tree_each(l, from) {
		const struct xb_tree *other = xb_tree_getsv(to, l->key);

		if (!xb_tree_equal(l, other) && !may_set_label(l->key))
			return refuse(n, "is not allowed to modify labels: %.*s", XB_SV_ARG(l->key));
	}
	return 0;
}

static bool same_owners(const struct xb_tree *object, const struct xb_tree *old)
{
	const struct xb_tree *now = xb_tree_path(object, "metadata", "ownerReferences"), *before = xb_tree_path(old, "metadata", "ownerReferences");

	return (edit_is_empty(now) && edit_is_empty(before)) || xb_tree_equal(now, before);
}

static int nodes(struct restriction *n)
{
	const struct xb_tree *labels = xb_tree_path(n->object, "metadata", "labels"), *old = xb_tree_path(n->old, "metadata", "labels");
	int r;

	if (!xb_sv_eq(n->name, n->node))
		return refuse(n, "node \"%.*s\" is not allowed to modify node \"%.*s\"", XB_SV_ARG(n->node), XB_SV_ARG(n->name));
	if (!n->object)
		return refuse(n, "node \"%.*s\" is not allowed to delete itself", XB_SV_ARG(n->node));
	/* CVE-2025-5187: with an owner that is not there it would be collected, and could come back without its labels and taints */
	if (!same_owners(n->object, n->old))
		return refuse(n, "node \"%.*s\" is not allowed to modify ownerReferences", XB_SV_ARG(n->node));
	if (xb_tree_path(n->object, "spec", "configSource") &&
	    !xb_tree_equal(xb_tree_path(n->object, "spec", "configSource"), xb_tree_path(n->old, "spec", "configSource")))
		return refuse(n, "node \"%.*s\" is not allowed to update configSource to a new non-nil configSource", XB_SV_ARG(n->node));
	if (n->old && !xb_tree_equal(xb_tree_path(n->object, "spec", "taints"), xb_tree_path(n->old, "spec", "taints")))
		return refuse(n, "node \"%.*s\" is not allowed to modify taints", XB_SV_ARG(n->node));
	r = check_labels(n, labels, old);
	return r ? r : check_labels(n, old, labels);
}

/* --- the rest --- */

/* All but what a kubelet reports of a claim, and what every write changes. */
static struct xb_tree *rest_of_claim(struct restriction *n, const struct xb_tree *claim)
{
	static const char *const reported[] = { "capacity", "conditions", "allocatedResources", "allocatedResourceStatuses" };
	struct xb_tree *copy = xb_tree_copy(n->write->arena, claim), *status = xb_tree_get(copy, "status");

	for (unsigned i = 0; i < ARRAY_SIZE(reported); i++)
		xb_tree_del(status, reported[i]);
	if (status && edit_is_empty(status))
		xb_tree_remove(status);
	xb_tree_del(xb_tree_get(copy, "metadata"), "resourceVersion");
	xb_tree_del(xb_tree_get(copy, "metadata"), "managedFields");
	return copy;
}

static int claims(struct restriction *n)
{
	struct xb_tree *rest, *old;

	if (!n->object || !sub_is(n, "status"))
		return refuse(n, "node \"%.*s\" may only update the status of persistentvolumeclaims", XB_SV_ARG(n->node));
	rest = rest_of_claim(n, n->object);
	old = rest_of_claim(n, n->old);
	if (!rest || !old)
		return -ENOMEM;
	return xb_tree_equal(rest, old) ? 0 : refuse(n,
		"node \"%.*s\" is not allowed to update fields other than status.capacity and status.conditions", XB_SV_ARG(n->node));
}

/* A token is for a pod that runs here, and ends with it. */
static int tokens(struct restriction *n)
{
	const struct xb_tree *ref = xb_tree_path(n->object, "spec", "boundObjectRef");
	struct xb_sv uid = xb_tree_gettext(ref, "uid"), name = xb_tree_gettext(ref, "name");
	struct store_object *pod;
	int r;

	if (!sub_is(n, "token"))
		return 0;
	n->name = n->write->name;
	if (!xb_tree_is(xb_tree_get(ref, "apiVersion"), "v1") || !xb_tree_is(xb_tree_get(ref, "kind"), "Pod") || !name.n)
		return refuse(n, "node requested token not bound to a pod");
	if (!uid.n)
		return refuse(n, "node requested token with a pod binding without a uid");
	r = find(n, "pods", n->write->namespace_, name, &pod);
	if (r)
		return r;
	if (!xb_jv_streq(xb_jv_path(xb_json_root(pod->doc), "metadata", "uid"), uid))
		return refuse(n, "the UID in the bound object reference (%.*s) does not match the UID in record. The object might have been deleted and then recreated",
			      XB_SV_ARG(uid));
	if (!xb_jv_streq(xb_jv_path(xb_json_root(pod->doc), "spec", "nodeName"), n->node))
		return refuse(n, "node requested token bound to a pod scheduled on a different node");
	return 0;
}

static int own_name(struct restriction *n)
{
	bool lease = !strcmp(n->write->kind->plural, "leases");

	if (lease && !xb_sv_is(n->write->namespace_, "kube-node-lease"))
		return refuse(n, "can only access leases in the \"kube-node-lease\" system namespace");
	if (!xb_sv_eq(n->name, n->node))
		return refuse(n, "can only access %s with the same name as the requesting node", lease ? "node lease" : "CSINode");
	return 0;
}

/* What a kubelet may write is its own Node, its lease and its pods' status: the authorizer, who sees no objects, cannot say. */
int admission_node_restriction(struct attempt *t)
{
	static const struct {
		const char *group, *plural;
		int (*check)(struct restriction *n);
	} rows[] = {
		{ "", "pods", pods }, { "", "nodes", nodes }, { "", "persistentvolumeclaims", claims },
		{ "", "serviceaccounts", tokens },
		{ "coordination.k8s.io", "leases", own_name }, { "storage.k8s.io", "csinodes", own_name },
	};
	struct restriction n = { .request = t->request, .write = t->write, .object = t->object, .old = t->old };
	const struct user *u = t->request->user;

	if (!u || !user_is_node(u, &n.node))
		return 0;
	n.name = xb_tree_text(xb_tree_path(t->object ? t->object : t->old, "metadata", "name"));
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(n.write->kind->group, rows[i].group) && !strcmp(n.write->kind->plural, rows[i].plural))
			return rows[i].check(&n);
	return 0;
}
