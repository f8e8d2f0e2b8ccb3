/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BENCH_HOLLOW_H
#define BENCH_HOLLOW_H
/*
 * xebec-bench hollow: nodes that exist in the API alone. It does what kubelets do there: Nodes, their leases and heartbeats,
 * the status of pods that are bound to them, the end of pods that are to be deleted. One list and watch of nodes and one of pods,
 * however many nodes; writes go by writer.h. One thread.
 */
#include "names.h"
#include "writer.h"
#include "xb/informer.h"
#include "xb/map.h"

struct hollow_options {
	const char *kubeconfig, *context, *prefix, *cpu, *memory, *output;
	char **labels;
	int nodes, first, pods_per_node, zones, lease_seconds;
	int64_t start_delay, stop_delay;        /* milliseconds */
	int run_seconds;                        /* 0: pods run on */
	bool untaint, cleanup, help;
};

/* --- hollow_object.c: what is written, and when; no state --- */
enum { HOLLOW_PODS = 250, HOLLOW_NODES = 32768 };
struct hollow_range {                           /* the addresses of a node's pods */
	uint32_t v4;                            /* of slot 0; host order */
	bool has_v6;
	uint8_t v6[16];
};
/* For a node without podCIDRs: a /24 of 10.128.0.0/9, from 10.244.0.0/24 on and around. */
struct hollow_range hollow_range_of(unsigned number);
void hollow_range_read(struct xb_jv cidrs, struct hollow_range *range);        /* of each family the first; else as it was */
int hollow_range_slot(const struct hollow_range *range, struct xb_sv ip);       /* -ENOENT: not one of 0 to HOLLOW_PODS - 1 */
struct names hollow_names(const struct hollow_options *o);                     /* of nodes */

/* N things to be done once a period each, evenly spread over it: kubelets' renewals. */
struct hollow_round {
	uint64_t period_ms, n;
	uint64_t taken;         /* private */
};
/* How many are due at ms since the begin, at most n: those from *ret_first on, modulo n. What was slept through is due once. */
unsigned hollow_round_take(struct hollow_round *r, uint64_t ms, unsigned *ret_first);

/* All append one JSON document to out. now: microseconds of wall clock. */
void hollow_write_node(const struct hollow_options *o, unsigned number, int64_t now, struct xb_buf *out);
void hollow_write_heartbeat(int64_t now, bool changed, struct xb_buf *out);     /* changed: Ready was not True before */
bool hollow_is_tainted(struct xb_jv node);                                      /* as not ready */
void hollow_write_untaint(struct xb_jv node, struct xb_buf *out);
struct hollow_lease {
	const struct hollow_options *o;
	unsigned number;
	const char *uid;        /* of the node */
	uint64_t version;       /* 0: of a new lease */
};
void hollow_write_lease(const struct hollow_lease *l, int64_t now, struct xb_buf *out);

struct hollow_pod {                             /* what its status is made of */
	struct xb_jv object;
	const struct hollow_range *range;
	unsigned number;                        /* of its node */
	int slot;                               /* which address is its own */
	unsigned restarts;
};
void hollow_write_running(const struct hollow_pod *p, int64_t now, struct xb_buf *out);
void hollow_write_ended(const struct hollow_pod *p, int exit_code, int64_t now, struct xb_buf *out);
void hollow_write_rejected(struct xb_jv object, unsigned capacity, int64_t now, struct xb_buf *out);
void hollow_write_delete(struct xb_jv object, struct xb_buf *out);
int64_t hollow_annotation(struct xb_jv object, const char *key, int64_t fallback); /* a number of a pod's */

/* --- hollow_nodes.c --- */
struct node {
	struct job lease, status;               /* what the kubelet renews; the Node itself */
	enum { LEASE_CREATE, LEASE_READ, LEASE_RENEW, LEASE_DELETE } lease_step;
	enum { NODE_CREATE, NODE_HEARTBEAT, NODE_UNTAINT, NODE_DELETE } status_step;
	bool seen, registered, ready, look_again;
	char uid[40];
	uint64_t lease_version;
	struct hollow_range range;
	uint64_t slots[4];                      /* taken, a bit each */
};
struct hollow {
	const struct hollow_options *o;
	uv_loop_t loop;
	uv_signal_t term, interrupt;
	uv_timer_t timer;
	struct xb_rest *rest;
	struct writer writer;
	struct xb_informer *node_copy, *pod_copy;
	struct node *nodes;
	struct xb_map *pods;                    /* by "namespace/name" */
	struct hollow_round renewals, heartbeats;
	uint64_t began;                         /* ns */
	unsigned registered, deleted;
	uint64_t renewed, late, heartbeat_count; /* late: not begun as the last one was not answered */
	uint64_t started, restarted, ended, rejected, removed, running;
	struct latency start;                   /* of pods, from sight to the answer that they run */
	bool failed;
};
/* Each allocates and starts to watch, and says on standard error why not. */
int hollow_nodes_start(struct hollow *h, void (*registered)(struct hollow *h));
void hollow_nodes_tick(struct hollow *h, uint64_t ms);
int hollow_nodes_delete(struct hollow *h, void (*deleted)(struct hollow *h));  /* instead of start */
void hollow_trouble(void *arg, const char *path, const char *why);
static inline unsigned node_number(const struct hollow *h, const struct node *n)
{
	return h->o->first + (n - h->nodes);
}

/* --- hollow_pods.c --- */
int hollow_pods_start(struct hollow *h);
void hollow_pods_free(struct hollow *h);

#endif
