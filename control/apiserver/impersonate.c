/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <ctype.h>
#include <strings.h>
#include "authz.h"
#include "impersonate.h"
#include "server.h"

#define AUTHENTICATION_GROUP "authentication.k8s.io"
#define VALUES_MAX 64           /* groups, and extra values, that one request may claim */

struct claim {                  /* what the headers say */
	struct xb_sv user, uid;
	struct xb_sv groups[VALUES_MAX];
	struct {
		struct xb_sv key, value;
	} extra[VALUES_MAX];
	unsigned n_groups, n_extra;
};

static bool starts(struct xb_sv s, const char *prefix)
{
	return s.n >= strlen(prefix) && !strncasecmp(s.p, prefix, strlen(prefix));
}

static bool is(struct xb_sv s, const char *name)
{
	return s.n == strlen(name) && starts(s, name);
}

/* Lower case and decoded, so that a key may hold what a header's name may not. */
static struct xb_sv extra_key(struct xb_arena *a, struct xb_sv raw)
{
	_cleanup_buf_ struct xb_buf key = {};
	struct xb_sv copy;

	if (xb_http_decode(raw, false, &key)) {
		xb_buf_clear(&key);
		xb_buf_addsv(&key, raw);
	}
	for (size_t i = 0; i < key.n; i++)
		key.p[i] = (char)tolower((unsigned char)key.p[i]);
	copy = key.err ? (struct xb_sv){} : xb_arena_sv(a, xb_buf_sv(&key));
	return copy;
}

static int too_many(struct request *q)
{
	return xb_status_bad_request(&q->fault, "more than %d values to impersonate", VALUES_MAX);
}

static int read_headers(struct request *q, struct claim *c)
{
	static const char extra[] = "Impersonate-Extra-";
	struct xb_sv name, value;
	size_t iter = 0;

	while (xb_http_header_next(q->http, &iter, &name, &value)) {
		if (!starts(name, "Impersonate-"))
			continue;
		if (is(name, "Impersonate-User")) {
			c->user = value;
		} else if (is(name, "Impersonate-Uid")) {
			c->uid = value;
		} else if (is(name, "Impersonate-Group")) {
			if (c->n_groups == VALUES_MAX)
				return too_many(q);
			c->groups[c->n_groups++] = value;
		} else if (starts(name, extra)) {
			if (c->n_extra == VALUES_MAX)
				return too_many(q);
			c->extra[c->n_extra].key = extra_key(q->arena, (struct xb_sv){ name.p + strlen(extra), name.n - strlen(extra) });
			if (!c->extra[c->n_extra].key.p)
				return -ENOMEM;
			c->extra[c->n_extra++].value = value;
		}
	}
	if (!c->user.n && (c->uid.n || c->n_groups || c->n_extra))
		return xb_status_set(&q->fault, 500, "InternalError",
				     "Internal error occurred: requested impersonation of a group, uid or extra without impersonating a user");
	return 0;
}

static int may(struct request *q, struct attributes t)
{
	t.user = q->user;
	t.verb = XB_SV("impersonate");
	t.is_resource = true;
	t.version = XB_SV("v1");
	return authz_check(q->server->authz, &t, &q->fault);
}

static int check(struct request *q, const struct claim *c)
{
	struct attributes who = { .resource = XB_SV("users"), .name = c->user };
	int r;

	if (user_is_service_account(c->user, &who.namespace_, &who.name))
		who.resource = XB_SV("serviceaccounts");
	r = may(q, who);
	if (!r && c->uid.n)
		r = may(q, (struct attributes){ .group = XB_SV(AUTHENTICATION_GROUP), .resource = XB_SV("uids"), .name = c->uid });
	for (unsigned i = 0; !r && i < c->n_groups; i++)
		r = may(q, (struct attributes){ .resource = XB_SV("groups"), .name = c->groups[i] });
	for (unsigned i = 0; !r && i < c->n_extra; i++)
		r = may(q, (struct attributes){ .group = XB_SV(AUTHENTICATION_GROUP), .resource = XB_SV("userextras"),
						.subresource = c->extra[i].key, .name = c->extra[i].value });
	return r;
}

static bool has_group(const struct claim *c, const char *group)
{
	for (unsigned i = 0; i < c->n_groups; i++)
		if (xb_sv_is(c->groups[i], group))
			return true;
	return false;
}

/* A service account is in its groups; everybody who is not anonymous is authenticated. */
static int set_groups(struct request *q, const struct claim *c, struct user *u)
{
	struct xb_sv space, name;
	unsigned n = 0;

	u->groups = xb_arena_alloc(q->arena, (c->n_groups + 4) * sizeof(*u->groups));
	if (!u->groups)
		return -ENOMEM;
	for (; n < c->n_groups; n++)
		u->groups[n] = xb_arena_strn(q->arena, c->groups[n]);
	if (!n && user_is_service_account(c->user, &space, &name)) {
		u->groups[n++] = (char *)GROUP_SERVICE_ACCOUNTS;
		u->groups[n++] = xb_arena_printf(q->arena, GROUP_SERVICE_ACCOUNTS ":%.*s", XB_SV_ARG(space));
	}
	if (xb_sv_is(c->user, USER_ANONYMOUS)) {
		if (!has_group(c, GROUP_UNAUTHENTICATED))
			u->groups[n++] = (char *)GROUP_UNAUTHENTICATED;
	} else if (!has_group(c, GROUP_AUTHENTICATED) && !has_group(c, GROUP_UNAUTHENTICATED)) {
		u->groups[n++] = (char *)GROUP_AUTHENTICATED;
	}
	for (unsigned i = 0; i < n; i++)
		if (!u->groups[i])
			return -ENOMEM;
	return 0;
}

/* Values of one key stand together, whatever the order of the headers. */
static int set_extra(struct request *q, const struct claim *c, struct user *u)
{
	u->extra = c->n_extra ? xb_arena_alloc(q->arena, (c->n_extra + 1) * sizeof(*u->extra)) : NULL;
	if (c->n_extra && !u->extra)
		return -ENOMEM;
	for (unsigned i = 0; i < c->n_extra; i++) {
		struct user_extra *e = u->extra;
		unsigned values = 0;

		while (e->key && !xb_sv_is(c->extra[i].key, e->key))
			e++;
		if (!e->key) {
			e->key = xb_arena_strn(q->arena, c->extra[i].key);
			e->values = xb_arena_alloc(q->arena, (c->n_extra + 1) * sizeof(*e->values));
		}
		if (!e->key || !e->values)
			return -ENOMEM;
		while (e->values[values])
			values++;
		e->values[values] = xb_arena_strn(q->arena, c->extra[i].value);
		if (!e->values[values])
			return -ENOMEM;
	}
	return 0;
}

int impersonate(struct request *q)
{
	struct claim c = {};
	struct user *u;
	int r;

	r = read_headers(q, &c);
	if (r || !c.user.n)
		return r;
	r = check(q, &c);
	if (r)
		return r;
	u = xb_arena_alloc(q->arena, sizeof(*u));
	if (!u)
		return -ENOMEM;
	u->name = xb_arena_strn(q->arena, c.user);
	u->uid = xb_arena_strn(q->arena, c.uid);
	r = u->name && u->uid ? set_groups(q, &c, u) : -ENOMEM;
	if (!r)
		r = set_extra(q, &c, u);
	if (!r)
		q->user = u;
	return r;
}
