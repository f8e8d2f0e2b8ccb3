/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_ENCODE_H
#define APISERVER_ENCODE_H
/*
 * Bodies of answers: an object, a list, a watch's event; as it is, as a row of a Table, or as PartialObjectMetadata. An
 * object's own bytes are copied, never decoded and written anew, unless the kind's row is another version than the stored
 * one. Errors of memory stay in the buffer.
 */
#include "negotiate.h"
#include "xb/kinds.h"
#include "xb/status.h"

struct strategy;

enum include_object { INCLUDE_METADATA, INCLUDE_NONE, INCLUDE_OBJECT }; /* in a Table's row */
struct encoding {
	const struct xb_kind *kind;
	struct accept accept;
	enum include_object include;
	const struct strategy *table; /* whose columns and rows; NULL for the kind's */
};

void encode_object(const struct encoding *e, const struct xb_json *doc, struct xb_buf *out);

/* A list: begin, an item for each, end. The list's metadata comes last, when its continue token is known. */
void encode_list_begin(const struct encoding *e, struct xb_buf *out);
void encode_list_item(const struct encoding *e, const struct xb_json *doc, bool first, struct xb_buf *out);
/* continue_: {} for none; remaining: -1 for not known. */
void encode_list_end(uint64_t revision, struct xb_sv continue_, int64_t remaining, struct xb_buf *out);

/*
 * A watch's event with its newline. type: "ADDED", ... doc: the object. revision: not 0, it takes the place of the
 * document's own. columns: a Table's event carries the column definitions (the first one of a stream).
 */
void encode_event(const struct encoding *e, const char *type, const struct xb_json *doc, uint64_t revision, bool columns,
		  struct xb_buf *out);
/* A bookmark; initial_end: the one that ends the initial events (KEP-3157). */
void encode_bookmark(const struct encoding *e, uint64_t revision, bool initial_end, struct xb_buf *out);
void encode_error_event(const struct xb_status *s, struct xb_buf *out);

#endif
