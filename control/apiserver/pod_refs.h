/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_POD_REFS_H
#define APISERVER_POD_REFS_H
/* Which objects of its namespace a pod makes use of. */
#include "xb/json.h"

/* Calls fn with "secrets", "configmaps", "persistentvolumeclaims" or "serviceaccounts" and a name, for every mention. */
void pod_refs_each(struct xb_jv pod, void (*fn)(void *arg, const char *plural, struct xb_sv name), void *arg);

#endif
