/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* /containerLogs/{namespace}/{pod}/{container} */
#include "../spec/spec.h"
#include "inner.h"
#include "log_choose.h"
#include "xb/time.h"

#define PENDING_MAX (256 << 10) /* of text that the client has not taken; then the file is not read on */

/* The container of that ID: the newest of its name, or the one before. */
static int find_container(const struct pod *pod, const char *name, const char *id, struct pod_container *ret)
{
	struct pod_container c;

	for (int previous = 0; previous < 2; previous++)
		if (!pod_container(pod, name, previous, &c) && !strcmp(c.id, id)) {
			*ret = c;
			return 0;
		}
	return -ENOENT;
}

static bool is_running(void *arg)
{
	const struct exchange *x = arg;
	const struct pod *pod = pods_find_uid(x->server->c.pods, x->uid);
	struct pod_container c;

	return pod && !find_container(pod, x->target.container, x->container_id, &c) && c.running;
}

static bool on_text(void *arg, struct xb_sv text)
{
	struct exchange *x = arg;

	x->wrote = true;
	xb_http_stream_write(x->r, text);
	return xb_http_stream_pending(x->r) < PENDING_MAX;
}

static void on_drain(struct xb_http_request *r)
{
	struct exchange *x = xb_http_user(r);

	log_stream_resume(x->log);
}

static void on_ended(void *arg, int error)
{
	struct exchange *x = arg;
	struct xb_http_request *r = x->r;
	_cleanup_buf_ struct xb_buf why = {};

	x->log = NULL;
	if (error && !x->wrote)
		xb_buf_addf(&why, "unable to retrieve container logs for containerd://%s: %s", x->container_id, strerror(-error));
	xb_http_stream_write(r, xb_buf_sv(&why));
	exchange_drop(x);
	if (error && !why.n)
		xb_http_stream_abort(r);
	else
		xb_http_stream_end(r);
}

static void stream(struct exchange *x, const char *path, const struct log_wanted *wanted)
{
	struct log_stream_config c = { .loop = x->server->c.loop, .path = path, .wanted = *wanted, .text = on_text, .running = is_running,
				       .ended = on_ended, .arg = x };

	if (log_stream_new(&c, &x->log)) {
		exchange_no_memory(x);
		return;
	}
	x->streams = true;
	xb_http_stream_begin(x->r, 200, TEXT, on_drain);
}

static void serve_log_of(struct exchange *x, const struct pod *pod, bool previous, const struct log_wanted *wanted)
{
	struct xb_jv status = pod_status(pod);
	_cleanup_buf_ struct xb_buf why = {};
	struct pod_container c;
	int r;

	if (!xb_jv_is(status))
		status = xb_jv_get(pod_document(pod), "status");
	r = log_choose(status, x->target.pod, x->target.container, previous, &x->container_id, &why);
	x->uid = r ? NULL : strdup(pod_uid(pod));
	if (r == -ENOENT)
		exchange_answer(x, 400, TEXT, xb_buf_sv(&why));
	else if (r || !x->uid)
		exchange_no_memory(x);
	else if (find_container(pod, x->target.container, x->container_id, &c) || !c.log_path)
		exchange_fail(x, 400, "unable to retrieve container logs for containerd://%s", x->container_id);
	else
		stream(x, c.log_path, wanted);
}

void serve_logs(struct exchange *x)
{
	const struct pod *pod = pods_find(x->server->c.pods, x->target.namespace_, x->target.pod);
	struct log_wanted wanted;
	bool previous;
	int r = query_log_options(xb_http_query(x->r), xb_time_now(), &previous, &wanted);

	if (r == -ENOMEM)
		exchange_no_memory(x);
	else if (r == -EDOM)
		exchange_answer(x, 422, TEXT, XB_SV("{\"message\": \"Invalid request.\"}"));
	else if (r)
		exchange_answer(x, 400, TEXT, XB_SV("{\"message\": \"Unable to decode query.\"}"));
	else if (!pod)
		exchange_fail(x, 404, "pod \"%s\" does not exist", x->target.pod);
	else if (!xb_jv_is(spec_find(pod_document(pod), xb_sv(x->target.container), NULL)))
		exchange_fail(x, 404, "container \"%s\" not found in pod \"%s\"", x->target.container, x->target.pod);
	else
		serve_log_of(x, pod, previous, &wanted);
}
