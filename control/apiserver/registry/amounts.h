/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef REGISTRY_AMOUNTS_H
#define REGISTRY_AMOUNTS_H
/* Maps of resource names to quantities (ResourceList): of quotas, limit ranges, volumes. */
#include "strategy.h"
#include "xb/quantity.h"

bool amount_get(const struct xb_tree *map, const char *name, struct xb_quantity *ret); /* false: not there */
/* Each name is qualified, or, without a slash, one of the known (NULL-terminated); detail says what it must be. */
void amounts_validate_names(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *map, const char *const *known,
			    const char *detail);
void amounts_validate_nonnegative(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *map);
void amount_validate_positive(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *amount);

#endif
