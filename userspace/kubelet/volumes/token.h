/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_TOKEN_H
#define KUBELET_TOKEN_H
/*
 * Service account tokens of pods, bound to the pod, kept in memory only and made anew when four fifths of their life, or a day,
 * are over. One loop; one timer for all.
 */
#include "xb/rest.h"

struct tokens;
struct tokens_config {
	struct xb_rest *rest;
	void (*arrived)(void *arg, const char *uid);    /* what tokens_get was waiting for; also when it failed */
	void (*old)(void *arg, const char *uid);        /* one should be made anew: get it again */
	void *arg;
};
int tokens_new(const struct tokens_config *c, struct tokens **ret);
struct tokens *tokens_free(struct tokens *t);           /* before its rest; the loop must turn once more */
XB_DEFINE_CLEANUP(struct tokens *, tokens_free)

struct token_request {                  /* all of it makes which token it is */
	const char *namespace_, *account, *pod, *uid, *audience; /* audience: NULL for the API server's own */
	int64_t seconds;
};
/* 0: *ret is a token that is good, borrowed until the loop turns. -EINPROGRESS: asked for. Else reterr_why: "failed to fetch token:
 * ...", again and again until a call with fresh, which asks anew. */
int tokens_get(struct tokens *t, const struct token_request *q, bool fresh, struct xb_sv *ret, char **reterr_why);
void tokens_forget(struct tokens *t, const char *uid);

#endif
