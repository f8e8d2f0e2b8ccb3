/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "admission_plugin.h"
#include "registry/edit.h"
#include "server.h"
#include "user.h"

#define MIRROR "kubernetes.io/config.mirror"

struct restriction {
	struct request *request;
	struct write *write;
	const struct xb_node *object, *old;
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

static bool refers(const struct xb_node *volume)
{
	static const char *const plain[] = { "secret", "configMap", "persistentVolumeClaim", "projected", "ephemeral", "csi" };

	for (unsigned i = 0; i < ARRAY_SIZE(plain); i++)
		if (xb_tree_get(volume, plain[i]))
			return true;
	return false;
}

static int create_pod(struct restriction *n)
{
	const struct xb_node *notes = xb_tree_path(n->object, "metadata", "annotations"), *spec = xb_tree_get(n->object, "spec");
	const struct xb_node *owners = xb_tree_path(n->object, "metadata", "ownerReferences");

	if (!xb_tree_get(notes, MIRROR))
		return refuse(n, "pod does not have \"" MIRROR "\" annotation, node \"%.*s\" can only create mirror pods", XB_SV_ARG(n->node));
	if (!xb_sv_eq(xb_tree_gettext(spec, "nodeName"), n->node))
		return refuse(n, "node \"%.*s\" can only create pods with spec.nodeName set to itself", XB_SV_ARG(n->node));
	if (owners && owners->count > 1)
		return refuse(n, "node \"%.*s\" can only create pods with a single owner reference set to itself", XB_SV_ARG(n->node));
	xb_tree_each(o, owners)
		if (!xb_tree_is(xb_tree_get(o, "kind"), "Node") || !xb_sv_eq(xb_tree_gettext(o, "name"), n->node))
			return refuse(n, "node \"%.*s\" can only create pods with an owner reference set to itself", XB_SV_ARG(n->node));
	if (xb_tree_gettext(spec, "serviceAccountName").n)
		return refuse(n, "node \"%.*s\" can not create pods that reference a service account", XB_SV_ARG(n->node));
	xb_tree_each(v, xb_tree_get(spec, "volumes"))
		if (refers(v))
			return refuse(n, "node \"%.*s\" can not create pods that reference secrets, configmaps or persistentvolumeclaims",
				      XB_SV_ARG(n->node));
	return 0;
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

static int check_labels(struct restriction *n, const struct xb_node *from, const struct xb_node *to)
{
	xb_tree_each(l, from) {
		const struct xb_node *other = xb_tree_getsv(to, l->key);

		if (!xb_tree_equal(l, other) && !may_set_label(l->key))
			return refuse(n, "is not allowed to modify labels: %.*s", XB_SV_ARG(l->key));
	}
	return 0;
}

static int nodes(struct restriction *n)
{
	const struct xb_node *labels = xb_tree_path(n->object, "metadata", "labels"), *old = xb_tree_path(n->old, "metadata", "labels");
	int r;

	if (!xb_sv_eq(n->name, n->node))
		return refuse(n, "node \"%.*s\" is not allowed to modify node \"%.*s\"", XB_SV_ARG(n->node), XB_SV_ARG(n->name));
	if (!n->object)
		return refuse(n, "node \"%.*s\" is not allowed to delete itself", XB_SV_ARG(n->node));
	if (!edit_is_empty(xb_tree_path(n->object, "metadata", "ownerReferences")) &&
	    !xb_tree_equal(xb_tree_path(n->object, "metadata", "ownerReferences"), xb_tree_path(n->old, "metadata", "ownerReferences")))
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

static int claims(struct restriction *n)
{
	if (n->object && sub_is(n, "status"))
		return 0;
	return refuse(n, "node \"%.*s\" may only update the status of persistentvolumeclaims", XB_SV_ARG(n->node));
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
