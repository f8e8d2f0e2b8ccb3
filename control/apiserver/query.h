/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_QUERY_H
#define APISERVER_QUERY_H
/* What a request's query says: metav1's ListOptions, GetOptions, CreateOptions, UpdateOptions, PatchOptions, DeleteOptions. */
#include "xb/arena.h"
#include "xb/status.h"

enum query_truth { QUERY_UNSET, QUERY_FALSE, QUERY_TRUE };
struct query {
	struct xb_sv label_selector, field_selector, resource_version, resource_version_match, continue_;
	struct xb_sv field_manager, field_validation, propagation, include_object, timeout;
	struct xb_sv dry_run[4];           /* as given */
	unsigned n_dry_run;
	int64_t limit;                     /* 0: none */
	int64_t timeout_seconds;           /* 0: not said */
	int64_t grace_seconds;             /* -1: not said */
	bool watch, allow_bookmarks, force;
	enum query_truth send_initial_events, orphan_dependents;
};
/* Values are decoded, zero-terminated, in the arena. Unknown parameters are ignored, as upstream does. 400, -ENOMEM. */
int query_parse(struct xb_arena *a, struct xb_sv text, struct query *ret, struct xb_status *reterr);
/* The value of a parameter that only few paths know; {} when it is not there, else p is set. */
struct xb_sv query_value(struct xb_arena *a, struct xb_sv text, const char *name);

/* Rules of the options (apimachinery pkg/apis/meta/v1/validation): 422 Invalid. */
int query_check_list(struct xb_arena *a, const struct query *q, struct xb_status *reterr);
/* kind: "CreateOptions", ...; the name that the finding carries. */
int query_check_write(struct xb_arena *a, const struct query *q, const char *kind, struct xb_status *reterr);

/* A resourceVersion: digits. Upstream's fault for others is a 500 without a reason, for a list 400. */
int query_revision(struct xb_sv text, bool list, uint64_t *ret, struct xb_status *reterr);

#endif
