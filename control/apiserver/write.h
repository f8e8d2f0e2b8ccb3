/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_WRITE_H
#define APISERVER_WRITE_H
/*
 * What all writes share. A write is computed against the store's head in one turn of the loop, so that nothing comes
 * between reading and queueing, and it is answered when it, or what it rests on, is committed.
 */
#include "decode.h"
#include "request.h"
#include "server.h"

/* Is it a write to status alone? approval is a part of a CertificateSigningRequest's. */
static inline bool write_is_status(const struct write *w)
{
	return w->sub && (!strcmp(w->sub->name, "status") || !strcmp(w->sub->name, "approval"));
}

/* Fills q->write from the route and the query. 0 or -ENOMEM. */
int write_init(struct request *q);

/* The head of the request's object: *ret_old is its tree, to be read; it lives as long as the request. Missing: -ENOENT
 * and 404. */
int write_read(struct request *q, struct store_object **ret_head, struct xb_tree **ret_old);
/* The object is the one that the URL names; else 400. */
int write_check_name(struct request *q, const struct xb_tree *object);
const char *write_key(struct request *q, const struct write *w); /* in the arena; NULL without memory */

/* Takes what the kind allocates and validates. old is NULL at creation. After 0, write_end is due when nothing is queued. */
int write_validate(struct request *q, struct write *w, struct xb_tree *object, const struct xb_tree *old);
/* For a removal: gives back what old holds, if it is committed. */
int write_begin_removal(struct request *q, struct write *w, const struct xb_tree *old);
void write_end(struct write *w, bool committed);            /* when something was begun; else nothing */

/*
 * Queue q's object under its key and answer with code once that is committed; for a dry run, only answer. They end what
 * was begun, in every case. expect: the head's revision, 0 when there is none.
 */
int write_put(struct request *q, uint64_t expect, struct xb_tree *object, int code);
int write_remove(struct request *q, uint64_t expect, struct xb_tree *object, int code);
/* The same for what is the head but for some strings, each as long as before. -EINVAL: that cannot be written in this way. */
int write_amend(struct request *q, const char *key, uint64_t expect, struct store_amendment *a);
/* Nothing to write: answer with doc once what is queued is committed. Takes a reference. */
int write_nothing(struct request *q, const struct xb_json *doc, int code);

int create_object(struct request *q, struct xb_tree *object);
/* old is head's tree; object, decoded, becomes the new version. Preconditions are object's uid and resourceVersion. */
int update_object(struct request *q, struct store_object *head, const struct xb_tree *old, struct xb_tree *object);
/*
 * An update that changes nothing but the time that its kind's writers renew (registry/strategy.h), by the only one who has written the
 * object: what the general way would store, at a tenth of its cost, as nothing that is compared, owned or written is made a tree.
 * -ENOTSUP: it is no such update, and nothing has been done. body: what object was read from, to know the next one by; {}: it may not be.
 */
int renew_object(struct request *q, struct xb_tree *object, struct xb_sv body);
/* The same for a body that says what the last one said, which is not read then. -ENOTSUP: it is to be. */
int renew_again(struct request *q, struct xb_sv body);
/* Applies the request's body, a patch, to *object and decodes what comes of it. */
int patch_object(struct request *q, struct expected want, struct xb_tree **object);

/* The request's body, a patch, as a tree: an array for a JSON patch, else an object. */
int patch_read(struct request *q, struct xb_tree **ret);
/* Server-side apply: PATCH with a configuration. What is not there is made. */
int apply_handler(struct request *q);

/* The verbs. subresource_handler: NULL where the verb's own will do. */
request_handler create_handler, get_handler, list_handler, watch_handler, update_handler, patch_handler, delete_handler,
	deletecollection_handler, eviction_handler;
request_handler *subresource_handler(const struct route *t);

#endif
