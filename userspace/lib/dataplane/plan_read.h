/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_PLAN_READ_H
#define PROXY_PLAN_READ_H
/* Parts of the API's objects, as all that plan read them (plan.c), and what is packed of a slice (plan_slice.c). */
#include "xb/plan.h"

/* An endpoint that serves the port under consideration. */
struct candidate {
	struct xb_plan_backend b;
	bool ready;
	bool draining;          /* terminating but still serving: used when nothing is ready (KEP-1669) */
	bool zone_hints, node_hints; /* says for which (KEP-2433, KEP-3015) */
	bool for_zone, for_node;     /* and this is one of them */
};

bool xb_plan_read_addr(struct xb_jv v, int family, struct xb_plan_addr *ret); /* false: none of that family */
__u16 xb_plan_read_port(struct xb_jv v);                   /* 0: none */
enum xb_proto xb_plan_read_proto(struct xb_jv v);          /* TCP when it is not said; XB_PROTO_NONE: none that there is */

int plan_slice_family(const struct xb_plan_slice *s);      /* AF_INET, AF_INET6, or AF_UNSPEC with nothing in it */
size_t plan_slice_most_backends(const struct xb_plan_slice *s);
/* for (struct plan_slice_it it = {}; plan_slice_next_port(s, &it, &port);) */
struct plan_slice_it {
	const unsigned char *at; /* private */
	__u32 n;
};
struct plan_slice_port {
	struct xb_sv name;
	enum xb_proto proto;
	__u16 port;
};
bool plan_slice_next_port(const struct xb_plan_slice *s, struct plan_slice_it *it, struct plan_slice_port *ret);
/* All that serve or would; their port is 0. */
bool plan_slice_next_endpoint(const struct xb_plan_slice *s, const char *zone, struct plan_slice_it *it, struct candidate *ret);

#endif
