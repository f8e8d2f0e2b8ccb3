/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "authz.h"
#include "authz_node.h"
#include "authz_rbac.h"
#include "request.h"
#include "server.h"

#define MODES_MAX 4

struct authz {
	const struct mode *modes[MODES_MAX];
	struct rbac *rbac;
	struct node_graph *nodes;       /* NULL without the mode Node */
};

static enum decision always_allow(struct authz *z, const struct attributes *t, struct xb_buf *reason)
{
	return DECISION_ALLOW;
}

static enum decision always_deny(struct authz *z, const struct attributes *t, struct xb_buf *reason)
{
	if (reason)
		xb_buf_adds(reason, "Everything is forbidden.");
	return DECISION_NONE;
}

static enum decision by_rbac(struct authz *z, const struct attributes *t, struct xb_buf *reason)
{
	return rbac_decide(z->rbac, t, reason);
}

static enum decision by_node(struct authz *z, const struct attributes *t, struct xb_buf *reason)
{
	return node_graph_decide(z->nodes, t, reason);
}

static const struct mode {
	const char *name;
	enum decision (*decide)(struct authz *z, const struct attributes *t, struct xb_buf *reason);
} modes[MODES_MAX] = {
	{ "AlwaysAllow", always_allow },
	{ "AlwaysDeny", always_deny },
	{ "Node", by_node },
	{ "RBAC", by_rbac },
};

static const struct mode *mode_of(const char *name)
{
	for (unsigned i = 0; i < MODES_MAX; i++)
		if (!strcmp(name, modes[i].name))
			return &modes[i];
	return NULL;
}

bool authz_known(const char *mode)
{
	return mode_of(mode);
}

bool authz_has_mode(const struct authz *z, const char *mode)
{
	for (unsigned i = 0; i < MODES_MAX && z->modes[i]; i++)
		if (!strcmp(mode, z->modes[i]->name))
			return true;
	return false;
}

int authz_new(char *const *names, struct store *store, struct authz **ret)
{
	_cleanup_(authz_freep) struct authz *z = calloc(1, sizeof(*z));
	unsigned n = 0;
	int r;

	if (!z)
		return -ENOMEM;
	for (; *names; names++)
		if (!authz_has_mode(z, *names))
			z->modes[n++] = mode_of(*names);
	r = rbac_new(store, &z->rbac);
	if (!r && authz_has_mode(z, "Node"))
		r = node_graph_new(store, &z->nodes);
	if (!r)
		*ret = TAKE_PTR(z);
	return r;
}

struct authz *authz_free(struct authz *z)
{
	if (!z)
		return NULL;
	rbac_free(z->rbac);
	node_graph_free(z->nodes);
	free(z);
	return NULL;
}

struct rbac *authz_rbac(struct authz *z)
{
	return z->rbac;
}

enum decision authz_decide(struct authz *z, const struct attributes *t, struct xb_buf *reason)
{
	_cleanup_buf_ struct xb_buf all = {};

	if (user_in_group(t->user, GROUP_MASTERS))
		return DECISION_ALLOW;
	for (unsigned i = 0; i < MODES_MAX && z->modes[i]; i++) {
		_cleanup_buf_ struct xb_buf one = {};
		enum decision d = z->modes[i]->decide(z, t, reason ? &one : NULL);

		if (d != DECISION_NONE) {
			if (reason)
				xb_buf_addsv(reason, xb_buf_sv(&one));
			return d;
		}
		if (one.n)
			xb_buf_addf(&all, "%s%s", all.n ? "\n" : "", one.p);
	}
	if (reason)
		xb_buf_addsv(reason, xb_buf_sv(&all));
	return DECISION_NONE;
}

static int forbidden(const struct attributes *t, const struct xb_buf *reason, struct xb_status *reterr)
{
	_cleanup_buf_ struct xb_buf text = {}, quoted = {};
	_cleanup_free_ char *group = xb_sv_dup(t->group), *resource = xb_sv_dup(t->resource);

	if (!group || !resource)
		return -ENOMEM;
	xb_buf_adds(&text, "User ");
	xb_buf_addq(&text, xb_sv(t->user->name));
	xb_buf_addf(&text, " cannot %.*s ", XB_SV_ARG(t->verb));
	if (!t->is_resource) {
		xb_buf_adds(&text, "path ");
		xb_buf_addq(&text, t->path);
	} else {
		xb_buf_addf(&quoted, "%s%s%.*s", resource, t->subresource.n ? "/" : "", XB_SV_ARG(t->subresource));
		xb_buf_adds(&text, "resource ");
		xb_buf_addq(&text, xb_buf_sv(&quoted));
		xb_buf_adds(&text, " in API group ");
		xb_buf_addq(&text, t->group);
		xb_buf_adds(&text, t->namespace_.n ? " in the namespace " : " at the cluster scope");
		if (t->namespace_.n)
			xb_buf_addq(&text, t->namespace_);
	}
	if (reason->n)
		xb_buf_addf(&text, ": %s", reason->p);
	return text.err ? text.err : xb_status_forbidden(reterr, group, resource, t->name, "%s", text.p);
}

/* Why not is only put in words when it is not. */
int authz_check(struct authz *z, const struct attributes *t, struct xb_status *reterr)
{
	_cleanup_buf_ struct xb_buf reason = {};

	if (authz_decide(z, t, NULL) == DECISION_ALLOW)
		return 0;
	(void)authz_decide(z, t, &reason);
	return forbidden(t, &reason, reterr);
}

/* --- what a request wants --- */

static struct xb_sv verb_of(struct xb_sv method)
{
	static const struct {
		const char *method, *verb;
	} verbs[] = {
		{ "POST", "create" }, { "GET", "get" }, { "HEAD", "get" },
		{ "PUT", "update" }, { "PATCH", "patch" }, { "DELETE", "delete" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(verbs); i++)
		if (xb_sv_is(method, verbs[i].method))
			return xb_sv(verbs[i].verb);
	return (struct xb_sv){};
}

static struct xb_sv lower(struct xb_arena *a, struct xb_sv s)
{
	char *copy = xb_arena_strn(a, s);

	for (char *c = copy; c && *c; c++)
		*c |= *c >= 'A' && *c <= 'Z' ? 0x20 : 0;
	return xb_sv(copy);
}

/* A list or watch of one name is one of that object: "metadata.name=x" as the client gave it. */
static struct xb_sv selected_name(struct xb_sv selector)
{
	struct xb_sv term;

	while (xb_sv_split(&selector, ',', &term)) {
		static const char *const forms[] = { "metadata.name==", "metadata.name=" };

		for (unsigned i = 0; i < ARRAY_SIZE(forms); i++)
			if (xb_sv_starts(term, forms[i])) {
				struct xb_sv name = { term.p + strlen(forms[i]), term.n - strlen(forms[i]) };

				return name.n && !memchr(name.p, '/', name.n) && !memchr(name.p, '%', name.n) &&
				       !memchr(name.p, '\\', name.n) ? name : (struct xb_sv){};
			}
	}
	return (struct xb_sv){};
}

static void of_collection(struct request *q, struct attributes *t)
{
	if (xb_sv_is(t->verb, "delete"))
		t->verb = XB_SV("deletecollection");
	if (!xb_sv_is(t->verb, "get"))
		return;
	t->verb = q->query.watch ? XB_SV("watch") : XB_SV("list");
	t->field_selector = q->query.field_selector;
	t->name = selected_name(t->field_selector);
}

/* part: what follows the version. */
static void of_parts(struct request *q, const struct xb_sv *part, unsigned n, struct attributes *t)
{
	if (xb_sv_is(part[0], "namespaces") && n > 1) {
		t->namespace_ = part[1];
		if (n > 2 && !xb_sv_is(part[2], "status") && !xb_sv_is(part[2], "finalize")) {
			part += 2;
			n -= 2;
		}
	}
	t->resource = part[0];
	if (n > 1)
		t->name = part[1];
	if (n > 2)
		t->subresource = part[2];
	if (n == 1)
		of_collection(q, t);
}

static int read_attributes(struct request *q, struct attributes *ret)
{
	struct xb_sv method = xb_http_method(q->http), part[ROUTE_SEGMENTS], rest;
	struct attributes t = { .user = q->user };
	unsigned n = 0, at = 0;
	int r;

	if (xb_sv_starts(q->path, "/api/") || xb_sv_starts(q->path, "/apis/")) {
		r = route_split(q->arena, q->path, part, &n, &rest, &q->fault);
		if (r)
			return r;
		at = n && xb_sv_is(part[0], "apis") ? 2 : 1;
	}
	if (n < at + 2 || n < 3) {
		t.verb = lower(q->arena, method);
		t.path = q->path;
		*ret = t;
		return t.verb.p ? 0 : -ENOMEM;
	}
	t.is_resource = true;
	t.verb = verb_of(method);
	t.group = at == 2 ? part[1] : (struct xb_sv){};
	t.version = part[at];
	of_parts(q, part + at + 1, n - at - 1, &t);
	*ret = t;
	return 0;
}

int authz_attributes(struct request *q, struct attributes *ret)
{
	struct attributes *t;
	int r;

	if (!q->attributes) {
		t = xb_arena_alloc(q->arena, sizeof(*t));
		r = t ? read_attributes(q, t) : -ENOMEM;
		if (r)
			return r;
		q->attributes = t;
	}
	*ret = *q->attributes;
	/* who it is may change after the first question, by impersonation */
	ret->user = q->user;
	return 0;
}

int authz_check_create(struct request *q)
{
	struct attributes t;
	int r;

	if (!q->user || q->route.verb == XB_VERB_CREATE)
		return 0;
	r = authz_attributes(q, &t);
	t.verb = XB_SV("create");
	return r ? r : authz_check(q->server->authz, &t, &q->fault);
}
