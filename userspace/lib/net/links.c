/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "kept.h"
#include "xb/links.h"
#include "xb/vec.h"

struct xb_links {
	struct kept kept;
	XB_VEC(struct xb_link) all;
};

static int add(void *arg, const struct xb_link *link)
{
	__typeof__(((struct xb_links *)NULL)->all) *all = arg;

	return xb_vec_push(all, *link);
}

static int dump(void *arg, struct xb_netlink *n)
{
	struct xb_links *l = arg;
	__typeof__(l->all) next = {};
	int r = xb_netlink_each_link(n, add, &next);

	if (r < 0) {
		xb_vec_done(&next);
		return r;
	}
	xb_vec_done(&l->all);
	l->all = next;
	return 0;
}

static void on_notice(void *arg, const struct nlmsghdr *h)
{
	struct xb_links *l = arg;
	struct xb_link link, *known = NULL;
	int r = 0;

	if (xb_netlink_read_link(h, &link) < 0)
		return;
	for (size_t i = 0; i < l->all.n && !known; i++)
		if (l->all.v[i].ifindex == link.ifindex)
			known = &l->all.v[i];
	if (h->nlmsg_type == RTM_DELLINK) {
		if (!known)
			return;
		xb_vec_remove(&l->all, (size_t)(known - l->all.v));
	} else if (!known) {
		r = xb_vec_push(&l->all, link);
	} else {
		bool same = known->flags == link.flags && known->hw_type == link.hw_type && !strcmp(known->name, link.name);

		*known = link;
		if (same)
			return;
	}
	kept_touch(&l->kept, r < 0);
}

static void closed(uv_handle_t *h)
{
	struct xb_links *l = h->data;

	xb_vec_done(&l->all);
	free(l);
}

struct xb_links *xb_links_free(struct xb_links *l)
{
	if (l)
		kept_end(&l->kept, closed);
	return NULL;
}

int xb_links_new(uv_loop_t *loop, void (*changed)(void *arg), void *arg, struct xb_links **ret)
{
	static const unsigned groups[] = { RTNLGRP_LINK, 0 };
	_cleanup_(xb_links_freep) struct xb_links *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	l->kept = (struct kept){ .dump = dump, .notice = on_notice, .arg = l, .changed = changed, .changed_arg = arg };
	r = kept_begin(&l->kept, loop, groups);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(l);
	return 0;
}

size_t xb_links_get(const struct xb_links *l, const struct xb_link **ret)
{
	*ret = l->all.v;
	return l->all.n;
}
