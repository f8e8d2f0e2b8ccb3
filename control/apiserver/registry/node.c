/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>

#include "edit.h"
#include "ports.h"
#include "seen.h"
#include "table.h"
#include "xb/quantity.h"

static void defaults(struct write *w, struct xb_tree *object)
{
	struct xb_tree *spec = edit_obtain(w, object, "spec"), *status = edit_obtain(w, object, "status");
	struct xb_tree *cidrs = xb_tree_get(spec, "podCIDRs"), *capacity = xb_tree_get(status, "capacity");
	struct xb_sv cidr = xb_tree_gettext(spec, "podCIDR");

	if (cidr.n && (edit_is_empty(cidrs) || !xb_sv_eq(xb_tree_text(cidrs->first), cidr))) {
		edit_node(w, spec, "podCIDRs", xb_tree_array(w->arena));
		edit_append(w, xb_tree_get(spec, "podCIDRs"), xb_tree_str(w->arena, cidr));
	} else if (!cidr.n && !edit_is_empty(cidrs)) {
		edit_sv(w, spec, "podCIDR", xb_tree_text(cidrs->first));
	}
	if (capacity && !xb_tree_get(status, "allocatable"))
		edit_node(w, status, "allocatable", xb_tree_copy(w->arena, capacity));
}

static void prepare_update(struct write *w, struct xb_tree *object, const struct xb_tree *old)
{
	edit_keep(w, object, old, "status");
}

static void validate_taint(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *taint, struct seen *before)
{
	static const char *const effects[] = { "NoSchedule", "PreferNoSchedule", "NoExecute", NULL };
	static const char *const identity[] = { "key", "effect", NULL };

	xb_validate(e, XB_PATH(at, "key"), xb_tree_gettext(taint, "key"), xb_check_qualified_name);
	xb_validate(e, XB_PATH(at, "value"), xb_tree_gettext(taint, "value"), xb_check_label_value);
	xb_validate_one_of(e, XB_PATH(at, "effect"), xb_tree_gettext(taint, "effect"), effects);
	if (seen_node(before, taint, identity))
		xb_err_duplicate(e, at, xb_tree_gettext(taint, "key"));
}

static void validate_pod_cidrs(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *cidrs)
{
	unsigned n_v6 = 0, n = 0;

	xb_tree_each(cidr, cidrs) {
		xb_validate(e, XB_PATH_AT(at, n++), xb_tree_text(cidr), xb_check_cidr);
		n_v6 += ports_is_ipv6(xb_tree_text(cidr));
	}
	if (n > 2 || (n == 2 && n_v6 != 1))
		xb_err_invalid(e, at, cidrs, "may specify no more than one CIDR for each IP family");
}

static void validate_resources(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *list)
{
	xb_tree_each(each, list) {
		struct xb_quantity q;

		if (!xb_quantity_parse(xb_tree_text(each), &q) && q.nano < 0)
			xb_err_invalid_sv(e, XB_PATH_KEY(at, each->key), xb_tree_text(each),
					  "must be greater than or equal to 0");
	}
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	const struct xb_tree *spec = xb_tree_get(object, "spec"), *status = xb_tree_get(object, "status");
	const struct xb_path *status_path = XB_PATH(NULL, "status");
	struct seen taints = SEEN(e);
	long i = 0;

	/* upstream's path here is metadata.taints */
	xb_tree_each(taint, xb_tree_get(spec, "taints"))
		validate_taint(e, XB_PATH_AT(XB_PATH(XB_PATH(NULL, "metadata"), "taints"), i++), taint, &taints);
	validate_resources(e, XB_PATH(status_path, "capacity"), xb_tree_get(status, "capacity"));
	validate_resources(e, XB_PATH(status_path, "allocatable"), xb_tree_get(status, "allocatable"));
	validate_pod_cidrs(e, XB_PATH(XB_PATH(NULL, "spec"), "podCIDRs"), xb_tree_get(spec, "podCIDRs"));
}

static void validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	const struct xb_tree *spec = xb_tree_get(object, "spec"), *old_spec = xb_tree_get(old, "spec");
	const struct xb_path *at = XB_PATH(NULL, "spec");

	if (!edit_is_empty(xb_tree_get(old_spec, "podCIDRs")) && !edit_same(spec, old_spec, "podCIDRs"))
		xb_err_forbidden(e, XB_PATH(at, "podCIDRs"), "node updates may not change podCIDR except from \"\" to valid");
	if (xb_tree_gettext(old_spec, "providerID").n && !edit_same(spec, old_spec, "providerID"))
		xb_err_forbidden(e, XB_PATH(at, "providerID"),
				 "node updates may not change providerID except from \"\" to valid");
}

static void validate_status(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	static const char *const identity[] = { "type", "address", NULL };
	const struct xb_path *at = XB_PATH(XB_PATH(NULL, "status"), "addresses");
	struct seen addresses = SEEN(e);
	long i = 0;

	xb_tree_each(address, xb_tree_path(object, "status", "addresses")) {
		if (seen_node(&addresses, address, identity))
			xb_err_duplicate(e, XB_PATH_AT(at, i), xb_tree_gettext(address, "address"));
		i++;
	}
}

#define ADDRESSES "List of addresses reachable to the node. Queried from cloud provider, if available. More info: https://kubernetes.io/docs/reference/node/node-status/#addresses Note: This field is declared as mergeable, but the merge key is not sufficiently unique, which can cause data corruption when it is merged. Callers should instead use a full-replacement patch. See https://pr.k8s.io/79391 for an example. Consumers should assume that addresses can change during the lifetime of a Node. However, there are some exceptions where this may not be possible, such as Pods that inherit a Node's address in its own status or consumers of the downward API (status.hostIP)."

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Status", "string", "", "The status of the node", 0 },
	{ "Roles", "string", "", "The roles of the node", 0 },
	COLUMN_AGE,
	{ "Version", "string", "", "Kubelet Version reported by the node.", 0 },
	{ "Internal-IP", "string", "", ADDRESSES, 1 },
	{ "External-IP", "string", "", ADDRESSES, 1 },
	{ "OS-Image", "string", "", "OS Image reported by the node from /etc/os-release (e.g. Debian GNU/Linux 7 (wheezy)).", 1 },
	{ "Kernel-Version", "string", "", "Kernel Version reported by the node from 'uname -r' (e.g. 3.16.0-0.bpo.4-amd64).", 1 },
	{ "Container-Runtime", "string", "", "ContainerRuntime Version reported by the node through runtime remote API (e.g. containerd://1.4.2).", 1 },
};

/* The element of a list whose type is this. */
static struct xb_jv of_type(struct xb_jv list, const char *type)
{
	for (struct xb_jit it = xb_jv_iter(list); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "type"), xb_sv(type)))
			return it.value;
	return (struct xb_jv){};
}

static void cell_status(struct table_row *r, struct xb_jv object)
{
	struct xb_jv ready = of_type(xb_jv_path(object, "status", "conditions"), "Ready");
	bool cordoned = xb_jv_true(xb_jv_path(object, "spec", "unschedulable"));
	const char *status = "Unknown";
	char text[40];

	if (xb_jv_is(ready))
		status = xb_jv_streq(xb_jv_get(ready, "status"), XB_SV("True")) ? "Ready" : "NotReady";
	snprintf(text, sizeof(text), "%s%s", status, cordoned ? ",SchedulingDisabled" : "");
	xb_jw_str(r->w, text);
}

static void cell_roles(struct table_row *r, struct xb_jv labels)
{
	static const char prefix[] = "node-role.kubernetes.io/";
	_cleanup_buf_ struct xb_buf b = {};

	cell_open(&b);
	for (struct xb_jit it = xb_jv_iter(labels); xb_jit_next(&it);) {
		struct xb_sv role = {};

		if (xb_sv_starts(it.key, prefix))
			role = (struct xb_sv){ it.key.p + sizeof(prefix) - 1, it.key.n - (sizeof(prefix) - 1) };
		else if (xb_sv_is(it.key, "kubernetes.io/role"))
			role = xb_jv_text(it.value);
		if (role.n)
			cell_join(&b, role);
	}
	cell_close(r, &b, "<none>");
}

static void row(struct table_row *r, struct xb_jv object)
{
	struct xb_jv status = xb_jv_get(object, "status"), addresses = xb_jv_get(status, "addresses"),
					host = xb_jv_get(status, "nodeInfo");

	cell_name(r, object);
	cell_status(r, object);
	cell_roles(r, xb_jv_path(object, "metadata", "labels"));
	cell_age(r, object);
	cell_text(r, xb_jv_get(host, "kubeletVersion"), "");
	cell_text(r, xb_jv_get(of_type(addresses, "InternalIP"), "address"), "<none>");
	cell_text(r, xb_jv_get(of_type(addresses, "ExternalIP"), "address"), "<none>");
	cell_text(r, xb_jv_get(host, "osImage"), "<unknown>");
	cell_text(r, xb_jv_get(host, "kernelVersion"), "<unknown>");
	cell_text(r, xb_jv_get(host, "containerRuntimeVersion"), "<unknown>");
}

/* No condition is another than it was. */
static bool is_heartbeat(struct xb_jv old, const struct xb_tree *object)
{
	struct xb_jit it = xb_jv_iter(xb_jv_path(old, "status", "conditions"));

	xb_tree_each(c, xb_tree_path(object, "status", "conditions"))
		if (!xb_jit_next(&it) || !xb_jv_streq(xb_jv_get(it.value, "type"), xb_tree_gettext(c, "type")) ||
		    !xb_jv_streq(xb_jv_get(it.value, "status"), xb_tree_gettext(c, "status")))
			return false;
	return true;
}

const struct strategy node_strategy = {
	.group = "", .kind = "Node",
	.name = xb_check_dns1123_subdomain,
	.defaults = defaults,
	.prepare_update = prepare_update,
	.validate = validate,
	.validate_update = validate_update,
	.validate_status = validate_status,
	.unconditional_update = true,
	.is_heartbeat = is_heartbeat,
	COLUMNS(columns),
	.row = row,
};
