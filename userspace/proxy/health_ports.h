/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_HEALTH_PORTS_H
#define PROXY_HEALTH_PORTS_H
/*
 * healthCheckNodePort: for each Service with externalTrafficPolicy Local that a load balancer serves, a plain HTTP server at the
 * addresses of node ports that tells whether this node has endpoints of it. 200 when it has, else 503, whatever is asked for, in
 * upstream's words. One loop, one thread; a Service costs one listening socket an address.
 */
#include <uv.h>
#include "node.h"

struct health_ports;
struct health_ports_config {
	uv_loop_t *loop;
	const struct node *node;            /* borrowed */
	bool (*healthy)(void *arg);         /* the proxy itself, which must be for a 200 */
	void *arg;
};
struct health_ports *health_ports_new(const struct health_ports_config *c); /* NULL without memory */
struct health_ports *health_ports_free(struct health_ports *h);
XB_DEFINE_CLEANUP(struct health_ports *, health_ports_free)

/* service: "namespace/name". port 0: none. local: how many ready endpoints are here. On failure, with a sentence, it is served at
 * those addresses where it could be; the next call tries the others again. */
int health_ports_set(struct health_ports *h, const char *service, __u16 port, unsigned local, char **reterr_why);
/* node_addrs() changed: the next call of health_ports_set for a Service serves it there. */
void health_ports_move(struct health_ports *h);

#endif
