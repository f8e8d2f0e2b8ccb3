/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>

#include "edit.h"
#include "label_selector.h"
#include "ports.h"
#include "table.h"
#include "workload.h"

static void defaults(struct write *w, struct xb_tree *object)
{
	struct xb_tree *spec = edit_obtain(w, object, "spec"), *types = edit_obtain_array(w, spec, "policyTypes");

	if (!edit_is_empty(types))
		return;
	edit_append(w, types, xb_tree_str(w->arena, XB_SV("Ingress")));
	if (!edit_is_empty(xb_tree_get(spec, "egress")))
		edit_append(w, types, xb_tree_str(w->arena, XB_SV("Egress")));
}

static void validate_port_range(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *port, const struct xb_tree *end)
{
	int64_t first = 0, last = 0;

	if (!xb_tree_i64(port, &first)) {
		xb_validate_port(e, XB_PATH(at, "port"), first);
		if (!end || xb_tree_i64(end, &last))
			return;
		if (last < first)
			xb_err_invalid(e, XB_PATH(at, "endPort"), port, "must be greater than or equal to `port`");
		xb_validate_port(e, XB_PATH(at, "endPort"), last);
		return;
	}
	if (end)
		xb_err_invalid(e, XB_PATH(at, "endPort"), end, "may not be specified when `port` is %s",
			       port ? "non-numeric" : "not specified");
	if (port)
		xb_validate(e, XB_PATH(at, "port"), xb_tree_text(port), xb_check_port_name);
}

static void validate_ports(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *ports)
{
	long i = 0;

	xb_tree_each(port, ports) {
		const struct xb_path *here = XB_PATH_AT(at, i++);

		if (xb_tree_get(port, "protocol"))
			xb_validate_one_of(e, XB_PATH(here, "protocol"), xb_tree_gettext(port, "protocol"), protocols);
		validate_port_range(e, here, xb_tree_get(port, "port"), xb_tree_get(port, "endPort"));
	}
}

struct prefix {
	unsigned char address[16];
	int family;
	int64_t bits;
};

/* A text that xb_check_cidr accepts. */
static bool read_prefix(struct xb_sv cidr, struct prefix *ret)
{
	struct xb_sv length = cidr, address;
	char text[INET6_ADDRSTRLEN];

	xb_sv_split(&length, '/', &address);
	if (address.n >= sizeof(text) || xb_sv_i64(length, &ret->bits))
		return false;
	memcpy(text, address.p, address.n);
	text[address.n] = 0;
	ret->family = ports_is_ipv6(address) ? AF_INET6 : AF_INET;
	return inet_pton(ret->family, text, ret->address) == 1;
}

static bool is_strictly_within(struct xb_sv inner, struct xb_sv outer)
{
	struct prefix in = {}, out = {};

	if (!read_prefix(inner, &in) || !read_prefix(outer, &out) || in.family != out.family || in.bits <= out.bits)
		return false;
	for (int64_t i = 0; i < out.bits; i++)
		if ((in.address[i / 8] ^ out.address[i / 8]) & (0x80 >> i % 8))
			return false;
	return true;
}

static void validate_block(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *block)
{
	struct xb_sv cidr = xb_tree_gettext(block, "cidr");
	bool good;
	long i = 0;

	if (!cidr.n) {
		xb_err_required(e, XB_PATH(at, "cidr"), "");
		return;
	}
	good = xb_validate(e, XB_PATH(at, "cidr"), cidr, xb_check_cidr);
	xb_tree_each(except, xb_tree_get(block, "except")) {
		const struct xb_path *here = XB_PATH_AT(XB_PATH(at, "except"), i++);

		if (xb_validate(e, here, xb_tree_text(except), xb_check_cidr) && good && !is_strictly_within(xb_tree_text(except), cidr))
			xb_err_invalid(e, here, except, "must be a strict subset of `cidr`");
	}
}

static void validate_peers(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *peers)
{
	long i = 0;

	xb_tree_each(peer, peers) {
		const struct xb_tree *pods = xb_tree_get(peer, "podSelector"), *spaces = xb_tree_get(peer, "namespaceSelector");
		const struct xb_tree *block = xb_tree_get(peer, "ipBlock");
		const struct xb_path *here = XB_PATH_AT(at, i++);

		label_selector_validate(e, XB_PATH(here, "podSelector"), pods);
		label_selector_validate(e, XB_PATH(here, "namespaceSelector"), spaces);
		if (block)
			validate_block(e, XB_PATH(here, "ipBlock"), block);
		if (!pods && !spaces && !block)
			xb_err_required(e, here, "must specify a peer");
		else if (block && (pods || spaces))
			xb_err_forbidden(e, here, "may not specify both ipBlock and another peer");
	}
}

static void validate_rules(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *rules, const char *peers)
{
	long i = 0;

	xb_tree_each(rule, rules) {
		const struct xb_path *here = XB_PATH_AT(at, i++);

		validate_ports(e, XB_PATH(here, "ports"), xb_tree_get(rule, "ports"));
		validate_peers(e, XB_PATH(here, peers), xb_tree_get(rule, peers));
	}
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	static const char *const known[] = { "Egress", "Ingress", NULL };
	const struct xb_tree *spec = xb_tree_get(object, "spec"), *types = xb_tree_get(spec, "policyTypes");
	const struct xb_path *at = XB_PATH(NULL, "spec"), *types_path = XB_PATH(at, "policyTypes");
	long i = 0;

	label_selector_validate(e, XB_PATH(at, "podSelector"), xb_tree_get(spec, "podSelector"));
	validate_rules(e, XB_PATH(at, "ingress"), xb_tree_get(spec, "ingress"), "from");
	validate_rules(e, XB_PATH(at, "egress"), xb_tree_get(spec, "egress"), "to");
	if (types && types->count > 2) {
		xb_err_invalid(e, types_path, types, "may not specify more than two policyTypes");
		return;
	}
	xb_tree_each(type, types)
		if (!xb_tree_is(type, known[0]) && !xb_tree_is(type, known[1]))
			xb_err_unsupported(e, XB_PATH_AT(types_path, i++), xb_tree_text(type), known);
		else
			i++;
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Pod-Selector", "string", "", "Selects the pods to which this NetworkPolicy object applies.  The array of ingress rules is applied to any pods selected by this field. Multiple network policies can select the same set of pods.  In this case, the ingress rules for each are combined additively. This field is NOT optional and follows standard label selector semantics. An empty podSelector matches all pods in this namespace.", 0 },
	COLUMN_AGE,
};

static void row(struct table_row *r, struct xb_jv object)
{
	cell_name(r, object);
	cell_label_selector(r, xb_jv_path(object, "spec", "podSelector"));
	cell_age(r, object);
}

const struct strategy network_policy_strategy = {
	.group = "networking.k8s.io", .kind = "NetworkPolicy",
	.name = xb_check_dns1123_subdomain,
	.defaults = defaults,
	.validate = validate,
	.has_generation = true,
	.unconditional_update = true,
	COLUMNS(columns),
	.row = row,
};
