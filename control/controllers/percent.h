/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_PERCENT_H
#define CONTROLLERS_PERCENT_H
/* A field that is a number of pods, or a part of all of them as "25%" (apimachinery intstr.GetScaledValueFromIntOrPercent). */
#include "xb/json.h"

/* -EINVAL: it is neither; a missing value counts as 0. */
int percent_of(struct xb_jv v, int64_t total, bool round_up, int64_t *ret);

#endif
