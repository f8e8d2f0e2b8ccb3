/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_CLAIM_H
#define KUBELET_CLAIM_H
/*
 * Which PersistentVolume stands behind a pod's persistentVolumeClaim or ephemeral volume: asked of the API server when the volume is
 * first planned, and known as long as the pod is, since a bound claim keeps its volume. One loop.
 */
#include "../facts.h"
#include "xb/rest.h"

struct claims;
struct claims_config {
	struct xb_rest *rest;
	const struct facts *facts;
	struct xb_jv (*node)(void *node_arg);           /* the Node object, for nodeAffinity; {}: not known yet. NULL: never */
	void *node_arg;
	void (*arrived)(void *arg, const char *uid);    /* what claims_get was waiting for; also when it failed */
	void *arg;
};
int claims_new(const struct claims_config *c, struct claims **ret);
struct claims *claims_free(struct claims *c);           /* before its rest */
XB_DEFINE_CLEANUP(struct claims *, claims_free)

struct claim_volume {                   /* borrowed until claims_forget */
	const char *name;               /* the PersistentVolume's */
	const char *path;
	const char *type;               /* hostPath's; NULL: any */
	bool local;                     /* else hostPath */
	bool read_only;
};
/* 0: *ret. -EINPROGRESS: asked for. Else why not, as a whole sentence of an Event, until a call with fresh, which asks anew. */
int claims_get(struct claims *c, struct xb_jv pod, struct xb_jv volume, bool fresh, struct claim_volume *ret, char **reterr_why);
/* What is known already. -ENOENT: nothing. */
int claims_find(const struct claims *c, const char *uid, struct xb_sv volume, struct claim_volume *ret);
void claims_forget(struct claims *c, const char *uid);

/* Does a NodeSelector ({nodeSelectorTerms}) take the node? One that is missing takes all, and a node not known yet is taken: whoever
 * placed the pod knew it. Pure. */
bool claim_node_matches(struct xb_jv selector, struct xb_jv node);

#endif
