/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_ADMISSION_H
#define APISERVER_ADMISSION_H
/*
 * Admission: checks that look beyond the object, between defaulting and validation. A chain of rows, run in order; the
 * first that refuses ends the write. To add one: a function and a row. Rows are named as upstream's plugins are, for
 * --disable-admission-plugins.
 */
#include "request.h"

/* object is NULL at a deletion, old is NULL at a creation. Returns 0, or -errno with q->fault. */
int admission_run(struct request *q, struct write *w, struct xb_tree *object, const struct xb_tree *old);
/* Is that plugin, which another place calls, to be run? */
bool admission_runs(const struct request *q, const char *name);
/* Is there a plugin of that name? */
bool admission_known(struct xb_sv name);
/* The one at that place in the chain; NULL: no plugin. */
const char *admission_name(unsigned i);

#endif
