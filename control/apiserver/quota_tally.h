/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_QUOTA_TALLY_H
#define APISERVER_QUOTA_TALLY_H
/*
 * What the committed objects of one kind use under a quota: counted when it is first asked for, and kept equal to the store from
 * then on, so that asking again costs the same however many objects there are. Kinds that nobody asks for are not followed.
 * Loop thread.
 */
#include "../store/store.h"
#include "xb/quota.h"

struct quota_tallies;
struct quota_tallies *quota_tallies_new(struct store *s);       /* NULL without memory */
struct quota_tallies *quota_tallies_free(struct quota_tallies *t); /* before the store is closed */
/* Borrowed until the next call. anew: counted again, for pods come to be over by the mere passing of time. 0 or -errno. */
int quota_tally(struct quota_tallies *t, const struct xb_kind *k, struct xb_jv quota, bool anew, const struct xb_quota_usage **ret);

#endif
