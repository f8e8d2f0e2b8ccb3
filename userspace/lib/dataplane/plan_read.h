/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_PLAN_READ_H
#define PROXY_PLAN_READ_H
/* Parts of the API's objects, as all that plan read them (plan.c). */
#include "xb/plan.h"

bool xb_plan_read_addr(struct xb_jv v, int family, struct xb_plan_addr *ret); /* false: none of that family */
__u16 xb_plan_read_port(struct xb_jv v);                   /* 0: none */
enum xb_proto xb_plan_read_proto(struct xb_jv v);          /* TCP when it is not said; XB_PROTO_NONE: none that there is */

#endif
