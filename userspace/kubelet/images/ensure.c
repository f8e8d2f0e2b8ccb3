/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include "inner.h"
#include "xb/time.h"

void request_event(const struct request *q, bool warning, const char *reason, const char *fmt, ...)
{
	_cleanup_buf_ struct xb_buf text = {};
	va_list ap;

	va_start(ap, fmt);
	xb_buf_addv(&text, fmt, ap);
	va_end(ap);
	if (!text.err && q->done)
		q->images->config.event(q->images->config.arg, q->uid, q->container_name, warning, reason, text.p);
}

char *rpc_fault(int code, const char *message)
{
	char *text = NULL;

	return asprintf(&text, "rpc error: code = %s desc = %s", xb_grpc_code_name(code), message) < 0 ? NULL : text;
}

int request_found(struct request *q, const Runtime__V1__Image *image)
{
	q->found.ref = strdup(q->ref ? q->ref : image->id);
	q->found.username = strdup(image->username);
	q->found.has_uid = image->uid != NULL;
	q->found.uid = image->uid ? image->uid->value : 0;
	return q->found.ref && q->found.username ? 0 : -ENOMEM;
}

static char *formatted(const char *fmt, ...) _printf_(1, 2);
static char *formatted(const char *fmt, ...)
{
	struct xb_buf text = {};
	va_list ap;

	va_start(ap, fmt);
	xb_buf_addv(&text, fmt, ap);
	va_end(ap);
	return xb_buf_steal(&text);
}

static void inspect_failed(struct request *q, const char *reason, char *why)
{
	request_event(q, true, "InspectFailed", "%s", why ? why : "");
	request_finish(q, reason, why);
}

static void never(struct request *q)
{
	char *why = formatted("Container image \"%s\" is not present with pull policy of Never", q->asked);

	request_event(q, true, "ErrImageNeverPull", "%s", why ? why : "");
	request_finish(q, "ErrImageNeverPull", why);
}

static struct xb_sv policy_of(const struct request *q)
{
	struct xb_sv policy = xb_jv_text(xb_jv_get(q->container, "imagePullPolicy"));

	return policy.n ? policy : xb_sv(image_name_policy(&q->name));
}

static void on_status(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	const Runtime__V1__ImageStatusResponse *r = (const Runtime__V1__ImageStatusResponse *)reply;
	struct request *q = arg;

	q->call = NULL;
	if (code != XB_GRPC_OK) {
		_cleanup_free_ char *fault = rpc_fault(code, message);

		inspect_failed(q, "ImageInspectError", formatted("Failed to inspect image \"%s\": %s", q->asked, fault ? fault : ""));
	} else if (r->image && request_found(q, r->image)) {
		inspect_failed(q, "ImageInspectError", formatted("Failed to inspect image \"%s\": %s", q->asked, strerror(ENOMEM)));
	} else if (r->image) {
		request_event(q, false, "Pulled", "Container image \"%s\" already present on machine", q->asked);
		request_finish(q, NULL, NULL);
	} else if (xb_sv_is(policy_of(q), "Never")) {
		never(q);
	} else {
		pull_begin(q);
	}
}

static int look(struct request *q)
{
	Runtime__V1__ImageStatusRequest m = RUNTIME__V1__IMAGE_STATUS_REQUEST__INIT;
	Runtime__V1__ImageSpec spec = RUNTIME__V1__IMAGE_SPEC__INIT;

	spec.image = q->image;
	m.image = &spec;
	return runtime_call(q->images->config.runtime, RPC_IMAGE_STATUS, &m.base, 0, on_status, q, &q->call);
}

static int begin(struct request *q)
{
	const char *fault = NULL;
	int r = image_name_parse(xb_sv(q->asked), &q->name, &fault);

	if (r == -EINVAL) {
		inspect_failed(q, "InvalidImageName", formatted("Failed to apply default image tag \"%s\": couldn't parse image name \"%s\": %s",
								q->asked, q->asked, fault));
		return 0;
	}
	if (r)
		return r;
	q->image = formatted("%s%s", q->asked, q->name.tag || q->name.digest ? "" : ":latest");
	if (!q->image)
		return -ENOMEM;
	if (!xb_sv_is(policy_of(q), "Always"))
		return look(q);
	pull_begin(q);
	return 0;
}

int images_ensure(struct images *i, struct xb_jv pod, struct xb_jv container, images_done *done, void *arg)
{
	struct request *q = calloc(1, sizeof(*q)), **last = &i->requests;
	int r;

	if (!q)
		return -ENOMEM;
	*q = (struct request){ .images = i, .doc = xb_json_ref(pod.doc), .pod = pod, .container = container, .done = done, .arg = arg };
	q->uid = xb_jv_dup(xb_jv_path(pod, "metadata", "uid"));
	q->container_name = xb_jv_dup(xb_jv_get(container, "name"));
	q->asked = xb_jv_dup(xb_jv_get(container, "image"));
	while (*last)
		last = &(*last)->next;
	*last = q;
	r = q->uid && q->container_name && q->asked ? begin(q) : -ENOMEM;
	if (r) {
		*last = NULL;
		request_drop(q);
	}
	return r;
}
