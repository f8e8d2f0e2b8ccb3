/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_SERVER_H
#define KUBELET_SERVER_H
/*
 * Port 10250: logs, exec, attach, port-forward, what runs here, metrics and statistics, by TLS, for whom the API server allows it
 * (access.h); and the rotation of logs. One loop; streams are spliced on it, untouched, with at most 128 KiB waiting a direction.
 * Nothing is measured while nobody asks.
 */
#include "../cgroups/cgroups.h"
#include "../facts.h"
#include "../images/images.h"
#include "../node/node.h"
#include "../options.h"
#include "../pods/pods.h"
#include "../probes/probes.h"
#include "../runtime/runtime.h"
#include "xb/rest.h"

struct server;
struct server_config {                  /* all borrowed; the struct is copied */
	uv_loop_t *loop;
	const struct kubelet_options *options;
	const struct facts *facts;
	struct xb_rest *rest;           /* NULL without an API server */
	struct runtime *runtime;
	struct pods *pods;
	struct probes *probes;
	struct images *images;
	struct cgroups *cgroups;
	struct node *node;              /* NULL without an API server */
};
/* Listens at once; at no port when that is 0. reterr_why names the flag or file, the caller's to free. */
int kubelet_server_new(const struct server_config *c, struct server **ret, char **reterr_why);
/* Connections are closed, streams end. Before its parts, which go before the loop turns again, as it must until all handles are gone. */
struct server *kubelet_server_free(struct server *s);
XB_DEFINE_CLEANUP(struct server *, kubelet_server_free)

#endif
