/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONNECT_KUBELETS_H
#define CONNECT_KUBELETS_H
/* How this server reaches what runs on nodes: addresses of kubelets, and TLS towards them and towards pods. */
#include "../request.h"
#include "xb/stream.h"

struct apiserver_options;
struct kubelets;
struct pki;

/* options are borrowed. *reterr_why names the file or flag, the caller's to free. */
int kubelets_new(const struct apiserver_options *o, const struct pki *pki, struct kubelets **ret, char **reterr_why);
struct kubelets *kubelets_free(struct kubelets *k);
XB_DEFINE_CLEANUP(struct kubelets *, kubelets_free)

/*
 * The kubelet of that node. insecure: whatever its certificate is (insecureSkipTLSVerifyBackend). The target's host is in the
 * arena, its context the server's. -ENOENT and 404; -EPROTO and 500 without an address.
 */
int kubelets_find(struct server *s, struct xb_arena *a, struct xb_sv node, bool insecure, struct xb_stream_target *ret,
		  struct xb_status *reterr);
/* The first of that node's addresses that is an IP; {} when there is none. */
struct xb_sv kubelets_node_ip(struct server *s, struct xb_arena *a, struct xb_sv node);
/* TLS to a pod, or to a port of a node that is not its kubelet's: nobody can say whose the certificate should be. */
struct xb_tls *kubelets_unverified(const struct kubelets *k);
/* Connecting to a kubelet may take so long. */
unsigned kubelets_timeout_ms(const struct kubelets *k);

/* May this server connect to that address on somebody's behalf? Not to itself, nor to what is of one link only (upstream's
 * IsProxyableIP). */
bool kubelets_may_reach(struct xb_sv ip);

#endif
