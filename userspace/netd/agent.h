/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NETD_AGENT_H
#define NETD_AGENT_H
/*
 * netd itself: an informer of Nodes, the kernel's notices, and what follows from both. Changes gather while the loop handles what came in
 * and are brought into the kernel once, before it sleeps. Nothing is touched before the list of Nodes is whole.
 */
#include "options.h"
#include "xb/rest.h"

struct agent;
/* Borrows both. */
int netd_agent_new(struct xb_rest *rest, const struct options *o, struct agent **ret, char **reterr_why);
struct agent *netd_agent_free(struct agent *a);      /* leaves the kernel as it is */
XB_DEFINE_CLEANUP(struct agent *, netd_agent_free)

bool netd_agent_healthy(const struct agent *a);      /* no change has waited for the kernel for a minute */
void netd_agent_write_metrics(const struct agent *a, struct xb_buf *out);
int netd_agent_cleanup(const struct options *o, char **reterr_why);

#endif
