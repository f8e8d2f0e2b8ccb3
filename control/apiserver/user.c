/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "user.h"

bool user_in_group(const struct user *u, const char *group)
{
	for (char *const *g = u->groups; *g; g++)
		if (!strcmp(*g, group))
			return true;
	return false;
}

bool user_is_node(const struct user *u, struct xb_sv *ret_node)
{
	static const char prefix[] = "system:node:";
	struct xb_sv name = xb_sv(u->name);

	if (!xb_sv_starts(name, prefix) || !user_in_group(u, GROUP_NODES))
		return false;
	*ret_node = (struct xb_sv){ name.p + sizeof(prefix) - 1, name.n - (sizeof(prefix) - 1) };
	return true;
}

bool user_is_service_account(struct xb_sv name, struct xb_sv *ret_namespace, struct xb_sv *ret_name)
{
	static const char prefix[] = "system:serviceaccount:";
	struct xb_sv rest = name, space;

	if (!xb_sv_starts(name, prefix))
		return false;
	rest = (struct xb_sv){ name.p + sizeof(prefix) - 1, name.n - (sizeof(prefix) - 1) };
	if (!xb_sv_split(&rest, ':', &space) || !space.n || !rest.n || memchr(rest.p, ':', rest.n))
		return false;
	*ret_namespace = space;
	*ret_name = rest;
	return true;
}

static bool add_text(struct xb_arena *a, struct xb_tree *object, const char *key, const char *text)
{
	struct xb_tree *n = xb_tree_str(a, xb_sv(text));

	if (n)
		xb_tree_set(object, xb_sv(key), n);
	return n;
}

static bool add_list(struct xb_arena *a, struct xb_tree *object, const char *key, char *const *texts)
{
	struct xb_tree *list = xb_tree_array(a);

	if (!list)
		return false;
	for (; *texts; texts++) {
		struct xb_tree *n = xb_tree_str(a, xb_sv(*texts));

		if (!n)
			return false;
		xb_tree_append(list, n);
	}
	xb_tree_set(object, xb_sv(key), list);
	return true;
}

struct xb_tree *user_info(struct xb_arena *a, const struct user *u)
{
	struct xb_tree *info = xb_tree_object(a), *extra;

	if (!info || !add_text(a, info, "username", u->name))
		return NULL;
	if (*u->uid && !add_text(a, info, "uid", u->uid))
		return NULL;
	if (*u->groups && !add_list(a, info, "groups", u->groups))
		return NULL;
	extra = u->extra && u->extra->key ? xb_tree_obtain(a, info, "extra") : NULL;
	for (const struct user_extra *e = u->extra; e && e->key; e++)
		if (!extra || !add_list(a, extra, e->key, e->values))
			return NULL;
	return info;
}
