/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NETD_OPTIONS_H
#define NETD_OPTIONS_H
/* xebec-netd's command line. */
#include <sys/socket.h>
#include "path.h"
#include "xb/process.h"

struct options {
	const char *kubeconfig, *master, *hostname_override, *mode;
	const char *cni_conf_dir, *cni_bin_dir, *cni_data_dir;
	char **cluster_cidrs;
	struct sockaddr_storage healthz, metrics;   /* AF_UNSPEC: not served */
	int mtu, vni, vxlan_port;
	bool masquerade, cleanup;
	struct xb_process_options process;
	char *node_name;                            /* hostname_override, or the host's name; lower case */
	enum mode path_mode;
	struct xb_net *cidrs;                       /* of cluster_cidrs */
	size_t n_cidrs;
};
/* Fills o. -EINVAL and the like with a sentence in *reterr_why, the caller's to free. Call netd_options_done in every case. */
int netd_options_parse(struct options *o, int argc, char *const argv[], char **reterr_why);
void netd_options_done(struct options *o);
void netd_options_help(struct xb_buf *out);

#endif
