/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NETD_SERVE_H
#define NETD_SERVE_H
/* The two plain HTTP ports, as kube-proxy's: health (/healthz, /livez) and metrics (/metrics). */
#include <sys/socket.h>
#include "agent.h"

struct serve;
/* An address of AF_UNSPEC is not served. Borrows the agent. -errno of binding, with a sentence naming the flag. */
int netd_serve_new(uv_loop_t *loop, const struct options *o, const struct agent *agent, struct serve **ret, char **reterr_why);
struct serve *netd_serve_free(struct serve *s);
XB_DEFINE_CLEANUP(struct serve *, netd_serve_free)

#endif
