/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_PLAN_H
#define XB_PLAN_H
/*
 * What one port of one Service, in one address family, should be in the data plane: the border between the API's objects and
 * the tables. One rule for kube-proxy, which writes it, and for whoever compares. Pure data; no kernel and no API here.
 */
#include <netinet/in.h>
#include "xb/abi/service.h"
#include "xb/json.h"

/* IPv4 is kept in the first four bytes; family says which. Network byte order, as on the wire. */
struct xb_plan_addr {
	unsigned char b[16];
};

/* Where clients reach the port. Ports are in host order. */
struct xb_plan_frontend {
	enum xb_frontend_kind kind; /* cluster IP, node port, external IP, load balancer IP: xb/abi/types.h */
	struct xb_plan_addr addr;      /* all zero for a node port */
	__u16 port;
};

struct xb_plan_backend {
	struct xb_plan_addr addr;
	__u16 port;
	bool local;                 /* on this node */
};

struct xb_plan_set {
	struct xb_plan_backend *backends; /* sorted by address, then port; no duplicates */
	size_t n;
	bool drop_when_empty;       /* policy Local and endpoints elsewhere only: silence, not a refusal (KEP-3866) */
};

struct xb_plan_net {
	struct xb_plan_addr addr;      /* bits behind the prefix are zero */
	unsigned bits;
};

struct xb_plan_port {
	char *name;                 /* "namespace/name:port", or "namespace/name" for an unnamed port; shown in the xb_name map */
	int family;                 /* AF_INET or AF_INET6 */
	enum xb_proto proto;
	__u32 affinity_seconds;     /* 0: none */
	struct xb_plan_frontend *frontends;
	size_t n_frontends;
	/*
	 * By enum xb_scope. INTERNAL is narrowed by internalTrafficPolicy Local and by topology. EXTERNAL is what clients on this node
	 * and in pods get by node ports, external and load balancer IPs, and is not narrowed by externalTrafficPolicy Local, as in
	 * upstream's short cut for clients inside the cluster. OUTSIDE is what clients from elsewhere get by the same, and is. Equal
	 * sets are the common case and cost one block in the tables. Behind them, at XB_SERVING, all that serve.
	 */
	struct xb_plan_set set[XB_SETS];
	struct xb_plan_net *source_ranges; /* of the family, sorted, no duplicates: who may use the load balancer IPs */
	size_t n_source_ranges;
	bool source_ranges_set;     /* the Service has such ranges. With none of the family nobody may */
	bool maglev, dsr;           /* asked for by annotation */
};
/* A port is known by (name, family, proto). */

int xb_plan_net_compare(const void *a, const void *b);     /* of two struct xb_plan_net, for qsort(3) */
void xb_plan_port_done(struct xb_plan_port *p);
bool xb_plan_set_equal(const struct xb_plan_set *a, const struct xb_plan_set *b);

/* What programs must know of the node; xb/abi/node.h says what each is for. Index 0 is IPv4, 1 IPv6. */
#define XB_PLAN_NETS_MAX 8
struct xb_plan_nets {
	struct xb_plan_net v[XB_PLAN_NETS_MAX];
	size_t n;
};
struct xb_plan_node {
	struct xb_plan_addr addr[2];   /* all zero: none */
	__u16 nat_first, nat_count;
	struct xb_plan_nets pods[2], services[2];
	bool masquerade_all;
};

/* Label selector of the Services and EndpointSlices that plans are made of: as upstream's informers, what belongs to another proxy,
 * and what has no virtual IP, is not even asked for. */
#define XB_PLAN_SELECTOR "!service.kubernetes.io/headless,!service.kubernetes.io/service-proxy-name"

/* The node that plans are for. */
struct xb_plan_here {
	const char *node;           /* the Node's name */
	const char *zone;           /* its label topology.kubernetes.io/zone; "": none */
};

/*
 * What plans read of an EndpointSlice, packed: 50 bytes, its Service's and its ports' names, and 5 bytes an endpoint, 17 with IPv6,
 * where a document takes some 200. The node is the one that plans will be for.
 */
struct xb_plan_slice;
int xb_plan_slice_new(struct xb_jv slice, const char *node, struct xb_plan_slice **ret); /* 0 or -ENOMEM */
struct xb_plan_slice *xb_plan_slice_free(struct xb_plan_slice *s);
XB_DEFINE_CLEANUP(struct xb_plan_slice *, xb_plan_slice_free)
struct xb_sv xb_plan_slice_service(const struct xb_plan_slice *s);  /* whose it is, "namespace/name"; empty: nobody's */
int64_t xb_plan_slice_trigger_us(const struct xb_plan_slice *s);    /* when what it tells last began, wall clock; 0: not said */
/* The document takes the slice, as its extra. */
void xb_plan_slice_attach(struct xb_plan_slice *s, struct xb_json *doc);
const struct xb_plan_slice *xb_plan_slice_of(const struct xb_json *doc); /* NULL: it has none */

/*
 * The rules of upstream's pkg/proxy (serviceport.go, endpointslicecache.go, topology.go): from a Service, its EndpointSlices
 * and this node to its ports, IPv4 before IPv6, in the Service's order. A pure function. Headless and
 * ExternalName services have none. Load balancer IPs with ipMode Proxy are left to the load balancer. Beyond upstream: the
 * annotations xebec.io/maglev and xebec.io/dsr ("true"); and source ranges of the other family only let nobody in. Faulty
 * parts (an address that is none) are passed over. 0 or -ENOMEM.
 */
struct xb_plan {
	struct xb_plan_port *v;
	size_t n, cap;
	__u16 health_port;          /* healthCheckNodePort; 0: none */
	unsigned local_ready;       /* with one: how many endpoints here are ready, in the family that has more */
	bool zoned;                 /* endpoints have hints for zones: another zone of the node's may give another plan */
};
int xb_plan_make(struct xb_jv service, const struct xb_plan_slice *const *slices, size_t n_slices, const struct xb_plan_here *here,
		 struct xb_plan *ret);
/* The host ports of a pod of this node: each a port of its own with the pod as the only backend, served as a node port, at any
 * address of the node or at the one that it asks for. None unless the pod runs, or when it is on the host's network. */
int xb_plan_make_pod(struct xb_jv pod, struct xb_plan *ret);
void xb_plan_done(struct xb_plan *p);

/* No fewer than a plan has, found without making it; added to *counts. */
struct xb_plan_counts {
	size_t ports, frontends, backends;
	bool affinity;              /* some have session affinity */
};
void xb_plan_count(struct xb_jv service, const struct xb_plan_slice *const *slices, size_t n_slices, struct xb_plan_counts *counts);

#endif
