/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_EXPECTATIONS_H
#define XB_EXPECTATIONS_H
/*
 * What a controller has done and its copy of the collection does not show yet, by the controller's key (client-go's
 * ControllerExpectations): while something is awaited the copy is stale, and deciding by it would do the same again.
 * Creations are counted, since their names are not known before; deletions are awaited by uid, so that one seen twice counts
 * once. What is awaited for five minutes is awaited no more. One thread.
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
bool xb_expectations_met(const struct xb_expectations *e, const char *key); /* nothing is awaited, or for too long */
void xb_expectations_forget(struct xb_expectations *e, const char *key);    /* its object is gone */

#endif
