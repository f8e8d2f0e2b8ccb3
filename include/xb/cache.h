/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_CACHE_H
#define XB_CACHE_H
/*
 * The collections that the parts of a program read, each copied once however many parts read it (client-go's shared
 * informers): one list and one watch a kind and process. managedFields are not kept; a write without them leaves the server's
 * as they are. Of pods nothing is kept that only their node reads (environment, commands, probes, mounts, security contexts:
 * cache.c), nor apiVersion and kind, so a pod is not to be written back as it stands here, but patched. One loop, one thread.
 */
#include "xb/informer.h"
#include "xb/kinds.h"

struct xb_cache;
/* What a program does not read of a kind, besides what no program reads: paths as xb_informer's, NULL-terminated; NULL for none. */
struct xb_cache_lean {
	const char *group, *plural;
	const char *const *leave_out, *const *leave_out_then;
	bool (*when)(struct xb_jv object);
};
struct xb_cache_config {
	struct xb_rest *rest;
	const struct xb_cache_lean *lean; /* ended by {} and borrowed, or NULL */
	void (*synced)(void *arg);      /* once: when every collection that was asked for until then is complete */
	void (*trouble)(void *arg, const char *path, const char *why); /* as xb_informer's */
	void *arg;
};
int xb_cache_new(const struct xb_cache_config *c, struct xb_cache **ret);
struct xb_cache *xb_cache_free(struct xb_cache *c); /* before its xb_rest; not from a callback */

/* The copy of a kind's objects in all namespaces: made, and filled from the next turn of the loop on, when it is first asked
 * for. Borrowed. NULL without memory. */
struct xb_informer *xb_cache_of(struct xb_cache *c, const struct xb_kind *k);
struct xb_informer *xb_cache_find(const struct xb_cache *c, const struct xb_kind *k); /* NULL: nobody has asked for it */
/* changed is called for each object that the copy has by now, then for each change, as xb_informer's, in the order in which they
 * were followed. 0 or -ENOMEM. */
int xb_cache_follow(struct xb_cache *c, const struct xb_kind *k, void (*changed)(void *arg, struct xb_jv old, struct xb_jv object),
		    void *arg);
/* The same of those objects only that a field selector ("metadata.name=default") leaves: a copy of its own, for each selector. */
int xb_cache_follow_some(struct xb_cache *c, const struct xb_kind *k, const char *field_selector,
			 void (*changed)(void *arg, struct xb_jv old, struct xb_jv object), void *arg, struct xb_informer **ret);
bool xb_cache_synced(const struct xb_cache *c);
bool xb_cache_unused(const struct xb_cache *c); /* nothing was asked for yet, so that synced is not called */
/* "/api/v1/namespaces/default/pods/web/status": namespace_, name and sub may be NULL. Appended. */
void xb_kind_path(const struct xb_kind *k, struct xb_sv namespace_, struct xb_sv name, const char *sub, struct xb_buf *out);

#endif
