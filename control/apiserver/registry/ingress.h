/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef REGISTRY_INGRESS_H
#define REGISTRY_INGRESS_H
/* What Ingress and IngressClass share. */
#include "strategy.h"

/* A reference to an object in the same namespace, or in none: apiGroup, kind and name. */
void ingress_validate_reference(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *reference);

#endif
