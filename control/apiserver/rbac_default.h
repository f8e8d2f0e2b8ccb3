/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_RBAC_DEFAULT_H
#define APISERVER_RBAC_DEFAULT_H
/*
 * The roles and bindings that every cluster has (kubernetes docs "Using RBAC Authorization", default roles and role
 * bindings): as rows here, and made and completed in the store at every start. What an operator added stays; what is
 * missing comes back, unless the annotation rbac.authorization.kubernetes.io/autoupdate is "false".
 */
#include "xb/str.h"

struct rbac_default_role {
	const char *name, *rules;       /* rules: see rbac_default_rules */
	const char *namespace_;         /* NULL: a ClusterRole */
	const char *label;              /* that puts it into an aggregated role; NULL for none */
	const char *aggregates;         /* label of the roles whose rules make it up; NULL: it has rules of its own */
};
struct rbac_default_binding {
	const char *name, *role;
	const char *subjects;           /* "User:a Group:b ServiceAccount:namespace/c", one space between */
	const char *namespace_;         /* NULL: a ClusterRoleBinding */
};
extern const struct rbac_default_role rbac_default_roles[];         /* ends with {} */
extern const struct rbac_default_binding rbac_default_bindings[];   /* ends with {}; cluster roles of controllers have theirs besides */
#define RBAC_CONTROLLER_PREFIX "system:controller:"                 /* "...:x" is bound to kube-system's service account x */

/*
 * The rules of a row as a JSON array. Their text: "verbs groups resources[ names];" or "verbs paths;", each a list with
 * commas; the group "core" is "". By name: of the cluster role of that name.
 */
void rbac_default_write_rules(const char *rules, struct xb_buf *out);
void rbac_default_rules(const char *name, struct xb_buf *out);

struct server;
/* Queues what is missing, as bootstrap.h does. */
int rbac_default_ensure(struct server *s);

#endif
