/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SCHEDULER_POD_H
#define SCHEDULER_POD_H
/* A pod as decisions see it: read once from its object, of which it holds a reference. */
#include "groups.h"
#include "resources.h"
#include "term.h"

#define SCHED_NO_NODE UINT32_MAX

enum sched_role {
	SCHED_AFFINITY,         /* required; the term means pods that match all required terms */
	SCHED_HARD_SCORE,       /* a required affinity, as what draws others (weight 1) */
	SCHED_ANTI_AFFINITY,    /* required */
	SCHED_PREFERENCE,       /* weight below 0: prefers not to */
	SCHED_SPREAD,           /* DoNotSchedule */
	SCHED_SOFT_SPREAD,      /* ScheduleAnyway */
};
struct sched_rule {
	struct sched_term *term;
	enum sched_role role;
	uint32_t topology_key;
	int32_t weight;         /* or the maximal skew */
	int32_t min_domains;
	bool of_itself;         /* the term means the pod itself */
	bool any_node, mind_taints; /* nodeAffinityPolicy Ignore; nodeTaintsPolicy Honor */
	bool by_default;        /* not the pod's own: of what it belongs to, as it was when the pod was last tried */
};
struct sched_port {
	uint32_t ip;            /* name of hostIP; 0: all */
	uint16_t port;
	char protocol;          /* 'T', 'U', 'S' */
};

struct sched_pod_claim {
	char *key;              /* "<namespace>/<name>" */
	bool ephemeral;         /* made for this pod */
};

struct sched_reservation;
enum sched_place { SCHED_NOWHERE, SCHED_ACTIVE, SCHED_BACKOFF, SCHED_PARKED };
struct sched_cache;
struct sched_pod {
	struct xb_json *doc;
	struct xb_sv namespace_, name, uid; /* in doc */
	struct xb_sv started;   /* status.startTime in doc; RFC 3339 sorts as text. Empty: it has not started */
	struct xb_jv spec, labels;
	char *key;              /* "<namespace>/<name>" */
	int32_t priority;
	struct sched_resources request;
	int64_t nonzero[2];
	XB_VEC(struct sched_port) ports;
	XB_VEC(struct sched_rule) rules;
	XB_VEC(struct sched_member) groups;
	XB_VEC(uint32_t) images; /* of its containers */
	XB_VEC(struct sched_pod_claim) claims; /* of its volumes */
	bool terminating, gated;
	unsigned profile;       /* which one is to place it */

	/* cache.c: where it counts */
	uint32_t node;          /* SCHED_NO_NODE: nowhere */
	size_t slot;            /* among the node's pods */
	bool assumed;           /* by us, not yet seen */
	uint32_t nominated;     /* node on which room is being made for it */
	struct sched_reservation *reservation; /* reserve.c: its claims get volumes before it is bound; NULL: none under way */

	/* queue.c */
	enum sched_place place;
	size_t at;
	int64_t since_ms;       /* when it came into the queue, or was tried last */
	uint64_t turn;          /* the order in which that was */
	int64_t first_ms;       /* when it first wanted a node */
	int64_t ready_ms;       /* end of the back-off */
	unsigned attempts;
	unsigned failed;        /* plugins that kept it from its nodes, a bit each */
	bool faulted;           /* the last attempt ended by a fault, not for want of a node */
};

/* Reads a Pod. Terms come from the cache, which counts who uses them. 0 or -ENOMEM. */
int sched_pod_new(struct sched_cache *c, struct xb_jv object, struct sched_pod **ret);
struct sched_pod *sched_pod_free(struct sched_cache *c, struct sched_pod *p);
/* Reads another state of the same pod; where it counts and waits stays. Not while it counts on a node. */
int sched_pod_read(struct sched_cache *c, struct sched_pod *p, struct xb_jv object);
/* The object is another one, but nothing that decisions see has changed; but_for_binding: only that it has a node now. */
bool sched_pod_same(const struct sched_pod *p, struct xb_jv object, bool but_for_binding);
void sched_pod_renew(struct sched_pod *p, struct xb_jv object);         /* takes a reference of it in place of the old one */

static inline struct xb_sv sched_text(struct xb_jv object, const char *key)
{
	return xb_jv_text(xb_jv_get(object, key));
}
/* Spreads a pod without constraints of its own by these, among what it belongs to, if anything; in place of what was so before.
 * 0 or -ENOMEM. */
int sched_pod_spread_by_default(struct sched_cache *c, struct sched_pod *p, struct xb_jv constraints);
void sched_pod_forget_defaults(struct sched_cache *c, struct sched_pod *p);
bool sched_pod_ended(struct xb_jv object);              /* Succeeded or Failed: it needs nothing any more */
struct xb_jv sched_pod_condition(struct xb_jv object, const char *type);
bool sched_ports_clash(const struct sched_port *a, const struct sched_port *b);

#endif
