/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_FACTS_H
#define KUBELET_FACTS_H
/* What of this node goes into its pods and its Node. Made once at the start (facts.c), then borrowed by every part. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct facts {
	const char *node_name;          /* its hostname as well, as Kubernetes tells it: --hostname-override is of both */
	const char *ips[2];             /* the node's own, IPv4 and IPv6 in the order of preference; NULL: none */
	const char *root_dir;           /* "/var/lib/kubelet": 0750; pods/<uid>/{volumes,containers,etc-hosts} below it */
	const char *pod_logs_dir;       /* "/var/log/pods" */
	const char *resolv_conf;        /* for dnsPolicy Default; "" for none */
	const char *const *cluster_dns; /* NULL-terminated */
	const char *cluster_domain;     /* "cluster.local" */
	const char *cgroup_root;        /* below which all pods' cgroups are: "/" or "/xebec/c/node-1" */
	bool cgroups_per_qos;
	bool systemd_cgroups;           /* --cgroup-driver=systemd: names of slices instead of paths */
	const char *seccomp_root;       /* for localhostProfile */
	bool seccomp_default;
	bool apparmor;                  /* the kernel has it, and it is enabled */
	uint64_t max_pods;
	bool cpu_cfs_quota;             /* limits of processor time are enforced */
	uint64_t pod_pids;              /* podPidsLimit: processes of one pod; 0: not limited */
	/* of the machine, and what is left for pods when reserved is taken off; 0 capacity: not limited */
	uint64_t cpu_milli, memory_bytes, ephemeral_bytes;
	uint64_t allocatable_cpu_milli, allocatable_memory_bytes, allocatable_ephemeral_bytes;
};

struct kubelet_options;
/* Makes root_dir and pod_logs_dir, looks at the machine. Borrows of the options. reterr_why names the flag or file. */
int facts_make(const struct kubelet_options *o, struct facts *ret, char **reterr_why);
void facts_done(struct facts *f);

#endif
