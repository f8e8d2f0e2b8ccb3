/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_SERVER_ACCESS_H
#define KUBELET_SERVER_ACCESS_H
/*
 * Who asks, and may he: client certificates, bearer tokens by TokenReview, anonymous; AlwaysAllow, or SubjectAccessReview for
 * subresources of this Node. Answers of the API server are kept as upstream does: tokens for 2 min, allowed for 5 min, denied for
 * 30 s; some thousand of each at most, and of a token only its hash. One loop, one thread.
 */
#include "xb/rest.h"
#include "xb/tls.h"

struct access;
struct access_config {
	struct xb_rest *rest;           /* may be NULL unless token_webhook or webhook */
	const char *node_name;          /* borrowed */
	bool anonymous, token_webhook;  /* authentication */
	bool webhook;                   /* authorization; else whoever is authenticated may do everything */
};
int access_new(const struct access_config *c, struct access **ret);
struct access *access_free(struct access *a);           /* after all its checks */
XB_DEFINE_CLEANUP(struct access *, access_free)

struct access_question {
	const struct xb_tls_peer *peer; /* of a verified certificate; NULL: none */
	struct xb_sv authorization;     /* the header's value */
	const char *verb;
	const char *const *subresources; /* ended by NULL; one of them must be allowed. Static strings; the array is copied */
};
/* code 0: go on. Else the status and the text of the answer, in upstream's words; text is borrowed. */
typedef void access_done(void *arg, int code, const char *text);
struct access_check;
/* done may be called from within; then *ret is NULL. 0 or -ENOMEM; then it is not called. */
int access_ask(struct access *a, const struct access_question *q, access_done *done, void *arg, struct access_check **ret);
void access_cancel(struct access_check *c);             /* done is not called; NULL is taken */

#endif
