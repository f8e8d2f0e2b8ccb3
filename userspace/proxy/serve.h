/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_SERVE_H
#define PROXY_SERVE_H
/*
 * The two plain HTTP ports, as upstream's: health (/healthz for load balancers, which heeds the node's eligibility, KEP-3836;
 * /livez, which does not) and metrics (/metrics, /proxyMode, /healthz).
 */
#include <sys/socket.h>
#include "agent.h"

struct serve;
/* An address of AF_UNSPEC is not served. Borrows the agent. -errno of binding, with a sentence naming the flag. */
int serve_new(uv_loop_t *loop, const struct sockaddr_storage *healthz, const struct sockaddr_storage *metrics, struct agent *agent,
	      struct serve **ret, char **reterr_why);
struct serve *serve_free(struct serve *s);
XB_DEFINE_CLEANUP(struct serve *, serve_free)

#endif
