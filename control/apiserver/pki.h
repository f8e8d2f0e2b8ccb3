/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_PKI_H
#define APISERVER_PKI_H
/*
 * The certificates of a server that was given none. --cert-dir keeps, from the first start on: ca.crt and ca.key (ten
 * years), apiserver.crt and .key (a year; made again when a month is left, when they do not cover this server's names, or
 * when another CA signed them) and, for --kubeconfig-out, admin.crt and .key (kubernetes-admin in system:masters).
 */
#include "options.h"

struct pki {
	char *cert_file, *key_file;     /* to serve with */
	char *client_ca_file;           /* that client certificates are verified against */
	char *kubelet_cert_file, *kubelet_key_file; /* what kubelets know this server by; NULL: nothing is given, and no CA is ours */
};
/* Makes what is missing and writes --kubeconfig-out (0600). Blocking. -errno with *reterr_why naming the file. */
int pki_prepare(const struct apiserver_options *o, struct pki *ret, char **reterr_why);
void pki_done(struct pki *p);

#endif
