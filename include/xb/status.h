/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_STATUS_H
#define XB_STATUS_H
/*
 * A fault that a client sees: Kubernetes' Status, filled where the fault is found and sent as the reply's body unchanged
 * (apimachinery pkg/api/errors). Internal faults are -errno alone. A function with a last parameter "reterr" returns 0 or
 * a negative errno; when reterr->code is set afterwards the fault is the client's, otherwise it is internal.
 */
#include "xb/str.h"

struct xb_cause {
	char *reason, *message, *field;
};
struct xb_status {
	int code;                          /* HTTP status; 0 while there is no fault */
	const char *reason;                /* "NotFound", ...; static storage */
	char *message;
	char *group, *kind, *name, *uid;   /* details; NULL where not known. kind is the plural resource for NotFound and the like */
	struct xb_cause *causes;
	size_t n_causes;
	int retry_after;                   /* seconds; 0 for none */
	char *continue_;                   /* metadata.continue: how a list that expired may go on; NULL for none */
};
void xb_status_done(struct xb_status *s);
#define _cleanup_status_ _cleanup_(xb_status_done)

/* Each of these replaces what *s held, and returns the errno given at the right, to be returned on. s may be NULL. */
int xb_status_set(struct xb_status *s, int code, const char *reason, const char *fmt, ...) _printf_(4, 5); /* -EPROTO */
int xb_status_bad_request(struct xb_status *s, const char *fmt, ...) _printf_(2, 3);                     /* -EINVAL, 400 BadRequest */
int xb_status_not_found(struct xb_status *s, const char *group, const char *resource, struct xb_sv name); /* -ENOENT, 404 */
int xb_status_exists(struct xb_status *s, const char *group, const char *resource, struct xb_sv name);    /* -EEXIST, 409 AlreadyExists */
int xb_status_conflict(struct xb_status *s, const char *group, const char *resource, struct xb_sv name, const char *fmt,
		       ...) _printf_(5, 6); /* -ESTALE, 409 Conflict: "Operation cannot be fulfilled on ..." */
int xb_status_forbidden(struct xb_status *s, const char *group, const char *resource, struct xb_sv name,
			const char *fmt, ...) _printf_(5, 6); /* -EACCES, 403 Forbidden: "x \"n\" is forbidden: ..." */
int xb_status_details(struct xb_status *s, const char *group, const char *kind,
		      struct xb_sv name); /* adds details to a set status; 0 */
int xb_status_cause(struct xb_status *s, const char *reason, struct xb_sv message,
		    struct xb_sv field); /* appends one cause; 0 or -ENOMEM */
/* The Status object as JSON ({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",...}), appended to out. */
void xb_status_write(const struct xb_status *s, struct xb_buf *out);

#endif
