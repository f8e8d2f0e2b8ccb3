/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_OPTIONS_H
#define APISERVER_OPTIONS_H
/*
 * kube-apiserver's command line: upstream's names, meanings and defaults. A flag that is not here is an error, not
 * ignored. To add one: a member and a row in options.c.
 */
#include <netinet/in.h>
#include "xb/str.h"

struct apiserver_options {
	/* serving */
	const char *bind_address;             /* "::" takes IPv4 too */
	int secure_port;
	const char *advertise_flag;           /* as given; advertise_address is what counts */
	char advertise_address[INET6_ADDRSTRLEN]; /* given; else the bind address; where that is none or loopback, this host's */
	const char *reach_address;            /* where kubeconfig_out points: the advertised address, or a bind address that is
						 the only one listened on */
	const char *cert_dir, *tls_cert_file, *tls_private_key_file; /* the files: both or neither */
	int64_t request_timeout;              /* durations: milliseconds */
	int io_threads;
	int min_request_timeout;              /* seconds: a watch lasts this long at least */
	int64_t shutdown_delay;
	int max_requests_inflight, max_mutating_requests_inflight; /* seats (flow.h); 0: no limit */
	/* who may */
	bool anonymous_auth;
	const char *client_ca_file, *token_auth_file;
	char **authorization_modes;           /* lists: NULL-terminated, NULL while empty */
	char **enable_admission_plugins, **disable_admission_plugins;
	int default_not_ready_toleration_seconds, default_unreachable_toleration_seconds;
	char **service_account_issuers, **service_account_key_files, **api_audiences;
	const char *service_account_signing_key_file;
	/* nodes */
	const char *kubelet_certificate_authority, *kubelet_client_certificate, *kubelet_client_key;
	char **kubelet_preferred_address_types;
	int64_t kubelet_timeout;              /* until a connection to one is there */
	/* what is served */
	const char *service_cluster_ip_range; /* valid; one range, or two of different families joined by a comma */
	char service_first_ip[2][INET6_ADDRSTRLEN]; /* of each range: the address of the Service "kubernetes"; "" when there is none */
	const char *service_node_port_range;
	int node_port_first, node_port_last;
	int64_t event_ttl;
	bool allow_privileged;
	char **feature_gates;                 /* well-formed; this server has none, so the caller says that they have no effect */
	const char *data_dir, *kubeconfig_out;
	int64_t etcd_compaction_interval, quota_backend_bytes; /* 0: without limit */
	const char *logging_format;           /* "text" or "json" */
	int verbosity;
	bool help, version;                   /* asked for: print that and end; nothing else was checked */
};

/* 0; -EINVAL: *reterr_why names the flag and what was expected, the caller's to free; -ENOMEM. Strings are borrowed from
 * argv. Call options_done in every case. */
int options_parse(int argc, char *const argv[], struct apiserver_options *o, char **reterr_why);
void options_done(struct apiserver_options *o);
void options_help(struct xb_buf *out);

#endif
