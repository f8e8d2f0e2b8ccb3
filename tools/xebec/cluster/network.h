/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_NETWORK_H
#define XEBEC_NETWORK_H
/*
 * A cluster's network: a namespace with a bridge, a veth from it to each node's namespace ("eth0" there) and one to the host.
 * The host gets that one device and, by it, routes to Services and pods; nothing else of its network is touched. All of it goes with
 * the namespaces. Everything may be called again: what is there is kept.
 */
#include "cluster.h"

/* A K whose networks neither another cluster nor a route of the host has. -EADDRINUSE. */
int network_choose(unsigned *ret, char **reterr_why);
int network_make(const struct cluster *c, char **reterr_why);                   /* the bridge and the host's end */
int network_make_node(const struct cluster *c, unsigned node, char **reterr_why);
/* The host's routes to Services and pods lead to the first node. False: the host has other ones, of another cluster maybe; which stay. */
int network_make_routes(const struct cluster *c, bool *ret_ours, char **reterr_why);
int network_remove(const struct cluster *c, char **reterr_why);                 /* also what a killed one left */

#endif
