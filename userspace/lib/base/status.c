/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "xb/json.h"
#include "xb/status.h"

void xb_status_done(struct xb_status *s)
{
	for (size_t i = 0; i < s->n_causes; i++) {
		free(s->causes[i].reason);
		free(s->causes[i].message);
		free(s->causes[i].field);
	}
	free(s->causes);
	free(s->message);
	free(s->group);
	free(s->kind);
	free(s->name);
	free(s->uid);
	free(s->continue_);
	*s = (struct xb_status){};
}

static void status_setv(struct xb_status *s, int code, const char *reason, const char *fmt, va_list ap)
{
	struct xb_buf text = {};

	xb_buf_addv(&text, fmt, ap);
	xb_status_done(s);
	s->code = code;
	s->reason = reason;
	s->message = xb_buf_steal(&text);
}

int xb_status_set(struct xb_status *s, int code, const char *reason, const char *fmt, ...)
{
	va_list ap;

	if (!s)
		return -EPROTO;
	va_start(ap, fmt);
	status_setv(s, code, reason, fmt, ap);
	va_end(ap);
	return -EPROTO;
}

int xb_status_bad_request(struct xb_status *s, const char *fmt, ...)
{
	va_list ap;

	if (!s)
		return -EINVAL;
	va_start(ap, fmt);
	status_setv(s, 400, "BadRequest", fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* Takes text; names the object in the details. Every argument may still point into what s holds. */
static void status_about(struct xb_status *s, int code, const char *reason, struct xb_buf *text,
			 const char *group, const char *resource, struct xb_sv name)
{
	struct xb_status fresh = { .code = code, .reason = reason, .message = xb_buf_steal(text) };

	(void)xb_status_details(&fresh, group, resource, name);
	xb_status_done(s);
	*s = fresh;
}

/* deployments.apps "web"; upstream leaves out what is empty when it forbids, and only then */
static void add_object(struct xb_buf *text, const char *group, const char *resource, struct xb_sv name, bool always)
{
	xb_buf_adds(text, resource ? resource : "");
	if (group && *group)
		xb_buf_addf(text, ".%s", group);
	if (!always && !name.n)
		return;
	if (text->n)
		xb_buf_addc(text, ' ');
	xb_buf_addq(text, name);
}

int xb_status_not_found(struct xb_status *s, const char *group, const char *resource, struct xb_sv name)
{
	struct xb_buf text = {};

	if (!s)
		return -ENOENT;
	add_object(&text, group, resource, name, true);
	xb_buf_adds(&text, " not found");
	status_about(s, 404, "NotFound", &text, group, resource, name);
	return -ENOENT;
}

int xb_status_exists(struct xb_status *s, const char *group, const char *resource, struct xb_sv name)
{
	struct xb_buf text = {};

	if (!s)
		return -EEXIST;
	add_object(&text, group, resource, name, true);
	xb_buf_adds(&text, " already exists");
	status_about(s, 409, "AlreadyExists", &text, group, resource, name);
	return -EEXIST;
}

int xb_status_conflict(struct xb_status *s, const char *group, const char *resource, struct xb_sv name,
		       const char *fmt, ...)
{
	_cleanup_buf_ struct xb_buf object = {};
	struct xb_buf text = {};
	va_list ap;

	if (!s)
		return -ESTALE;
	add_object(&object, group, resource, name, true);
	xb_buf_adds(&text, "Operation cannot be fulfilled on ");
	xb_buf_addsv(&text, xb_buf_sv(&object));
	xb_buf_adds(&text, ": ");
	va_start(ap, fmt);
	xb_buf_addv(&text, fmt, ap);
	va_end(ap);
	status_about(s, 409, "Conflict", &text, group, resource, name);
	return -ESTALE;
}

int xb_status_forbidden(struct xb_status *s, const char *group, const char *resource, struct xb_sv name,
			const char *fmt, ...)
{
	struct xb_buf text = {};
	va_list ap;

	if (!s)
		return -EACCES;
	add_object(&text, group, resource, name, false);
	xb_buf_adds(&text, text.n ? " is forbidden: " : "forbidden: ");
	va_start(ap, fmt);
	xb_buf_addv(&text, fmt, ap);
	va_end(ap);
	status_about(s, 403, "Forbidden", &text, group, resource, name);
	return -EACCES;
}

/* out gets a copy of s, unless s is empty */
static int dup_some(struct xb_sv s, char **out)
{
	char *copy = NULL;

	if (s.n) {
		copy = xb_sv_dup(s);
		if (!copy)
			return -ENOMEM;
	}
	free(*out);
	*out = copy;
	return 0;
}

int xb_status_details(struct xb_status *s, const char *group, const char *kind, struct xb_sv name)
{
	int r;

	if (!s)
		return 0;
	r = dup_some(xb_sv(group), &s->group);
	if (!r)
		r = dup_some(xb_sv(kind), &s->kind);
	if (!r)
		r = dup_some(name, &s->name);
	return r;
}

int xb_status_cause(struct xb_status *s, const char *reason, struct xb_sv message, struct xb_sv field)
{
	struct xb_cause *causes, *c;

	if (!s)
		return 0;
	causes = realloc(s->causes, (s->n_causes + 1) * sizeof(*causes));
	if (!causes)
		return -ENOMEM;
	s->causes = causes;
	c = &causes[s->n_causes++];
	*c = (struct xb_cause){};
	if (dup_some(xb_sv(reason), &c->reason) || dup_some(message, &c->message) || dup_some(field, &c->field))
		return -ENOMEM;
	return 0;
}

static void write_some(struct xb_jw *w, const char *key, const char *value)
{
	if (value && *value)
		xb_jw_kstr(w, key, value);
}

static void write_details(struct xb_jw *w, const struct xb_status *s)
{
	if (!s->name && !s->group && !s->kind && !s->uid && !s->n_causes && !s->retry_after)
		return;
	xb_jw_key(w, "details");
	xb_jw_object(w);
	write_some(w, "name", s->name);
	write_some(w, "group", s->group);
	write_some(w, "kind", s->kind);
	write_some(w, "uid", s->uid);
	if (s->n_causes) {
		xb_jw_key(w, "causes");
		xb_jw_array(w);
		for (size_t i = 0; i < s->n_causes; i++) {
			xb_jw_object(w);
			write_some(w, "reason", s->causes[i].reason);
			write_some(w, "message", s->causes[i].message);
			write_some(w, "field", s->causes[i].field);
			xb_jw_end(w);
		}
		xb_jw_end(w);
	}
	if (s->retry_after)
		xb_jw_kint(w, "retryAfterSeconds", s->retry_after);
	xb_jw_end(w);
}

void xb_status_write(const struct xb_status *s, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", "Status");
	xb_jw_kstr(&w, "apiVersion", "v1");
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	write_some(&w, "continue", s->continue_);
	xb_jw_end(&w);
	xb_jw_kstr(&w, "status", s->code < 400 ? "Success" : "Failure");
	write_some(&w, "message", s->message);
	write_some(&w, "reason", s->reason);
	write_details(&w, s);
	xb_jw_kint(&w, "code", s->code);
	xb_jw_end(&w);
	xb_jw_finish(&w);
}
