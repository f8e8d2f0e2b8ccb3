/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_AUTHN_H
#define APISERVER_AUTHN_H
/*
 * Who sends a request: a client certificate (user: common name, groups: organizations), or a bearer token from
 * --token-auth-file. One loop thread.
 */
#include "xb/http_server.h"
#include "xb/status.h"

struct user {
	char *name, *uid;               /* uid: "" when there is none */
	char **groups;                  /* NULL-terminated */
};

struct authn;
/* token_file may be NULL. Its lines are token,user,uid[,"group1,group2"] (RFC 4180). -errno with *reterr_why naming file and
 * line. */
int authn_new(const char *token_file, struct authn **ret, char **reterr_why);
struct authn *authn_free(struct authn *a);
XB_DEFINE_CLEANUP(struct authn *, authn_free)

/*
 * The user lives as long as a. A request without credentials is system:anonymous on the paths of health and version. All
 * others: -EPROTO with 401 in reterr. -ENOMEM.
 */
int authn_user(struct authn *a, const struct xb_http_request *r, const struct user **ret, struct xb_status *reterr);

#endif
