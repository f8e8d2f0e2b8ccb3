/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "route.h"
#include "xb/http_server.h"

int route_not_found(struct xb_status *reterr)
{
	xb_status_set(reterr, 404, "NotFound", "the server could not find the requested resource");
	return -ENOENT;
}

int route_bad_method(struct xb_status *reterr)
{
	return xb_status_set(reterr, 405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
}

/* A segment that decodes to something with a slash would reach into another collection's keys: it names nothing. */
static int decode_segment(struct xb_arena *a, struct xb_sv raw, struct xb_sv *ret, struct xb_status *reterr)
{
	_cleanup_buf_ struct xb_buf text = {};
	bool plain = !memchr(raw.p, '%', raw.n) && !memchr(raw.p, '\0', raw.n);
	struct xb_sv copy;

	if (!plain && xb_http_decode(raw, false, &text))
		return xb_status_bad_request(reterr, "invalid URL escape in the path");
	if (text.err)
		return -ENOMEM;
	if (text.n && memchr(text.p, '/', text.n))
		return route_not_found(reterr);
	copy = xb_arena_sv(a, plain ? raw : xb_buf_sv(&text));
	if ((plain || text.n) && !copy.p)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

/* /api/v1/nodes/NAME/proxy, /api/v1/namespaces/NAMESPACE/RESOURCE/NAME/proxy */
static bool is_proxy(const struct xb_sv *part, unsigned n)
{
	bool namespaced = n > 2 && xb_sv_is(part[2], "namespaces");

	return n == (namespaced ? 7 : 5) && xb_sv_is(part[0], "api") && xb_sv_is(part[n - 1], "proxy");
}

int route_split(struct xb_arena *a, struct xb_sv path, struct xb_sv part[ROUTE_SEGMENTS], unsigned *ret_n, struct xb_sv *ret_rest,
		struct xb_status *reterr)
{
	struct xb_sv raw;
	unsigned n = 0;
	int r;

	while (xb_sv_split(&path, '/', &raw)) {
		if (!raw.n)
			continue;
		if (n == ROUTE_SEGMENTS)
			return route_not_found(reterr);
		r = decode_segment(a, raw, &part[n++], reterr);
		if (r)
			return r;
		if (is_proxy(part, n))
			break;
	}
	*ret_rest = path.p && n && is_proxy(part, n) ? (struct xb_sv){ path.p - 1, path.n + 1 } : (struct xb_sv){};
	*ret_n = n;
	return 0;
}

static enum xb_verb verb_of(struct xb_sv method, bool one)
{
	static const struct {
		const char *method;
		enum xb_verb one, many; /* on a named object, on a collection */
	} verbs[] = {
		{ "GET", XB_VERB_GET, XB_VERB_LIST },
		{ "HEAD", XB_VERB_GET, XB_VERB_LIST },
		{ "POST", 0, XB_VERB_CREATE },
		{ "PUT", XB_VERB_UPDATE, 0 },
		{ "PATCH", XB_VERB_PATCH, 0 },
		{ "DELETE", XB_VERB_DELETE, XB_VERB_DELETECOLLECTION },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(verbs); i++)
		if (xb_sv_is(method, verbs[i].method))
			return one ? verbs[i].one : verbs[i].many;
	return 0;
}

static enum xb_verb allowed_verb(const struct route *t, struct xb_sv method)
{
	enum xb_verb v;

	if (t->sub) {
		v = xb_sv_is(method, "POST") ? XB_VERB_CREATE : verb_of(method, true);
		return t->sub->verbs & v;
	}
	v = verb_of(method, t->name.n > 0);
	/* across namespaces there is only reading */
	if (t->kind->namespaced && !t->namespace_.n && v != XB_VERB_LIST)
		return 0;
	return t->kind->verbs & v;
}

/* part: what follows the version. Of /namespaces/x/y, y is a namespace's subresource when it has one of that name, else a kind. */
static int find_objects(struct route *t, const struct xb_sv *part, unsigned n, struct xb_status *reterr)
{
	const struct xb_kind *namespaces = xb_kind_by_resource(t->group, t->version, XB_SV("namespaces"));

	if (n >= 3 && xb_sv_is(part[0], "namespaces") && !(n == 3 && namespaces && xb_kind_subresource(namespaces, part[2]))) {
		t->namespace_ = part[1];
		part += 2;
		n -= 2;
	}
	t->kind = xb_kind_by_resource(t->group, t->version, part[0]);
	if (!t->kind || n > 3 || (t->namespace_.n && !t->kind->namespaced))
		return route_not_found(reterr);
	if (n > 1)
		t->name = part[1];
	if (n > 1 && t->kind->namespaced && !t->namespace_.n)
		return route_not_found(reterr);
	if (n > 2) {
		t->sub = xb_kind_subresource(t->kind, part[2]);
		if (!t->sub)
			return route_not_found(reterr);
	}
	return 0;
}

static bool version_served(struct xb_sv group, struct xb_sv version)
{
	for (const struct xb_kind *const *k = xb_kinds; *k; k++)
		if (xb_sv_is(group, (*k)->group) && (!version.p || xb_sv_is(version, (*k)->version)))
			return true;
	return false;
}

int route_parse(struct xb_arena *a, struct xb_sv method, struct xb_sv path, struct route *ret, struct xb_status *reterr)
{
	struct xb_sv part[ROUTE_SEGMENTS];
	struct route t = {};
	unsigned n, at;
	int r;

	r = route_split(a, path, part, &n, &t.rest, reterr);
	if (r)
		return r;
	at = n > 0 && xb_sv_is(part[0], "apis") ? 2 : 1;
	if (n < 2 || (at == 1 && !xb_sv_is(part[0], "api")))
		return route_not_found(reterr);
	t.group = at == 2 ? part[1] : XB_SV("");
	t.version = n > at ? part[at] : (struct xb_sv){};
	if (n <= at + 1) {
		if (!version_served(t.group, t.version))
			return route_not_found(reterr);
		t.type = n > at ? ROUTE_VERSION : ROUTE_GROUP;
		t.verb = verb_of(method, true);
		if (t.verb != XB_VERB_GET)
			return route_bad_method(reterr);
		*ret = t;
		return 0;
	}
	r = find_objects(&t, part + at + 1, n - at - 1, reterr);
	if (r)
		return r;
	t.verb = allowed_verb(&t, method);
	if (!t.verb)
		return route_bad_method(reterr);
	*ret = t;
	return 0;
}

const char *route_key(struct xb_arena *a, const struct xb_kind *k, struct xb_sv namespace_, struct xb_sv name)
{
	const struct xb_kind *at = xb_kind_stored(k);
	const struct xb_sv texts[] = {
		xb_sv(at->plural), xb_sv(*at->group ? "." : ""), xb_sv(at->group), XB_SV("/"), namespace_, xb_sv(namespace_.n ? "/" : ""),
		name,
	};

	return xb_arena_join(a, texts, ARRAY_SIZE(texts));
}
