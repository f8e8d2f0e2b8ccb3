/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_AGENT_CALLS_H
#define XEBEC_AGENT_CALLS_H
/* What a node's kube-proxy says at its metrics address, and the one thing that it is asked to do there. To be called in the node's
 * network. */
#include <stdbool.h>
#include <stdint.h>
#include "xb/macro.h"

struct agent_says {
	bool answers;
	int64_t last_sync_us;   /* wall clock; 0: never */
	double pending, unprogrammed, silence_seconds; /* silence: since the API server was last heard of */
	char *cluster_cidr, *nodeport_addresses; /* what it was told; "": nothing; NULL: it does not say */
	bool masquerade_all;
};
/* address: "127.0.0.1:10249". One that does not answer is no fault. */
void agent_ask(const char *address, struct agent_says *ret);
void agent_says_done(struct agent_says *a);
#define _cleanup_agent_says_ _cleanup_(agent_says_done)
/* Has it adopt its tables anew, as at a start, and set every Service. Returns when that is done; -EIO with reterr_why. */
int agent_renew_tables(const char *address, char **reterr_why);

#endif
