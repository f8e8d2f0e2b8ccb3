/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_SCHEMA_H
#define XB_SCHEMA_H
/*
 * The API's types as data: one row a field. Decoding, pruning, defaults, patch merging, OpenAPI and explain are all walks
 * of these rows (R17, R19). The rows stand in userspace/lib/api/<group>_<version>.c, by type, fields in the order of
 * their names, which is also the order in which canonical bytes are written.
 */
#include "xb/status.h"
#include "xb/tree.h"

enum xb_field_type {
	XB_T_STRING, XB_T_BOOL, XB_T_INT32, XB_T_INT64, XB_T_DOUBLE,
	XB_T_BYTES,         /* base64 text */
	XB_T_TIME,          /* RFC 3339, seconds */
	XB_T_MICRO_TIME,    /* RFC 3339, microseconds */
	XB_T_QUANTITY,      /* "100m"; a number is accepted and becomes text; written in canonical form */
	XB_T_INT_OR_STRING,
	XB_T_STRINGS,       /* a list of strings as the value of a map: "extra" of users */
	XB_T_OBJECT,        /* of the row's type */
	XB_T_ANY,           /* any JSON, kept as it is */
};
enum xb_field_shape { XB_ONE, XB_LIST, XB_MAP /* string keys */ };

enum xb_field_flags {
	XB_F_REQUIRED     = 1 << 0, /* in OpenAPI's sense: written even when empty, made empty (0, "", [], {}) when missing */
	XB_F_MERGE        = 1 << 1, /* patch strategy merge: a list by key, or of primitives */
	XB_F_RETAIN_KEYS  = 1 << 2, /* patch strategy retainKeys */
	XB_F_ATOMIC       = 1 << 3, /* x-kubernetes-map-type: atomic, of this one field */
	XB_F_LIST_SET     = 1 << 4,
	XB_F_LIST_MAP     = 1 << 5, /* a list that is neither a set nor a map is atomic */
	XB_F_POINTER      = 1 << 6, /* an empty value (0, "", false, {}) says something else than none and is kept */
	XB_F_REPLACE      = 1 << 7, /* patch strategy replace: an object is not merged */
	XB_F_GRANULAR     = 1 << 8, /* x-kubernetes-map-type: granular, of this one field, whatever its type says */
};

struct xb_type;
struct xb_field {
	const char *name;
	const struct xb_type *type;  /* XB_T_OBJECT */
	const char *fallback;        /* default as JSON text, NULL for none: a scalar or {}; only what depends on nothing else */
	const char *merge_key;       /* of XB_F_MERGE lists of objects */
	const char *map_keys;        /* of XB_F_LIST_MAP: names separated by commas */
	unsigned short flags;
	unsigned char kind;          /* enum xb_field_type, of the element for a list or map */
	unsigned char shape;         /* enum xb_field_shape */
	unsigned char name_len;
	unsigned char number;        /* in protobuf (xb/protobuf.h); 0 for apiVersion and kind, which the envelope has */
	unsigned char embedded;      /* number of the message in which protobuf has the field and that JSON inlines; 0 for none */
};
struct xb_type {
	const char *name;            /* "PodSpec" */
	const char *package;         /* "io.k8s.api.core.v1" */
	const struct xb_field *fields;
	unsigned n_fields;           /* at most XB_TYPE_FIELDS */
	bool atomic;                 /* x-kubernetes-map-type: atomic, wherever it is used */
};
#define XB_TYPE_FIELDS 64
const struct xb_field *xb_type_field(const struct xb_type *t, struct xb_sv name); /* NULL when there is none */

/*
 * Makes the tree an object of that type, in place: wrong types are refused (400 as upstream's v1.33 words it: "json: cannot
 * unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container"), nulls and unknown fields taken
 * out, quantities and times put in canonical form, members put in the table's order (maps by key), table defaults filled, empty
 * values that say nothing taken out and required ones put in, as Go's encoder does. A time that is not set stays missing.
 * unknown: called with the path of each unknown field ("spec.containers[0].imagee"); may be NULL.
 * Returns 0, -EINVAL with reterr, -ENOMEM.
 */
struct xb_decode {
	struct xb_arena *arena;
	void (*unknown)(void *arg, const char *path);
	void *arg;
	bool no_defaults;
};
int xb_schema_decode(const struct xb_decode *d, const struct xb_type *t, struct xb_tree *object, struct xb_status *reterr);

#endif
