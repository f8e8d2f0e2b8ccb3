/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_PODS_H
#define CONTROLLERS_PODS_H
/* What several loops ask of a pod (upstream's pkg/api/v1/pod and controller_utils.go). Pure; times are wall clock in microseconds. */
#include "xb/json.h"
#include "xb/kinds.h"

bool pods_active(struct xb_jv pod);                     /* neither over nor being deleted */
bool pods_deleting(struct xb_jv object);                /* has a deletionTimestamp; of any kind */
bool pods_ready(struct xb_jv pod, int64_t *ret_since);  /* ret_since: of the condition, 0 when unknown; may be NULL */
/* Ready for min_ready seconds. */
bool pods_available(struct xb_jv pod, int64_t min_ready, int64_t now);
int64_t pods_time(struct xb_jv text);                   /* 0 when there is none */

/* The body of a pod made from a template, with the owner as its controller: labels, annotations, finalizers and spec are the
 * template's, the name is the server's to finish (GetPodFromTemplate). */
void pod_template_write(struct xb_jv template, const struct xb_kind *kind, struct xb_jv owner, struct xb_buf *out);

#endif
