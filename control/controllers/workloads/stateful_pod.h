/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_STATEFUL_POD_H
#define CONTROLLERS_STATEFUL_POD_H
/* The pods of a StatefulSet: each is its set's by name, "<set>-<ordinal>", and has the claims of that name. Pure. */
#include "stateful_claims.h"

#define STATEFUL_POD_NAME  "statefulset.kubernetes.io/pod-name"
#define STATEFUL_POD_INDEX "apps.kubernetes.io/pod-index"

int64_t stateful_ordinal(struct xb_sv set, struct xb_sv pod);   /* of their names; -1: the pod has no place in the set */
struct xb_sv stateful_revision(struct xb_jv pod);               /* the name of the ControllerRevision that it was made by */
bool stateful_identity_matches(struct xb_jv pod);
bool stateful_storage_matches(struct xb_jv set, struct xb_jv pod, int64_t ordinal);

/* The body of a pod, made by the template of a ControllerRevision of the set. */
void stateful_pod_write(struct xb_jv set, const struct xb_kind *set_kind, struct xb_jv revision, int64_t ordinal, struct xb_buf *out);
/* A strategic merge patch that gives a pod its identity and its storage. */
void stateful_pod_patch(struct xb_jv set, struct xb_jv pod, int64_t ordinal, struct xb_buf *out);

#endif
