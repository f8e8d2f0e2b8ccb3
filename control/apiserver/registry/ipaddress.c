/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <ctype.h>

#include "edit.h"
#include "table.h"

/* The name is the address, in the one form that RFC 5952 gives it. */
static unsigned check_name(struct xb_sv s, const char *ret[XB_CHECK_MAX])
{
	int family = s.n && memchr(s.p, ':', s.n) ? AF_INET6 : AF_INET;
	char text[INET6_ADDRSTRLEN], canonical[INET6_ADDRSTRLEN];
	unsigned char address[16];

	if (s.n && s.n < sizeof(text)) {
		memcpy(text, s.p, s.n);
		text[s.n] = 0;
		if (inet_pton(family, text, address) == 1) {
			inet_ntop(family, address, canonical, sizeof(canonical));
			if (!strcmp(canonical, text))
				return 0;
			ret[0] = "must be a valid IP address in canonical form, (e.g. 10.9.8.7 or 2001:db8::ffff)";
			return 1;
		}
	}
	ret[0] = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
	return 1;
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	static const char *const required[] = { "resource", "name" };
	const struct xb_tree *parent = xb_tree_path(object, "spec", "parentRef");
	const struct xb_path *at = XB_PATH(XB_PATH(NULL, "spec"), "parentRef");
	struct xb_sv group = xb_tree_gettext(parent, "group"), space = xb_tree_gettext(parent, "namespace");

	if (!parent) {
		xb_err_required(e, at, "");
		return;
	}
	if (group.n)
		xb_validate(e, XB_PATH(at, "group"), group, xb_check_dns1123_subdomain);
	for (unsigned i = 0; i < ARRAY_SIZE(required); i++) {
		struct xb_sv text = xb_tree_gettext(parent, required[i]);

		if (!text.n)
			xb_err_required(e, XB_PATH(at, required[i]), "");
		else
			xb_validate(e, XB_PATH(at, required[i]), text, xb_check_path_segment);
	}
	if (space.n)
		xb_validate(e, XB_PATH(at, "namespace"), space, xb_check_path_segment);
}

static void validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	xb_validate_immutable(e, XB_PATH(XB_PATH(NULL, "spec"), "parentRef"), xb_tree_path(object, "spec", "parentRef"),
			      xb_tree_path(old, "spec", "parentRef"));
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "ParentRef", "string", "", "ParentRef references the resource that an IPAddress is attached to. An IPAddress must reference a parent object.", 0 },
	COLUMN_AGE,
};

static void row(struct table_row *r, struct xb_jv object)
{
	struct xb_jv parent = xb_jv_path(object, "spec", "parentRef");
	struct xb_sv resource = xb_jv_text(xb_jv_get(parent, "resource")), group = xb_jv_text(xb_jv_get(parent, "group"));
	struct xb_sv space = xb_jv_text(xb_jv_get(parent, "namespace"));
	_cleanup_buf_ struct xb_buf b = {};

	cell_name(r, object);
	cell_open(&b);
	for (size_t i = 0; i < resource.n; i++)
		xb_buf_addc(&b, (char)tolower((unsigned char)resource.p[i]));
	if (group.n)
		xb_buf_addf(&b, ".%.*s", XB_SV_ARG(group));
	if (space.n)
		xb_buf_addf(&b, "/%.*s", XB_SV_ARG(space));
	if (xb_jv_is(parent))
		xb_buf_addf(&b, "/%.*s", XB_SV_ARG(xb_jv_text(xb_jv_get(parent, "name"))));
	cell_close(r, &b, "<none>");
	cell_age(r, object);
}

const struct strategy ip_address_strategy = {
	.group = "networking.k8s.io", .kind = "IPAddress",
	.name = check_name,
	.validate = validate,
	.validate_update = validate_update,
	.unconditional_update = true,
	COLUMNS(columns),
	.row = row,
};
