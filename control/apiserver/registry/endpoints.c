/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "ports.h"
#include "table.h"

static void validate_address(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *address)
{
	struct xb_sv ip = xb_tree_gettext(address, "ip"), hostname = xb_tree_gettext(address, "hostname");
	const struct xb_tree *node = xb_tree_get(address, "nodeName");

	if (hostname.n)
		xb_validate(e, XB_PATH(at, "hostname"), hostname, xb_check_dns1123_label);
	if (node)
		xb_validate(e, XB_PATH(at, "nodeName"), xb_tree_text(node), xb_check_dns1123_subdomain);
	ports_validate_ip(e, XB_PATH(at, "ip"), ip);
}

static void validate_addresses(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *list)
{
	long i = 0;

	xb_tree_each(address, list)
		validate_address(e, XB_PATH_AT(at, i++), address);
}

static void validate_subset(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *subset)
{
	const struct xb_tree *ready = xb_tree_get(subset, "addresses"), *not_ready = xb_tree_get(subset, "notReadyAddresses");
	const struct xb_tree *ports = xb_tree_get(subset, "ports");
	long i = 0;

	if (!(ready && ready->count) && !(not_ready && not_ready->count))
		xb_err_required(e, at, "must specify `addresses` or `notReadyAddresses`");
	validate_addresses(e, XB_PATH(at, "addresses"), ready);
	validate_addresses(e, XB_PATH(at, "notReadyAddresses"), not_ready);
	xb_tree_each(port, ports)
		ports_validate(e, XB_PATH_AT(XB_PATH(at, "ports"), i++), port, ports->count > 1);
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	long i = 0;

	xb_tree_each(subset, xb_tree_get(object, "subsets"))
		validate_subset(e, XB_PATH_AT(XB_PATH(NULL, "subsets"), i++), subset);
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Endpoints", "string", "", "The set of all endpoints is the union of all subsets. Addresses are placed into subsets according to the IPs they share. A single address with multiple ports, some of which are ready and some of which are not (because they come from different containers) will result in the address being displayed in different subsets for the different ports. No address will appear in both Addresses and NotReadyAddresses in the same subset. Sets of addresses and ports that comprise a service.", 0 },
	COLUMN_AGE,
};

static void add_endpoint(struct xb_buf *b, struct xb_sv ip, struct xb_jv port)
{
	if (b->n > 1)
		xb_buf_addc(b, ',');
	if (!xb_jv_is(port))
		xb_buf_addsv(b, ip);
	else
		xb_buf_addf(b, ports_is_ipv6(ip) ? "[%.*s]:%.*s" : "%.*s:%.*s", XB_SV_ARG(ip), XB_SV_ARG(xb_jv_bytes(port)));
}

static size_t add_addresses(struct xb_buf *b, struct xb_jv addresses, struct xb_jv port, size_t count)
{
	for (struct xb_jit it = xb_jv_iter(addresses); cell_has_room(count) && xb_jit_next(&it); count++)
		add_endpoint(b, xb_jv_text(xb_jv_get(it.value, "ip")), port);
	return count;
}

static void row(struct table_row *r, struct xb_jv object)
{
	_cleanup_buf_ struct xb_buf b = {};
	size_t count = 0, shown = 0;

	cell_name(r, object);
	cell_open(&b);
	for (struct xb_jit subset = xb_jv_iter(xb_jv_get(object, "subsets")); xb_jit_next(&subset);) {
		struct xb_jv addresses = xb_jv_get(subset.value, "addresses"), ports = xb_jv_get(subset.value, "ports");
		struct xb_jit port = xb_jv_iter(ports);

		count += xb_jv_count(addresses) * MAX(xb_jv_count(ports), (size_t)1);
		if (!xb_jv_count(ports))
			shown = add_addresses(&b, addresses, (struct xb_jv){}, shown);
		while (xb_jit_next(&port))
			shown = add_addresses(&b, addresses, xb_jv_get(port.value, "port"), shown);
	}
	cell_more(&b, count);
	cell_close(r, &b, "<none>");
	cell_age(r, object);
}

const struct strategy endpoints_strategy = {
	.group = "", .kind = "Endpoints",
	.name = xb_check_dns1123_subdomain,
	.validate = validate,
	.create_on_update = true,
	.unconditional_update = true,
	COLUMNS(columns),
	.row = row,
};
