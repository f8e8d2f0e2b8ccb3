/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef REGISTRY_LABEL_SELECTOR_H
#define REGISTRY_LABEL_SELECTOR_H
/* LabelSelector objects ({matchLabels, matchExpressions}) within a write; selector may be NULL. */
#include "strategy.h"

bool label_selector_empty(const struct xb_tree *selector);      /* it says nothing, and so selects everything */
/* As upstream's: NULL selects nothing. labels: metadata.labels, may be NULL. */
bool label_selector_matches(const struct xb_tree *selector, const struct xb_tree *labels);
void label_selector_validate(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *selector);
/* operator and values of one expression: In, NotIn, Exists, DoesNotExist. at: the expression's. */
void label_selector_validate_values(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *expression);
/* "Invalid value: v1.LabelSelector{...}: detail" */
void label_selector_invalid(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *selector, const char *detail);
/* "field is immutable" unless both are equal. */
void label_selector_validate_immutable(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *now,
				       const struct xb_tree *old);

#endif
