/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "ports.h"
#include "seen.h"
#include "table.h"

enum { MAX_ENDPOINTS = 1000, MAX_ADDRESSES = 100, MAX_PORTS = 20000, MAX_TOPOLOGY = 16, MAX_HINTS = 8 };

/* A name with at least two labels; a dot at its end is allowed. */
static void validate_fqdn(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv name)
{
	if (xb_sv_ends(name, "."))
		name.n--;
	if (!name.n)
		xb_err_required(e, at, "");
	else if (xb_validate(e, at, name, xb_check_dns1123_subdomain) && !memchr(name.p, '.', name.n))
		xb_err_invalid_sv(e, at, name, "should be a domain with at least two segments separated by dots");
}

static void validate_ip(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv ip, bool v6)
{
	const char *faults[XB_CHECK_MAX];

	if (xb_check_ip(ip, faults) || ports_is_ipv6(ip) != v6)
		xb_err_invalid_sv(e, at, ip, "must be a valid IPv%d address", v6 ? 6 : 4);
	else
		xb_validate_non_special_ip(e, at, ip);
}

static void validate_addresses(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *list,
			       const struct xb_tree *type)
{
	size_t count = list ? list->count : 0;
	long i = 0;

	if (!count)
		xb_err_required(e, at, "must contain at least 1 address");
	if (count > MAX_ADDRESSES)
		xb_err_too_many(e, at, count, MAX_ADDRESSES);
	xb_tree_each(address, list) {
		const struct xb_path *here = XB_PATH_AT(at, i++);

		if (xb_tree_is(type, "FQDN"))
			validate_fqdn(e, here, xb_tree_text(address));
		else if (xb_tree_is(type, "IPv4") || xb_tree_is(type, "IPv6"))
			validate_ip(e, here, xb_tree_text(address), xb_tree_is(type, "IPv6"));
	}
}

static void validate_hints(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *zones)
{
	struct seen names = SEEN(e);
	long i = 0;

	if (zones && zones->count > MAX_HINTS) {
		xb_err_too_many(e, at, zones->count, MAX_HINTS);
		return;
	}
	xb_tree_each(zone, zones) {
		const struct xb_path *here = XB_PATH(XB_PATH_AT(at, i++), "name");

		if (seen_text(&names, xb_tree_gettext(zone, "name")))
			xb_err_duplicate(e, here, xb_tree_gettext(zone, "name"));
		xb_validate(e, here, xb_tree_gettext(zone, "name"), xb_check_label_value);
	}
}

static void validate_endpoint(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *endpoint,
			      const struct xb_tree *type)
{
	const struct xb_tree *node = xb_tree_get(endpoint, "nodeName"), *hostname = xb_tree_get(endpoint, "hostname");
	const struct xb_tree *topology = xb_tree_get(endpoint, "deprecatedTopology");

	validate_addresses(e, XB_PATH(at, "addresses"), xb_tree_get(endpoint, "addresses"), type);
	if (node)
		xb_validate(e, XB_PATH(at, "nodeName"), xb_tree_text(node), xb_check_dns1123_subdomain);
	if (topology && topology->count > MAX_TOPOLOGY)
		xb_err_too_many(e, XB_PATH(at, "deprecatedTopology"), topology->count, MAX_TOPOLOGY);
	if (topology)
		xb_validate_labels(e, XB_PATH(at, "deprecatedTopology"), topology);
	if (hostname)
		xb_validate(e, XB_PATH(at, "hostname"), xb_tree_text(hostname), xb_check_dns1123_label);
	validate_hints(e, XB_PATH(XB_PATH(at, "hints"), "forZones"), xb_tree_path(endpoint, "hints", "forZones"));
}

static void validate_endpoints(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *list,
			       const struct xb_tree *type)
{
	long i = 0;

	if (list && list->count > MAX_ENDPOINTS) {
		xb_err_too_many(e, at, list->count, MAX_ENDPOINTS);
		return;
	}
	xb_tree_each(endpoint, list)
		validate_endpoint(e, XB_PATH_AT(at, i++), endpoint, type);
}

static void validate_port(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *port, struct seen *names)
{
	struct xb_sv name = xb_tree_gettext(port, "name");
	const struct xb_tree *app = xb_tree_get(port, "appProtocol");

	if (name.n)
		xb_validate(e, XB_PATH(at, "name"), name, xb_check_dns1123_label);
	if (seen_text(names, name))
		xb_err_duplicate(e, XB_PATH(at, "name"), name);
	if (xb_tree_get(port, "port"))
		xb_validate_port(e, XB_PATH(at, "port"), xb_tree_geti64(port, "port", 0));
	xb_validate_one_of(e, XB_PATH(at, "protocol"), xb_tree_gettext(port, "protocol"), protocols);
	if (app)
		xb_validate(e, XB_PATH(at, "appProtocol"), xb_tree_text(app), xb_check_qualified_name);
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	static const char *const types[] = { "FQDN", "IPv4", "IPv6", NULL };
	const struct xb_tree *type = xb_tree_get(object, "addressType"), *ports = xb_tree_get(object, "ports");
	struct seen names = SEEN(e);
	long i = 0;

	xb_validate_one_of(e, XB_PATH(NULL, "addressType"), xb_tree_text(type), types);
	validate_endpoints(e, XB_PATH(NULL, "endpoints"), xb_tree_get(object, "endpoints"), type);
	if (ports && ports->count > MAX_PORTS) {
		xb_err_too_many(e, XB_PATH(NULL, "ports"), ports->count, MAX_PORTS);
		return;
	}
	xb_tree_each(port, ports)
		validate_port(e, XB_PATH_AT(XB_PATH(NULL, "ports"), i++), port, &names);
}

static void validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	xb_validate_immutable(e, XB_PATH(NULL, "addressType"), xb_tree_get(object, "addressType"), xb_tree_get(old,
			      "addressType"));
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "AddressType", "string", "", "addressType specifies the type of address carried by this EndpointSlice. All addresses in this slice must be the same type. This field is immutable after creation. The following address types are currently supported: * IPv4: Represents an IPv4 Address. * IPv6: Represents an IPv6 Address. * FQDN: Represents a Fully Qualified Domain Name.", 0 },
	{ "Ports", "string", "", "ports specifies the list of network ports exposed by each endpoint in this slice. Each port must have a unique name. When ports is empty, it indicates that there are no defined ports. When a port is defined with a nil port value, it indicates \"all ports\". Each slice may include a maximum of 100 ports.", 0 },
	{ "Endpoints", "string", "", "endpoints is a list of unique endpoints in this slice. Each slice may include a maximum of 1000 endpoints.", 0 },
	COLUMN_AGE,
};

static void cell_ports(struct table_row *r, struct xb_jv ports)
{
	_cleanup_buf_ struct xb_buf b = {};
	size_t count = 0;

	cell_open(&b);
	for (struct xb_jit it = xb_jv_iter(ports); xb_jit_next(&it); count++) {
		struct xb_jv number = xb_jv_get(it.value, "port"), name = xb_jv_get(it.value, "name");

		if (!cell_has_room(count))
			continue;
		if (xb_jv_is(number))
			cell_join(&b, xb_jv_bytes(number));
		else
			cell_join(&b, xb_jv_text(name).n ? xb_jv_text(name) : XB_SV("*"));
	}
	cell_more(&b, count);
	cell_close(r, &b, "<unset>");
}

static void cell_endpoints(struct table_row *r, struct xb_jv endpoints)
{
	_cleanup_buf_ struct xb_buf b = {};
	size_t count = 0;

	cell_open(&b);
	for (struct xb_jit it = xb_jv_iter(endpoints); xb_jit_next(&it);)
		for (struct xb_jit address = xb_jv_iter(xb_jv_get(it.value, "addresses")); xb_jit_next(&address); count++)
			if (cell_has_room(count))
				cell_join(&b, xb_jv_text(address.value));
	cell_more(&b, count);
	cell_close(r, &b, "<unset>");
}

static void row(struct table_row *r, struct xb_jv object)
{
	cell_name(r, object);
	cell_text(r, xb_jv_get(object, "addressType"), "");
	cell_ports(r, xb_jv_get(object, "ports"));
	cell_endpoints(r, xb_jv_get(object, "endpoints"));
	cell_age(r, object);
}

const struct strategy endpoint_slice_strategy = {
	.group = "discovery.k8s.io", .kind = "EndpointSlice",
	.name = xb_check_dns1123_subdomain,
	.validate = validate,
	.validate_update = validate_update,
	.has_generation = true,
	.unconditional_update = true,
	COLUMNS(columns),
	.row = row,
};
