/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_APPLY_STATE_H
#define PROXY_APPLY_STATE_H
/* The inside of apply.h, shared by apply.c (changes), room.c (growth) and open.c (start and end). */
#include "alloc.h"
#include "apply.h"
#include "attach.h"
#include "flow_room.h"
#include "mount_watch.h"
#include "stale.h"
#include "tables.h"
#include "xb/bpfobj.h"
#include "xb/frontends.h"
#include "xb/map.h"

struct frontend {
	struct xb_fe_key key;
	enum xb_frontend_kind kind;
};

/* The networks that may use a port's load balancer IPs, as they are in xb_src under an id of their own. */
struct sources {
	struct sources *next;       /* of those that wait for a grace period */
	__u32 id;
	size_t n;
	struct xb_src_key key[];    /* sorted */
};

struct port {
	const char *name;           /* in key */
	enum xb_family family;
	enum xb_proto proto;
	bool seen;                  /* set since apply_open() */
	bool named;                 /* xb_name has it: it is known after a crash */
	bool maglev_known;          /* its slice is of its set: it was not only adopted */
	__u32 slot;                 /* in xb_svc and xb_name */
	__u32 n_frontends;
	struct frontend *frontends; /* those that it owns in the tables */
	struct sources *sources;    /* NULL: the port has no such list */
	char key[];                 /* in by_key: family, protocol, name */
};

struct apply {
	struct attach *attach;
	struct tables *tables;
	__u32 size_most;            /* elements of a table that grows */
	unsigned objects;           /* whose programs are loaded, a bit for each */
	int l3_fault;               /* of the last try to load OBJECT_TC_L3; it has been told */
	struct xb_grace grace;
	struct alloc *slots;
	struct alloc *maglev;       /* lines of xb_mag */
	size_t n_sources;           /* networks in xb_src */
	__u32 last_source_id;
	struct sources *old_sources; /* no port has them any more */
	struct port **by_slot;      /* as long as slots */
	struct xb_map *by_key;      /* the same */
	/* by family: IPv4, IPv6 */
	struct alloc *blocks[2];
	struct xb_frontends fe[2];
	union xb_ip6 *node_addrs[2];
	size_t n_node_addrs[2];
	int primary;                /* family of the node's first address: what apply_reserve() makes room for */
	__u64 publishes;
	struct stale *stale;        /* NULL: no loop was given */
	bool sockets_stale;         /* there may be some: a UDP port has other backends */
	struct mount_watch *mounts; /* NULL: no loop was given */
	int home_fault;             /* of the last try to pin all where the path leads to now; it has been told */
	bool unsettled;             /* some hooks run other programs than those of the tables, or other tables are pinned */
	struct flow_room flows[2];  /* by family */
	__u32 flow_sets_most;
	__u64 flow_growths;
	int tick_fd;                /* xb_tick_read() */
	int tend_fault;             /* of the last apply_tend(); it has been told */
};

static inline int family_index(enum xb_family family)
{
	return family == XB_IPV6;
}
static inline struct xb_svc *svc_at(const struct apply *a, __u32 slot)
{
	return (struct xb_svc *)a->tables->t[TABLE_SVC].mem + slot;
}

/* apply.c */
struct port *port_find(const struct apply *a, const char *name, enum xb_family family, enum xb_proto proto);
/* A port for a slot that is taken, in both indexes. The name is as long as xb_name takes at most. NULL without memory. */
struct port *port_new(struct apply *a, const char *name, enum xb_family family, enum xb_proto proto, __u32 slot);
struct port *port_free(struct port *port);              /* that is in no index */
void set_publish(struct apply *a, struct xb_set *at, struct xb_set set);
/* The entry of a frontend's address alone, counted. f is the family's index. -E2BIG: as many as can be counted are there. */
int address_ref(struct apply *a, int f, const struct frontend *x);
void address_unref(struct apply *a, int f, const struct frontend *x);

/* outside.c: what only clients from outside meet. What is staged is in the tables and not published. */
struct outside {
	struct sources *sources;    /* NULL: none */
	struct xb_slice maglev;
};
/* set: the one staged for XB_SCOPE_OUTSIDE. Takes over what the port has already where it is the same. */
int outside_stage(struct apply *a, const struct port *port, const struct xb_plan_port *p, struct xb_set set, struct outside *ret,
		  char **reterr_why);
void outside_publish(struct apply *a, struct port *port, const struct outside *o); /* {}: nothing of either */
void sources_release(struct apply *a);                                             /* after a grace period */
int outside_reserve(struct apply *a, const struct xb_svc *svc);                    /* of an earlier run: the slice */
int sources_adopt(struct apply *a);                                                /* once all ports are */
void outside_done(struct apply *a);

/* rehearse.c: tries the programs out on two packets, before they run anywhere: one that is for no service, and one for a service of
 * the tables, whose flow is taken out again. -EIO: one does not what it must. */
int rehearse(const struct apply *a, char **reterr_why);

/* flow_room.c */
void flow_rooms_done(struct apply *a);

/* room.c: each grows what it must. -ENOSPC: cannot grow; -EIO: the programs could not be moved to the new tables. */
int room_change(struct apply *a, const __u32 sizes[N_TABLES], char **reterr_why);
void room_sizes(const struct apply *a, __u32 ret_sizes[N_TABLES]);
int room_settle(struct apply *a, char **reterr_why);    /* once more what -EIO was for, if anything */
int room_take_slot(struct apply *a, __u32 *ret_slot, char **reterr_why);
int room_take_block(struct apply *a, int f, __u32 count, __u32 *ret_base, char **reterr_why);
int room_take_maglev(struct apply *a, __u32 lines, __u32 *ret_base, char **reterr_why);
int room_for_sources(struct apply *a, size_t more, char **reterr_why);
int room_for_affinity(struct apply *a, char **reterr_why);
int room_for_frontends(struct apply *a, int f, size_t more, char **reterr_why);
int room_double_frontends(struct apply *a, int f, char **reterr_why); /* keys that collide need it before half is used */

#endif
