/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_QUOTA_STATUS_H
#define CONTROLLERS_QUOTA_STATUS_H
/* A ResourceQuota's status by what is used. Pure. */
#include "xb/quota.h"

/* As it is to be written; nothing is added to out when the quota says so already. What nothing measures is left out. */
void quota_status_write(const struct xb_quota_usage *u, struct xb_jv quota, struct xb_buf *out);

#endif
