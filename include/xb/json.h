/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_JSON_H
#define XB_JSON_H
/*
 * JSON (RFC 8259, strict UTF-8) in three forms:
 *   struct xb_json   an immutable, refcounted document: its bytes and a flat index of 4 bytes a value, 8 in a large one. This is
 *                    what caches hold. A pod of 5.8 KB parses in 5.2 us (1.1 GB/s at -O2) and takes 1.2 times its bytes.
 *   struct xb_jv     a value inside such a document, passed by value; a missing value is {} and every reader takes it.
 *   struct xb_jw     a streaming writer with a sticky error.
 * A tree that may be edited, for the time of one request, is in xb/tree.h.
 */
#include <stdatomic.h>
#include "xb/str.h"

enum xb_json_type { XB_JSON_NONE, XB_JSON_NULL, XB_JSON_BOOL, XB_JSON_NUMBER, XB_JSON_STRING, XB_JSON_ARRAY, XB_JSON_OBJECT };

struct xb_json;
struct xb_json_entry;
struct xb_json_limits {
	size_t max_bytes;   /* 0: 3 MiB, upstream's request limit. At most 2^28 */
	unsigned max_depth; /* 0: 128 */
};
struct xb_json_fault {
	size_t offset;      /* byte at which it went wrong */
	const char *what;   /* static text in the words of Go's encoding/json: "unexpected end of JSON input", "invalid character ..." without the character */
	int byte;           /* the offending byte, -1 at the end of input */
};

/* Copies the bytes. -EBADMSG (not JSON, *reterr filled when not NULL), -E2BIG (a limit), -ENOMEM. Trailing white space is allowed. */
int xb_json_parse(struct xb_sv bytes, const struct xb_json_limits *limits, struct xb_json **ret, struct xb_json_fault *reterr);
/* The fault in Go's words ("invalid character 'x' looking for beginning of value"). */
void xb_json_fault_text(const struct xb_json_fault *f, struct xb_buf *out);
struct xb_json *xb_json_ref(const struct xb_json *d);   /* atomic count; any thread */
struct xb_json *xb_json_unref(struct xb_json *d);       /* returns NULL */
XB_DEFINE_CLEANUP(struct xb_json *, xb_json_unref)
struct xb_sv xb_json_bytes(const struct xb_json *d);    /* borrowed, as parsed */
size_t xb_json_memory(const struct xb_json *d);         /* bytes held, all told */
/* Something of the owner's that lives as long as the document: released with its last reference, by whoever drops that. At
 * most one, given while nobody else has a reference. */
struct xb_json_extra {
	void (*release)(struct xb_json_extra *x);
	size_t bytes;       /* that it takes, counted as the document's; 0: not told */
};
void xb_json_attach(struct xb_json *d, struct xb_json_extra *x); /* takes x */
struct xb_json_extra *xb_json_attached(const struct xb_json *d); /* NULL: nothing */

struct xb_jv {
	const struct xb_json *doc; /* NULL: there is no such value */
	uint32_t at;               /* its index entry */
};
struct xb_jv xb_json_root(const struct xb_json *d);
enum xb_json_type xb_jv_type(struct xb_jv v);           /* XB_JSON_NONE when missing */
static inline bool xb_jv_is(struct xb_jv v)
{
	return v.doc != NULL;
}
struct xb_sv xb_jv_bytes(struct xb_jv v);               /* the value as it stands in the document */
struct xb_jv xb_jv_get(struct xb_jv object, const char *key);           /* the last member of that name */
struct xb_jv xb_jv_getsv(struct xb_jv object, struct xb_sv key);
struct xb_jv xb_jv_path_(struct xb_jv object, const char *first, ...);  /* members of members; ends with NULL */
#define xb_jv_path(v, ...) xb_jv_path_((v), __VA_ARGS__, NULL)
struct xb_jv xb_jv_at(struct xb_jv array, size_t i);
size_t xb_jv_count(struct xb_jv v);                     /* members or elements; 0 otherwise */

/* Strings. text: the bytes between the quotes, still escaped when escaped() says so (labels, names, addresses never are). */
struct xb_sv xb_jv_text(struct xb_jv v);                /* {} unless a string */
/* Of an object of the API: its metadata.FIELD. */
static inline struct xb_sv xb_jv_meta(struct xb_jv object, const char *field)
{
	return xb_jv_text(xb_jv_path(object, "metadata", field));
}
bool xb_jv_escaped(struct xb_jv v);
bool xb_jv_streq(struct xb_jv v, struct xb_sv s);       /* decoded comparison */
char *xb_jv_dup(struct xb_jv v);                        /* decoded, new, zero-terminated; NULL unless a string or without memory */
int xb_jv_i64(struct xb_jv v, int64_t *ret);            /* -EINVAL unless an integral number in range */
bool xb_jv_true(struct xb_jv v);                        /* is the literal true */
double xb_jv_double(struct xb_jv v);

/* for (struct xb_jit it = xb_jv_iter(v); xb_jit_next(&it);) use(it.key, it.value); over members or elements, in order. */
struct xb_jit {
	struct xb_jv in, value;
	struct xb_sv key;      /* of a member, as in text(); {} for an element */
	bool key_escaped;
	uint32_t next, end;
};
struct xb_jit xb_jv_iter(struct xb_jv v);
bool xb_jit_next(struct xb_jit *it);

/*
 * A document of a value, or of some of what is in it, without parsing that again: begin; one value, or open, any number of values and
 * of more that is opened, close; end. After a begin that succeeded, end is due. What is copied must lie within the value that it
 * began with, in its order. A member comes with its key.
 */
struct xb_json_copy {           /* private */
	struct xb_json *doc;
	struct xb_json_entry *index;
	size_t n;
	uint32_t entries;
};
int xb_json_copy_begin(struct xb_json_copy *c, struct xb_jv v);                 /* 0 or -ENOMEM */
void xb_json_copy_value(struct xb_json_copy *c, struct xb_jv v);                /* as it stands */
uint32_t xb_json_copy_open(struct xb_json_copy *c, struct xb_jv container);     /* what is in it is to come; for close */
void xb_json_copy_close(struct xb_json_copy *c, uint32_t opened);
int xb_json_copy_end(struct xb_json_copy *c, struct xb_json **ret);             /* 0 or -ENOMEM */

/*
 * A copy of d in which some strings have another text, each as long as before, so that it need not be parsed: it has d's index. What is
 * attached to d is not attached to it. -EINVAL: one is no string of d, or of another length, or its new text is not plain (ASCII without
 * quotes, backslashes and control bytes). -ENOMEM.
 */
struct xb_json_change {
	struct xb_jv string;
	struct xb_sv text;
};
int xb_json_with(const struct xb_json *d, const struct xb_json_change *c, size_t n, struct xb_json **ret);

/* Decodes the inside of a JSON string (valid, as the parser accepted it) to UTF-8. */
void xb_json_unescape(struct xb_sv text, struct xb_buf *out);
/* Appends s as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void xb_json_quote(struct xb_sv s, struct xb_buf *out);

/* The writer. Commas, colons and quotes are its job; a wrong nesting shows in xb_jw_finish. */
struct xb_jw {
	struct xb_buf *out;
	int err;
	uint64_t comma;        /* a bit a level: has this level an entry yet */
	uint64_t object;       /* a bit a level: is it an object */
	unsigned depth;        /* at most 63 */
	bool after_key;
};
#define XB_JW(buf) ((struct xb_jw){ .out = (buf) })
void xb_jw_object(struct xb_jw *w);
void xb_jw_array(struct xb_jw *w);
void xb_jw_end(struct xb_jw *w);                        /* closes the innermost object or array */
void xb_jw_key(struct xb_jw *w, const char *key);
void xb_jw_keysv(struct xb_jw *w, struct xb_sv key);
void xb_jw_str(struct xb_jw *w, const char *cstr);
void xb_jw_sv(struct xb_jw *w, struct xb_sv s);         /* escapes; bytes that are not UTF-8 become U+FFFD */
void xb_jw_int(struct xb_jw *w, int64_t n);
void xb_jw_bool(struct xb_jw *w, bool b);
void xb_jw_null(struct xb_jw *w);
void xb_jw_double(struct xb_jw *w, double d);
void xb_jw_raw(struct xb_jw *w, struct xb_sv json);     /* a whole value that is JSON already */
/* key and value at once */
void xb_jw_kstr(struct xb_jw *w, const char *key, const char *cstr);
void xb_jw_ksv(struct xb_jw *w, const char *key, struct xb_sv s);
void xb_jw_kint(struct xb_jw *w, const char *key, int64_t n);
void xb_jw_kbool(struct xb_jw *w, const char *key, bool b);
int xb_jw_finish(struct xb_jw *w);                      /* 0; -EINVAL when not exactly one whole value; -ENOMEM */

#endif
