/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <sys/queue.h>
#include "xb/calls.h"

struct one {
	LIST_ENTRY(one) link;
	struct xb_calls *calls;
	struct xb_rest_call *call;
	int (*answered)(void *arg, int code, struct xb_sv body, const struct xb_status *status);
	void *arg;
};
struct xb_calls {
	struct xb_rest *rest;
	void (*done)(void *arg, int error);
	void *arg;
	LIST_HEAD(, one) open;
	bool ended;
	int error;
};

int xb_calls_error(int code, const struct xb_status *status)
{
	if (code >= 200 && code < 300)
		return 0;
	switch (code) {
	case 400:
	case 422:
		return -EINVAL;
	case 401:
	case 403:
		return -EACCES;
	case 404:
		return -ENOENT;
	case 409:
		return status && status->reason && !strcmp(status->reason, "AlreadyExists") ? -EEXIST : -ESTALE;
	case 410:
		return -ESTALE;
	case 429:
		return -EBUSY;
	default:
		return -EIO;
	}
}

bool xb_calls_unknown(int code)
{
	return !code || code >= 500;
}

struct xb_calls *xb_calls_new(struct xb_rest *rest, void (*done)(void *arg, int error), void *arg)
{
	struct xb_calls *c = calloc(1, sizeof(*c));

	if (c)
		*c = (struct xb_calls){ .rest = rest, .done = done, .arg = arg };
	return c;
}

static void go_on(struct xb_calls *c)
{
	void (*done)(void *arg, int error) = c->done;
	void *arg = c->arg;
	int error = c->error;

	if (!c->ended || !LIST_EMPTY(&c->open))
		return;
	free(c);
	done(arg, error);
}

static void on_answer(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct one *o = arg;
	struct xb_calls *c = o->calls;
	int r;

	r = o->answered ? o->answered(o->arg, code, body, status) : xb_calls_error(code, status);
	LIST_REMOVE(o, link);
	free(o);
	if (r && !c->error)
		c->error = r;
	go_on(c);
}

int xb_calls_add(struct xb_calls *c, const struct xb_rest_request *q,
		 int (*answered)(void *arg, int code, struct xb_sv body, const struct xb_status *status), void *arg)
{
	struct one *o = malloc(sizeof(*o));
	int r = -ENOMEM;

	if (o) {
		*o = (struct one){ .calls = c, .answered = answered, .arg = arg };
		r = xb_rest_send(c->rest, q, on_answer, o, &o->call);
	}
	if (!r) {
		LIST_INSERT_HEAD(&c->open, o, link);
		return 0;
	}
	free(o);
	if (!c->error)
		c->error = r;
	return r;
}

void xb_calls_end(struct xb_calls *c)
{
	c->ended = true;
	go_on(c);
}

struct xb_calls *xb_calls_cancel(struct xb_calls *c)
{
	struct one *o;

	while (c && (o = LIST_FIRST(&c->open))) {
		xb_rest_cancel(o->call);
		LIST_REMOVE(o, link);
		free(o);
	}
	free(c);
	return NULL;
}
