/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_REFLECTOR_H
#define XB_REFLECTOR_H
/*
 * What happens in one collection, told as it happens and kept by nobody here (client-go's reflector): paged list, watch from its
 * version with bookmarks, resumed after a break from the last version seen, listed anew after 410 Gone, back-off with jitter
 * from 0.8 to 30 s. For who needs little of each object; xb/informer.h keeps a copy of all. One loop, one thread.
 */
#include "xb/rest.h"

struct xb_reflector;
struct xb_reflector_config {
	struct xb_rest *rest;
	const char *path;               /* "/api/v1/services" */
	const char *label_selector, *field_selector; /* NULL for none */
	const char *accept;             /* as xb_rest_request's: the form of the objects; borrowed */
	/* An object of a list under way. Views are borrowed, here and below; an error ends the attempt, which comes again. */
	int (*listed)(void *arg, struct xb_jv object);
	/* The list is over. whole: what it did not show is not there any more; else it came to nothing, and another will begin. */
	int (*list_end)(void *arg, bool whole);
	int (*event)(void *arg, struct xb_jv object, bool deleted); /* may tell again what was told */
	/* For the operator's log, may be NULL: why an attempt failed, once when the trouble begins; NULL when it is over. */
	void (*trouble)(void *arg, const char *path, const char *why);
	void *arg;
	/* The server may have no such collection (404), or keep it from us (403): that is no trouble but an empty list, and is asked for
	 * again every 5 minutes. */
	bool may_lack;
	unsigned backoff_min_ms, backoff_max_ms; /* 0: 800 and 30000 */
};
int xb_reflector_new(const struct xb_reflector_config *c, struct xb_reflector **ret); /* begins with the next turn of the loop */
struct xb_reflector *xb_reflector_free(struct xb_reflector *r); /* not from its callbacks; before its xb_rest */
XB_DEFINE_CLEANUP(struct xb_reflector *, xb_reflector_free)

/* The objects as PartialObjectMetadata: no spec, no status. */
#define XB_ACCEPT_METADATA \
	"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"

struct xb_reflector_stats {
	uint64_t lists, watches, events, faults;
	uint64_t last_contact_ms;       /* monotonic time of the last list or event */
};
/* Everything up to that version of the collection was told; 0: not known. */
uint64_t xb_reflector_version(const struct xb_reflector *r);
void xb_reflector_stats(const struct xb_reflector *r, struct xb_reflector_stats *ret);

#endif
