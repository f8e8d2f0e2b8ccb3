/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_CLUSTER_H
#define XEBEC_CLUSTER_H
/*
 * A cluster in a box: every node is a network namespace with a containerd, kubelet, kube-proxy and xebec-netd of its own; the
 * control plane runs on the first. Where its things are, all of them named after it:
 *
 *	<root>   /var/lib/xebec/clusters/NAME   what stays: cluster.json, pki/, apiserver/, logs/, node-N/{containerd,kubelet,cni,...}
 *	<run>    /run/xebec/NAME                what does not: sockets, pid files, mounts
 *	cgroups  xebec/NAME/node-N              in every hierarchy; of the agents, and below it of the pods
 *	network  172.28.K.0/24, fd00:28:K::/64  namespaces xb-NAME-net (a bridge) and xb-NAME-node-N; the host is .1, node N is .N+1
 *
 * layout.c says all that, and nothing else spells a path.
 */
#include <stdbool.h>
#include "xb/str.h"

#define CLUSTER_POD_CIDRS     "10.244.0.0/16,fd00:10:244::/56"
#define CLUSTER_SERVICE_CIDRS "10.96.0.0/12,fd00:10:96::/108"
#define CLUSTER_DNS           "10.96.0.10"
#define CLUSTER_NODES_MAX     64
#define CLUSTER_API_PORT      6443
#define CLUSTER_REGISTRY_PORT 5000
#define CLUSTER_NETD_USER     "system:xebec-netd"
#define CLUSTER_RUN           "/run/xebec"

struct cluster {
	char *name, *root, *run, *bin;  /* bin: the folder of our programs */
	unsigned network;               /* K */
	unsigned n_nodes;
};
void cluster_done(struct cluster *c);
#define _cleanup_cluster_ _cleanup_(cluster_done)
/* name: of at most 20 letters, digits and '-'. -EINVAL with reterr_why. */
int cluster_init(const char *name, struct cluster *ret, char **reterr_why);
/* As cluster_save left it. -ENOENT: there is no such cluster. */
int cluster_load(const char *name, struct cluster *ret, char **reterr_why);
int cluster_save(const struct cluster *c, char **reterr_why);
/* Every cluster there is. Stops when each returns other than 0, and returns that. */
int cluster_each(int (*each)(void *arg, const struct cluster *c), void *arg);

/*
 * One command at a time makes, changes or removes a cluster: waits for another one, and says so on standard error. Held until the
 * process ends.
 */
int cluster_lock(const struct cluster *c, char **reterr_why);
/* Held while a new cluster chooses its network, until its state is saved: close *ret. After a cluster_lock. */
int networks_lock(int *ret, char **reterr_why);

/* New strings, for which there is always memory (xalloc.h). node: 1 to n_nodes. */
char *cluster_file(const struct cluster *c, const char *fmt, ...) _printf_(2, 3);       /* below root */
char *cluster_node_name(unsigned node);                                                 /* "node-1" */
char *cluster_node_file(const struct cluster *c, unsigned node, const char *file);      /* below root/node-N */
char *cluster_node_run(const struct cluster *c, unsigned node, const char *file);       /* below run/node-N */
char *cluster_tasks(const struct cluster *c, unsigned node);                              /* containerd's bundles: a folder a task */
char *cluster_cgroup(const struct cluster *c, unsigned node);                           /* "xebec/NAME/node-1"; 0: "xebec/NAME" */
char *cluster_netns(const struct cluster *c, unsigned node);                            /* "xb-NAME-node-1"; 0: "xb-NAME-net" */
char *cluster_ip4(const struct cluster *c, unsigned node);                              /* "172.28.0.2"; 0: of the host */
char *cluster_ip6(const struct cluster *c, unsigned node);
char *cluster_server(const struct cluster *c);                                          /* "https://172.28.0.2:6443" */
char *cluster_host_device(const struct cluster *c);                                     /* "xebec0": the host's end of the veth */

/* Folders on the way, too; an existing one keeps its mode. */
int make_folders(const char *path, unsigned mode, char **reterr_why);

#endif
