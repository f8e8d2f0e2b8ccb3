/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_QUOTA_H
#define APISERVER_QUOTA_H
/*
 * ResourceQuota: what a namespace's objects may amount to together. A write is counted in the turn in which it is queued,
 * against what is committed and what is on its way to the disk, so a quota cannot be overrun: a creation, and what a Service, a
 * claim or a pod's resize adds. status.used is a controller's. Only namespaces that have a quota pay: what
 * is used is kept (quota_tally.h), and counted anew before a write is refused. Loop thread.
 */
#include "request.h"

struct quota_claim;         /* an object on its way to the disk; in its request's arena */

/* object is about to be queued in place of old; old is NULL at creation. -EACCES with 403 in q->fault: it would exceed a
 * quota, or lacks what a quota counts; -ENOMEM. After 0, w->claim (NULL where no quota asks) is to be given back by
 * quota_release when the write has ended, either way. */
int quota_admit(struct request *q, struct write *w, const struct xb_tree *object, struct xb_json *old);
void quota_release(struct write *w);

#endif
