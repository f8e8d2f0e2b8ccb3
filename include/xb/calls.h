/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_CALLS_H
#define XB_CALLS_H
/*
 * The requests of one piece of work, sent side by side: when all are answered it goes on. From within an answer more may be
 * added. One loop, one thread.
 */
#include "xb/rest.h"

struct xb_calls;
/* done is called once, after xb_calls_end and the last answer, with the first error of an answer or 0; the calls are gone then. */
struct xb_calls *xb_calls_new(struct xb_rest *rest, void (*done)(void *arg, int error), void *arg); /* NULL without memory */
/*
 * answered, which may be NULL, says what the answer means to the work: 0, or a negative errno. Without it the answer means
 * xb_calls_error(code, status). Errors: what xb_rest_send returns; it then counts as the work's.
 */
int xb_calls_add(struct xb_calls *c, const struct xb_rest_request *q,
		 int (*answered)(void *arg, int code, struct xb_sv body, const struct xb_status *status), void *arg);
void xb_calls_end(struct xb_calls *c);                  /* that were all; may call done at once */
struct xb_calls *xb_calls_cancel(struct xb_calls *c);   /* before done: it is not called, nor answered; NULL is taken */

/* 0 for 2xx; -ENOENT 404, -EEXIST AlreadyExists, -ESTALE other 409 and 410, -EACCES 401 and 403, -EINVAL 400 and 422, -EBUSY 429,
 * -EIO for the rest. */
int xb_calls_error(int code, const struct xb_status *status);
bool xb_calls_unknown(int code);                        /* it may have been done: without an answer, or with the server's own fault */

#endif
