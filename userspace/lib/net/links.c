/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "xb/links.h"
#include "xb/vec.h"

#define DUMPS_MOST 10

struct xb_links {
	struct xb_netlink_monitor *monitor;
	uv_check_t after_reading;   /* active while there is something to tell */
	void (*changed)(void *arg);
	void *arg;
	XB_VEC(struct xb_link) all;
	bool stale;                 /* something was missed: a dump is due */
};

static int add(void *arg, const struct xb_link *link)
{
	__typeof__(((struct xb_links *)NULL)->all) *all = arg;

	return xb_vec_push(all, *link);
}

/* What is known stays when it fails. */
static int dump(struct xb_links *l)
{
	_cleanup_(xb_netlink_freep) struct xb_netlink *n = NULL;
	__typeof__(l->all) next = {};
	int r = xb_netlink_new(&n);

	if (r < 0)
		return r;
	/* a dump that changes interrupted is not whole */
	for (int i = 0; i < DUMPS_MOST; i++) {
		next.n = 0;
		r = xb_netlink_each_link(n, add, &next);
		if (r != -EINTR)
			break;
	}
	if (r < 0) {
		xb_vec_done(&next);
		return r;
	}
	xb_vec_done(&l->all);
	l->all = next;
	l->stale = false;
	return 0;
}

static void tell(uv_check_t *h)
{
	struct xb_links *l = h->data;

	/* once more in the next turn */
	if (l->stale && dump(l) < 0)
		return;
	uv_check_stop(h);
	if (l->changed)
		l->changed(l->arg);
}

static void on_lost(void *arg)
{
	struct xb_links *l = arg;

	l->stale = true;
	uv_check_start(&l->after_reading, tell);
}

static void on_notice(void *arg, const struct nlmsghdr *h)
{
	struct xb_links *l = arg;
	struct xb_link link, *known = NULL;

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
		l->stale |= xb_vec_push(&l->all, link) < 0;
	} else {
		bool same = known->flags == link.flags && known->hw_type == link.hw_type && !strcmp(known->name, link.name);

		*known = link;
		if (same)
			return;
	}
	uv_check_start(&l->after_reading, tell);
}

static void closed(uv_handle_t *h)
{
	struct xb_links *l = h->data;

	xb_vec_done(&l->all);
	free(l);
}

struct xb_links *xb_links_free(struct xb_links *l)
{
	if (l) {
		xb_netlink_monitor_free(l->monitor);
		uv_close((uv_handle_t *)&l->after_reading, closed);
	}
	return NULL;
}

int xb_links_new(uv_loop_t *loop, void (*changed)(void *arg), void *arg, struct xb_links **ret)
{
	static const unsigned groups[] = { RTNLGRP_LINK, 0 };
	_cleanup_(xb_links_freep) struct xb_links *l = calloc(1, sizeof(*l));
	struct xb_netlink_monitor_config c = {
		.loop = loop, .bus = NETLINK_ROUTE, .groups = groups, .notice = on_notice, .lost = on_lost, .arg = l,
	};
	int r;

	if (!l)
		return -ENOMEM;
	l->changed = changed;
	l->arg = arg;
	l->after_reading.data = l;
	uv_check_init(loop, &l->after_reading);
	/* Listening comes before the dump, so that nothing falls between the two. */
	r = xb_netlink_monitor_new(&c, &l->monitor);
	if (r == 0)
		r = dump(l);
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
