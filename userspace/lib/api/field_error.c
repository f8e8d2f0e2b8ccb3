/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include "xb/field_error.h"

struct xb_field_error {
	struct xb_field_error *next;
	const char *reason, *field, *body;
};

void xb_path_write(const struct xb_path *at, struct xb_buf *out)
{
	if (at->up)
		xb_path_write(at->up, out);
	if (at->name && at->name[0]) {
		if (at->up)
			xb_buf_addc(out, '.');
		xb_buf_adds(out, at->name);
	} else if (at->index >= 0) {
		xb_buf_addf(out, "[%ld]", at->index);
	} else {
		xb_buf_addf(out, "[%.*s]", XB_SV_ARG(at->key));
	}
}

/* As Go's %q, but that it leaves all of UTF-8 alone. */
static void add_quoted(struct xb_buf *out, struct xb_sv s)
{
	static const char plain[] = "\a\b\f\n\r\t\v\"\\", letters[] = "abfnrtv\"\\";

	xb_buf_addc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		const unsigned char c = (unsigned char)s.p[i];
		const char *p = c ? strchr(plain, c) : NULL;

		if (p)
			xb_buf_addf(out, "\\%c", letters[p - plain]);
		else if (c < 0x20 || c == 0x7f)
			xb_buf_addf(out, "\\x%02x", c);
		else
			xb_buf_addc(out, (char)c);
	}
	xb_buf_addc(out, '"');
}

static bool all_strings(const struct xb_tree *n)
{
	xb_tree_each(c, n)
		if (c->type != XB_JSON_STRING)
			return false;
	return true;
}

/* Near to Go's %#v: maps and lists of strings as Go writes them, other composites as JSON. */
static void add_value(struct xb_buf *out, const struct xb_tree *n)
{
	if (!n || n->type == XB_JSON_NULL) {
		xb_buf_adds(out, "null");
	} else if (n->type == XB_JSON_STRING) {
		add_quoted(out, n->text);
	} else if ((n->type == XB_JSON_OBJECT || n->type == XB_JSON_ARRAY) && all_strings(n)) {
		xb_buf_adds(out, n->type == XB_JSON_OBJECT ? "map[string]string{" : "[]string{");
		xb_tree_each(c, n) {
			if (c != n->first)
				xb_buf_adds(out, ", ");
			if (n->type == XB_JSON_OBJECT) {
				add_quoted(out, c->key);
				xb_buf_addc(out, ':');
			}
			add_quoted(out, c->text);
		}
		xb_buf_addc(out, '}');
	} else {
		xb_tree_write(n, out);
	}
}

static void add_detail(struct xb_buf *out, const char *detail, va_list ap)
{
	if (!detail[0])
		return;
	xb_buf_adds(out, ": ");
	xb_buf_addv(out, detail, ap);
}

/* body: what follows the field's path; it is copied. */
static void add(struct xb_field_errors *e, const struct xb_path *at, const char *reason, const struct xb_buf *body)
{
	_cleanup_buf_ struct xb_buf field = {};
	struct xb_field_error *error;

	if (e->n == XB_FIELD_ERRORS_MAX)
		return;
	xb_path_write(at, &field);
	error = xb_arena_alloc(e->arena, sizeof(*error));
	if (error && !field.err && !body->err) {
		error->reason = reason;
		error->field = xb_arena_strn(e->arena, xb_buf_sv(&field));
		error->body = xb_arena_strn(e->arena, xb_buf_sv(body));
	}
	if (!error || !error->field || !error->body) {
		e->no_memory = true;
		return;
	}
	if (e->last)
		e->last->next = error;
	else
		e->first = error;
	e->last = error;
	e->n++;
}

void xb_err_required(struct xb_field_errors *e, const struct xb_path *at, const char *detail)
{
	_cleanup_buf_ struct xb_buf body = {};

	xb_buf_adds(&body, "Required value");
	if (detail && detail[0])
		xb_buf_addf(&body, ": %s", detail);
	add(e, at, "FieldValueRequired", &body);
}

void xb_err_invalid(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *value, const char *detail, ...)
{
	_cleanup_buf_ struct xb_buf body = {};
	va_list ap;

	xb_buf_adds(&body, "Invalid value: ");
	add_value(&body, value);
	va_start(ap, detail);
	add_detail(&body, detail, ap);
	va_end(ap);
	add(e, at, "FieldValueInvalid", &body);
}

void xb_err_invalid_sv(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv value, const char *detail, ...)
{
	_cleanup_buf_ struct xb_buf body = {};
	va_list ap;

	xb_buf_adds(&body, "Invalid value: ");
	add_quoted(&body, value);
	va_start(ap, detail);
	add_detail(&body, detail, ap);
	va_end(ap);
	add(e, at, "FieldValueInvalid", &body);
}

void xb_err_invalid_go(struct xb_field_errors *e, const struct xb_path *at, const char *value, const char *detail, ...)
{
	_cleanup_buf_ struct xb_buf body = {};
	va_list ap;

	xb_buf_addf(&body, "Invalid value: %s", value);
	va_start(ap, detail);
	add_detail(&body, detail, ap);
	va_end(ap);
	add(e, at, "FieldValueInvalid", &body);
}

void xb_err_unsupported(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv value, const char *const *supported)
{
	_cleanup_buf_ struct xb_buf body = {};

	xb_buf_adds(&body, "Unsupported value: ");
	add_quoted(&body, value);
	for (const char *const *s = supported; *s; s++) {
		xb_buf_adds(&body, s == supported ? ": supported values: " : ", ");
		add_quoted(&body, xb_sv(*s));
	}
	add(e, at, "FieldValueNotSupported", &body);
}

static void add_quoted_value(struct xb_field_errors *e, const struct xb_path *at, const char *reason, const char *what, struct xb_sv value)
{
	_cleanup_buf_ struct xb_buf body = {};

	xb_buf_addf(&body, "%s: ", what);
	add_quoted(&body, value);
	add(e, at, reason, &body);
}

void xb_err_duplicate(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv value)
{
	add_quoted_value(e, at, "FieldValueDuplicate", "Duplicate value", value);
}

void xb_err_duplicate_go(struct xb_field_errors *e, const struct xb_path *at, const char *value)
{
	_cleanup_buf_ struct xb_buf body = {};

	xb_buf_addf(&body, "Duplicate value: %s", value);
	add(e, at, "FieldValueDuplicate", &body);
}

void xb_err_not_found(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv value)
{
	add_quoted_value(e, at, "FieldValueNotFound", "Not found", value);
}

void xb_err_forbidden(struct xb_field_errors *e, const struct xb_path *at, const char *detail)
{
	_cleanup_buf_ struct xb_buf body = {};

	xb_buf_adds(&body, "Forbidden");
	if (detail && detail[0])
		xb_buf_addf(&body, ": %s", detail);
	add(e, at, "FieldValueForbidden", &body);
}

void xb_err_too_long(struct xb_field_errors *e, const struct xb_path *at, size_t limit)
{
	_cleanup_buf_ struct xb_buf body = {};

	xb_buf_addf(&body, "Too long: may not be more than %zu bytes", limit);
	add(e, at, "FieldValueTooLong", &body);
}

void xb_err_too_many(struct xb_field_errors *e, const struct xb_path *at, size_t found, size_t limit)
{
	_cleanup_buf_ struct xb_buf body = {};

	xb_buf_addf(&body, "Too many: %zu: must have at most %zu items", found, limit);
	add(e, at, "FieldValueTooMany", &body);
}

static bool said_before(const struct xb_field_errors *e, const struct xb_field_error *error)
{
	for (const struct xb_field_error *b = e->first; b != error; b = b->next)
		if (!strcmp(b->field, error->field) && !strcmp(b->body, error->body))
			return true;
	return false;
}

int xb_field_errors_status(const struct xb_field_errors *e, const char *group, const char *kind, struct xb_sv name,
			   struct xb_status *reterr)
{
	_cleanup_buf_ struct xb_buf list = {};
	unsigned said = 0;
	int r;

	if (e->no_memory)
		return -ENOMEM;
	if (!e->n)
		return 0;
	for (const struct xb_field_error *error = e->first; error; error = error->next)
		if (!said_before(e, error))
			xb_buf_addf(&list, "%s%s: %s", said++ ? ", " : "", error->field, error->body);
	if (list.err)
		return list.err;
	xb_status_set(reterr, 422, "Invalid", "%s%s%s \"%.*s\" is invalid: %s%s%s", kind, group[0] ? "." : "", group, XB_SV_ARG(name),
		      said > 1 ? "[" : "", list.p, said > 1 ? "]" : "");
	r = xb_status_details(reterr, group, kind, name);
	for (const struct xb_field_error *error = e->first; error && r == 0; error = error->next)
		r = xb_status_cause(reterr, error->reason, xb_sv(error->body), xb_sv(error->field));
	return r < 0 ? r : -EINVAL;
}
