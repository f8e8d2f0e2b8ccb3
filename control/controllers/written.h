/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_WRITTEN_H
#define CONTROLLERS_WRITTEN_H
/*
 * What a loop wrote and its copy of the collection does not show yet, by the loop's key: deciding by the copy before that would
 * write the same again (upstream's EndpointSliceTracker). What does not show for five minutes is awaited no more. Several
 * changes that come meanwhile are one sync afterwards. A write that got no answer may have been done: that is a doubt, and it is for
 * the loop to have what the server has read, and awaited, before its next decision.
 */
#include "work.h"

struct written;
struct written *written_new(const struct xb_informer *copy);    /* NULL without memory */
struct written *written_free(struct written *w);
/* The server's answer to a create or an update. 0 or -ENOMEM. */
int written_put(struct written *w, const char *key, struct xb_jv object);
int written_delete(struct written *w, const char *key, struct xb_jv object); /* object: as it was last known */
void written_doubt(struct written *w, const char *key);
bool written_doubted(const struct written *w, const char *key);
/* All that the selector, of labels, selects in the work's namespace. The work is done afterwards, and its key comes again. */
void written_read(struct written *w, struct kcm_work *work, const struct xb_kind *kind, struct xb_sv selector);
/* Before a sync reads the copy: if it does not show everything of the work's key, the work is done, and true is returned; the
 * change that completes it brings the key again. */
bool written_put_off(struct written *w, struct kcm_work *work);
/* Tells of a change of the copy; is key to be synced for it: somebody else made it, or a sync was put off until it came. */
bool written_changed(struct written *w, const char *key, struct xb_jv old, struct xb_jv object);
void written_forget(struct written *w, const char *key);

#endif
