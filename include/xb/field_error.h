/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_FIELD_ERROR_H
#define XB_FIELD_ERROR_H
/* Validation's findings (apimachinery pkg/util/validation/field), gathered in order and turned into one 422 Status. */
#include "xb/status.h"
#include "xb/tree.h"

#define XB_FIELD_ERRORS_MAX 1000 /* more are not kept */
struct xb_field_errors {
	struct xb_arena *arena;
	struct xb_field_error *first, *last;
	unsigned n;
	bool no_memory;
};
struct xb_path; /* where in the object: made on the stack, linked to its parent, printed only when a fault is found */
struct xb_path {
	const struct xb_path *up;
	const char *name;            /* ".name", or */
	struct xb_sv key;            /* "[key]" of a map, or */
	long index;                  /* "[index]" of a list */
};
#define XB_PATH(up, literal) (&(struct xb_path){ (up), (literal), {}, -1 })
#define XB_PATH_AT(up, i) (&(struct xb_path){ (up), NULL, {}, (i) })
#define XB_PATH_KEY(up, sv) (&(struct xb_path){ (up), NULL, (sv), -1 })
void xb_path_write(const struct xb_path *at, struct xb_buf *out);    /* spec.containers[0].name */

/* value: what was found, as it should be printed: strings are quoted, numbers are not, as Go's %#v does. */
void xb_err_required(struct xb_field_errors *e, const struct xb_path *at, const char *detail);           /* FieldValueRequired */
void xb_err_invalid(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *value,
		    const char *detail, ...) _printf_(4, 5);
void xb_err_invalid_sv(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv value,
		       const char *detail, ...) _printf_(4, 5); /* quoted */
void xb_err_invalid_go(struct xb_field_errors *e, const struct xb_path *at, const char *value,
		       const char *detail, ...) _printf_(4, 5); /* as given */
void xb_err_unsupported(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv value,
			const char *const *supported); /* NULL-terminated, in the message's order */
void xb_err_duplicate(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv value);
void xb_err_duplicate_go(struct xb_field_errors *e, const struct xb_path *at, const char *value);        /* as given */
void xb_err_not_found(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv value);
void xb_err_forbidden(struct xb_field_errors *e, const struct xb_path *at, const char *detail);
void xb_err_too_long(struct xb_field_errors *e, const struct xb_path *at, size_t limit);
void xb_err_too_many(struct xb_field_errors *e, const struct xb_path *at, size_t found, size_t limit);
/* 0 when there are none; else -EINVAL and 422: 'Pod "x" is invalid: [a: ..., b: ...]' with one cause each. */
int xb_field_errors_status(const struct xb_field_errors *e, const char *group, const char *kind, struct xb_sv name,
			   struct xb_status *reterr);

#endif
