/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SCHEDULER_GROUPS_H
#define SCHEDULER_GROUPS_H
/*
 * Pods by namespace and by each of their labels, and what may mean them: a pod is held only against terms and Services that
 * demand a label of its own, and a new term only against pods that have one of those that it demands.
 */
#include <sys/queue.h>
#include "term.h"
#include "xb/json.h"

/* The pods of a namespace, or those with one label there. */
struct sched_group {
	unsigned refs;                  /* pods, terms and Services */
	XB_VEC(struct sched_term *) terms; /* that mean no pod of this namespace outside */
	XB_VEC(struct xb_json *) services; /* the same; of the namespace as a whole there are none */
	LIST_HEAD(, sched_member) placed; /* those that count on a node */
	char *key;                      /* "<namespace>/<label>=<value>"; "<namespace>": all pods of it */
};
struct sched_pod;
struct sched_member {
	struct sched_group *group;
	struct sched_pod *pod;
	LIST_ENTRY(sched_member) link;  /* while it is placed */
};
struct sched_groups {
	struct xb_map *by_key;
	XB_VEC(struct sched_term *) wide; /* terms that do not name their namespaces */
};
int sched_groups_init(struct sched_groups *g);                          /* 0 or -ENOMEM */
void sched_groups_done(struct sched_groups *g);                         /* after pods and terms; with the Services */

/* A reference to the group, made when there is none; label {}: all pods of the namespace. NULL without memory. */
struct sched_group *sched_group_ref(struct sched_groups *g, struct xb_sv namespace_, struct xb_sv label, struct xb_sv value);
void sched_group_unref(struct sched_groups *g, struct sched_group *o);

/* The groups of a pod, by its namespace and labels. 0 or -ENOMEM; leave in either case. */
int sched_groups_join(struct sched_groups *g, struct sched_pod *p);
void sched_groups_leave(struct sched_groups *g, struct sched_pod *p);
void sched_groups_place(struct sched_pod *p);                           /* it counts on a node */
void sched_groups_unplace(struct sched_pod *p);

/* From now on that term is among those that may mean a pod. 0 or -ENOMEM; del in either case. */
int sched_groups_add_term(struct sched_groups *g, struct sched_term *t);
void sched_groups_del_term(struct sched_groups *g, struct sched_term *t);
/* for (struct sched_terms_it it = {}; (t = sched_groups_next(g, p, &it));): every term that may mean p, and few others, once. */
struct sched_terms_it {
	size_t member, at;
};
struct sched_term *sched_groups_next(const struct sched_groups *g, const struct sched_pod *p, struct sched_terms_it *it);

#endif
