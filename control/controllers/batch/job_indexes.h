/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_JOB_INDEXES_H
#define CONTROLLERS_JOB_INDEXES_H
/* A set of completion indexes as ranges: status.completedIndexes and the like ("1,3-5,7"). Pure; memory is the arena's. */
#include "xb/arena.h"

struct job_range {
	int64_t first, last;
};
struct job_indexes {
	struct job_range *v;            /* ascending, apart from each other */
	size_t n;
};

/* What is not of the form, or not below limit, is left out. 0 or -ENOMEM. */
int job_indexes_parse(struct xb_arena *a, struct xb_sv text, int64_t limit, struct job_indexes *ret);
void job_indexes_write(const struct job_indexes *x, struct xb_buf *out); /* appended; two in a row as "3,4" */
/* Adds n indexes, in any order and perhaps twice; sorts them. 0 or -ENOMEM. */
int job_indexes_add(struct xb_arena *a, struct job_indexes *x, int64_t *indexes, size_t n);
int job_indexes_unite(struct xb_arena *a, struct job_indexes *x, const struct job_indexes *with);
bool job_indexes_has(const struct job_indexes *x, int64_t index);
int64_t job_indexes_total(const struct job_indexes *x);
int64_t job_indexes_common(const struct job_indexes *x, const struct job_indexes *y); /* how many are in both */
/* The first of those below limit that are not in x, at most room: how many. */
size_t job_indexes_missing(const struct job_indexes *x, int64_t limit, size_t room, int64_t *ret);

#endif
