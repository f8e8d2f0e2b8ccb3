/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_SERVICES_H
#define PROXY_SERVICES_H
/*
 * The index between the informers' copies and the plans: which EndpointSlices belong to which Service, and which Services
 * changed since they were programmed last. It holds views, no copies: the informers own what they show. One thread.
 */
#include "xb/plan.h"
#include "xb/map.h"

struct services;

/* A port that is in the tables. */
struct service_port {
	struct service_port *next;
	int family;
	enum xb_proto proto;
	char name[];
};

/* A Service, or what is left or already known of one: slices may come first and ports may remain to be removed. Or, in an index of
 * its own and without slices, a pod with host ports. */
struct service {
	struct services *in;
	struct xb_jv object;              /* {} when there is no such Service */
	const struct xb_plan_slice **slices; /* mostly there is one */
	struct service_port *programmed;  /* the agent's; freed with the service */
	char *fault_why;                  /* this and the others of a fault are faults.c's; freed with the service */
	const char *fault_reason;         /* of the Event about it, static; NULL: none */
	int64_t trigger_us;               /* wall clock of the oldest endpoint change that is not programmed, 0 for none */
	int64_t dirty_since_ms;           /* monotonic; 0 while clean */
	struct service *next_dirty;       /* private */
	unsigned n_slices;
	int fault;                        /* 0, or the -errno of programming it last */
	bool fault_told;                  /* logged */
	bool zoned, checked;              /* the agent's: this node's zone matters to its plan; it has a healthCheckNodePort */
	char key[];                       /* "namespace/name" */
};

struct services *services_new(const char *resource);    /* "services", "pods": static. NULL without memory */
struct services *services_free(struct services *s);
XB_DEFINE_CLEANUP(struct services *, services_free)

/* As an informer reports: old {} or NULL for an addition, object or slice for a deletion. Marks what it touches dirty. 0 or -ENOMEM. */
int services_service_changed(struct services *s, struct xb_jv old, struct xb_jv object);
int services_slice_changed(struct services *s, const struct xb_plan_slice *old, const struct xb_plan_slice *slice);

void services_mark(struct service *v);                  /* dirty */
/* Takes the service out of the dirty ones that is among them longest; NULL when none is. It stays valid until
 * services_forget or the next change. */
struct service *services_next_dirty(struct services *s);
int64_t services_oldest_dirty_ms(const struct services *s);      /* when the oldest dirty one became so; 0 for none */
size_t services_dirty(const struct services *s);                 /* how many */
/* After programming: frees it when nothing is known of it any more, neither object nor slice nor programmed port. */
void services_forget(struct service *v);

const char *services_resource(const struct services *s);
size_t services_count(const struct services *s);
void services_each(const struct services *s, void (*each)(void *arg, struct service *v), void *arg);

#endif
