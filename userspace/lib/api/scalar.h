/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_API_SCALAR_H
#define XB_API_SCALAR_H
/* Single values of the API's types. */
#include "xb/schema.h"

/*
 * Checks that n can be of that kind and puts it in canonical form, in place. -EDOM: its JSON type or its literal does not fit
 * the kind, the caller words it; -EINVAL with reterr; -ENOMEM. XB_T_OBJECT is none of its kinds.
 */
int xb_scalar_decode(struct xb_arena *a, enum xb_field_type kind, struct xb_tree *n, struct xb_status *reterr);
/* Is it 0, "", false: what Go's omitempty leaves out? */
bool xb_scalar_is_zero(enum xb_field_type kind, const struct xb_tree *n);
/* A new zero value; NULL without memory, or for the times and XB_T_ANY, which have none. */
struct xb_tree *xb_scalar_zero(struct xb_arena *a, enum xb_field_type kind);
/* "string", "object", ...: a value's type in the words of Go's encoding/json. */
const char *xb_scalar_json_type(const struct xb_tree *n);

#endif
