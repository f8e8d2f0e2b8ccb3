/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_SA_TOKEN_H
#define APISERVER_SA_TOKEN_H
/*
 * Service account tokens (KEP-1205): JSON Web Tokens for a service account, for some audiences, for some time, and, when
 * they are bound to a pod, secret or node, as long as that object exists. A signature is verified once and then remembered;
 * times, audiences and objects are looked at each time. The older sort is kept in a Secret, and is good as long as it is there.
 */
#include "user.h"
#include "jwt.h"

struct store;
struct apiserver_options;
struct sa_tokens;
/* Options and store are borrowed. Without --service-account-signing-key-file the key is sa.key in --cert-dir, made when it is
 * missing. Blocking. -errno with *reterr_why. */
int sa_tokens_new(const struct apiserver_options *o, struct store *store, struct sa_tokens **ret, char **reterr_why);
struct sa_tokens *sa_tokens_free(struct sa_tokens *t);
XB_DEFINE_CLEANUP(struct sa_tokens *, sa_tokens_free)

const struct jwt_keys *sa_tokens_keys(const struct sa_tokens *t);
const char *sa_tokens_issuer(const struct sa_tokens *t);        /* that signs: the first */
char *const *sa_tokens_audiences(const struct sa_tokens *t);    /* of this API: --api-audiences, else the issuers */

struct sa_bound {                       /* an object; name.p is NULL for none */
	struct xb_sv name, uid;
};
struct sa_claims {
	struct xb_sv namespace_;
	struct sa_bound account, pod, secret, node;
	const struct xb_tree *audiences;/* an array of strings, not empty */
	int64_t now, expires;           /* seconds since 1970 */
};
/* The token is appended to out. -EIO, -ENOMEM. */
int sa_token_issue(const struct sa_tokens *t, const struct sa_claims *c, struct xb_buf *out);
/* For c->secret to keep: without audience and end. Of c only namespace, account and secret count. */
int sa_token_issue_kept(const struct sa_tokens *t, const struct sa_claims *c, struct xb_buf *out);
/* The certificates, PEM, by which pods know this server; {} when somebody else made them. */
struct xb_sv sa_tokens_ca(const struct sa_tokens *t);

/*
 * Whose token it is, in a, and for which of the wanted audiences (NULL-terminated), as an array of strings. -ENOENT: it is none
 * of ours; -EACCES: it is, and not valid: why says it in a sentence, and may be NULL; -ENOMEM.
 */
int sa_token_user(struct sa_tokens *t, struct xb_arena *a, struct xb_sv token, char *const *wanted, struct user **ret,
		  struct xb_tree **ret_audiences, struct xb_buf *why);

#endif
