/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_LEASE_H
#define XB_LEASE_H
/*
 * One of several processes leads, by a Lease in the API (client-go tools/leaderelection): who holds it renews it every
 * "retry"; who sees it unrenewed for its duration, by his own clock, takes it; who could not renew for "renew" has lost it and must
 * stop, which is sooner than another takes it. One loop, one thread.
 */
#include "xb/flags.h"
#include "xb/rest.h"

struct xb_lease_options {
	bool leader_elect;
	int64_t lease_ms, renew_ms, retry_ms;
	const char *lock, *name, *namespace_;
};
/* Upstream's flags, rows for a table of struct xb_flag: member is a struct xb_lease_options, name_ the program's. */
#define XB_LEASE_FLAGS(options, member, name_)                                                                                       \
	XB_FLAG(BOOL, options, member.leader_elect, "leader-elect", "true", "Leader election",                                       \
		"Work only while this is the one of its kind that leads. Needed where more than one runs."),                         \
	XB_FLAG(DURATION, options, member.lease_ms, "leader-elect-lease-duration", "15s", "Leader election",                         \
		"After so long without a renewal another takes over."),                                                              \
	XB_FLAG(DURATION, options, member.renew_ms, "leader-elect-renew-deadline", "10s", "Leader election",                         \
		"A leader that could not renew for so long ends. Less than the lease duration."),                                    \
	XB_FLAG(CHOICE, options, member.lock, "leader-elect-resource-lock", "leases", "Leader election", "What is locked.",          \
		.choices = "leases"),                                                                                                \
	XB_FLAG(STRING, options, member.name, "leader-elect-resource-name", name_, "Leader election", "The Lease's name."),         \
	XB_FLAG(STRING, options, member.namespace_, "leader-elect-resource-namespace", "kube-system", "Leader election",             \
		"The Lease's namespace."),                                                                                           \
	XB_FLAG(DURATION, options, member.retry_ms, "leader-elect-retry-period", "2s", "Leader election",                            \
		"How long to wait between attempts to get it, and between renewals.")
/* -EINVAL with a sentence that names the flag. */
int xb_lease_check(const struct xb_lease_options *o, char **reterr_why);

struct xb_lease;
struct xb_lease_config {
	struct xb_rest *rest;
	const struct xb_lease_options *options; /* borrowed */
	void (*elected)(void *arg, struct xb_jv lease); /* once; the Lease as the server has it */
	void (*lost)(void *arg);        /* once, after elected: stop at once. Nothing is renewed afterwards */
	/* For the operator's log, may be NULL: somebody else leads (his identity), or why an attempt failed. On each change. */
	void (*waiting)(void *arg, const char *leader, const char *why);
	void *arg;
};
int xb_lease_new(const struct xb_lease_config *c, struct xb_lease **ret);  /* tries from the next turn of the loop on */
struct xb_lease *xb_lease_free(struct xb_lease *l);     /* before its xb_rest; the Lease stays as it is */
XB_DEFINE_CLEANUP(struct xb_lease *, xb_lease_free)
const char *xb_lease_identity(const struct xb_lease *l); /* "<host>_<uuid>" */
bool xb_lease_held(const struct xb_lease *l);
/* Gives the Lease up, so that another need not wait; released is called when it is known, also when it was not held. */
void xb_lease_release(struct xb_lease *l, void (*released)(void *arg));

#endif
