/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef REGISTRY_ALLOC_H
#define REGISTRY_ALLOC_H
/* What Services take from: a range of addresses, a range of node ports; one bit each. One thread. */
#include <netinet/in.h>
#include "xb/str.h"

/* --- addresses of one family. The first is never handed out, nor the last of an IPv4 range (RFC 919). */
struct ip_range;
/* cidr: "10.96.0.0/12". Between 8 and 2^20 addresses, as upstream's --service-cluster-ip-range. -EINVAL with a sentence
 * for the operator (the caller frees it), -ENOMEM. */
int ip_range_new(struct xb_sv cidr, struct ip_range **ret, char **reterr_why);
struct ip_range *ip_range_free(struct ip_range *r);
XB_DEFINE_CLEANUP(struct ip_range *, ip_range_free)
bool ip_range_is_v6(const struct ip_range *r);
const char *ip_range_text(const struct ip_range *r);     /* canonical: host bits cleared */
const char *ip_range_first(const struct ip_range *r);    /* the first address that can be handed out */
/* 0; -ERANGE: not in the range, -EEXIST: taken already. */
int ip_range_take(struct ip_range *r, struct xb_sv ip);
/* A free one, by chance; -ENOSPC. */
int ip_range_take_any(struct ip_range *r, char ret[INET6_ADDRSTRLEN]);
void ip_range_give(struct ip_range *r, struct xb_sv ip); /* back; what was not taken is left alone */

/* --- node ports */
struct port_range;
int port_range_new(int first, int last, struct port_range **ret); /* -EINVAL, -ENOMEM */
struct port_range *port_range_free(struct port_range *r);
XB_DEFINE_CLEANUP(struct port_range *, port_range_free)
void port_range_bounds(const struct port_range *r, int *ret_first, int *ret_last);
int port_range_take(struct port_range *r, int64_t port);      /* as ip_range_take */
int port_range_take_any(struct port_range *r, int *ret);     /* as ip_range_take_any */
void port_range_give(struct port_range *r, int64_t port);

#endif
