/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_INFORMER_H
#define XB_INFORMER_H
/*
 * A local copy of one collection, kept equal to the API server's by list and watch (client-go's informer; xb/reflector.h says
 * how). Objects are immutable documents: bytes and index, no trees. While the server is away the copy stays as it was.
 */
#include "xb/rest.h"

#define XB_INFORMER_LEAVE_OUT_MAX 80

struct xb_informer;
struct xb_informer_config {
	struct xb_rest *rest;
	const char *path;               /* "/api/v1/services", "/apis/discovery.k8s.io/v1/endpointslices" */
	const char *label_selector, *field_selector; /* NULL for none */
	/* Paths of members to leave out of the copy: what the user never reads ("metadata.managedFields", "spec.containers.env": of
	 * each item, "status.conditions.[Ready]": the items of that type, "spec.type=\"ClusterIP\"": when it has that value). NULL-terminated, the strings borrowed, at most
	 * XB_INFORMER_LEAVE_OUT_MAX (-E2BIG); NULL to keep objects as they come. Not for what is to be written back. */
	const char *const *leave_out;
	/* More of them, and of which objects, in the state that comes: what nobody reads of a pod that runs. Both or NULL; all the
	 * paths together are at most as many. */
	const char *const *leave_out_then;
	bool (*when)(struct xb_jv object);
	/* Instead of both: makes of an object what is kept and shown in its place (client-go's transform), a new document. 0 or -errno,
	 * as of a fault. The informer itself reads nothing in it. NULL: the object. */
	int (*transform)(void *arg, struct xb_jv object, struct xb_json **ret);
	const char *accept;             /* as xb_reflector's: the form of the objects; borrowed */
	/* added: old is NULL; deleted: object is NULL and old the last state known. Only changes are reported: an object
	 * that a new list shows with the same resourceVersion is not, and one that was made anew by the same name is deleted,
	 * then added. Called from the loop; views are borrowed. */
	void (*changed)(void *arg, struct xb_jv old, struct xb_jv object);
	void (*synced)(void *arg);      /* once: after the first complete list was reported */
	/* For the operator's log, may be NULL: why an attempt failed, once when the trouble begins; NULL when it is over. */
	void (*trouble)(void *arg, const char *path, const char *why);
	void *arg;
	bool may_lack;                  /* as xb_reflector's */
	unsigned backoff_min_ms, backoff_max_ms; /* 0: 800 and 30000 */
};
int xb_informer_new(const struct xb_informer_config *c, struct xb_informer **ret); /* starts at once */
struct xb_informer *xb_informer_free(struct xb_informer *i); /* not from its callbacks; before its xb_rest */
XB_DEFINE_CLEANUP(struct xb_informer *, xb_informer_free)
bool xb_informer_synced(const struct xb_informer *i);
bool xb_informer_well(const struct xb_informer *i); /* synced, and no trouble now: what the server tells is seen */
struct xb_jv xb_informer_get(const struct xb_informer *i, const char *namespace_, const char *name); /* {} when not there */
/* Of the collection: the copy shows all changes up to there. 0: not known, as before the first list. */
uint64_t xb_informer_version(const struct xb_informer *i);
size_t xb_informer_count(const struct xb_informer *i);
/* Calls each for every object, in no order. */
void xb_informer_each(const struct xb_informer *i, void (*each)(void *arg, struct xb_jv object), void *arg);

/*
 * An index of the copy: which objects have a key. keys calls xb_index_add for each key of an object ("default/web", a uid, a
 * node's name); the index is up to date when changed is called, and lives as long as its informer. To be made before the first
 * turn of the loop: what is there already is not indexed. NULL without memory.
 */
struct xb_index;
struct xb_index_entry;
typedef void xb_index_keys(struct xb_jv object, struct xb_index_entry *e);
struct xb_index *xb_informer_index(struct xb_informer *i, xb_index_keys *keys);
void xb_index_add(struct xb_index_entry *e, struct xb_sv key);
size_t xb_index_count(const struct xb_index *x, struct xb_sv key);
/* for (struct xb_index_it it = {}; xb_index_next(x, key, &it);) use(it.object); The copy must not change meanwhile. */
struct xb_index_it {
	struct xb_jv object;
	const void *at; /* private */
	bool begun;
};
bool xb_index_next(const struct xb_index *x, struct xb_sv key, struct xb_index_it *it);

struct xb_informer_stats {
	uint64_t lists, watches, events, faults;
	uint64_t last_contact_ms;       /* monotonic time of the last list or event */
	size_t bytes;                   /* memory of the copy */
};
void xb_informer_stats(const struct xb_informer *i, struct xb_informer_stats *ret);

#endif
