/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef STORE_PARTS_H
#define STORE_PARTS_H
/*
 * Parts: pieces of values that many objects hold alike, kept once. A piece becomes a part when it is seen a second time, so
 * that what only one object has stays where it is. A part lives as long as a document refers to it, here and in the
 * file: its row is buried behind the rows that named it. Loop thread only; the commit thread reads id and value of
 * those in its batch.
 */
#include "store.h"
#include "xb/map.h"

#define STORE_PARTS_SEEN 16384 /* pieces remembered as seen once: by their hash, the newest of each slot */
#define STORE_PART_MIN 64     /* bytes; less is not worth a reference */

struct store_part {
	struct store_parts *table;     /* NULL: not in it, for there is another of these bytes, or the store is closed */
	struct store_part *next;       /* in the list of a batch */
	uint64_t id;
	unsigned refs;
	bool durable, listed;          /* in the file; in the batch that is on its way there */
	struct xb_json *value;
};

struct store_parts {
	struct xb_map *by_value;       /* its bytes -> struct store_part */
	uint64_t *seen;                /* STORE_PARTS_SEEN */
	uint64_t newest;               /* id */
	struct store_part **loaded;    /* in order of id, until the load is over */
	size_t n_loaded, cap_loaded;
	void (*dead)(void *arg, uint64_t id); /* nothing names that row any more */
	void *arg;
};
int store_parts_init(struct store_parts *p, void (*dead)(void *arg, uint64_t id), void *arg);
void store_parts_done(struct store_parts *p); /* documents may live on, and keep their parts */

/* What a document holds: attached to it. */
struct store_uses {
	struct xb_json_extra extra;
	unsigned n;
	struct store_use {
		uint32_t at, n;            /* in the document's bytes: where the part's number stands */
		struct store_part *part;
	} v[];
};
static inline struct store_uses *store_uses_of(const struct xb_json *doc)
{
	return (struct store_uses *)xb_json_attached(doc);
}
struct store_uses *store_uses_new(unsigned max);      /* empty, with room for so many; NULL without memory */
struct store_uses *store_uses_free(struct store_uses *u);
XB_DEFINE_CLEANUP(struct store_uses *, store_uses_free)
void store_uses_add(struct store_uses *u, size_t at, size_t n, struct store_part *part); /* takes a reference of its own */
int store_uses_share(const struct xb_json *from, struct xb_json *to);  /* to has the same parts, at the same places. 0 or -ENOMEM */
void store_uses_attach(struct store_uses *u, struct xb_json *doc); /* takes u, and gives back the room that it does not need */
size_t store_uses_memory(const struct xb_json *doc);  /* bytes of what is attached */

/* The part with those bytes. NULL: there is none, and it is the first time that they are seen, or they are too few, or there is
 * no memory. A new one belongs to the uses it is added to next. */
struct store_part *store_parts_obtain(struct store_parts *p, struct xb_sv bytes);

/* Rows of the file, before the objects' rows. -EBADMSG, -ENOMEM. */
int store_parts_load(struct store_parts *p, uint64_t id, struct xb_sv bytes);
/* Of one row: the offsets of its parts' numbers in the document, as store_uses_write gave them. -EBADMSG: they are not. */
int store_parts_attach(struct store_parts *p, struct xb_json *doc, struct xb_sv offsets);
void store_parts_sweep(struct store_parts *p); /* after the load: what no row names is dead */
void store_uses_write(const struct xb_json *doc, struct xb_buf *out); /* "[812,1530]"; nothing without parts */

#endif
