/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_AGENT_STATE_H
#define PROXY_AGENT_STATE_H
/* The inside of agent.h, shared by agent.c (what comes in, start and end) and agent_tables.c (what follows for the tables). */
#include "agent.h"
#include "faults.h"
#include "health_ports.h"
#include "host_ports.h"
#include "networks.h"
#include "node.h"
#include "services.h"
#include "xb/links.h"

struct agent {
	struct agent_config c;
	struct xb_informer *services_informer, *slices_informer;
	struct host_ports *host_ports;  /* NULL: without */
	struct services *services, *pods;
	struct health_ports *health_ports;
	struct node *node;
	struct networks *networks;
	struct xb_links *links;
	void *tables;                   /* of the data plane */
	struct faults *faults;
	struct metrics metrics;
	uint64_t events, woken_ns;      /* those that are not in the tables, and when the first of them was there to be read */
	uv_prepare_t before_sleep;
	uv_timer_t retry, tend;
	bool applied;                   /* all Services have been set */
	bool pruned;                    /* and what is not confirmed is gone */
	bool stale;                     /* both have to be done again: the data plane lost what it knew */
	bool failed;
	unsigned handles;               /* of libuv, still open */
};

/* agent.c */
bool agent_synced(const struct agent *a);               /* the lists without which nothing is applied are in */
void agent_fail(struct agent *a);

/* agent_tables.c */
void agent_flush(uv_prepare_t *h);                      /* brings what has changed into the tables, before the loop sleeps */
void agent_start_anew(struct agent *a);                 /* the next flush sets all of them, and prunes */
void agent_bring_node(struct agent *a);
void agent_bring_devices(struct agent *a);
void agent_tend(uv_timer_t *t);                         /* looks after the tables, and says when to do so again */

#endif
