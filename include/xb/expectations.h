/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_EXPECTATIONS_H
#define XB_EXPECTATIONS_H
/*
 * What a controller has done and its copy of the collection does not show yet, by the controller's key (client-go's
 * ControllerExpectations): while something is awaited the copy is stale, and deciding by it would do the same again.
 * Creations are counted, since their names are not known before; deletions are awaited by uid, so that one seen twice counts
 * once. What is awaited for five minutes is awaited no more. A request without an answer may have been done or not: that is a doubt,
 * and what is awaited is compared with the server before it counts. One thread.
 */
#include "xb/str.h"

struct xb_expectations;
struct xb_expectations *xb_expectations_new(unsigned expire_ms); /* 0: 5 minutes. NULL without memory */
struct xb_expectations *xb_expectations_free(struct xb_expectations *e);
XB_DEFINE_CLEANUP(struct xb_expectations *, xb_expectations_free)

/* Before the requests are sent, as their events may come before their answers. Both replace what was awaited for the key.
 * 0 or -ENOMEM, and then nothing may be sent. */
int xb_expectations_creations(struct xb_expectations *e, const char *key, unsigned n);
int xb_expectations_deletions(struct xb_expectations *e, const char *key, const struct xb_sv *uids, size_t n);
/* It was seen, or its request failed. What nobody awaits is passed over. */
void xb_expectations_created(struct xb_expectations *e, const char *key);
void xb_expectations_deleted(struct xb_expectations *e, const char *key, struct xb_sv uid);
void xb_expectations_doubt(struct xb_expectations *e, const char *key); /* of what is awaited, not all may have been done */
bool xb_expectations_doubted(const struct xb_expectations *e, const char *key);
/* There is no doubt any more: so many creations do not show yet, and what is there was not deleted. */
void xb_expectations_resolve(struct xb_expectations *e, const char *key, unsigned creations, bool (*is_there)(void *arg, struct xb_sv uid),
			     void *arg);
bool xb_expectations_met(const struct xb_expectations *e, const char *key); /* nothing is awaited, or for too long */
void xb_expectations_forget(struct xb_expectations *e, const char *key);    /* its object is gone */

#endif
