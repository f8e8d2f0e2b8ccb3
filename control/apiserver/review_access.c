/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "authz_rbac.h"
#include "registry/edit.h"
#include "review.h"
#include "server.h"

/* --- may somebody do something --- */

static void attributes_of(const struct xb_tree *spec, struct attributes *t)
{
	const struct xb_tree *resource = xb_tree_get(spec, "resourceAttributes"), *other = xb_tree_get(spec, "nonResourceAttributes");

	t->is_resource = resource;
	t->verb = xb_tree_gettext(resource ? resource : other, "verb");
	t->group = xb_tree_gettext(resource, "group");
	t->version = xb_tree_gettext(resource, "version");
	t->resource = xb_tree_gettext(resource, "resource");
	t->subresource = xb_tree_gettext(resource, "subresource");
	t->namespace_ = xb_tree_gettext(resource, "namespace");
	t->name = xb_tree_gettext(resource, "name");
	t->field_selector = xb_tree_gettext(xb_tree_get(resource, "fieldSelector"), "rawSelector");
	t->path = xb_tree_gettext(other, "path");
}

static int check_spec(struct request *q, const struct xb_tree *spec, bool names_user)
{
	const struct xb_tree *resource = xb_tree_get(spec, "resourceAttributes"), *other = xb_tree_get(spec, "nonResourceAttributes");
	struct xb_field_errors e = { .arena = q->arena };
	const struct xb_path *at = XB_PATH(NULL, "spec");

	if (resource && other)
		xb_err_invalid(&e, XB_PATH(at, "nonResourceAttributes"), other, "cannot be specified in combination with resourceAttributes");
	if (!resource && !other)
		xb_err_invalid_go(&e, XB_PATH(at, "resourceAttributes"), "null",
				  "exactly one of nonResourceAttributes or resourceAttributes must be specified");
	if (names_user && !xb_tree_gettext(spec, "user").n && edit_is_empty(xb_tree_get(spec, "groups")))
		xb_err_invalid_sv(&e, XB_PATH(at, "user"), XB_SV(""), "at least one of user or group must be specified");
	return xb_field_errors_status(&e, q->route.kind->group, q->route.kind->kind, (struct xb_sv){}, &q->fault);
}

static int answer_decision(struct request *q, struct xb_tree *review, const struct attributes *t)
{
	struct write *w = &q->write;
	struct xb_tree *status = xb_tree_object(q->arena);
	_cleanup_buf_ struct xb_buf reason = {};
	enum decision d = authz_decide(q->server->authz, t, &reason);

	edit_bool(w, status, "allowed", d == DECISION_ALLOW);
	if (d == DECISION_DENY)
		edit_bool(w, status, "denied", true);
	if (reason.n)
		edit_sv(w, status, "reason", xb_arena_sv(q->arena, xb_buf_sv(&reason)));
	return reason.err ? reason.err : review_answer(q, review, status);
}

static int user_of(struct request *q, const struct xb_tree *spec, struct user *ret)
{
	const struct xb_tree *groups = xb_tree_get(spec, "groups");
	struct user u = {
		.name = xb_arena_strn(q->arena, xb_tree_gettext(spec, "user")),
		.uid = xb_arena_strn(q->arena, xb_tree_gettext(spec, "uid")),
		.groups = xb_arena_alloc(q->arena, ((groups ? groups->count : 0) + 1) * sizeof(*u.groups)),
	};
	size_t n = 0;

	if (!u.name || !u.uid || !u.groups)
		return -ENOMEM;
	xb_tree_each(g, groups) {
		u.groups[n] = xb_arena_strn(q->arena, g->text);
		if (!u.groups[n++])
			return -ENOMEM;
	}
	*ret = u;
	return 0;
}

int review_subject_access(struct request *q)
{
	struct xb_tree *review;
	const struct xb_tree *spec;
	struct attributes t = {};
	struct user user;
	int r;

	r = review_read(q, &review);
	if (r)
		return r;
	spec = xb_tree_get(review, "spec");
	r = check_spec(q, spec, true);
	if (!r)
		r = user_of(q, spec, &user);
	if (r)
		return r;
	attributes_of(spec, &t);
	t.user = &user;
	if (q->route.kind->namespaced && !xb_sv_eq(t.namespace_, q->route.namespace_))
		return xb_status_bad_request(&q->fault, "spec.resourceAttributes.namespace must match namespace: %.*s",
					     XB_SV_ARG(q->route.namespace_));
	return answer_decision(q, review, &t);
}

int review_self_access(struct request *q)
{
	struct attributes t = { .user = q->user };
	struct xb_tree *review;
	int r;

	r = review_read(q, &review);
	if (!r)
		r = check_spec(q, xb_tree_get(review, "spec"), false);
	if (r)
		return r;
	attributes_of(xb_tree_get(review, "spec"), &t);
	return answer_decision(q, review, &t);
}

/* --- what may somebody do --- */

struct listing {
	struct write *w;
	struct xb_tree *resource_rules, *other_rules;
};

static void add_rule(struct listing *l, struct xb_tree *rule)
{
	static const char *const of_resources[] = { "apiGroups", "resources", "resourceNames" };
	bool is_other = xb_tree_get(rule, "nonResourceURLs");

	xb_tree_remove(rule);
	rule->key = (struct xb_sv){};
	if (is_other)
		for (unsigned i = 0; i < ARRAY_SIZE(of_resources); i++)
			xb_tree_del(rule, of_resources[i]);
	edit_append(l->w, is_other ? l->other_rules : l->resource_rules, rule);
}

static int list_rules(struct request *q, struct xb_sv namespace_, struct listing *l)
{
	static const char everything[] = "[{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],\"resources\":[\"*\"]},"
					 "{\"verbs\":[\"*\"],\"nonResourceURLs\":[\"*\"]}]";
	struct authz *z = q->server->authz;
	struct xb_tree *rules = NULL;

	if (authz_has_mode(z, "AlwaysAllow") || user_in_group(q->user, GROUP_MASTERS))
		rules = xb_tree_parse(q->arena, everything);
	else if (authz_has_mode(z, "RBAC"))
		rules = rbac_rules_of(authz_rbac(z), q->arena, q->user, namespace_);
	else
		return 0;
	if (!rules)
		return -ENOMEM;
	while (rules->first)
		add_rule(l, rules->first);
	return 0;
}

int review_self_rules(struct request *q)
{
	struct write *w = &q->write;
	struct xb_tree *review, *status;
	struct listing l = { .w = w };
	struct xb_sv namespace_;
	bool incomplete;
	int r;

	r = review_read(q, &review);
	if (r)
		return r;
	namespace_ = xb_tree_text(xb_tree_path(review, "spec", "namespace"));
	if (!namespace_.n)
		return xb_status_bad_request(&q->fault, "no namespace on request");
	status = xb_tree_object(q->arena);
	incomplete = authz_has_mode(q->server->authz, "Node");
	edit_bool(w, status, "incomplete", incomplete);
	if (incomplete)
		edit_str(w, status, "evaluationError", "node authorizer does not support user rule resolution");
	l.other_rules = edit_obtain_array(w, status, "nonResourceRules");
	l.resource_rules = edit_obtain_array(w, status, "resourceRules");
	r = list_rules(q, namespace_, &l);
	return r ? r : review_answer(q, review, status);
}
