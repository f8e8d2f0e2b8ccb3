/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "edit.h"
#include "pod.h"
#include "table.h"
#include "xb/time.h"

static const char *const running_lists[] = { "containers", "initContainers" };

/* A limit without request asks for as much. */
static void default_requests(struct write *w, struct xb_tree *container)
{
	struct xb_tree *resources = xb_tree_get(container, "resources"), *limits = xb_tree_get(resources, "limits"), *requests;

	if (edit_is_empty(limits))
		return;
	requests = edit_obtain(w, resources, "requests");
	xb_tree_each(limit, limits)
		if (!xb_tree_getsv(requests, limit->key))
			edit_entry(w, requests, limit->key, limit->text);
}

static void default_host_ports(struct write *w, struct xb_tree *container)
{
	xb_tree_each(port, xb_tree_get(container, "ports"))
		if (!xb_tree_get(port, "hostPort") && xb_tree_get(port, "containerPort"))
			edit_node(w, port, "hostPort", xb_tree_copy(w->arena, xb_tree_get(port, "containerPort")));
}

/* The single address and the first of the list are the same fact; the single one wins, as older kubelets write only it. */
static void default_ips(struct write *w, struct xb_tree *status, const char *one, const char *many)
{
	struct xb_sv ip = xb_tree_gettext(status, one);
	struct xb_tree *list = xb_tree_get(status, many), *entry;

	if (!ip.n && !edit_is_empty(list)) {
		edit_sv(w, status, one, xb_tree_gettext(list->first, "ip"));
	} else if (ip.n && (edit_is_empty(list) || !xb_sv_eq(xb_tree_gettext(list->first, "ip"), ip))) {
		entry = xb_tree_object(w->arena);
		edit_sv(w, entry, "ip", ip);
		edit_node(w, status, many, xb_tree_array(w->arena));
		edit_append(w, xb_tree_get(status, many), entry);
	}
}

static void defaults(struct write *w, struct xb_tree *object)
{
	struct xb_tree *spec = edit_obtain(w, object, "spec"), *status = xb_tree_get(object, "status");

	pod_spec_defaults(w, spec);
	for (size_t i = 0; i < ARRAY_SIZE(running_lists); i++)
		xb_tree_each(container, xb_tree_get(spec, running_lists[i])) {
			default_requests(w, container);
			if (xb_tree_true(xb_tree_get(spec, "hostNetwork")))
				default_host_ports(w, container);
		}
	edit_bool_default(w, spec, "enableServiceLinks", true);
	default_ips(w, status, "podIP", "podIPs");
	default_ips(w, status, "hostIP", "hostIPs");
}

static void prepare_create(struct write *w, struct xb_tree *object)
{
	struct xb_tree *spec = xb_tree_get(object, "spec"), *status;

	edit_json(w, object, "status", "{\"phase\":\"Pending\"}");
	status = xb_tree_get(object, "status");
	if (!status)
		return;
	edit_str(w, status, "qosClass", pod_qos_class(spec));
	if (!edit_is_empty(xb_tree_get(spec, "schedulingGates"))) {
		edit_json(w, status, "conditions",
			  "[{\"type\":\"PodScheduled\",\"status\":\"False\",\"reason\":\"SchedulingGated\","
			"\"message\":\"Scheduling is blocked due to non-empty scheduling gates\",\"lastProbeTime\":null,\"lastTransitionTime\":null}]");
	}
}

static void prepare_update(struct write *w, struct xb_tree *object, const struct xb_tree *old)
{
	static const char *const unsaid[] = { "priority", "preemptionPolicy" };
	struct xb_tree *spec = xb_tree_get(object, "spec");

	edit_keep(w, object, old, "status");
	/* given at creation, so a manifest that is put again does not take them away */
	for (size_t i = 0; i < ARRAY_SIZE(unsaid); i++)
		if (!xb_tree_get(spec, unsaid[i]))
			edit_keep(w, spec, xb_tree_get(old, "spec"), unsaid[i]);
}

static void validate_only_for_pods(struct xb_field_errors *e, const struct xb_path *spec_path, const struct xb_tree *spec)
{
	for (size_t i = 0; i < ARRAY_SIZE(running_lists); i++) {
		long n = 0;

		xb_tree_each(container, xb_tree_get(spec, running_lists[i])) {
			struct xb_sv image = xb_tree_gettext(container, "image");

			if (xb_sv_trim(image).n != image.n)
				xb_err_invalid_sv(e, XB_PATH(XB_PATH_AT(XB_PATH(spec_path, running_lists[i]), n),
						  "image"), image,
						  "must not have leading or trailing whitespace");
			n++;
		}
	}
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	const struct xb_tree *spec = xb_tree_get(object, "spec");
	const struct xb_path *at = XB_PATH(NULL, "spec");

	pod_spec_validate(w, at, spec, e);
	validate_only_for_pods(e, at, spec);
	if (!xb_tree_path(object, "metadata", "resourceVersion")) { /* at creation */
		if (!edit_is_empty(xb_tree_get(spec, "ephemeralContainers")))
			xb_err_forbidden(e, XB_PATH(at, "ephemeralContainers"), "cannot be set on create");
		if (!edit_is_empty(xb_tree_get(spec, "schedulingGates")) && xb_tree_gettext(spec, "nodeName").n)
			xb_err_forbidden(e, XB_PATH(at, "nodeName"),
					 "cannot be set until all schedulingGates have been cleared");
	}
}

/* --- binding */

static int check_binding(struct write *w, const struct xb_tree *binding, struct xb_status *reterr)
{
	static const char *const kinds[] = { "Node", "<empty>", NULL };
	struct xb_field_errors e = { .arena = w->arena };
	const struct xb_tree *target = xb_tree_get(binding, "target");
	const struct xb_path *at = XB_PATH(NULL, "target");
	struct xb_sv kind = xb_tree_gettext(target, "kind");

	if (kind.n && !xb_sv_is(kind, "Node"))
		xb_err_unsupported(&e, XB_PATH(at, "kind"), kind, kinds);
	if (!xb_tree_gettext(target, "name").n)
		xb_err_required(&e, XB_PATH(at, "name"), "");
	return xb_field_errors_status(&e, "", "Binding", w->name, reterr);
}

static int check_bindable(struct write *w, const struct xb_tree *pod, struct xb_status *reterr)
{
	static const char resource[] = "pods/binding";
	struct xb_sv name = xb_tree_text(xb_tree_path(pod, "metadata", "name"));
	struct xb_sv node = xb_tree_text(xb_tree_path(pod, "spec", "nodeName"));

	if (xb_tree_path(pod, "metadata", "deletionTimestamp"))
		return xb_status_conflict(reterr, "", resource, name,
					  "pod %.*s is being deleted, cannot be assigned to a host", XB_SV_ARG(name));
	if (node.n)
		return xb_status_conflict(reterr, "", resource, name, "pod %.*s is already assigned to node \"%.*s\"",
					  XB_SV_ARG(name), XB_SV_ARG(node));
	if (!edit_is_empty(xb_tree_path(pod, "spec", "schedulingGates")))
		return xb_status_conflict(reterr, "", resource, name, "pod %.*s has non-empty .spec.schedulingGates",
					  XB_SV_ARG(name));
	return 0;
}

static void merge_map(struct write *w, struct xb_tree *meta, const struct xb_tree *from, const char *key)
{
	struct xb_tree *into = edit_is_empty(xb_tree_get(from, key)) ? NULL : edit_obtain(w, meta, key);

	xb_tree_each(each, into ? xb_tree_get(from, key) : NULL)
		edit_entry(w, into, each->key, each->text);
}

int pod_bind(struct write *w, struct xb_tree *pod, const struct xb_tree *binding, struct xb_status *reterr)
{
	struct xb_tree *meta = xb_tree_get(pod, "metadata");
	int r = check_binding(w, binding, reterr);

	if (!r)
		r = check_bindable(w, pod, reterr);
	if (r < 0)
		return r;
	edit_sv(w, xb_tree_get(pod, "spec"), "nodeName", xb_tree_text(xb_tree_path(binding, "target", "name")));
	merge_map(w, meta, xb_tree_get(binding, "metadata"), "annotations");
	merge_map(w, meta, xb_tree_get(binding, "metadata"), "labels");
	edit_condition(w, edit_obtain(w, pod, "status"), "PodScheduled", "True");
	return w->no_memory ? -ENOMEM : 0;
}

/* --- deletion */

static void set_deletion(struct write *w, struct xb_tree *meta, int64_t from_us, int64_t grace)
{
	edit_str(w, meta, "deletionTimestamp", xb_arena_strn(w->arena, xb_sv(xb_time_format(from_us + grace * 1000000).s)));
	edit_int(w, meta, "deletionGracePeriodSeconds", grace);
}

/* A pod that nobody runs has nothing to wait for. */
static int64_t grace_of(const struct xb_tree *object, const struct delete_request *q)
{
	const struct xb_tree *spec = xb_tree_get(object, "spec"), *phase = xb_tree_path(object, "status", "phase");
	int64_t grace = q->grace_seconds;

	if (!xb_tree_gettext(spec, "nodeName").n || xb_tree_is(phase, "Failed") || xb_tree_is(phase, "Succeeded"))
		return 0;
	if (grace < 0)
		grace = xb_tree_geti64(spec, "terminationGracePeriodSeconds", 0);
	return grace < 0 ? 1 : grace;
}

/* Once it is being deleted, the time that is left can only become shorter. */
static enum deletion delete_again(struct write *w, struct xb_tree *meta, const struct delete_request *q)
{
	int64_t before = xb_tree_geti64(meta, "deletionGracePeriodSeconds", 0), due = 0;

	if (!before)
		return DELETE_NOW;
	if (q->grace_seconds < 0 || q->grace_seconds >= before)
		return DELETE_LATER;
	(void)xb_time_parse(xb_tree_gettext(meta, "deletionTimestamp"), &due);
	set_deletion(w, meta, due - before * 1000000, q->grace_seconds);
	return q->grace_seconds ? DELETE_LATER : DELETE_NOW;
}

static enum deletion delete_(struct write *w, struct xb_tree *object, const struct delete_request *q, struct xb_status *reterr)
{
	struct xb_tree *meta = xb_tree_get(object, "metadata");
	int64_t grace = grace_of(object, q), now = 0;

	if (xb_tree_get(meta, "deletionTimestamp"))
		return delete_again(w, meta, q);
	(void)xb_time_parse(xb_sv(w->now), &now);
	set_deletion(w, meta, now, grace);
	if (xb_tree_get(meta, "generation"))
		edit_int(w, meta, "generation", xb_tree_geti64(meta, "generation", 0) + 1);
	return grace ? DELETE_LATER : DELETE_NOW;
}

const struct strategy pod_strategy = {
	.group = "", .kind = "Pod",
	.name = xb_check_dns1123_subdomain,
	.defaults = defaults,
	.prepare_create = prepare_create,
	.prepare_update = prepare_update,
	.validate = validate,
	.validate_update = pod_validate_update,
	.prepare_status = pod_prepare_status,
	.validate_status = pod_validate_status,
	.delete_ = delete_,
	.parts = pod_parts,
	.has_generation = true,
	.unconditional_update = true,
	.returns_deleted = true,
	.columns = pod_columns,
	.n_columns = POD_COLUMNS,
	.row = pod_row,
};
