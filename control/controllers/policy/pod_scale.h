/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_POD_SCALE_H
#define CONTROLLERS_POD_SCALE_H
/*
 * How many pods the controllers of some pods ask for together: those of Deployments, ReplicaSets, ReplicationControllers and
 * StatefulSets as the copies have them, others are asked by their scale subresource. Pods without a controller ask for nothing.
 */
#include "../work.h"

struct pod_scales {
	const struct xb_kind *deployment_kind, *set_kind, *rc_kind, *stateful_kind;
	struct xb_informer *deployments, *sets, *rcs, *stateful;
};
int pod_scales_init(struct pod_scales *s, struct kcm *k); /* asks for the collections. 0 or -ENOMEM */

/* Of one work; zeroed, in its arena. */
struct pod_scale {
	struct pod_scale_asked *asked;  /* what the server was asked for so far */
	const char *why;                /* why it cannot be told, in upstream's words */
};
/* 0; -EINVAL with s->why; -EAGAIN: a round was begun, after which then is called and this is to be called again; -ENOMEM. */
int pod_scale_sum(const struct pod_scales *c, struct kcm_work *w, struct pod_scale *s, const struct xb_jv *pods, size_t n,
		  void (*then)(struct kcm_work *w, int error), int64_t *ret);

#endif
