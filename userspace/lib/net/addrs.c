/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "kept.h"
#include "xb/addrs.h"
#include "xb/vec.h"

struct xb_addrs {
	struct kept kept;
	XB_VEC(struct xb_ifaddr) all;
};

static bool same(const struct xb_ifaddr *x, const struct xb_ifaddr *y)
{
	return x->ifindex == y->ifindex && x->scope == y->scope && xb_net_eq(&x->net, &y->net);
}

static int add(void *arg, const struct xb_ifaddr *a)
{
	__typeof__(((struct xb_addrs *)NULL)->all) *all = arg;

	return xb_vec_push(all, *a);
}

static int dump(void *arg, struct xb_netlink *n)
{
	struct xb_addrs *a = arg;
	__typeof__(a->all) next = {};
	int r = xb_netlink_each_addr(n, 0, add, &next);

	if (r < 0) {
		xb_vec_done(&next);
		return r;
	}
	xb_vec_done(&a->all);
	a->all = next;
	return 0;
}

static void on_notice(void *arg, const struct nlmsghdr *h)
{
	struct xb_addrs *a = arg;
	struct xb_ifaddr addr;
	size_t i = 0;
	int r = 0;

	if (xb_netlink_read_addr(h, &addr) < 0)
		return;
	while (i < a->all.n && !same(&a->all.v[i], &addr))
		i++;
	if ((h->nlmsg_type == RTM_NEWADDR) == (i < a->all.n))
		return;
	if (i < a->all.n)
		xb_vec_remove(&a->all, i);
	else
		r = xb_vec_push(&a->all, addr);
	kept_touch(&a->kept, r < 0);
}

static void closed(uv_handle_t *h)
{
	struct xb_addrs *a = h->data;

	xb_vec_done(&a->all);
	free(a);
}

struct xb_addrs *xb_addrs_free(struct xb_addrs *a)
{
	if (a)
		kept_end(&a->kept, closed);
	return NULL;
}

int xb_addrs_new(uv_loop_t *loop, void (*changed)(void *arg), void *arg, struct xb_addrs **ret)
{
	static const unsigned groups[] = { RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, 0 };
	_cleanup_(xb_addrs_freep) struct xb_addrs *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return -ENOMEM;
	a->kept = (struct kept){ .dump = dump, .notice = on_notice, .arg = a, .changed = changed, .changed_arg = arg };
	r = kept_begin(&a->kept, loop, groups);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(a);
	return 0;
}

size_t xb_addrs_get(const struct xb_addrs *a, const struct xb_ifaddr **ret)
{
	*ret = a->all.v;
	return a->all.n;
}
