/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_KUBECONFIG_H
#define XB_KUBECONFIG_H
/*
 * Where an API server is and who we are: one context of a kubeconfig file (client-go tools/clientcmd/api/v1; YAML or JSON),
 * or the service account of the pod we run in (client-go rest.InClusterConfig).
 */
#include <stdbool.h>
#include "xb/macro.h"

/* A PEM text: in a file, read anew for each connection so that it may be rotated, or in memory. At most one is set. */
struct xb_pem {
	char *file; /* absolute, or relative to the working folder */
	char *text;
};
struct xb_kubeconfig {
	char *server;           /* "https://host:port" and perhaps a path; no slash at the end */
	struct xb_pem ca;       /* none: the system's */
	bool insecure;          /* insecure-skip-tls-verify */
	char *tls_server_name;  /* what the server's certificate must name, NULL: the host of server */
	struct xb_pem cert, key;/* client certificate: both or neither */
	char *token;            /* bearer token, NULL for none */
	char *token_file;       /* read for each request; goes before token */
	char *namespace_;       /* of the context; never NULL after a load */
};
void xb_kubeconfig_done(struct xb_kubeconfig *k);
#define _cleanup_kubeconfig_ _cleanup_(xb_kubeconfig_done)
int xb_kubeconfig_copy(const struct xb_kubeconfig *k, struct xb_kubeconfig *ret);
void xb_kubeconfig_forget_user(struct xb_kubeconfig *k); /* who we are, but not where */

/* path: NULL for none, then server alone counts. context: NULL for current-context. server: replaces the file's, as --master
 * does; NULL keeps it. *ret is filled anew.
 * reterr_why: sentence naming the file and the field, the caller's to free. -errno of the file, -EINVAL for its content. */
int xb_kubeconfig_load(const char *path, const char *context, const char *server, struct xb_kubeconfig *ret, char **reterr_why);
/* From KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT and a service account's folder with token, ca.crt and namespace
 * (NULL: "/var/run/secrets/kubernetes.io/serviceaccount"). */
int xb_kubeconfig_in_cluster(const char *folder, struct xb_kubeconfig *ret, char **reterr_why);

/* A kubeconfig of one cluster and one user, as kubeadm writes them (0600), with what the files hold inside it. user is of letters that
 * need no quotes in YAML. -errno with reterr_why naming the file. */
struct xb_kubeconfig_files {
	const char *server, *user;
	const char *ca, *cert, *key;    /* PEM files */
};
int xb_kubeconfig_write(const char *path, const struct xb_kubeconfig_files *f, char **reterr_why);

#endif
