/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_QUANTITY_H
#define XB_QUANTITY_H
/*
 * resource.Quantity (apimachinery pkg/api/resource) in 128-bit nano-units: what is finer is rounded up, away from zero.
 * Binary forms are capped at 2^63-1 as upstream caps them, decimal ones at 10^29 (upstream has big integers there).
 */
#include "xb/str.h"

enum xb_quantity_form { XB_DECIMAL_SI, XB_BINARY_SI, XB_DECIMAL_EXPONENT };
struct xb_quantity {
	__int128 nano;               /* value * 10^9 */
	enum xb_quantity_form form;
};
int xb_quantity_parse(struct xb_sv text, struct xb_quantity *ret); /* -EINVAL: not a quantity; -ENOENT: unknown suffix */
void xb_quantity_write(const struct xb_quantity *q, struct xb_buf *out); /* canonical: "100m", "1Gi" */
int xb_quantity_cmp(const struct xb_quantity *a, const struct xb_quantity *b);
int64_t xb_quantity_value(const struct xb_quantity *q);            /* rounded up, away from zero; saturated */
int64_t xb_quantity_milli(const struct xb_quantity *q);            /* rounded up, away from zero; saturated */

#endif
