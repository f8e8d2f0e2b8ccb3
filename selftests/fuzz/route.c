/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A method and a target, with a blank between. What a request is allowed to do is what is then done: where the route finds
 * objects, the attributes that the authorizer sees name the same ones.
 */
#include <stdint.h>

#include "../../control/apiserver/authz.h"
#include "../../control/apiserver/request.h"
#include "../../userspace/lib/net/http_conn.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static const char *verb_name(const struct request *q)
{
	switch (q->route.verb) {
	case XB_VERB_CREATE:
		return "create";
	case XB_VERB_GET:
		return "get";
	case XB_VERB_LIST:
		return q->query.watch ? "watch" : "list";
	case XB_VERB_UPDATE:
		return "update";
	case XB_VERB_PATCH:
		return "patch";
	case XB_VERB_DELETE:
		return "delete";
	default:
		return "deletecollection";
	}
}

/* Leave for one name is not leave for more. */
static void check_selected(const struct request *q, const struct attributes *t)
{
	_cleanup_(xb_field_selector_freep) struct xb_field_selector *s = NULL;

	if (!t->name.n || xb_field_selector_parse(q->query.field_selector, q->route.kind->field_labels, &s, NULL))
		return;
	must(xb_sv_eq(xb_field_selector_name(s), t->name));
}

static void check_objects(const struct request *q, const struct attributes *t)
{
	const struct route *route = &q->route;
	/* a namespace is within itself */
	bool is_namespace = !route->kind->namespaced && route->name.n && !strcmp(route->kind->plural, "namespaces");

	must(t->is_resource && xb_sv_is(t->verb, verb_name(q)));
	must(xb_sv_eq(t->group, route->group) && xb_sv_eq(t->version, route->version) && xb_sv_is(t->resource, route->kind->plural));
	must(xb_sv_eq(t->namespace_, is_namespace ? route->name : route->namespace_));
	must(xb_sv_is(t->subresource, route->sub ? route->sub->name : ""));
	if (route->verb == XB_VERB_LIST)
		check_selected(q, t);
	else
		must(xb_sv_eq(t->name, route->name));
	must(!route->name.n || !memchr(route->name.p, '/', route->name.n));
}

static void check(struct request *q)
{
	struct attributes t;
	int r = query_parse(q->arena, xb_http_query(q->http), &q->query, &q->fault);

	if (r)
		return;
	r = authz_attributes(q, &t);
	if (r) {
		must(r == -ENOMEM || q->fault.code == 400 || q->fault.code == 404);
		return;
	}
	if (route_parse(q->arena, xb_http_method(q->http), q->path, &q->route, &q->fault))
		must(q->fault.code == 400 || q->fault.code == 404 || q->fault.code == 405);
	else if (q->route.type == ROUTE_OBJECTS)
		check_objects(q, &t);
	else
		must(!t.is_resource);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct xb_sv target = { (const char *)bytes, n }, method;
	struct xb_http_request http = {};
	struct request *q;

	if (!xb_sv_split(&target, ' ', &method) || (!xb_sv_starts(target, "/api/") && !xb_sv_starts(target, "/apis/")))
		return 0;
	http.method = method;
	http.target = target;
	q = request_new(NULL, &http);
	must(q);
	check(q);
	request_free(q);
	return 0;
}
