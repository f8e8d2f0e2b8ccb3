/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONNECT_REPLY_H
#define CONNECT_REPLY_H
/*
 * What this server itself says about a request that is somebody else's to answer, and what it tells them of the client. The words
 * of faults are upstream's, which are not the same for each subresource.
 */
#include "../request.h"
#include "xb/proxy.h"

enum reply_words { REPLY_LOG, REPLY_STREAM, REPLY_PROXY };
/* For xb_proxy_request.ops: a struct reply, freed by them. Used on the thread of the connection. */
struct reply {
	enum reply_words words;
	int *status;            /* the request's answer_code */
	char *url;              /* REPLY_LOG: what was asked of the kubelet */
	char *name;             /* REPLY_LOG: the pod's */
};
struct reply *reply_new(enum reply_words words, struct request *q, const char *url); /* NULL without memory; url may be NULL */
extern const struct xb_proxy_ops reply_ops, reply_log_ops;
void reply_free(void *reply);

/* Answers with that Status (freed), its code also to *status. */
void reply_status(struct xb_http_request *r, struct xb_status *s, int *status);

/* The client's header fields, for the next server: those of one hop, credentials and names of users left out, X-Forwarded-For
 * completed. -ENOMEM is in out. */
void reply_copy_fields(const struct request *q, struct xb_buf *out);
/* Does the client want the connection upgraded? To what; "" when it does not say. NULL: it does not; in the arena. */
const char *reply_upgrade(const struct request *q);

#endif
