/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "ports.h"

const char *const protocols[] = { "SCTP", "TCP", "UDP", NULL };

void ports_validate(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *port, bool named)
{
	struct xb_sv name = xb_tree_gettext(port, "name");
	const struct xb_tree *app = xb_tree_get(port, "appProtocol");

	if (named && !name.n)
		xb_err_required(e, XB_PATH(at, "name"), "");
	if (name.n)
		xb_validate(e, XB_PATH(at, "name"), name, xb_check_dns1123_label);
	xb_validate_port(e, XB_PATH(at, "port"), xb_tree_geti64(port, "port", 0));
	xb_validate_one_of(e, XB_PATH(at, "protocol"), xb_tree_gettext(port, "protocol"), protocols);
	if (app)
		xb_validate(e, XB_PATH(at, "appProtocol"), xb_tree_text(app), xb_check_qualified_name);
}

void ports_validate_ip(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv ip)
{
	if (xb_validate(e, at, ip, xb_check_ip))
		xb_validate_non_special_ip(e, at, ip);
	else /* upstream's second look at the same address says so again */
		xb_err_invalid_sv(e, at, ip, "must be a valid IP address");
}

bool ports_is_ipv6(struct xb_sv ip)
{
	return ip.n && memchr(ip.p, ':', ip.n);
}
