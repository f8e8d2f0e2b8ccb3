/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_AUTHZ_RBAC_H
#define APISERVER_AUTHZ_RBAC_H
/*
 * Role-based access (kubernetes docs "Using RBAC Authorization"). Bindings are indexed by subject and namespace, so a
 * decision is a look-up for the user and each of its groups and a reading of the roles found there.
 */
#include "authz.h"
#include "../store/store.h"

int rbac_new(struct store *store, struct rbac **ret);
struct rbac *rbac_free(struct rbac *b);

enum decision rbac_decide(struct rbac *b, const struct attributes *t, struct xb_buf *reason);

/* What gives a user a rule. */
struct rbac_grant {
	struct xb_jv rule;              /* of a stored role */
	struct xb_jv binding, subject;  /* the stored binding, and which of its subjects the user is */
};
/*
 * Calls fn for every rule that applies to the user, cluster-wide ones first and then those of the namespace, {} for none,
 * until it returns false. Roles that are bound but not there are told in errors, one a line; it may be NULL.
 */
void rbac_visit(struct rbac *b, const struct user *u, struct xb_sv namespace_, bool (*fn)(void *arg, const struct rbac_grant *g),
		void *arg, struct xb_buf *errors);
/* The user's rules as an array of rules, in a. NULL without memory. */
struct xb_tree *rbac_rules_of(struct rbac *b, struct xb_arena *a, const struct user *u, struct xb_sv namespace_);

/* The role that a binding in that namespace refers to, as committed or as the head has it; borrowed. NULL: not there. */
struct store_object *rbac_role(struct store *store, struct xb_sv kind, struct xb_sv namespace_, struct xb_sv name, bool head);

#endif
