/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "edit.h"
#include "ingress.h"
#include "table.h"

static const char class_annotation[] = "kubernetes.io/ingress.class";

static void prepare_create(struct write *w, struct xb_tree *object)
{
	edit_json(w, object, "status", "{\"loadBalancer\":{}}");
}

/* --- validation */

static unsigned check_wildcard_subdomain(struct xb_sv s, const char *ret[XB_CHECK_MAX])
{
	const char *faults[XB_CHECK_MAX];

	if (s.n > 2 && s.n <= 253 && xb_sv_starts(s, "*.") &&
	    !xb_check_dns1123_subdomain((struct xb_sv){ s.p + 2, s.n - 2 }, faults))
		return 0;
	ret[0] = "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
	return 1;
}

static void validate_host(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv host)
{
	bool wildcard = host.n && memchr(host.p, '*', host.n);

	xb_validate(e, at, host, wildcard ? check_wildcard_subdomain : xb_check_dns1123_subdomain);
}

static void validate_segment(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *parent, const char *key,
			     const char *missing)
{
	struct xb_sv text = xb_tree_gettext(parent, key);

	if (!text.n)
		xb_err_required(e, XB_PATH(at, key), missing);
	else
		xb_validate(e, XB_PATH(at, key), text, xb_check_path_segment);
}

void ingress_validate_reference(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *reference)
{
	if (xb_tree_get(reference, "apiGroup"))
		xb_validate(e, XB_PATH(at, "apiGroup"), xb_tree_gettext(reference, "apiGroup"), xb_check_dns1123_subdomain);
	validate_segment(e, at, reference, "kind", "kind is required");
	validate_segment(e, at, reference, "name", "name is required");
}

static void validate_service(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *service)
{
	const struct xb_path *here = XB_PATH(at, "service");
	const struct xb_tree *port = xb_tree_get(service, "port");
	struct xb_sv name = xb_tree_gettext(service, "name"), port_name = xb_tree_gettext(port, "name");
	int64_t number = xb_tree_geti64(port, "number", 0);

	if (!name.n)
		xb_err_required(e, XB_PATH(here, "name"), "");
	else
		xb_validate(e, XB_PATH(here, "name"), name, xb_check_dns1035_label);
	here = XB_PATH(here, "port");
	if (port_name.n && number)
		xb_err_invalid_sv(e, at, XB_SV(""), "cannot set both port name & port number");
	else if (port_name.n)
		xb_validate(e, XB_PATH(here, "name"), port_name, xb_check_port_name);
	else if (number)
		xb_validate_port(e, XB_PATH(here, "number"), number);
	else
		xb_err_required(e, at, "port name or number is required");
}

static void validate_backend(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *backend)
{
	const struct xb_tree *resource = xb_tree_get(backend, "resource"), *service = xb_tree_get(backend, "service");

	if (resource && service)
		xb_err_invalid_sv(e, at, XB_SV(""), "cannot set both resource and service backends");
	else if (resource)
		ingress_validate_reference(e, XB_PATH(at, "resource"), resource);
	else if (service)
		validate_service(e, at, service);
	else
		xb_err_invalid_sv(e, at, XB_SV(""), "resource or service backend is required");
}

/* Sequences that a proxy could resolve to another path than was meant. */
static void validate_path_text(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv path)
{
	static const char *const sequences[] = { "//", "/./", "/../", "%2f", "%2F" }, *const ends[] = { "/..", "/." };

	for (unsigned i = 0; i < ARRAY_SIZE(sequences); i++)
		if (path.n && memmem(path.p, path.n, sequences[i], strlen(sequences[i])))
			xb_err_invalid_sv(e, at, path, "must not contain '%s'", sequences[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(ends); i++)
		if (xb_sv_ends(path, ends[i]))
			xb_err_invalid_sv(e, at, path, "cannot end with '%s'", ends[i]);
}

static void validate_path(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *path)
{
	static const char *const types[] = { "Exact", "ImplementationSpecific", "Prefix", NULL };
	const struct xb_tree *type = xb_tree_get(path, "pathType");
	struct xb_sv text = xb_tree_gettext(path, "path");
	const struct xb_path *here = XB_PATH(at, "path");
	bool free_form = xb_tree_is(type, "ImplementationSpecific");

	if (!type) {
		xb_err_required(e, XB_PATH(at, "pathType"), "pathType must be specified");
		return;
	}
	if (!free_form && !xb_tree_is(type, "Exact") && !xb_tree_is(type, "Prefix")) {
		xb_err_unsupported(e, XB_PATH(at, "pathType"), xb_tree_text(type), types);
	} else {
		if (!xb_sv_starts(text, "/") && (text.n || !free_form))
			xb_err_invalid_sv(e, here, text, "must be an absolute path");
		if (!free_form)
			validate_path_text(e, here, text);
	}
	validate_backend(e, XB_PATH(at, "backend"), xb_tree_get(path, "backend"));
}

static void validate_rules(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *rules)
{
	const char *faults[XB_CHECK_MAX];
	long i = 0;

	xb_tree_each(rule, rules) {
		/* upstream reports paths of every rule under the first */
		const struct xb_path *paths = XB_PATH(XB_PATH(XB_PATH_AT(at, 0), "http"), "paths"), *host_path = XB_PATH(XB_PATH_AT(at, i++), "host");
		const struct xb_tree *http = xb_tree_get(rule, "http");
		struct xb_sv host = xb_tree_gettext(rule, "host");
		long n = 0;

		if (host.n && !xb_check_ip(host, faults))
			xb_err_invalid_sv(e, host_path, host, "must be a DNS name, not an IP address");
		if (host.n)
			validate_host(e, host_path, host);
		if (http && edit_is_empty(xb_tree_get(http, "paths")))
			xb_err_required(e, paths, "");
		xb_tree_each(path, xb_tree_get(http, "paths"))
			validate_path(e, XB_PATH_AT(paths, n++), path);
	}
}

static void validate_tls(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *list)
{
	long i = 0;

	xb_tree_each(tls, list) {
		const struct xb_path *here = XB_PATH_AT(at, i++);
		struct xb_sv secret = xb_tree_gettext(tls, "secretName");
		long n = 0;

		xb_tree_each(host, xb_tree_get(tls, "hosts"))
			validate_host(e, XB_PATH_AT(XB_PATH(here, "hosts"), n++), xb_tree_text(host));
		if (secret.n)
			xb_validate(e, XB_PATH(here, "secretName"), secret, xb_check_dns1123_subdomain);
	}
}

static void validate_class(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	const struct xb_tree *name = xb_tree_path(object, "spec", "ingressClassName");
	const struct xb_tree *annotation = xb_tree_path(object, "metadata", "annotations", class_annotation);
	const struct xb_path *at = XB_PATH(NULL, "spec");

	if (name)
		xb_validate(e, XB_PATH(at, "ingressClassName"), xb_tree_text(name), xb_check_dns1123_subdomain);
	if (name && annotation)
		xb_err_invalid_sv(e, XB_PATH(XB_PATH(NULL, "annotations"), class_annotation), xb_tree_text(annotation),
				  "can not be set when the class field is also set");
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	const struct xb_tree *spec = xb_tree_get(object, "spec"), *backend = xb_tree_get(spec, "defaultBackend");
	const struct xb_path *at = XB_PATH(NULL, "spec");

	if (!backend && edit_is_empty(xb_tree_get(spec, "rules")))
		xb_err_invalid_go(e, at, "[]networking.IngressRule(nil)", "either `defaultBackend` or `rules` must be specified");
	if (backend)
		validate_backend(e, XB_PATH(at, "defaultBackend"), backend);
	validate_rules(e, XB_PATH(at, "rules"), xb_tree_get(spec, "rules"));
	validate_tls(e, XB_PATH(at, "tls"), xb_tree_get(spec, "tls"));
	validate_class(w, object, e);
}

static void validate_status(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	const struct xb_path *at = XB_PATH(XB_PATH(XB_PATH(NULL, "status"), "loadBalancer"), "ingress");
	const char *faults[XB_CHECK_MAX];
	long i = 0;

	xb_tree_each(point, xb_tree_path(object, "status", "loadBalancer", "ingress")) {
		struct xb_sv ip = xb_tree_gettext(point, "ip"), hostname = xb_tree_gettext(point, "hostname");
		const struct xb_path *here = XB_PATH_AT(at, i++);

		if (ip.n)
			xb_validate(e, XB_PATH(here, "ip"), ip, xb_check_ip);
		if (!hostname.n)
			continue;
		xb_validate(e, XB_PATH(here, "hostname"), hostname, xb_check_dns1123_subdomain);
		if (!xb_check_ip(hostname, faults))
			xb_err_invalid_sv(e, XB_PATH(here, "hostname"), hostname, "must be a DNS name, not an IP address");
	}
}

/* --- table */

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Class", "string", "", "The name of the IngressClass resource that should be used for additional configuration", 0 },
	{ "Hosts", "string", "", "Hosts that incoming requests are matched against before the ingress rule", 0 },
	{ "Address", "string", "", "Address is a list containing ingress points for the load-balancer", 0 },
	{ "Ports", "string", "", "Ports of TLS configurations that open", 0 },
	COLUMN_AGE,
};

static void cell_hosts(struct table_row *r, struct xb_jv rules)
{
	_cleanup_buf_ struct xb_buf b = {};
	size_t shown = 0;
	bool more = false;

	cell_open(&b);
	for (struct xb_jit it = xb_jv_iter(rules); xb_jit_next(&it);) {
		struct xb_sv host = xb_jv_text(xb_jv_get(it.value, "host"));

		more |= !cell_has_room(shown);
		if (more || !host.n)
			continue;
		cell_join(&b, host);
		shown++;
	}
	if (more)
		cell_more(&b, xb_jv_count(rules));
	cell_close(r, &b, "*");
}

static void cell_addresses(struct table_row *r, struct xb_jv points)
{
	_cleanup_buf_ struct xb_buf b = {};

	cell_open(&b);
	for (struct xb_jit it = xb_jv_iter(points); xb_jit_next(&it);) {
		struct xb_sv ip = xb_jv_text(xb_jv_get(it.value, "ip"));

		cell_join(&b, ip.n ? ip : xb_jv_text(xb_jv_get(it.value, "hostname")));
	}
	cell_close(r, &b, "");
}

static void row(struct table_row *r, struct xb_jv object)
{
	struct xb_jv spec = xb_jv_get(object, "spec"), class = xb_jv_get(spec, "ingressClassName");

	cell_name(r, object);
	cell_text(r, xb_jv_is(class) ? class : xb_jv_path(object, "metadata", "annotations", class_annotation), "<none>");
	cell_hosts(r, xb_jv_get(spec, "rules"));
	cell_addresses(r, xb_jv_path(object, "status", "loadBalancer", "ingress"));
	xb_jw_str(r->w, xb_jv_count(xb_jv_get(spec, "tls")) ? "80, 443" : "80");
	cell_age(r, object);
}

const struct strategy ingress_strategy = {
	.group = "networking.k8s.io", .kind = "Ingress",
	.name = xb_check_dns1123_subdomain,
	.prepare_create = prepare_create,
	.validate = validate,
	.validate_status = validate_status,
	.has_generation = true,
	.unconditional_update = true,
	COLUMNS(columns),
	.row = row,
};
