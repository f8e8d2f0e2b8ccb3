/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_SERVER_USAGE_H
#define KUBELET_SERVER_USAGE_H
/*
 * What the node, its pods and their containers use, measured when somebody asks: from cgroups and the pods' network namespaces, some
 * ten small files a pod read at once; what containers have written from the runtime's own list, and disks by walking them on the pool.
 */
#include "../cgroups/cgroups.h"
#include "xb/vec.h"

struct server;
struct usage_net {
	char name[16];
	uint64_t rx_bytes, rx_packets, rx_errors, rx_dropped, tx_bytes, tx_packets, tx_errors, tx_dropped;
};
struct usage_nets {
	struct usage_net *v;
	size_t n, cap;
};
/* Of /proc/<pid>/net/dev, "lo" left out. Appended; -EBADMSG, -ENOMEM. Pure. */
int usage_parse_nets(struct xb_sv text, struct usage_nets *ret);

struct usage_one {
	bool known;
	struct cgroups_usage u;
	int64_t nano_cores;             /* -1: not known (yet) */
};
struct usage_disk {
	bool known;
	uint64_t available, capacity, used, inodes, inodes_free, inodes_used;
};
struct usage_container {
	char *name, *id, *image, *cgroup;
	int64_t started_ns;
	struct usage_one one;
	bool has_layer;
	uint64_t layer_bytes, layer_inodes, log_bytes;
};
struct usage_pod {
	char *namespace_, *name, *uid, *cgroup, *sandbox_id;
	int64_t started_us;
	struct usage_one one;
	struct usage_nets nets;         /* none of a pod in the host's network */
	XB_VEC(struct usage_container) containers;
	bool disk_known;
	uint64_t disk_bytes, disk_inodes; /* of emptyDirs and logs */
};
struct usage {
	int64_t at_us;
	struct usage_one node;
	struct usage_nets nets;
	struct usage_disk root, images;
	uint64_t max_pid, threads;
	XB_VEC(struct usage_pod) pods;  /* that have a running sandbox */
};

enum usage_parts {
	USAGE_RATES = 1,                /* nano_cores: half a second later, unless it was measured a short while ago */
	USAGE_LAYERS = 2,               /* what containers have written, and the disk of images */
	USAGE_DISKS = 4,                /* what pods' folders take */
	USAGE_NETS = 8,
};
typedef void usage_done(void *arg, const struct usage *u);
struct usage_job;
/* done: on the loop, never from within; u is borrowed, NULL without memory. 0 or -ENOMEM. */
int usage_measure(struct server *s, unsigned parts, usage_done *done, void *arg, struct usage_job **ret);
void usage_cancel(struct usage_job *j);                 /* done is not called; NULL is taken */
void usage_forget(struct server *s);                    /* all of it, at the end */

/* measure.c: what is read at once. */
int measure(struct server *s, unsigned parts, struct usage *u);
void measure_rates(struct server *s, struct usage *u);  /* nano_cores, by what is kept of the last time, which is replaced */
void usage_clear(struct usage *u);

#endif
