/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_SLICE_WRITER_H
#define CONTROLLERS_SLICE_WRITER_H
/* What the loops that keep EndpointSlices share beside the plan (slices.h): which slices there are, and the requests. */
#include "maps.h"
#include "slices.h"
#include "../work.h"
#include "../written.h"

#define SLICE_TRIGGER_TIME "endpoints.kubernetes.io/last-change-trigger-time"
#define SLICE_HEADLESS     "service.kubernetes.io/headless"

struct slice_families {                         /* in the work's arena */
	struct slice_old *old[2];               /* IPv4, IPv6 */
	struct xb_jv *other;                    /* of another type */
	size_t n[2], n_other;
};
extern const char *const slice_family[2];       /* "IPv4", "IPv6" */

/* The work on the slices of one object: a Service, or Endpoints. */
struct slice_writer {
	struct kcm_work *w;
	struct written *written;
	const struct xb_kind *kind, *owner_kind; /* kind: EndpointSlice */
	struct xb_jv owner;
	const char *manager;                    /* the value of SLICE_MANAGED_BY */
	struct maps labels;
	const struct maps *annotations;         /* all they should have; NULL: the trigger's time beside what else there is */
	const char *why;                        /* out: what the first request that failed was told, in a sentence; NULL: none did */
};
/* The slices of the work's key, by an index with slices_by_service. Those being deleted are passed over. 0 or -ENOMEM. */
int slice_writer_gather(const struct slice_writer *s, const struct xb_index *slices, struct slice_families *ret);
/* Adds the requests of a plan to the work's round, which the caller began; since: of the annotation, 0 for none. What is
 * written is noted in written. An object that is being deleted gets no new slices. */
int slice_writer_ask(struct slice_writer *s, const char *family, const struct slice_plan *plan, int64_t since);
int slice_writer_delete(struct slice_writer *s, struct xb_jv slice);
bool slice_plan_writes(const struct slice_plan *plan);  /* is there a request in it */

xb_index_keys slices_by_service; /* "namespace/name" by the label SLICE_SERVICE_NAME */
/* For a loop's follower of slices: queues the object of one of manager's that was changed by somebody else, or that a sync waits for. */
void slice_changed(struct written *written, const char *manager, struct kcm_queue *queue, struct xb_jv old, struct xb_jv slice);
/* As written_put_off; after writes that got no answer the manager's slices are read again first. */
bool slice_put_off(struct written *written, struct kcm_work *w, const struct xb_kind *kind, const char *manager);

#endif
