/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_RBAC_RULE_H
#define APISERVER_RBAC_RULE_H
/* One rule of a role (rbac.authorization.k8s.io/v1 PolicyRule): what it allows, and which rules it covers. */
#include "authz.h"
#include "xb/tree.h"

/* Does this rule, of a stored role, allow it? */
bool rbac_rule_allows(struct xb_jv rule, const struct attributes *t);

/*
 * Do the owned rules allow everything that the wanted ones do? Both are arrays of rules. Those parts of wanted that are
 * missing are described in *ret_missing, a line each, as upstream words them. -ENOMEM; 0: covered; -EACCES: not.
 */
int rbac_rules_cover(const struct xb_tree *owned, const struct xb_tree *wanted, struct xb_buf *retmissing);

#endif
