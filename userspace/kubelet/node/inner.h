/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_NODE_INNER_H
#define KUBELET_NODE_INNER_H
/*
 * Within node/: look.c asks the runtime, node.c keeps the API server's Node equal to what is wanted, lease.c renews, relieve.c looks
 * at pressure and does something about it, limits.c at pods that take more of the disk than they may.
 */
#include "machine.h"
#include "node.h"
#include "pressure.h"
#include "status.h"
#include "xb/backoff.h"
#include "xb/informer.h"

struct lease {
	uv_timer_t timer;
	struct xb_rest_call *call;
	bool started, there;            /* the API server has one */
	bool troubled;                  /* the operator was told */
	struct xb_backoff backoff;
};

struct node {
	struct node_config config;
	struct machine machine;
	struct xb_informer *informer;   /* of this one Node */
	struct xb_json *self;           /* what Events are about, as upstream's kubelet names it: its uid is its name */
	unsigned open_handles;

	/* the runtime */
	uv_timer_t tick;
	struct runtime_call *looking, *asking;
	char *runtime_version;          /* "containerd://1.6.20"; NULL: not known */
	bool looked;                    /* it has answered, or not */
	int64_t began_ms, answered_ms;  /* monotonic; 0: it never has */
	char *fault;                    /* why the node is not ready; NULL: it is */
	char *network_fault;            /* what of it is the network's */

	/* the Node */
	uv_timer_t retry;
	struct xb_rest_call *write;
	struct xb_backoff backoff;
	uint64_t written;               /* resourceVersion of what was written last: nothing is compared before the copy has it */
	char *adopted;                  /* uid of the one whose labels were looked at */
	int64_t reported_ms;            /* when conditions were sent last */
	bool troubled, greeted;

	struct lease lease;

	/* pressure */
	struct pressure_state *pressure;
	struct observation seen[SIGNALS];
	struct relief *relief;          /* under way */
	struct disk_check *disk_check;  /* under way */
	int psi;                        /* /proc/pressure/memory; -1: none */
	uv_poll_t psi_poll;
	uint64_t evictions[SIGNALS], over_limit;
	int64_t evicted_ms;             /* monotonic, the last one; 0: none */
};

/* look.c */
void look(struct node *n);                              /* at the runtime; node_sync follows */
void look_stop(struct node *n);
/* node.c */
void node_sync(struct node *n);                         /* what differs is written, unless something is under way */
void node_closed(uv_handle_t *h);
void node_event(struct node *n, enum xb_event_type type, const char *reason, const char *fmt, ...) _printf_(4, 5);
void node_view(const struct node *n, struct xb_buf *images, struct node_view *ret);
/* lease.c */
void lease_init(struct node *n);
void lease_start(struct node *n);                       /* the Node is there: renewed from now on */
void lease_renew(uv_timer_t *t);
/* relieve.c */
void pressure_init(struct node *n);
void pressure_check(struct node *n);
void pressure_stop(struct node *n);

/* limits.c */
void limits_check(struct node *n);
void limits_stop(struct node *n);

#endif
