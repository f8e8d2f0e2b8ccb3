/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_OBJECTS_H
#define KUBELET_OBJECTS_H
/*
 * What pods name: ConfigMaps and Secrets, each copied and watched (metadata.name=...) while a pod of this node names it, however
 * many do; and Services, whose addresses go into variables, copied when the first pod that wants them comes, only what
 * variables need. One loop, one thread.
 *
 * What an object costs: a list and a watch when it is first named, then one stream of a shared connection (libcurl puts a
 * hundred on each, which it opens as they are needed) and its bytes without managedFields in
 * memory.
 */
#include "xb/kinds.h"
#include "xb/rest.h"

struct objects;
struct objects_config {
	struct xb_rest *rest;           /* NULL: without an API server; everything is absent */
	/* Something that this pod names came, changed or went, or is known to be absent, or refused, for the first time. To be noted
	 * only: nothing here may be called from it. */
	void (*changed)(void *arg, const char *uid);
	void *arg;
};
int objects_new(const struct objects_config *c, struct objects **ret);
struct objects *objects_free(struct objects *o);        /* before its rest */
XB_DEFINE_CLEANUP(struct objects *, objects_free)

/* The pod names these from now on (variables, envFrom, volumes, imagePullSecrets; Services with enableServiceLinks); asked again
 * with a newer document: what it names no more is let go. 0 or -ENOMEM. */
int objects_follow(struct objects *o, struct xb_jv pod);
void objects_forget(struct objects *o, const char *uid);

enum objects_kind { OBJECTS_CONFIGMAP, OBJECTS_SECRET };
/* 0: *ret is it, borrowed until the loop turns. -ENOENT: there is none, or no pod that is followed names it. -EAGAIN: not known
 * yet, changed will be called. -EACCES: the server does not give it; *ret_why, borrowed, says why; asked for again soon. */
int objects_get(const struct objects *o, enum objects_kind kind, const char *namespace_, const char *name, struct xb_jv *ret,
		const char **ret_why);
bool objects_services_known(const struct objects *o);
/* Those whose variables a pod of the namespace gets: its own, and default/kubernetes (client-go v1 envvars). */
void objects_each_service(const struct objects *o, const char *namespace_, void (*each)(void *arg, struct xb_jv service), void *arg);

#endif
