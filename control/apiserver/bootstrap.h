/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_BOOTSTRAP_H
#define APISERVER_BOOTSTRAP_H
/*
 * What a cluster has from its first moment: the namespaces default, kube-system, kube-public and kube-node-lease, and the
 * Service "kubernetes" with its Endpoints and EndpointSlice, which lead to this server. Made when missing, and the
 * addresses corrected, at every start, by the same path that clients' writes take.
 */
#include "server.h"

/* Marks the addresses and ports of stored Services as taken. Before the first write. */
int bootstrap_adopt(struct server *s);
/* Queues the writes; s->ready is set when all are committed. 0, or an error that makes serving pointless (logged). */
int bootstrap_objects(struct server *s);

#endif
