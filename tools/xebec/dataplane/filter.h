/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_FILTER_H
#define XEBEC_FILTER_H
/* Which flows and events a command shows: those that all given flags are true of. */
#include "tables.h"
#include "target.h"
#include "xb/vec.h"

struct filter_options {
	const char *service, *address, *pod, *proto, *kubeconfig;
};
#define FILTER_ROWS(options) \
	XB_FLAG(STRING, options, filter.service, "service", NULL, "Filter", "NAMESPACE/NAME, or NAMESPACE/NAME:PORT."), \
	XB_FLAG(STRING, options, filter.address, "address", NULL, "Filter", "Of the client, the service or the backend; or a network."), \
	XB_FLAG(STRING, options, filter.pod, "pod", NULL, "Filter", "NAMESPACE/NAME of a pod, whose addresses the API server is asked."), \
	XB_FLAG(CHOICE, options, filter.proto, "proto", "any", "Filter", "The protocol.", .choices = "any|tcp|udp|sctp"), \
	XB_FLAG(STRING, options, filter.kubeconfig, "kubeconfig", NULL, "Filter", "How to reach the API server. Default: $KUBECONFIG, or the cluster's of --node.")

struct filter {
	const char *service;                    /* borrowed; NULL: any */
	enum xb_proto proto;                    /* XB_PROTO_NONE: any */
	XB_VEC(struct xb_net) networks;         /* none: any address */
};
int filter_make(const struct filter_options *o, const struct target *target, struct filter *ret, char **reterr_why);
void filter_done(struct filter *f);
#define _cleanup_filter_ _cleanup_(filter_done)

/* Whether it takes everything. */
static inline bool filter_is_open(const struct filter *f)
{
	return !f->service && !f->proto && !f->networks.n;
}
/* was: as the packet arrived; now: as it went on, and all zero if it did not. */
bool filter_takes(const struct filter *f, const struct tables *t, __u32 svc, const struct xb_tuple *was, const struct xb_tuple *now);

#endif
