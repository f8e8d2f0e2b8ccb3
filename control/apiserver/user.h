/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_USER_H
#define APISERVER_USER_H
/* Who sends a request, as authentication found it (authentication.k8s.io/v1 UserInfo). */
#include "xb/str.h"
#include "xb/tree.h"

struct user_extra {                     /* key: lower case */
	char *key;
	char **values;                  /* NULL-terminated */
};
struct user {
	char *name, *uid;               /* uid: "" when there is none */
	char **groups;                  /* NULL-terminated */
	struct user_extra *extra;       /* ends with a key of NULL; NULL for none */
};

#define USER_ANONYMOUS "system:anonymous"
#define GROUP_AUTHENTICATED "system:authenticated"
#define GROUP_UNAUTHENTICATED "system:unauthenticated"
#define GROUP_MASTERS "system:masters"
#define GROUP_NODES "system:nodes"
#define GROUP_SERVICE_ACCOUNTS "system:serviceaccounts"

bool user_in_group(const struct user *u, const char *group);
/* "system:node:NAME" in system:nodes: *ret_node is NAME. */
bool user_is_node(const struct user *u, struct xb_sv *ret_node);
/* "system:serviceaccount:NAMESPACE:NAME". */
bool user_is_service_account(struct xb_sv name, struct xb_sv *ret_namespace, struct xb_sv *ret_name);
/* {"username":...,"uid":...,"groups":[...],"extra":{...}}, in a; the text is borrowed from u. NULL without memory. */
struct xb_tree *user_info(struct xb_arena *a, const struct user *u);

#endif
