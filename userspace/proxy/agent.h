/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_AGENT_H
#define PROXY_AGENT_H
/*
 * The proxy itself: informers, the index of Services, and the tables. Changes gather while the loop handles what
 * came in and are brought into the tables once, before it sleeps.
 *
 * Nothing is applied before both lists are whole. An informer shows a list only when it is complete, so with one list in
 * and the other out there is nothing true to say: Services without slices would empty sets that an earlier run filled,
 * slices without Services name no port. Until then the adopted tables serve on; afterwards what no list confirmed is pruned.
 * Services do not wait for pods, whose host ports are served as well (host_ports.h); only pruning does, for a while.
 */
#include "data_plane.h"
#include "metrics.h"
#include "options.h"
#include "xb/rest.h"

struct agent;
struct agent_config {
	struct xb_rest *rest;
	const char *node_name;
	const struct data_plane *plane;
	const struct data_plane *fallback; /* where the kernel does not let us have the first; NULL: that is a fault */
	const char *bpffs_path, *cgroup_path;
	char *const *nodeport_addresses, *const *xdp_devices;
	const char *cluster_cidr, *detect_local_mode; /* NULL: not given */
	bool masquerade_all, host_ports;
	unsigned flows_most;               /* as apply_config's */
	/* Out of memory, or the tables cannot be kept: they stay as they are, and the program should end. */
	void (*failed)(void *arg);
	/* Not NULL: a dry run. The plane is asked once, and nothing else is touched, on the node or in the API; then this is called with
	 * what the plane counted as publishes. */
	void (*compared)(void *arg, __u64 changes);
	void *arg;
};
/* Borrows what c points to. Opens the tables; traffic goes on meanwhile. reterr_why: the caller's to free. */
int agent_new(const struct agent_config *c, struct agent **ret, char **reterr_why);
struct agent *agent_free(struct agent *a);              /* leaves everything pinned and running */
XB_DEFINE_CLEANUP(struct agent *, agent_free)

struct agent_health {
	bool healthy;            /* no change has waited for the tables for a minute */
	bool eligible;           /* node_eligible() */
	bool host_ports, host_ports_synced; /* are they served; are the node's pods known */
	int64_t last_updated_us; /* wall clock of the last time all changes were in the tables; of the start before the first */
};
void agent_health(const struct agent *a, struct agent_health *ret);
/* Adopts the tables anew, mending what is wrong with them by themselves, and sets every port: as at a start, and traffic goes
 * on. -EAGAIN while the API server's lists are not whole; -errno with reterr_why, and then it has failed. */
int agent_renew(struct agent *a, char **reterr_why);
const char *agent_mode(const struct agent *a);          /* of the data plane that it has */
struct metrics *agent_metrics(struct agent *a);
void agent_write_metrics(const struct agent *a, struct xb_buf *out);

#endif
