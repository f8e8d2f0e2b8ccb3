/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef REGISTRY_INT_OR_PERCENT_H
#define REGISTRY_INT_OR_PERCENT_H
/* How many of a set: a number, or a share of it ("25%"). n may be NULL, which counts as 0. */
#include "strategy.h"

int64_t int_or_percent_value(const struct xb_tree *n);    /* of "25%": 25; of other text: 0 */
/* "intstr.IntOrString{...}": detail, as upstream prints the value. */
void int_or_percent_invalid(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *n, const char *detail);
/* Not negative, and text only as a percentage. */
void int_or_percent_validate(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *n);
void int_or_percent_validate_100(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *n); /* at most 100% */

#endif
