/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_AUTHN_H
#define APISERVER_AUTHN_H
/*
 * Who sends a request: a client certificate (user: common name, groups: organizations), a bearer token from
 * --token-auth-file, a service account's token, or nobody we know. One loop thread.
 */
#include "xb/http_server.h"
#include "xb/status.h"
#include "user.h"

struct sa_tokens;
struct authn;
struct authn_config {
	const char *token_file;         /* NULL for none. Lines: token,user,uid[,"group1,group2"] (RFC 4180) */
	bool anonymous;                 /* requests without credentials are system:anonymous's, on every path */
	struct sa_tokens *tokens;       /* borrowed; NULL: service accounts are unknown */
};
/* -errno with *reterr_why naming file and line. */
int authn_new(const struct authn_config *c, struct authn **ret, char **reterr_why);
struct authn *authn_free(struct authn *a);
XB_DEFINE_CLEANUP(struct authn *, authn_free)

/*
 * The user lives as long as a or the arena. A request without credentials is system:anonymous on the paths of health and
 * version. Credentials that are not good, and otherwise none: -EPROTO with 401 in reterr. -ENOMEM.
 */
int authn_user(struct authn *a, struct xb_arena *arena, const struct xb_http_request *r, const struct user **ret,
	       struct xb_status *reterr);

/* Whose token it is, and for which of the wanted audiences (NULL-terminated; NULL: this API's), as an array of strings. -EACCES:
 * nobody's, or for others: why says so; -ENOMEM. */
int authn_token(struct authn *a, struct xb_arena *arena, struct xb_sv token, char *const *wanted, const struct user **ret,
		struct xb_tree **ret_audiences, struct xb_buf *why);

#endif
