/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "edit.h"
#include "ports.h"
#include "seen.h"
#include "service.h"

enum { KUBELET_PORT = 10250, MAX_AFFINITY_SECONDS = 86400 };

/* --- clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy */

static void validate_first_ip(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *spec)
{
	const struct xb_tree *ips = xb_tree_get(spec, "clusterIPs");
	struct xb_sv ip = xb_tree_gettext(spec, "clusterIP");

	if (ip.n && edit_is_empty(ips))
		xb_err_required(e, at, "");
	else if (ip.n && !xb_sv_eq(xb_tree_text(ips->first), ip))
		xb_err_invalid(e, at, ips, "first value must match `clusterIP`");
	else if (!ip.n && !edit_is_empty(ips))
		xb_err_invalid(e, at, ips, "must be empty when `clusterIP` is not specified");
}

static void validate_families(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *spec)
{
	static const char *const families[] = { "IPv4", "IPv6", NULL };
	static const char *const policies[] = { "PreferDualStack", "RequireDualStack", "SingleStack", NULL };
	const struct xb_tree *policy = xb_tree_get(spec, "ipFamilyPolicy");
	struct seen before = SEEN(e);
	long i = 0;

	xb_tree_each(family, xb_tree_get(spec, "ipFamilies")) {
		const struct xb_path *here = XB_PATH_AT(XB_PATH(at, "ipFamilies"), i++);

		xb_validate_one_of(e, here, xb_tree_text(family), families);
		if (seen_text(&before, xb_tree_text(family)))
			xb_err_duplicate(e, here, xb_tree_text(family));
	}
	if (policy)
		xb_validate_one_of(e, XB_PATH(at, "ipFamilyPolicy"), xb_tree_text(policy), policies);
}

static bool validate_each_ip(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *ips)
{
	bool good = true;
	long i = 0;

	xb_tree_each(ip, ips) {
		if (!i && xb_tree_is(ip, "None")) {
			if (ips->count > 1)
				xb_err_invalid(e, at, ips, "'None' must be the first and only value");
			good &= ips->count == 1;
			i++;
			continue;
		}
		good &= xb_validate(e, XB_PATH_AT(at, i++), xb_tree_text(ip), xb_check_ip);
	}
	return good;
}

static void validate_ip_families(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *spec)
{
	const struct xb_tree *ips = xb_tree_get(spec, "clusterIPs"), *families = xb_tree_get(spec, "ipFamilies");
	const struct xb_tree *ip = ips ? ips->first : NULL, *family = families ? families->first : NULL;

	for (long i = 0; ip && family; i++, ip = ip->next, family = family->next) {
		bool v6 = xb_tree_is(family, "IPv6");

		if (ports_is_ipv6(xb_tree_text(ip)) != v6)
			xb_err_invalid(e, XB_PATH_AT(at, i), ip,
				       "expected an IPv%d value as indicated by `ipFamilies[%ld]`", v6 ? 6 : 4, i);
	}
}

void service_validate_ips(struct xb_field_errors *e, const struct xb_tree *spec)
{
	const struct xb_tree *ips = xb_tree_get(spec, "clusterIPs");
	const struct xb_path *spec_path = XB_PATH(NULL, "spec"), *at = XB_PATH(spec_path, "clusterIPs");
	bool good;

	if (service_is(spec, "ExternalName"))
		return;
	validate_first_ip(e, at, spec);
	validate_families(e, spec_path, spec);
	good = validate_each_ip(e, at, ips);
	if (ips && ips->count > 2)
		xb_err_invalid(e, at, ips, "may only hold up to 2 values");
	if (!good)
		return;
	if (ips && ips->count == 2 && ports_is_ipv6(xb_tree_text(ips->first)) == ports_is_ipv6(xb_tree_text(ips->last)))
		xb_err_invalid(e, at, ips, "may specify no more than one IP for each IP family");
	if (!service_spec_is_headless(spec))
		validate_ip_families(e, at, spec);
}

/* --- the spec's parts */

static void validate_balancer_type(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *spec)
{
	long i = 0;

	xb_tree_each(port, xb_tree_get(spec, "ports")) {
		if (xb_tree_geti64(port, "port", 0) == KUBELET_PORT)
			xb_err_invalid(e, XB_PATH_AT(XB_PATH(at, "ports"), i), xb_tree_get(port, "port"),
				       "may not expose port %d externally since it is used by kubelet", KUBELET_PORT);
		i++;
	}
}

static void validate_external_name_type(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *spec)
{
	static const char *const unused[] = { "clusterIPs", "ipFamilies", "ipFamilyPolicy" };
	struct xb_sv name = xb_tree_gettext(spec, "externalName");

	for (size_t i = 0; i < ARRAY_SIZE(unused); i++) {
		const struct xb_tree *n = xb_tree_get(spec, unused[i]);

		if (n && (n->type != XB_JSON_ARRAY || n->count))
			xb_err_forbidden(e, XB_PATH(at, unused[i]), "may not be set for ExternalName services");
	}
	if (xb_sv_ends(name, "."))
		name.n--;
	if (name.n)
		xb_validate(e, XB_PATH(at, "externalName"), name, xb_check_dns1123_subdomain);
	else
		xb_err_required(e, XB_PATH(at, "externalName"), "");
}

static void validate_type(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *spec)
{
	if (edit_is_empty(xb_tree_get(spec, "ports")) && !service_spec_is_headless(spec) && !service_is(spec, "ExternalName"))
		xb_err_required(e, XB_PATH(at, "ports"), "");
	if (service_is(spec, "LoadBalancer"))
		validate_balancer_type(e, at, spec);
	if (service_needs_node_ports(spec) && service_spec_is_headless(spec))
		xb_err_invalid_sv(e, XB_PATH_AT(XB_PATH(at, "clusterIPs"), 0), XB_SV("None"),
				  "may not be set to 'None' for %.*s services",
				  XB_SV_ARG(xb_tree_gettext(spec, "type")));
	if (service_is(spec, "ExternalName"))
		validate_external_name_type(e, at, spec);
}

static void validate_ports(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *ports)
{
	struct seen names = SEEN(e);
	long i = 0;

	xb_tree_each(port, ports) {
		const struct xb_path *here = XB_PATH_AT(at, i++);

		ports_validate(e, here, port, ports->count > 1);
		if (xb_tree_gettext(port, "name").n && seen_text(&names, xb_tree_gettext(port, "name")))
			xb_err_duplicate(e, XB_PATH(here, "name"), xb_tree_gettext(port, "name"));
		xb_validate_port_or_name(e, XB_PATH(here, "targetPort"), xb_tree_get(port, "targetPort"));
	}
}

static void validate_affinity(struct xb_field_errors *e, const struct xb_path *spec_path, const struct xb_tree *spec)
{
	static const char *const kinds[] = { "ClientIP", "None", NULL };
	const struct xb_tree *affinity = xb_tree_get(spec, "sessionAffinity"), *config = xb_tree_get(spec,
						     "sessionAffinityConfig");
	const struct xb_tree *seconds = xb_tree_path(config, "clientIP", "timeoutSeconds");
	const struct xb_path *at = XB_PATH(spec_path, "sessionAffinityConfig");
	int64_t n = 0;

	xb_validate_one_of(e, XB_PATH(spec_path, "sessionAffinity"), xb_tree_text(affinity), kinds);
	(void)xb_tree_i64(seconds, &n);
	if (seconds && xb_tree_is(affinity, "ClientIP") && (n <= 0 || n > MAX_AFFINITY_SECONDS))
		xb_err_invalid(e, XB_PATH(XB_PATH(at, "clientIP"), "timeoutSeconds"), seconds,
			       "must be greater than 0 and less than %d",
			       MAX_AFFINITY_SECONDS);
	if (config && xb_tree_is(affinity, "None"))
		xb_err_forbidden(e, at, "must not be set when session affinity is None");
}

static void validate_external_ips(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *ips)
{
	long i = 0;

	xb_tree_each(ip, ips) {
		const struct xb_path *here = XB_PATH_AT(at, i++);

		if (xb_validate(e, here, xb_tree_text(ip), xb_check_ip))
			xb_validate_non_special_ip(e, here, xb_tree_text(ip));
	}
}

static void validate_port_lists(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *spec)
{
	static const char *const by_node_port[] = { "protocol", "nodePort", NULL }, *const by_port[] = { "protocol", "port", NULL };
	struct seen node_ports_seen = SEEN(e), ports_seen = SEEN(e);
	const struct xb_tree *ports = xb_tree_get(spec, "ports");
	long i = 0;

	xb_tree_each(port, ports) {
		if (service_is(spec, "ClusterIP") && xb_tree_get(port, "nodePort"))
			xb_err_forbidden(e, XB_PATH(XB_PATH_AT(at, i), "nodePort"),
					 "may not be used when `type` is 'ClusterIP'");
		i++;
	}
	i = 0;
	xb_tree_each(port, ports) {
		if (xb_tree_get(port, "nodePort") && seen_node(&node_ports_seen, port, by_node_port))
			xb_err_duplicate_go(e, XB_PATH(XB_PATH_AT(at, i), "nodePort"),
					    xb_arena_printf(e->arena, "%lld", (long long)xb_tree_geti64(port, "nodePort", 0)));
		i++;
	}
	i = 0;
	xb_tree_each(port, ports) {
		if (seen_node(&ports_seen, port, by_port))
			xb_err_duplicate_go(e, XB_PATH_AT(at, i), xb_arena_printf(e->arena,
				"core.ServicePort{Name:\"\", Protocol:\"%.*s\", AppProtocol:(*string)(nil), Port:%lld, TargetPort:intstr.IntOrString{Type:0, IntVal:0, StrVal:\"\"}, NodePort:0}",
				XB_SV_ARG(xb_tree_gettext(port, "protocol")), (long long)xb_tree_geti64(port, "port", 0)));
		i++;
	}
}

static void validate_balancer(struct xb_field_errors *e, const struct xb_path *spec_path, const struct xb_tree *spec)
{
	static const char only[] = "may only be used when `type` is 'LoadBalancer'";
	const struct xb_tree *ranges = xb_tree_get(spec, "loadBalancerSourceRanges"), *class = xb_tree_get(spec,
						   "loadBalancerClass");
	const struct xb_path *at = XB_PATH(spec_path, "LoadBalancerSourceRanges"); /* upstream's spelling */
	bool balanced = service_is(spec, "LoadBalancer");
	long i = 0;

	if (!edit_is_empty(ranges) && !balanced)
		xb_err_forbidden(e, at, only);
	xb_tree_each(range, ranges)
		xb_validate(e, XB_PATH_AT(at, i++), xb_sv_trim(xb_tree_text(range)), xb_check_cidr);
	at = XB_PATH(spec_path, "allocateLoadBalancerNodePorts");
	if (xb_tree_get(spec, "allocateLoadBalancerNodePorts") && !balanced)
		xb_err_forbidden(e, at, only);
	else if (!xb_tree_get(spec, "allocateLoadBalancerNodePorts") && balanced)
		xb_err_required(e, at, "");
	if (class && !balanced)
		xb_err_forbidden(e, XB_PATH(spec_path, "loadBalancerClass"), only);
	else if (class)
		xb_validate(e, XB_PATH(spec_path, "loadBalancerClass"), xb_tree_text(class), xb_check_qualified_name);
}

static void validate_health_port(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *spec)
{
	const struct xb_tree *port = xb_tree_get(spec, "healthCheckNodePort");

	if (!service_needs_health_port(spec)) {
		if (port)
			xb_err_invalid(e, at, port,
				"may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'");
	} else if (!port) {
		xb_err_required(e, at, "");
	} else {
		xb_validate_port(e, at, xb_tree_geti64(spec, "healthCheckNodePort", 0));
	}
}

static void validate_policies(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *spec)
{
	static const char *const policies[] = { "Cluster", "Local", NULL }, *const distributions[] = { "PreferClose", NULL };
	const struct xb_tree *external = xb_tree_get(spec, "externalTrafficPolicy"), *internal = xb_tree_get(spec,
						     "internalTrafficPolicy");
	const struct xb_tree *distribution = xb_tree_get(spec, "trafficDistribution");

	if (service_is_external(spec))
		xb_validate_one_of(e, XB_PATH(at, "externalTrafficPolicy"), xb_tree_text(external), policies);
	else if (external)
		xb_err_invalid(e, XB_PATH(at, "externalTrafficPolicy"), external,
			       "may only be set for externally-accessible services");
	validate_health_port(e, XB_PATH(at, "healthCheckNodePort"), spec);
	if (internal || service_needs_ip(spec))
		xb_validate_one_of(e, XB_PATH(at, "internalTrafficPolicy"), xb_tree_text(internal), policies);
	if (distribution)
		xb_validate_one_of(e, XB_PATH(at, "trafficDistribution"), xb_tree_text(distribution), distributions);
}

static void validate_topology_annotations(struct xb_field_errors *e, const struct xb_tree *object)
{
	static const char mode_key[] = "service.kubernetes.io/topology-mode", hints_key[] = "service.kubernetes.io/topology-aware-hints";
	const struct xb_tree *annotations = xb_tree_path(object, "metadata", "annotations");
	const struct xb_tree *mode = xb_tree_get(annotations, mode_key), *hints = xb_tree_get(annotations, hints_key);

	if (mode && hints && !xb_tree_equal(mode, hints))
		xb_err_invalid(e, XB_PATH_KEY(XB_PATH(XB_PATH(NULL, "metadata"), "annotations"), xb_sv(mode_key)), mode,
			       "must match annotations[%s] when both are specified", hints_key);
}

void service_validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	static const char *const types[] = { "ClusterIP", "ExternalName", "LoadBalancer", "NodePort", NULL };
	const struct xb_tree *spec = xb_tree_get(object, "spec");
	const struct xb_path *at = XB_PATH(NULL, "spec");

	validate_topology_annotations(e, object);
	validate_type(e, at, spec);
	validate_ports(e, XB_PATH(at, "ports"), xb_tree_get(spec, "ports"));
	if (xb_tree_get(spec, "selector"))
		xb_validate_labels(e, XB_PATH(at, "selector"), xb_tree_get(spec, "selector"));
	validate_affinity(e, at, spec);
	service_validate_ips(e, spec);
	validate_external_ips(e, XB_PATH(at, "externalIPs"), xb_tree_get(spec, "externalIPs"));
	xb_validate_one_of(e, XB_PATH(at, "type"), xb_tree_gettext(spec, "type"), types);
	validate_port_lists(e, XB_PATH(at, "ports"), spec);
	validate_balancer(e, at, spec);
	validate_policies(e, at, spec);
}

/* --- updates */

/* A second family may come and go; the entries that stay, stay as they are. what: "clusterIP" or "ipFamily". */
static void validate_kept(struct xb_field_errors *e, const struct xb_path *spec_path, const struct xb_tree *spec,
			  const struct xb_tree *old,
			  const char *key, const char *what)
{
	const struct xb_tree *list = xb_tree_get(spec, key), *old_list = xb_tree_get(old, key);
	const struct xb_tree *a = list ? list->first : NULL, *b = old_list ? old_list->first : NULL;
	const struct xb_tree *policy = xb_tree_get(spec, "ipFamilyPolicy");
	const struct xb_path *at = XB_PATH(spec_path, key);

	if (b && !a)
		xb_err_invalid_go(e, XB_PATH_AT(at, 0), "[]string(nil)", "primary %s can not be unset", what);
	for (long i = 0; a && b; i++, a = a->next, b = b->next)
		if (!xb_tree_equal(a, b))
			xb_err_invalid(e, XB_PATH_AT(at, i), list, "may not change once set");
	if (b && list && list->count == 1 && !xb_tree_is(policy, "SingleStack"))
		xb_err_invalid(e, XB_PATH(spec_path, "ipFamilyPolicy"), policy,
			       "must be set to 'SingleStack' when releasing the secondary %s", what);
}

void service_validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old_object,
			     struct xb_field_errors *e)
{
	const struct xb_tree *spec = xb_tree_get(object, "spec"), *old = xb_tree_get(old_object, "spec");
	const struct xb_path *at = XB_PATH(NULL, "spec");

	if (service_needs_ip(spec) && service_needs_ip(old)) {
		if (!service_spec_is_headless(spec) || !service_spec_is_headless(old))
			validate_kept(e, at, spec, old, "clusterIPs", "clusterIP");
		validate_kept(e, at, spec, old, "ipFamilies", "ipFamily");
	}
	if (service_is(spec, "LoadBalancer") && service_is(old, "LoadBalancer") && !edit_same(spec, old, "loadBalancerClass"))
		xb_err_invalid(e, XB_PATH(at, "loadBalancerClass"), xb_tree_get(spec, "loadBalancerClass"),
			       "may not change once set");
	if (service_needs_health_port(spec) && service_needs_health_port(old))
		xb_validate_immutable(e, XB_PATH(at, "healthCheckNodePort"), xb_tree_get(spec, "healthCheckNodePort"),
				      xb_tree_get(old, "healthCheckNodePort"));
}

static void validate_ingress(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *ingress)
{
	static const char *const modes[] = { "Proxy", "VIP", NULL };
	struct xb_sv ip = xb_tree_gettext(ingress, "ip"), hostname = xb_tree_gettext(ingress, "hostname");
	const struct xb_tree *mode = xb_tree_get(ingress, "ipMode");
	const char *faults[XB_CHECK_MAX];

	if (ip.n)
		xb_validate(e, XB_PATH(at, "ip"), ip, xb_check_ip);
	if (ip.n && mode)
		xb_validate_one_of(e, XB_PATH(at, "ipMode"), xb_tree_text(mode), modes);
	else if (mode)
		xb_err_forbidden(e, XB_PATH(at, "ipMode"), "may not be specified when `ip` is not set");
	if (!hostname.n)
		return;
	xb_validate(e, XB_PATH(at, "hostname"), hostname, xb_check_dns1123_subdomain);
	if (!xb_check_ip(hostname, faults))
		xb_err_invalid_sv(e, XB_PATH(at, "hostname"), hostname, "must be a DNS name, not an IP address");
}

void service_validate_status(struct write *w, const struct xb_tree *object, const struct xb_tree *old,
			     struct xb_field_errors *e)
{
	const struct xb_path *at = XB_PATH(XB_PATH(XB_PATH(NULL, "status"), "loadBalancer"), "ingress");
	const struct xb_tree *list = xb_tree_path(object, "status", "loadBalancer", "ingress");
	long i = 0;

	if (!edit_is_empty(list) && !service_is(xb_tree_get(object, "spec"), "LoadBalancer")) {
		xb_err_forbidden(e, at, "may only be used when `spec.type` is \"LoadBalancer\"");
		return;
	}
	xb_tree_each(ingress, list)
		validate_ingress(e, XB_PATH_AT(at, i++), ingress);
}
