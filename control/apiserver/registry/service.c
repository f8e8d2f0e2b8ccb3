/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "edit.h"
#include "seen.h"
#include "service.h"
#include "table.h"

enum { AFFINITY_SECONDS = 10800 };

bool service_needs_ip(const struct xb_tree *spec)
{
	return service_is(spec, "ClusterIP") || service_needs_node_ports(spec);
}

bool service_spec_is_headless(const struct xb_tree *spec)
{
	const struct xb_tree *ips = xb_tree_get(spec, "clusterIPs");

	return ips && ips->count == 1 && xb_tree_is(ips->first, "None");
}

bool service_needs_node_ports(const struct xb_tree *spec)
{
	return service_is(spec, "NodePort") || service_is(spec, "LoadBalancer");
}

bool service_needs_health_port(const struct xb_tree *spec)
{
	return service_is(spec, "LoadBalancer") && xb_tree_is(xb_tree_get(spec, "externalTrafficPolicy"), "Local");
}

bool service_is_external(const struct xb_tree *spec)
{
	return service_needs_node_ports(spec) || (service_is(spec, "ClusterIP") && !edit_is_empty(xb_tree_get(spec,
					"externalIPs")));
}

/* --- defaults */

static void default_ports(struct write *w, struct xb_tree *spec)
{
	xb_tree_each(port, xb_tree_get(spec, "ports")) {
		const struct xb_tree *target = xb_tree_get(port, "targetPort");

		if (!target || xb_tree_is(target, "") || !xb_tree_geti64(port, "targetPort", 1))
			edit_int(w, port, "targetPort", xb_tree_geti64(port, "port", 0));
	}
}

static void default_affinity(struct write *w, struct xb_tree *spec)
{
	struct xb_tree *client_ip;

	edit_str_default(w, spec, "sessionAffinity", "None");
	if (xb_tree_is(xb_tree_get(spec, "sessionAffinity"), "None"))
		xb_tree_del(spec, "sessionAffinityConfig");
	if (!xb_tree_is(xb_tree_get(spec, "sessionAffinity"), "ClientIP"))
		return;
	client_ip = edit_obtain(w, edit_obtain(w, spec, "sessionAffinityConfig"), "clientIP");
	if (!xb_tree_get(client_ip, "timeoutSeconds"))
		edit_int(w, client_ip, "timeoutSeconds", AFFINITY_SECONDS);
}

static void default_status(struct write *w, struct xb_tree *status)
{
	struct xb_tree *balancer = edit_obtain(w, status, "loadBalancer");

	xb_tree_each(ingress, xb_tree_get(balancer, "ingress"))
		if (xb_tree_gettext(ingress, "ip").n)
			edit_str_default(w, ingress, "ipMode", "VIP");
}

static void defaults(struct write *w, struct xb_tree *object)
{
	struct xb_tree *spec = edit_obtain(w, object, "spec");

	edit_str_default(w, spec, "type", "ClusterIP");
	default_ports(w, spec);
	default_affinity(w, spec);
	if (service_is_external(spec))
		edit_str_default(w, spec, "externalTrafficPolicy", "Cluster");
	if (service_needs_ip(spec))
		edit_str_default(w, spec, "internalTrafficPolicy", "Cluster");
	if (service_is(spec, "LoadBalancer"))
		edit_bool_default(w, spec, "allocateLoadBalancerNodePorts", true);
	default_status(w, edit_obtain(w, object, "status"));
}

/* --- before the write */

static void set_one_ip(struct write *w, struct xb_tree *spec)
{
	edit_node(w, spec, "clusterIPs", xb_tree_array(w->arena));
	edit_append(w, xb_tree_get(spec, "clusterIPs"), xb_tree_str(w->arena, xb_tree_gettext(spec, "clusterIP")));
}

static void prepare_create(struct write *w, struct xb_tree *object)
{
	struct xb_tree *spec = xb_tree_get(object, "spec");

	edit_json(w, object, "status", "{\"loadBalancer\":{}}");
	if (xb_tree_gettext(spec, "clusterIP").n && edit_is_empty(xb_tree_get(spec, "clusterIPs")))
		set_one_ip(w, spec);
}

static void keep_if_empty(struct write *w, struct xb_tree *spec, const struct xb_tree *old, const char *key)
{
	const struct xb_tree *n = xb_tree_get(spec, key);

	if (!n || (n->type != XB_JSON_NUMBER && !n->text.n && !n->first))
		edit_keep(w, spec, old, key);
}

/* A client that knows only clusterIP, or only clusterIPs, changes both (KEP-563). */
static void follow_ips(struct write *w, struct xb_tree *spec, const struct xb_tree *old)
{
	bool same_ips;

	if (edit_is_empty(xb_tree_get(spec, "clusterIPs")) && edit_same(spec, old, "clusterIP"))
		edit_keep(w, spec, old, "clusterIPs");
	same_ips = edit_same(spec, old, "clusterIPs");
	if (edit_same(spec, old, "clusterIP") || !same_ips)
		return;
	if (xb_tree_gettext(spec, "clusterIP").n)
		set_one_ip(w, spec);
	else
		xb_tree_del(spec, "clusterIPs");
}

static const char *const node_port_key[] = { "nodePort", NULL };

static struct seen node_ports_of(struct write *w, const struct xb_tree *spec)
{
	struct seen numbers = SEEN(w);

	xb_tree_each(port, xb_tree_get(spec, "ports"))
		if (xb_tree_get(port, "nodePort"))
			seen_node(&numbers, port, node_port_key);
	return numbers;
}

/* A port that comes without node port gets the one that its name had, unless another port of the new list has that. */
static void keep_node_ports(struct write *w, struct xb_tree *spec, const struct xb_tree *old)
{
	struct seen taken = node_ports_of(w, spec);
	struct xb_tree *by_name = xb_tree_object(w->arena);

	xb_tree_each(port, xb_tree_get(old, "ports"))
		edit_member(w, by_name, xb_tree_gettext(port, "name"), xb_tree_copy(w->arena, port));
	xb_tree_each(port, xb_tree_get(spec, "ports")) {
		const struct xb_tree *before = xb_tree_getsv(by_name, xb_tree_gettext(port, "name"));

		if (xb_tree_get(before, "nodePort") && !xb_tree_get(port, "nodePort") && !seen_has(&taken, before, node_port_key))
			edit_keep(w, port, before, "nodePort");
	}
}

/* The node ports go, unless the client asked for others than there were. */
static void drop_node_ports(struct write *w, struct xb_tree *spec, const struct xb_tree *old)
{
	struct seen before = node_ports_of(w, old);

	xb_tree_each(port, xb_tree_get(spec, "ports"))
		if (xb_tree_get(port, "nodePort") && !seen_has(&before, port, node_port_key))
			return;
	xb_tree_each(port, xb_tree_get(spec, "ports"))
		xb_tree_del(port, "nodePort");
}

static void drop_if_same(struct xb_tree *spec, const struct xb_tree *old, const char *key)
{
	if (edit_same(spec, old, key))
		xb_tree_del(spec, key);
}

/* What the new type has no use for goes, where the client left it as it was; what it did change is for validation. */
static void drop_unused(struct write *w, struct xb_tree *spec, const struct xb_tree *old)
{
	if (service_needs_ip(old) && !service_needs_ip(spec)) {
		if (edit_same(spec, old, "clusterIPs"))
			xb_tree_del(spec, "clusterIP");
		drop_if_same(spec, old, "clusterIPs");
		drop_if_same(spec, old, "ipFamilies");
		drop_if_same(spec, old, "ipFamilyPolicy");
	}
	if (service_needs_node_ports(old) && !service_needs_node_ports(spec))
		drop_node_ports(w, spec, old);
	if (service_needs_health_port(old) && !service_needs_health_port(spec))
		drop_if_same(spec, old, "healthCheckNodePort");
	if (service_is(old, "LoadBalancer") && !service_is(spec, "LoadBalancer")) {
		drop_if_same(spec, old, "allocateLoadBalancerNodePorts");
		drop_if_same(spec, old, "loadBalancerClass");
	}
	if (service_is_external(old) && !service_is_external(spec))
		drop_if_same(spec, old, "externalTrafficPolicy");
}

static void prepare_update(struct write *w, struct xb_tree *object, const struct xb_tree *old_object)
{
	struct xb_tree *spec = xb_tree_get(object, "spec");
	const struct xb_tree *old = xb_tree_get(old_object, "spec");

	edit_keep(w, object, old_object, "status");
	if (service_needs_ip(old) && service_needs_ip(spec)) {
		keep_if_empty(w, spec, old, "clusterIP");
		keep_if_empty(w, spec, old, "ipFamilies");
	}
	follow_ips(w, spec, old);
	if (service_needs_node_ports(old) && service_needs_node_ports(spec))
		keep_node_ports(w, spec, old);
	if (service_needs_health_port(old) && service_needs_health_port(spec))
		keep_if_empty(w, spec, old, "healthCheckNodePort");
	drop_unused(w, spec, old);
}

/* --- table */

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Type", "string", "", "type determines how the Service is exposed. Defaults to ClusterIP. Valid options are ExternalName, ClusterIP, NodePort, and LoadBalancer. \"ClusterIP\" allocates a cluster-internal IP address for load-balancing to endpoints. Endpoints are determined by the selector or if that is not specified, by manual construction of an Endpoints object or EndpointSlice objects. If clusterIP is \"None\", no virtual IP is allocated and the endpoints are published as a set of endpoints rather than a virtual IP. \"NodePort\" builds on ClusterIP and allocates a port on every node which routes to the same endpoints as the clusterIP. \"LoadBalancer\" builds on NodePort and creates an external load-balancer (if supported in the current cloud) which routes to the same endpoints as the clusterIP. \"ExternalName\" aliases this service to the specified externalName. Several other fields do not apply to ExternalName services. More info: https://kubernetes.io/docs/concepts/services-networking/service/#publishing-services-service-types", 0 },
	{ "Cluster-IP", "string", "", "clusterIP is the IP address of the service and is usually assigned randomly. If an address is specified manually, is in-range (as per system configuration), and is not in use, it will be allocated to the service; otherwise creation of the service will fail. This field may not be changed through updates unless the type field is also being changed to ExternalName (which requires this field to be blank) or the type field is being changed from ExternalName (in which case this field may optionally be specified, as describe above).  Valid values are \"None\", empty string (\"\"), or a valid IP address. Setting this to \"None\" makes a \"headless service\" (no virtual IP), which is useful when direct endpoint connections are preferred and proxying is not required.  Only applies to types ClusterIP, NodePort, and LoadBalancer. If this field is specified when creating a Service of type ExternalName, creation will fail. This field will be wiped when updating a Service to type ExternalName. More info: https://kubernetes.io/docs/concepts/services-networking/service/#virtual-ips-and-service-proxies", 0 },
	{ "External-IP", "string", "", "externalIPs is a list of IP addresses for which nodes in the cluster will also accept traffic for this service.  These IPs are not managed by Kubernetes.  The user is responsible for ensuring that traffic arrives at a node with this IP.  A common example is external load-balancers that are not part of the Kubernetes system.", 0 },
	{ "Port(s)", "string", "", "The list of ports that are exposed by this service. More info: https://kubernetes.io/docs/concepts/services-networking/service/#virtual-ips-and-service-proxies", 0 },
	COLUMN_AGE,
	{ "Selector", "string", "", "Route service traffic to pods with label keys and values matching this selector. If empty or not present, the service is assumed to have an external process managing its endpoints, which Kubernetes will not modify. Only applies to types ClusterIP, NodePort, and LoadBalancer. Ignored if type is ExternalName. More info: https://kubernetes.io/docs/concepts/services-networking/service/", 1 },
};

static void join_texts(struct xb_buf *b, struct xb_jv list)
{
	for (struct xb_jit it = xb_jv_iter(list); xb_jit_next(&it);)
		cell_join(b, xb_jv_text(it.value));
}

static void cell_external_ip(struct table_row *r, struct xb_jv object)
{
	struct xb_jv spec = xb_jv_get(object, "spec"), type = xb_jv_get(spec, "type");
	bool balanced = xb_jv_streq(type, XB_SV("LoadBalancer"));
	_cleanup_buf_ struct xb_buf b = {};

	if (xb_jv_streq(type, XB_SV("ExternalName"))) {
		cell_text(r, xb_jv_get(spec, "externalName"), "");
		return;
	}
	cell_open(&b);
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(object, "status", "loadBalancer",
	     "ingress")); balanced && xb_jit_next(&it);) {
		struct xb_sv ip = xb_jv_text(xb_jv_get(it.value, "ip"));

		cell_join(&b, ip.n ? ip : xb_jv_text(xb_jv_get(it.value, "hostname")));
	}
	join_texts(&b, xb_jv_get(spec, "externalIPs"));
	cell_close(r, &b, balanced ? "<pending>" : "<none>");
}

static void cell_ports(struct table_row *r, struct xb_jv ports)
{
	_cleanup_buf_ struct xb_buf b = {};

	cell_open(&b);
	for (struct xb_jit it = xb_jv_iter(ports); xb_jit_next(&it);) {
		struct xb_jv node_port = xb_jv_get(it.value, "nodePort");

		cell_join(&b, xb_jv_bytes(xb_jv_get(it.value, "port")));
		if (xb_jv_is(node_port))
			xb_buf_addf(&b, ":%.*s", XB_SV_ARG(xb_jv_bytes(node_port)));
		xb_buf_addf(&b, "/%.*s", XB_SV_ARG(xb_jv_text(xb_jv_get(it.value, "protocol"))));
	}
	cell_close(r, &b, "<none>");
}

static void row(struct table_row *r, struct xb_jv object)
{
	struct xb_jv spec = xb_jv_get(object, "spec");

	cell_name(r, object);
	cell_text(r, xb_jv_get(spec, "type"), "");
	cell_text(r, xb_jv_at(xb_jv_get(spec, "clusterIPs"), 0), "<none>");
	cell_external_ip(r, object);
	cell_ports(r, xb_jv_get(spec, "ports"));
	cell_age(r, object);
	cell_labels(r, xb_jv_get(spec, "selector"));
}

const struct strategy service_strategy = {
	.group = "", .kind = "Service",
	.name = xb_check_dns1035_label,
	.defaults = defaults,
	.prepare_create = prepare_create,
	.prepare_update = prepare_update,
	.begin = service_begin,
	.end = service_end,
	.validate = service_validate,
	.validate_update = service_validate_update,
	.validate_status = service_validate_status,
	.create_on_update = true,
	.unconditional_update = true,
	COLUMNS(columns),
	.row = row,
};
