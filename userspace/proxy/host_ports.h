/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_HOST_PORTS_H
#define PROXY_HOST_PORTS_H
/*
 * The pods of this node, for their host ports. Nothing else waits for them: the right to list pods is one that kube-proxies seldom
 * have. What an earlier run served is kept until they are known, or for a minute at most, as by then nobody knows who has a pod's
 * address. One thread.
 */
#include "xb/informer.h"

struct host_ports;
struct host_ports_config {
	struct xb_rest *rest;
	const char *node_name;
	void (*changed)(void *arg, struct xb_jv old, struct xb_jv object);      /* these two as xb_informer's */
	void (*trouble)(void *arg, const char *path, const char *why);
	void (*late)(void *arg);                                                /* once: settled without being synced */
	void *arg;
};
/* NULL, for none, is taken by all below but stats: synced and settled. */
int host_ports_new(const struct host_ports_config *c, struct host_ports **ret);
struct host_ports *host_ports_free(struct host_ports *h);
XB_DEFINE_CLEANUP(struct host_ports *, host_ports_free)
bool host_ports_synced(const struct host_ports *h);
bool host_ports_settled(const struct host_ports *h);    /* they are, or have been expected for a minute */
void host_ports_expect(struct host_ports *h);           /* from now on: the server answers */
void host_ports_stats(const struct host_ports *h, struct xb_informer_stats *ret);

#endif
