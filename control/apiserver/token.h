/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_TOKEN_H
#define APISERVER_TOKEN_H
/*
 * The continue token of a list in pages: base64url without padding of {"v":"meta.k8s.io/v1","rv":N,"start":"KEY\u0000"},
 * as upstream's, and "left":N, what then still remained, which saves counting it again.
 */
#include "xb/arena.h"
#include "xb/status.h"

struct token {
	int64_t revision;      /* -1: whatever is newest when the next page is read */
	struct xb_sv start;    /* the last key already given, below the collection's prefix */
	int64_t left;          /* -1: not known */
};
struct xb_sv token_write(struct xb_arena *a, const struct token *t); /* {} without memory */
/* start is decoded into the arena. 400 with upstream's words. */
int token_read(struct xb_arena *a, struct xb_sv text, struct token *ret, struct xb_status *reterr);

#endif
