/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_FRAME_H
#define APISERVER_FRAME_H
/*
 * Rendered watch events, kept for a moment: what ten thousand watchers get is made once. A slot is found by revision, type
 * and form; a newer frame takes an older one's slot. Bounded in number and bytes.
 */
#include "encode.h"
#include "xb/http_server.h"

struct frame_cache;
struct frame_cache *frame_cache_new(void);                          /* NULL without memory */
struct frame_cache *frame_cache_free(struct frame_cache *c);        /* NULL is fine */
void frame_cache_clear(struct frame_cache *c);

enum frame_type { FRAME_ADDED, FRAME_MODIFIED, FRAME_DELETED };
/*
 * The frame of one event; borrowed until the next call. revision: the event's; spliced: doc is an older version, and gets
 * the event's revision. NULL without memory.
 */
struct xb_http_chunk *frame_get(struct frame_cache *c, const struct encoding *e, enum frame_type type, const struct xb_json *doc,
				uint64_t revision, bool spliced);

#endif
