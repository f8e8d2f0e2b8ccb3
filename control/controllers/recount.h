/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_RECOUNT_H
#define CONTROLLERS_RECOUNT_H
/*
 * When requests about an owner's pods were left without an answer (xb_expectations_doubted) the copy is compared with the server: what
 * was done and does not show yet is awaited, what was not is not. Upstream takes such requests for failed, and makes one pod too many.
 */
#include "work.h"
#include "xb/expectations.h"
#include "xb/selector.h"

struct recount {
	const struct xb_kind *pod_kind;
	const struct xb_informer *pods;
	struct xb_expectations *expectations;   /* by the work's key */
	const struct xb_selector *selector;     /* of the pods */
	struct xb_jv owner;
};
/* Begins a round of requests and ends it: then is called as kcm_work_round's. Nothing of r is needed afterwards, but the copy and the
 * expectations. -ENOMEM: nothing was begun. */
int recount_begin(struct kcm_work *w, const struct recount *r, void (*then)(struct kcm_work *w, int error));

#endif
