/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_TREE_H
#define XB_TREE_H
/*
 * A JSON value that may be edited, alive for one request: nodes in an arena, strings borrowed from the document it was
 * made from where they need no decoding. json-c was measured for this and is 20 to 35 MB/s and 22 times the bytes; this
 * is one bump allocation a value. Nothing here keeps state beyond its arena; the document must outlive the tree.
 */
#include "xb/arena.h"
#include "xb/json.h"

struct xb_tree {
	enum xb_json_type type : 8;
	bool b : 1;                    /* XB_JSON_BOOL */
	bool marked : 1;               /* private: xb_tree_write_marked looks for it */
	uint32_t count;                /* children */
	struct xb_sv key;              /* decoded name when a member of an object, else {} */
	struct xb_sv text;             /* XB_JSON_STRING: decoded; XB_JSON_NUMBER: its literal */
	struct xb_tree *first, *last;  /* children in order */
	struct xb_tree *next, *prev, *parent;
	struct xb_tree_index *index;   /* private: names of a large object, made when first searched */
};

/* From a document. Of duplicate members the last stays, as in Go; each duplicate's path is passed to on_duplicate when
 * that is not NULL. NULL without memory. */
struct xb_tree *xb_tree_from(struct xb_arena *a, struct xb_jv v, void (*on_duplicate)(void *arg, const char *path), void *arg);
/* From bytes, which are not needed afterwards. limits and errors are xb_json_parse's: -EBADMSG, -E2BIG, -ENOMEM. */
int xb_tree_read(struct xb_arena *a, struct xb_sv json, const struct xb_json_limits *limits, struct xb_tree **ret);
struct xb_tree *xb_tree_parse(struct xb_arena *a, const char *json); /* from a literal of ours; aborts when it is not JSON */
struct xb_tree *xb_tree_copy(struct xb_arena *a, const struct xb_tree *n); /* deep; text shared with n */
bool xb_tree_equal(const struct xb_tree *a, const struct xb_tree *b);      /* members in any order; NULL equals NULL only */

struct xb_tree *xb_tree_object(struct xb_arena *a);
struct xb_tree *xb_tree_array(struct xb_arena *a);
struct xb_tree *xb_tree_str(struct xb_arena *a, struct xb_sv s); /* borrows s */
struct xb_tree *xb_tree_int(struct xb_arena *a, int64_t n);
struct xb_tree *xb_tree_bool(struct xb_arena *a, bool b);

/* Looking. All take NULL and wrong types and say "not there". Cost: linear up to 32 members, hashed beyond. */
struct xb_tree *xb_tree_get(const struct xb_tree *object, const char *key);
struct xb_tree *xb_tree_getsv(const struct xb_tree *object, struct xb_sv key);
struct xb_tree *xb_tree_path_(const struct xb_tree *object, const char *first, ...);
#define xb_tree_path(n, ...) xb_tree_path_((n), __VA_ARGS__, NULL)
struct xb_sv xb_tree_text(const struct xb_tree *n);     /* of a string; {} otherwise */
struct xb_sv xb_tree_gettext(const struct xb_tree *object, const char *key);
bool xb_tree_is(const struct xb_tree *n, const char *s);/* is that string */
int xb_tree_i64(const struct xb_tree *n, int64_t *ret); /* -EINVAL unless an integral number in range */
int64_t xb_tree_geti64(const struct xb_tree *object, const char *key, int64_t otherwise);
bool xb_tree_true(const struct xb_tree *n);
#define xb_tree_each(c, n) for (struct xb_tree *c = (n) ? (n)->first : NULL; c; c = c->next)

/* Changing. A node belongs to at most one parent: taking it out first is the caller's job. key is borrowed. */
void xb_tree_set(struct xb_tree *object, struct xb_sv key, struct xb_tree *value); /* replaces in place or appends */
#define xb_tree_setc(object, literal, value) xb_tree_set((object), XB_SV(literal), (value))
void xb_tree_append(struct xb_tree *array, struct xb_tree *value);
void xb_tree_insert(struct xb_tree *array, struct xb_tree *before, struct xb_tree *value); /* before NULL: append */
/* The same for an object that has no member of that name: nothing is searched. */
void xb_tree_insert_member(struct xb_tree *object, struct xb_tree *before, struct xb_sv key, struct xb_tree *value);
void xb_tree_remove(struct xb_tree *n);                 /* from its parent */
void xb_tree_replace(struct xb_tree *n, struct xb_tree *with); /* with takes n's place and key */
bool xb_tree_del(struct xb_tree *object, const char *key); /* was it there */
/* The object member of that name, made empty when missing or null. NULL without memory or when it is another type. */
struct xb_tree *xb_tree_obtain(struct xb_arena *a, struct xb_tree *object, const char *key);

/* Writes n as JSON without white space, appended to out (its sticky error tells of memory). */
void xb_tree_write(const struct xb_tree *n, struct xb_buf *out);
/* The same, noting where in out each of the given nodes came to stand. The nodes are below n, and not within each other. */
struct xb_tree_mark {
	struct xb_tree *node;
	size_t at, n;                  /* result: offset in out, and length */
};
void xb_tree_write_marked(const struct xb_tree *n, struct xb_buf *out, struct xb_tree_mark *marks, unsigned n_marks);

#endif
