/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_RESOURCES_H
#define CONTROLLERS_RESOURCES_H
/*
 * The kinds that the server has, also those this program knows nothing of, read from its aggregated discovery (KEP-3352; servers
 * from 1.30 on). Pure but for the requests.
 */
#include "work.h"

#define RESOURCES_ACCEPT "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

struct resource {
	struct xb_kind kind;            /* group, version, kind, plural, namespaced and verbs */
	bool preferred;                 /* no version of its group that is preferred to this one has it */
};
struct resources {
	struct xb_arena *arena;         /* borrowed: everything is in it */
	struct resource *v;
	size_t n, cap;
	unsigned n_failed;              /* versions of groups, or all of /api or /apis, that cannot be told now */
	const char *failed;             /* which, in client-go's words: "metrics.k8s.io/v1beta1: stale GroupVersion discovery: ..." */
};
/* Appends what an answer of /api or /apis says. 0; -EBADMSG: it is no such answer; -ENOMEM. */
int resources_add(struct resources *r, struct xb_sv body);
/* By an owner reference's apiVersion and kind. NULL: the server has none. */
const struct xb_kind *resources_find(const struct resources *r, struct xb_sv api_version, struct xb_sv kind);

/* Adds the requests to the round under way; r is in the work's arena, or lives as long. */
void resources_ask(struct kcm_work *w, struct resources *r);

#endif
