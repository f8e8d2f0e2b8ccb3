/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VOLUMES_PROTECTION_H
#define VOLUMES_PROTECTION_H
/* A finalizer keeps a volume or a claim that is in use (KEP-498, KEP-499): what the two loops for that share. */
#include "../work.h"

#define PV_PROTECTION  "kubernetes.io/pv-protection"
#define PVC_PROTECTION "kubernetes.io/pvc-protection"

/* Not as it should be: is being deleted and has the finalizer, or is not and has none. */
bool protection_due(struct xb_jv object, const char *finalizer);
/* Takes the finalizer away when the object is being deleted, gives it otherwise. To be asked within a round. 0 or -errno. */
int protection_ask(struct kcm_work *w, const struct xb_kind *kind, struct xb_jv object, const char *finalizer);

#endif
