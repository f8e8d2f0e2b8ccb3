/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_MAP_H
#define XB_MAP_H
/*
 * A hash map from byte strings to pointers, for caches of some hundred thousand entries. Values are borrowed. Hashing is
 * SipHash-1-3 with a key drawn at program start, so that a client who chooses names cannot aim at collisions. Iteration
 * is in order of insertion. Not thread-safe. Memory: 30 to 60 bytes an entry, and the copied key.
 */
#include "xb/str.h"

enum xb_map_keys {
	XB_MAP_COPY,   /* the map copies each key */
	XB_MAP_BORROW, /* the caller keeps each key unchanged as long as its entry lives (often: inside the value) */
};

struct xb_map;
struct xb_map *xb_map_new(enum xb_map_keys keys);                       /* NULL without memory */
struct xb_map *xb_map_free(struct xb_map *m);                           /* values stay the caller's; returns NULL */
XB_DEFINE_CLEANUP(struct xb_map *, xb_map_free)

void *xb_map_get(const struct xb_map *m, struct xb_sv key);             /* NULL when there is none */
/* Adds or replaces; value is not NULL. The value replaced, or NULL, goes to *ret_old (may be NULL). A borrowed key is
 * replaced with its value. 0 or -ENOMEM. */
int xb_map_set(struct xb_map *m, struct xb_sv key, void *value, void **ret_old);
void *xb_map_del(struct xb_map *m, struct xb_sv key);                   /* the value taken out; NULL when there was none */
size_t xb_map_count(const struct xb_map *m);

/* for (struct xb_map_it it = {}; xb_map_next(m, &it);) use(it.key, it.value); Deleting meanwhile is fine, setting is not. */
struct xb_map_it {
	struct xb_sv key;
	void *value;
	uint32_t at;
};
bool xb_map_next(const struct xb_map *m, struct xb_map_it *it);

/* The hash itself: the same for equal bytes within one process, different in the next. */
uint64_t xb_hash(struct xb_sv s);

#endif
