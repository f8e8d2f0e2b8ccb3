/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_JSON_INDEX_H
#define XB_JSON_INDEX_H
/*
 * The inside of a parsed document, shared by its parser and its readers. One entry a value, in document order, so a
 * value's descendants are the entries between it and next. A member has no entry for its key: its own entry starts at
 * the key's quote and readers step over the key. Only containers make use of next; a scalar's is the entry behind it.
 */
#include <assert.h>
#include <stdatomic.h>

#include "xb/json.h"

struct xb_json_entry {
	uint64_t start : 28;       /* offset of the value's first byte, or of its key's quote */
	uint64_t next : 28;        /* index of the first entry behind this value */
	uint64_t type : 3;         /* enum xb_json_type */
	uint64_t member : 1;
	uint64_t escaped : 1;      /* a string with a backslash in it */
	uint64_t key_escaped : 1;
};
static_assert(sizeof(struct xb_json_entry) == 8, "memory per value is a promise of xb/json.h");

/* The bytes are followed by XB_JSON_PAD zeroes, which no scan runs over, and then, aligned, by the index. */
enum { XB_JSON_PAD = 8 };
struct xb_json {
	atomic_uint refs;
	uint32_t n, entries;
	char bytes[];
};

static inline size_t xb_json_index_offset(size_t n)
{
	return (sizeof(struct xb_json) + n + XB_JSON_PAD + 7) & ~(size_t)7;
}
static inline const struct xb_json_entry *xb_json_index(const struct xb_json *d)
{
	return (const struct xb_json_entry *)((const char *)d + xb_json_index_offset(d->n));
}
static inline bool xb_json_is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

#endif
