/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_JSON_INDEX_H
#define XB_JSON_INDEX_H
/*
 * The inside of a parsed document, shared by its parser and its readers. One entry a value, in document order, so a
 * value's descendants are the entries between it and next. A member has no entry for its key: its own entry starts at
 * the key's quote and readers step over the key. Only containers make use of next; a scalar's is the entry behind it.
 */
#include <assert.h>
#include <endian.h>
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
/* The same in a document of at most 64 KiB of which no value but the root has more than 1023 entries. */
struct xb_json_narrow {
	uint32_t start : 16;
	uint32_t span : 10;        /* from this entry to the next one behind it; the root's is not used */
	uint32_t type : 3;
	uint32_t member : 1;
	uint32_t escaped : 1;
	uint32_t key_escaped : 1;
};
static_assert(sizeof(struct xb_json_entry) == 8 && sizeof(struct xb_json_narrow) == 4, "memory per value is a promise of xb/json.h");
#define XB_JSON_NARROW_BYTES 0x10000
#define XB_JSON_NARROW_SPAN 1023

/* The bytes are followed by XB_JSON_PAD zeroes, which no scan runs over, and then, aligned, by the index. */
enum { XB_JSON_PAD = 8 };
struct xb_json {
	atomic_uint refs;
	uint32_t n;
	uint32_t entries : 31, narrow : 1;
	struct xb_json_extra *extra;
	char bytes[];
};

/* scan.c. Room for n bytes and what is behind them, but no index; NULL without memory. */
struct xb_json *xb_json_alloc(size_t n);
/* Behind the bytes of *d, which moves: 0 or -ENOMEM. */
int xb_json_put_index(struct xb_json **d, const struct xb_json_entry *index, uint32_t n);

static inline size_t xb_json_index_offset(size_t n)
{
	return (sizeof(struct xb_json) + n + XB_JSON_PAD + 7) & ~(size_t)7;
}
static inline const void *xb_json_index(const struct xb_json *d)
{
	return (const char *)d + xb_json_index_offset(d->n);
}
static inline struct xb_json_entry xb_json_entry_at(const struct xb_json *d, uint32_t at)
{
	const void *index = xb_json_index(d);
	struct xb_json_narrow e;

	if (!d->narrow)
		return ((const struct xb_json_entry *)index)[at];
	e = ((const struct xb_json_narrow *)index)[at];
	return (struct xb_json_entry){
		.start = e.start,
		.next = at ? at + e.span : d->entries,
		.type = e.type,
		.member = e.member,
		.escaped = e.escaped,
		.key_escaped = e.key_escaped,
	};
}
static inline bool xb_json_is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}
static inline const char *xb_json_skip_space(const char *p)
{
	while (xb_json_is_space(*p))
		p++;
	return p;
}

/* How many of the 8 bytes at p come before the first quote, backslash, control byte or byte beyond ASCII. */
static inline unsigned xb_json_plain8(const char *p)
{
	const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
	uint64_t w, stop;

	memcpy(&w, p, sizeof(w));
	w = le64toh(w);
	/* a borrow may flag bytes above a true stop, never below, and only the lowest flag is used */
	stop = ((w - 0x20 * ones) | ((w ^ ('"' * ones)) - ones) | ((w ^ ('\\' * ones)) - ones) | w) & tops;
	return stop ? __builtin_ctzll(stop) >> 3 : 8;
}
/* The first such byte from p on. There is one, and 7 more bytes may be read behind it. */
static inline const char *xb_json_skip_plain(const char *p)
{
	unsigned n;

	for (; (n = xb_json_plain8(p)) == 8; p += 8)
		;
	return p + n;
}

/* The closing quote of the string in d whose opening quote is at p. */
static inline const char *xb_json_string_end(const struct xb_json *d, const char *p, bool escaped)
{
	if (!escaped)
		return memchr(p + 1, '"', d->bytes + d->n - p - 1);
	for (p++; *p != '"'; p++)
		p += *p == '\\';
	return p;
}
/* doc.c. The value's first byte; of a member, that behind its key. */
const char *xb_json_value_start(struct xb_jv v);
/* The value of the member whose key's closing quote is at p. */
static inline const char *xb_json_behind_key(const char *p)
{
	return xb_json_skip_space(xb_json_skip_space(p + 1) + 1);
}

#endif
