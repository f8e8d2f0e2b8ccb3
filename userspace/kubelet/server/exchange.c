/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "inner.h"
#include "usage.h"

static void free_exchange(struct exchange *x)
{
	access_cancel(x->check);
	runtime_cancel(x->call);
	usage_cancel(x->usage);
	log_stream_cancel(x->log);
	LIST_REMOVE(x, link);
	target_done(&x->target);
	free(x->uid);
	free(x->container_id);
	free(x);
}

static void on_close(struct xb_http_request *r)
{
	exchange_drop(xb_http_user(r));
}

struct exchange *exchange_new(struct server *s, struct xb_http_request *r)
{
	struct exchange *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->server = s;
	x->r = r;
	LIST_INSERT_HEAD(&s->exchanges, x, link);
	xb_http_set_user(r, x);
	xb_http_on_close(r, on_close, NULL);
	return x;
}

void exchange_drop(struct exchange *x)
{
	free_exchange(x);
}

void exchange_answer(struct exchange *x, int code, const char *type, struct xb_sv body)
{
	struct xb_http_request *r = x->r;

	xb_http_respond(r, code, type, body);
	free_exchange(x);
}

void exchange_answer_buf(struct exchange *x, int code, const char *type, struct xb_buf *body)
{
	struct xb_http_request *r = x->r;

	if (body->err) {
		exchange_no_memory(x);
		return;
	}
	free_exchange(x);
	xb_http_respond_buf(r, code, type, body);
}

void exchange_fail(struct exchange *x, int code, const char *fmt, ...)
{
	_cleanup_buf_ struct xb_buf text = {};
	va_list ap;

	va_start(ap, fmt);
	xb_buf_addv(&text, fmt, ap);
	va_end(ap);
	exchange_answer(x, code, TEXT, xb_buf_sv(&text));
}

void exchange_break_off(struct exchange *x)
{
	struct xb_http_request *r = x->r;

	if (!x->streams) {
		exchange_answer(x, 503, TEXT, XB_SV("the kubelet is leaving"));
		return;
	}
	free_exchange(x);
	xb_http_stream_abort(r);
}

void exchange_no_memory(struct exchange *x)
{
	exchange_answer(x, 500, TEXT, XB_SV("out of memory"));
}
