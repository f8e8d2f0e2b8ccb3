/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_EVENT_TTL_H
#define APISERVER_EVENT_TTL_H
/*
 * Deletes the objects of kinds whose strategy says that they expire, some time after each one's last write (--event-ttl), as
 * upstream's lease for each write does: past admission and finalizers, and watchers get DELETED. A write costs one hash
 * look-up; expiry looks only at what is due. Late by two seconds or a hundredth of the time at most.
 */
#include <uv.h>

struct store;
struct event_ttl;

/* Takes up what is stored: its age counts from the newest of creationTimestamp and the times in managedFields. 0 or -ENOMEM. */
int event_ttl_new(uv_loop_t *loop, struct store *store, int64_t ttl_ms, struct event_ttl **ret);
void event_ttl_stop(struct event_ttl *t);               /* before the store is closed; NULL is fine */
struct event_ttl *event_ttl_free(struct event_ttl *t);  /* after it: its last callbacks come while it closes */

#endif
