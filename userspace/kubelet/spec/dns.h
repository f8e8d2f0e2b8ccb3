/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_SPEC_DNS_H
#define KUBELET_SPEC_DNS_H
/* What a pod's /etc/resolv.conf says: by its dnsPolicy and dnsConfig, within the limits of upstream's network/dns. */
#include "../facts.h"
#include "make.h"
#include "xb/vec.h"

struct dns_list {                       /* texts in the arena */
	XB_VEC(char *) list;
	bool cut;                       /* more was asked for than resolvers take */
};
struct dns {
	struct dns_list servers, searches, options;
	bool unserved;                  /* ClusterFirst on a node without a cluster DNS: it got the node's own */
};
void dns_done(struct dns *d);
#define _cleanup_dns_ _cleanup_(dns_done)

/* Reads the node's resolv.conf where the policy wants it. -errno with reterr_why naming the file; -EINVAL: no such policy. */
int dns_of_pod(struct make *m, const struct facts *f, struct xb_jv pod, struct dns *ret, char **reterr_why);
/* The same of a file's text: "nameserver", "search" (the last counts), "options". For dns_of_pod and its test. */
int dns_read(struct make *m, struct xb_sv text, struct dns *ret);

#endif
