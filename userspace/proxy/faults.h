/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_FAULTS_H
#define PROXY_FAULTS_H
/* The Services and pods that are not served in full: told once each, in the log and by a Warning on the object. One thread. */
#include "services.h"
#include "xb/rest.h"

struct faults;
struct faults *faults_new(struct xb_rest *rest, const char *host); /* both borrowed; NULL without memory */
struct faults *faults_free(struct faults *f);           /* before its xb_rest, and before the services */
XB_DEFINE_CLEANUP(struct faults *, faults_free)

/* fault: 0 for none any more, or the -errno. reason: of the Event, static; NULL: by the errno, or no Event, where it is not the
 * object's fault. Takes why. -ENOMEM: not noted. */
int faults_set(struct faults *f, struct service *v, int fault, const char *reason, char *why);
void faults_tell(struct faults *f);                     /* those that were not told yet */
void faults_retry(struct faults *f);                    /* marks all dirty */
size_t faults_count(const struct faults *f);

#endif
