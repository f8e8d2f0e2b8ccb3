/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SCHEDULER_BELONGS_H
#define SCHEDULER_BELONGS_H
/*
 * What a pod belongs to: the Services of its namespace that select it, and the ReplicationController, ReplicaSet or StatefulSet
 * that controls it. Pods that belong to the same are those that a pod is spread among by default.
 */
#include "cache.h"

/* As the watch shows it, old {}: it is new, object {}: it is gone. 0 or -ENOMEM. */
int sched_belongs_set_service(struct sched_cache *c, struct xb_jv old, struct xb_jv object);
/* kind: "ReplicaSet"; object {}: it is gone. 0 or -ENOMEM. */
int sched_belongs_set_owner(struct sched_cache *c, const char *kind, struct xb_sv namespace_, struct xb_sv name, struct xb_jv object);
/* The term that means what the pod belongs to (upstream's helper.DefaultSelector). 1; 0: it belongs to nothing; -ENOMEM. */
int sched_belongs_term(struct sched_cache *c, const struct sched_pod *p, struct sched_term **ret);

#endif
