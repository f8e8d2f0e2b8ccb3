/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_SLICES_H
#define CONTROLLERS_SLICES_H
/*
 * From the EndpointSlices there are to those there should be, by the fewest writes (upstream's k8s.io/endpointslice reconciler):
 * endpoints stay in the slice they are in; new ones go where something is written anyway, the fullest first; then into one
 * slice that has room for all of them, then into new slices; a slice that would go becomes one that would be made. Pure;
 * everything lives in the caller's arena, and views of the documents given.
 */
#include "xb/arena.h"
#include "xb/json.h"

#define SLICE_SERVICE_NAME "kubernetes.io/service-name"
#define SLICE_MANAGED_BY   "endpointslice.kubernetes.io/managed-by"
#define SLICE_REF_FIELDS   7 /* of a targetRef */

struct slice_port {
	struct xb_sv name, protocol, app_protocol; /* app_protocol {}: none */
	int64_t number;
};
struct slice_endpoint {
	struct xb_sv address;
	signed char ready, serving, terminating; /* -1: not told */
	struct xb_sv hostname, node, zone;      /* {}: not told */
	struct xb_sv hint;                      /* the zone that it is for */
	struct xb_sv ref[SLICE_REF_FIELDS];     /* by slice_ref_fields */
	int64_t since;                          /* when its readiness changed, microseconds; not written */
	bool placed;                            /* slices.c's */
};
extern const char *const slice_ref_fields[SLICE_REF_FIELDS]; /* kind, namespace, name, uid, ... */

/* The endpoints wanted that have the same ports. */
struct slice_group {
	struct slice_group *next;
	const struct slice_port *ports;
	size_t n_ports, n, cap;
	struct slice_endpoint *endpoints;
};
/* Adds to the group with these ports, which is made when there is none. 0 or -ENOMEM. */
int slice_group_add(struct slice_group **groups, struct xb_arena *a, const struct slice_port *ports, size_t n_ports,
		    const struct slice_endpoint *e);

struct slice_old {
	struct xb_jv slice;
	bool own;                               /* it is controlled by the object that the slices are of */
	bool stale;                             /* its labels or annotations are not what they should be */
};
struct slice_wanted {
	const struct slice_group *groups;
	const struct slice_old *old;            /* of the address type */
	size_t n_old, max;                      /* max: endpoints in a slice */
	bool placeholder;                       /* when there would be none: an empty one */
};
enum slice_action { SLICE_KEEP, SLICE_CREATE, SLICE_UPDATE, SLICE_DELETE };
struct slice {
	enum slice_action action;
	const struct slice_old *old;            /* NULL: it is to be made */
	const struct slice_group *group;        /* its ports; NULL: none */
	const struct slice_endpoint **endpoints;
	size_t n, had;                          /* endpoints; as many were in it */
};
struct slice_plan {
	struct slice *slices;
	size_t n;
	int64_t since;                          /* the earliest change that a write tells of; 0: none is known */
};
/* Works on the endpoints of the groups, whose order may change. 0 or -ENOMEM. */
int slices_plan(struct xb_arena *a, const struct slice_wanted *w, struct slice_plan *ret);

/* Members "endpoints" and "ports" of a slice. */
void slice_write(const struct slice *s, struct xb_jw *w);

#endif
