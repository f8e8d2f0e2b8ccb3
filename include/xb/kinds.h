/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_KINDS_H
#define XB_KINDS_H
/*
 * The kinds that are served, one row each. Routes, discovery, kubectl's short names and access rules walk these rows; to
 * add a kind is to add a row (and its type's rows, xb/schema.h; and a strategy where a row cannot say a rule).
 */
#include "xb/schema.h"
#include "xb/selector.h"

enum xb_verb {
	XB_VERB_CREATE = 1 << 0, XB_VERB_DELETE = 1 << 1, XB_VERB_DELETECOLLECTION = 1 << 2, XB_VERB_GET = 1 << 3,
	XB_VERB_LIST = 1 << 4, XB_VERB_PATCH = 1 << 5, XB_VERB_UPDATE = 1 << 6, XB_VERB_WATCH = 1 << 7,
};
#define XB_VERBS_ALL 0xff
const char *xb_verb_name(enum xb_verb v);

struct xb_subresource {
	const char *name;            /* "status", "scale", "binding", ... */
	const char *group, *version, *kind; /* of its body when not the parent's: {"autoscaling","v1","Scale"} */
	const struct xb_type *type;  /* NULL: it has no body of the API's, but a stream, or what somebody else answers */
	unsigned verbs;
	bool any_path;               /* what follows in the path is its own */
};
/*
 * Several versions of one kind. One row is the stored kind; each other version has a row of its own (group, version, names,
 * type) whose "stored" names it and whose conversion is a pair of functions. Objects are stored, keyed, selected, validated and
 * drawn in tables as the stored kind; they are converted at the edge only: a body after it was decoded, an answer before it is
 * written. A row without "stored" pays one comparison. So to add a version:
 *   its types and its row: .stored = &the_stored_row, .conversion = &xb_conversion_x, and of the field labels .path in the
 *   stored form; the pair in userspace/lib/api/convert_<group>.c. Hooks of strategies get trees of the stored form; w->kind is
 *   the row that the client spoke to. Who walks xb_kinds for stored objects skips the rows that have "stored".
 * A conversion changes members of a tree in place; it need not order them, nor set apiVersion and kind. 0 or -ENOMEM.
 */
struct xb_conversion {
	int (*to_stored)(struct xb_arena *a, struct xb_tree *object);
	int (*from_stored)(struct xb_arena *a, struct xb_tree *object);
};

struct xb_kind {
	const char *group;           /* "" for core */
	const char *version, *kind, *list_kind, *plural, *singular; /* list_kind: NULL when it cannot be listed */
	const char *const *short_names, *const *categories; /* NULL-terminated; NULL for none */
	bool namespaced;
	unsigned verbs;
	const struct xb_type *type;
	const struct xb_subresource *subresources;
	unsigned n_subresources;
	const struct xb_field_label *field_labels; /* field selectors beyond metadata.name and .namespace; ends with {}, or NULL */
	const char *deprecated;      /* what whoever uses it is warned with; NULL for nothing */
	const struct xb_kind *stored; /* NULL: this is the stored version */
	const struct xb_conversion *conversion; /* of another version; NULL: the fields are the same */
};
static inline const struct xb_kind *xb_kind_stored(const struct xb_kind *k)
{
	return k->stored ? k->stored : k;
}
/* A whole, decoded object of k in the stored form, and back; canonical afterwards. Nothing to do without k->stored. 0, -ENOMEM. */
int xb_kind_to_stored(const struct xb_kind *k, struct xb_arena *a, struct xb_tree *object);
int xb_kind_from_stored(const struct xb_kind *k, struct xb_arena *a, struct xb_tree *object);

extern const struct xb_kind *const xb_kinds[];  /* every kind, in discovery order; NULL-terminated */
/* Look-ups: one hash, any thread; NULL when there is none. */
const struct xb_kind *xb_kind_by_resource(struct xb_sv group, struct xb_sv version, struct xb_sv plural);
const struct xb_kind *xb_kind_by_name(struct xb_sv group, struct xb_sv version, struct xb_sv kind);
const struct xb_subresource *xb_kind_subresource(const struct xb_kind *k, struct xb_sv name);

/* Types of the API machinery itself (meta/v1) */
extern const struct xb_type xb_type_object_meta, xb_type_delete_options, xb_type_status;

#endif
