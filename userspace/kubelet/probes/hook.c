/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Lifecycle hooks: an attempt that is made once, or a time that passes. */
#include "probes_inner.h"

struct hook {
	LIST_ENTRY(hook) link;
	uv_timer_t timer;
	struct attempt *attempt;
	bool cut;                       /* a sleep that has not the time for all of it */
	char *refused;                  /* why it cannot be run, to be told in the loop's next turn */
	void (*done)(void *arg, int error, const char *why);
	void *arg;
};

static void closed(uv_handle_t *h)
{
	struct hook *hook = h->data;

	free(hook->refused);
	free(hook);
}

void hook_cancel(struct hook *h)
{
	if (!h)
		return;
	LIST_REMOVE(h, link);
	attempt_cancel(TAKE_PTR(h->attempt));
	uv_close((uv_handle_t *)&h->timer, closed);
}

/* Ended first: its owner may free all the hooks that there are. */
static void end(struct hook *h, int error, const char *why)
{
	hook_cancel(h);
	h->done(h->arg, error, why);
}

static void on_attempt(void *arg, const struct attempt_result *result)
{
	struct hook *h = arg;
	_cleanup_buf_ struct xb_buf why = {};

	h->attempt = NULL;
	if (result->outcome == ATTEMPT_SUCCESS || result->outcome == ATTEMPT_WARNING) {
		end(h, 0, "");
		return;
	}
	xb_buf_addf(&why, "error: %s", result->error);
	if (result->output) {
		xb_buf_adds(&why, ", message: ");
		xb_buf_addq(&why, xb_sv(result->output));
	}
	end(h, -EIO, why.p ?: "");
}

static void on_timer(uv_timer_t *t)
{
	struct hook *h = t->data;
	_cleanup_buf_ struct xb_buf why = {};

	if (h->refused)
		xb_buf_addf(&why, "error: %s", h->refused);
	else if (h->cut)
		xb_buf_adds(&why, "error: container terminated before sleep hook finished");
	end(h, h->refused ? -EINVAL : h->cut ? -ETIMEDOUT : 0, why.p ?: "");
}

static void sleep_for(struct hook *h, struct xb_jv sleep, unsigned timeout_ms)
{
	int64_t seconds = 0;
	uint64_t ms;

	xb_jv_i64(xb_jv_get(sleep, "seconds"), &seconds);
	ms = (uint64_t)MIN(MAX(seconds, 0), INT32_MAX) * 1000;
	h->cut = timeout_ms && timeout_ms < ms;
	uv_timer_start(&h->timer, on_timer, h->cut ? timeout_ms : ms, 0);
}

int hook_run(struct probes *p, struct xb_jv container, struct xb_jv handler, const char *container_id, const char *pod_ip,
	     unsigned timeout_ms, void (*done)(void *arg, int error, const char *why), void *arg, struct hook **ret)
{
	const struct attempt_request q = {
		.container = container,
		.handler = handler,
		.container_id = container_id,
		.pod_ip = pod_ip,
		.timeout_ms = timeout_ms,
		.hook = true,
	};
	struct xb_jv sleep = xb_jv_get(handler, "sleep");
	struct hook *h = calloc(1, sizeof(*h));
	int r = 0;

	if (!h)
		return -ENOMEM;
	h->done = done;
	h->arg = arg;
	uv_timer_init(p->c.loop, &h->timer);
	h->timer.data = h;
	LIST_INSERT_HEAD(&p->hooks, h, link);
	if (xb_jv_type(sleep) == XB_JSON_OBJECT)
		sleep_for(h, sleep, timeout_ms);
	else if (xb_jv_type(xb_jv_get(handler, "tcpSocket")) == XB_JSON_OBJECT)
		uv_timer_start(&h->timer, on_timer, 0, 0);
	else
		r = attempt_start(&p->tools, &q, on_attempt, h, &h->attempt, &h->refused);
	if (h->refused)
		r = uv_timer_start(&h->timer, on_timer, 0, 0);
	if (r)
		hook_cancel(h);
	else if (ret)
		*ret = h;
	return r;
}

/* --- words --- */
/* A list of words as Go prints one. */
static void add_command(struct xb_jv words, struct xb_buf *out)
{
	const char *before = "[";

	for (struct xb_jit it = xb_jv_iter(words); xb_jit_next(&it); before = " ") {
		xb_buf_adds(out, before);
		xb_json_unescape(xb_jv_text(it.value), out);
	}
	xb_buf_addc(out, ']');
}

void hook_sentence(struct xb_jv pod, struct xb_jv container, struct xb_jv handler, const char *why, struct xb_buf *out)
{
	struct xb_jv exec = xb_jv_get(handler, "exec"), http = xb_jv_get(handler, "httpGet"), meta = xb_jv_get(pod, "metadata");

	if (xb_jv_type(exec) == XB_JSON_OBJECT) {
		xb_buf_adds(out, "Exec lifecycle hook (");
		add_command(xb_jv_get(exec, "command"), out);
	} else if (xb_jv_type(http) == XB_JSON_OBJECT) {
		xb_buf_adds(out, "HTTP lifecycle hook (");
		xb_json_unescape(xb_jv_text(xb_jv_get(http, "path")), out);
	} else {
		xb_buf_adds(out, "Sleep lifecycle hook (");
		xb_buf_addsv(out, xb_jv_bytes(xb_jv_path(handler, "sleep", "seconds")));
	}
	xb_buf_addf(out, ") for Container \"%.*s\" in Pod \"%.*s_%.*s(%.*s)\" failed - %s", XB_SV_ARG(xb_jv_text(xb_jv_get(container, "name"))),
		    XB_SV_ARG(xb_jv_text(xb_jv_get(meta, "name"))), XB_SV_ARG(xb_jv_text(xb_jv_get(meta, "namespace"))),
		    XB_SV_ARG(xb_jv_text(xb_jv_get(meta, "uid"))), why);
}
