/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_DAEMON_STATUS_H
#define CONTROLLERS_DAEMON_STATUS_H
/* The status of a DaemonSet. Pure. */
#include "daemon_plan.h"

struct daemon_status {
	int64_t desired, scheduled, misscheduled, ready, available, updated;
};
/* Of several pods on a node the first counts. */
void daemon_count(const struct daemon_facts *f, struct daemon_status *ret);
/* Appends the whole status that tells it. Nothing is appended when the set says all that already. */
void daemon_status_write(struct xb_jv set, const struct daemon_status *s, struct xb_buf *out);

#endif
