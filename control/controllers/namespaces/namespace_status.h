/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_NAMESPACE_STATUS_H
#define CONTROLLERS_NAMESPACE_STATUS_H
/* What a terminating namespace tells of its deletion (upstream's namespaced_resources_deleter's status_condition_utils.go). Pure. */
#include "xb/arena.h"
#include "xb/json.h"

/* Texts that are told sorted and joined; in an arena. */
struct namespace_texts {
	const char **v;
	size_t n, cap;
};
int namespace_texts_add(struct namespace_texts *t, struct xb_arena *a, const char *text); /* text NULL: -ENOMEM */

struct namespace_findings {
	unsigned n_undiscovered;
	const char *undiscovered;              /* NULL: the server told all its kinds */
	const char *unparsed;                  /* NULL: all their versions could be read */
	struct namespace_texts failures;       /* why content could not be deleted */
	struct namespace_texts remaining;      /* "pods. has 2 resource instances" */
	struct namespace_texts finalizers;     /* "example.com/x in 1 resource instances" */
};
/* A merge patch of the status; nothing when nothing changes. Sorts the texts. now: wall clock in microseconds. */
void namespace_status_patch(struct xb_jv namespace_, struct namespace_findings *f, int64_t now, struct xb_buf *out);

#endif
