/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_REVIEW_H
#define APISERVER_REVIEW_H
/* Questions in the form of objects (authentication.k8s.io/v1, authorization.k8s.io/v1): a POST is answered, nothing is stored. */
#include "request.h"

/* NULL: the kind is none of these. */
request_handler *review_handler(const struct route *t);

/* review_access.c */
request_handler review_subject_access, review_self_access, review_self_rules;
/* token_request.c: POST serviceaccounts/NAME/token */
request_handler token_request_handler;
/* /openid/v1/jwks and /.well-known/openid-configuration, which verify tokens elsewhere (OpenID Connect Discovery 1.0) */
request_handler openid_keys, openid_configuration;

/* What handlers of reviews share. The body, decoded. */
int review_read(struct request *q, struct xb_tree **ret);
/* Answers 201 with the review and its status. */
int review_answer(struct request *q, struct xb_tree *review, struct xb_tree *status);

#endif
