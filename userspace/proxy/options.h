/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_OPTIONS_H
#define PROXY_OPTIONS_H
/* kube-proxy's command line and its --config file (KubeProxyConfiguration, kubeproxy.config.k8s.io/v1alpha1). */
#include <sys/socket.h>
#include "xb/process.h"

struct options {
	const char *kubeconfig, *master, *config, *hostname_override, *bind_address, *cluster_cidr, *proxy_mode;
	const char *replaced_mode;                  /* a mode that is not ours, for which proxy_mode stands in; NULL: none */
	const char *detect_local_mode;              /* NULL: not given */
	const char *ignored;                        /* flags that are accepted alone */
	const char *feature_gates, *cgroup_path, *bpffs_path;
	struct sockaddr_storage healthz, metrics;   /* AF_UNSPEC: not served */
	char **nodeport_addresses;                  /* NULL: all */
	char **xdp_devices;                         /* NULL: none */
	int flows_per_core, flows_min;              /* --conntrack-... */
	bool masquerade_all, host_ports;
	bool cleanup, dry_run, ignored_switch;
	struct xb_process_options process;
	char *node_name;                            /* hostname_override, or the host's name; lower case */
	char *cgroup2;                              /* cgroup_path, or where cgroup2 is mounted; NULL: nowhere */
	char **config_flags;                        /* the fields of the file as flags, which the strings above point into */
};

/* Fills o. -EINVAL and the like with a sentence in *reterr_why, the caller's to free. Call proxy_options_done in every case. */
int proxy_options_parse(struct options *o, int argc, char *const argv[], char **reterr_why);
void proxy_options_done(struct options *o);
/* Open flows that the tables of a node with so many processors grow for; 0: as memory goes. */
unsigned proxy_options_flows(const struct options *o, long processors);
void proxy_options_help(struct xb_buf *out);

/* The fields of a KubeProxyConfiguration that flags exist for, as flags ("--hostname-override=a"); NULL-terminated. Fields
 * that upstream knows and our data planes have no use for (ipvs, ...) are passed over; a field that upstream does not
 * know is a fault. */
int config_flags_read(const char *path, char ***ret, char **reterr_why);

#endif
