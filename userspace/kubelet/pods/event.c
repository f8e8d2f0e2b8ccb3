/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "pod.h"

static const char *list_of(const struct pod *p, struct xb_sv container)
{
	enum spec_container_kind kind = SPEC_MAIN;

	spec_find(p->document, container, &kind);
	return kind == SPEC_MAIN ? "containers" : kind == SPEC_EPHEMERAL ? "ephemeralContainers" : "initContainers";
}

void pod_event(struct pod *p, struct xb_sv container, int type, const char *reason, const char *fmt, ...)
{
	_cleanup_buf_ struct xb_buf text = {}, path = {};
	struct xb_event e = {
		.component = "kubelet", .kind = xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("pods")), .object = p->document,
		.type = type == POD_WARNING ? XB_EVENT_WARNING : XB_EVENT_NORMAL, .reason = reason,
	};
	va_list ap;

	if (!p->pods->c.recorder || !xb_jv_is(p->document))
		return;
	va_start(ap, fmt);
	xb_buf_addv(&text, fmt, ap);
	va_end(ap);
	if (container.n) {
		xb_buf_addf(&path, "spec.%s{%.*s}", list_of(p, container), XB_SV_ARG(container));
		e.field_path = path.p;
	}
	if (!text.err && !path.err)
		xb_recorder_event(p->pods->c.recorder, &e, "%s", text.p ? text.p : "");
}

void pod_event_name(const struct pod *p, struct xb_buf *out)
{
	xb_buf_addf(out, "%s_%s(%s)", p->name, p->namespace_, p->uid);
}
