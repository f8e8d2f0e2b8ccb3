/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "admission_plugin.h"
#include "authz_rbac.h"
#include "rbac_rule.h"
#include "registry/rbac.h"
#include "server.h"

/*
 * Nobody grants what they do not have (kubernetes docs "Privilege escalation prevention and bootstrapping"): a role's
 * author holds all its rules or may "escalate" it; a binding's author holds all rules of the role or may "bind" it.
 */
static bool may(struct request *q, const char *verb, const char *resource, struct xb_sv namespace_, struct xb_sv name)
{
	const struct attributes t = {
		.user = q->user, .verb = xb_sv(verb), .is_resource = true, .group = XB_SV(RBAC_GROUP), .version = XB_SV("v1"),
		.resource = xb_sv(resource), .namespace_ = namespace_, .name = name,
	};

	return authz_decide(q->server->authz, &t, NULL) == DECISION_ALLOW;
}

static int refuse(struct request *q, const struct write *w, struct xb_sv name, const struct xb_buf *missing)
{
	_cleanup_buf_ struct xb_buf text = {};

	xb_buf_adds(&text, "user ");
	xb_buf_addq(&text, xb_sv(q->user->name));
	xb_buf_adds(&text, " (groups=[");
	for (char *const *g = q->user->groups; *g; g++) {
		if (g != q->user->groups)
			xb_buf_addc(&text, ' ');
		xb_buf_addq(&text, xb_sv(*g));
	}
	xb_buf_adds(&text, "]) is attempting to grant RBAC permissions not currently held:\n");
	xb_buf_addsv(&text, xb_buf_sv(missing));
	return text.err ? text.err : xb_status_forbidden(&q->fault, w->kind->group, w->kind->plural, name, "%s", text.p);
}

static int check_holds(struct request *q, const struct write *w, struct xb_sv name, const struct xb_tree *rules)
{
	struct xb_tree *owned = rbac_rules_of(authz_rbac(q->server->authz), q->arena, q->user, w->namespace_);
	_cleanup_buf_ struct xb_buf missing = {};
	int r;

	if (!owned)
		return -ENOMEM;
	r = rbac_rules_cover(owned, rules, &missing);
	return r == -EACCES ? refuse(q, w, name, &missing) : r;
}

/* Whoever makes others' rules its own may get any rule. */
static int check_aggregation(struct request *q, const struct write *w, struct xb_sv name)
{
	static const char everything[] = "[{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],\"resources\":[\"*\"]},"
					 "{\"verbs\":[\"*\"],\"nonResourceURLs\":[\"*\"]}]";
	struct xb_tree *owned = rbac_rules_of(authz_rbac(q->server->authz), q->arena, q->user, w->namespace_);
	struct xb_tree *all = xb_tree_parse(q->arena, everything);
	_cleanup_buf_ struct xb_buf missing = {};
	int r;

	if (!owned || !all)
		return -ENOMEM;
	r = rbac_rules_cover(owned, all, &missing);
	return r != -EACCES ? r : xb_status_forbidden(&q->fault, w->kind->group, w->kind->plural, name,
						      "must have cluster-admin privileges to use aggregationRule");
}

static bool unchanged(const struct xb_tree *object, const struct xb_tree *old, const char *member)
{
	return old && xb_tree_equal(xb_tree_get(object, member), xb_tree_get(old, member));
}

static int check_role(struct request *q, const struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_sv name)
{
	int r = 0;

	if (unchanged(object, old, "rules") && unchanged(object, old, "aggregationRule"))
		return 0;
	if (may(q, "escalate", w->kind->plural, w->namespace_, name))
		return 0;
	if (xb_tree_get(object, "aggregationRule") || (old && xb_tree_get(old, "aggregationRule")))
		r = check_aggregation(q, w, name);
	return r ? r : check_holds(q, w, name, xb_tree_get(object, "rules"));
}

static int check_binding(struct request *q, const struct write *w, const struct xb_tree *object,
			 const struct xb_tree *old, struct xb_sv name)
{
	const struct xb_tree *ref = xb_tree_get(object, "roleRef");
	struct xb_sv kind = xb_tree_gettext(ref, "kind"), role_name = xb_tree_gettext(ref, "name");
	bool cluster = xb_sv_is(kind, "ClusterRole");
	struct store_object *role;
	struct xb_tree *tree;
	int r;

	if (unchanged(object, old, "roleRef") && unchanged(object, old, "subjects"))
		return 0;
	if (!cluster && !(w->kind->namespaced && xb_sv_is(kind, "Role")))
		return 0; /* validation refuses it in better words */
	if (may(q, "bind", cluster ? "clusterroles" : "roles", w->namespace_, role_name))
		return 0;
	role = rbac_role(q->server->store, kind, w->namespace_, role_name, true);
	if (!role)
		return xb_status_not_found(&q->fault, RBAC_GROUP, cluster ? "clusterroles" : "roles", role_name);
	r = request_keep(q, xb_json_ref(role->doc));
	tree = r ? NULL : xb_tree_from(q->arena, xb_json_root(role->doc), NULL, NULL);
	return tree ? check_holds(q, w, name, xb_tree_get(tree, "rules")) : -ENOMEM;
}

int rbac_escalation(struct attempt *t)
{
	const struct write *w = t->write;
	bool role = !strcmp(w->kind->kind, "Role") || !strcmp(w->kind->kind, "ClusterRole");
	struct xb_sv name = xb_tree_text(xb_tree_path(t->object, "metadata", "name"));

	/* the server's own writes have no user */
	if (!t->request->user || strcmp(w->kind->group, RBAC_GROUP))
		return 0;
	return role ? check_role(t->request, w, t->object, t->old, name) : check_binding(t->request, w, t->object, t->old, name);
}
